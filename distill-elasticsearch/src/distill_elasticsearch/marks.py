"""What tells whether the documents of indices are still the same, without reading them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from distill_elasticsearch.allowed import index_path


def marks(ask: Callable[..., Any], index: str) -> list[Any]:
    """Of each index which one it is, and of each of its shards the documents and the last number.

    A shard gives every write a number greater than all before; so what is written, changed or
    removed shows in its last number or in how many there are. ``ask``: method, path, params, body
    → the answer.
    """
    told = ask("GET", index_path(index, "_settings"), params={"filter_path": UUID})
    found: list[Any] = sorted([name, of["settings"]["index"]["uuid"]] for name, of in told.items())
    last = {"max": {"field": "_seq_no"}}
    by_index = {"terms": {"field": "_index", "size": 10_000}, "aggs": {"last": last}}
    body = {"size": 0, "track_total_hits": False, "aggs": {"indices": by_index}}
    path = index_path(index, "_search")
    whole = {"allow_partial_search_results": "false"}
    left: int = ask("POST", path, params=whole, body={"size": 0})["_shards"]["total"]
    shard = 0
    while left > 0:
        answer = ask("POST", path, params={**whole, "preference": f"_shards:{shard}"}, body=body)
        found += [[bucket["key"], shard, bucket["doc_count"], bucket["last"]["value"]]
                  for bucket in sorted(answer["aggregations"]["indices"]["buckets"],
                                       key=lambda bucket: str(bucket["key"]))]  # fmt: skip
        left -= answer["_shards"]["total"] or left
        shard += 1
    return found


UUID = "*.settings.index.uuid"
