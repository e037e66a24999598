"""Reading an index through faults: what is in it, what a source brings of it, what is left behind.

A ``Reader`` reads by way of a ``Chaos`` proxy; all that it sends is recorded.
"""

from __future__ import annotations

import hashlib
import json
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from elastic import Elastic

from distill_core.columns import Column
from distill_core.component import Request, Scan
from distill_core.testing import chaos
from distill_elasticsearch import Elasticsearch

COLUMNS = (
    Column("doc", paths=("_id",)),
    Column("n", paths=("n",), type="integer"),
    Column("session", paths=("session",)),
    Column("user", paths=("user",)),
    Column("activity", paths=("activity",)),
    Column("time", paths=("clientTime", "startTime"), type="time", unit="ms"),
    Column("target", paths=("target",)),
    Column("x", paths=("details.x",), type="integer"),
)
Row = tuple[Any, ...]


def stored(elastic: Elastic, index: str) -> dict[str, Row]:
    """Id → content of all documents of an index, as the administrator sees them by their n."""
    found: dict[str, Row] = {}
    body: dict[str, Any] = {"size": 10_000, "sort": ["n"], "track_total_hits": True}
    while True:
        hits = elastic.admin("POST", f"{index}/_search", body)["hits"]
        for hit in hits["hits"]:
            one = hit["_source"]
            moment = one.get("clientTime", one.get("startTime"))
            micros = moment * 1000 if isinstance(moment, int) else None
            found[hit["_id"]] = (
                one["n"], one.get("session"), one.get("user"), one.get("activity"), micros,
                one.get("target"), one.get("details", {}).get("x"),
            )  # fmt: skip
        if len(hits["hits"]) < 10_000:
            assert len(found) == hits["total"]["value"]
            return found
        body["search_after"] = hits["hits"][-1]["sort"]


def contents(batch: Any) -> dict[str, Row]:
    """Id → content of the rows of a batch; none is there twice."""
    lists = [batch.columns[column.name].to_list() for column in COLUMNS]
    rows = {row[0]: row[1:] for row in zip(*lists, strict=True)}
    assert len(rows) == len(batch)
    return rows


@dataclass
class Reader:
    """Reads as ``reader`` does, with pages of 1,000 by default, through ``proxy`` if given."""

    elastic: Elastic
    proxy: chaos.Chaos | None = None
    scan: Scan = field(default_factory=Scan)
    rows: dict[str, Row] = field(default_factory=dict)

    def source(self, index: str | tuple[str, ...], **params: Any) -> Elasticsearch:
        name, password = self.elastic.users["reader"]
        way: dict[str, Any] = {"hosts": self.elastic.url, "ca_file": self.elastic.ca}
        if self.proxy is not None:
            way = {"hosts": self.proxy.url}
        given = {"page": 1000, **way, "username": name, "password": password, **params}
        return Elasticsearch(index=index, **given)

    def batches(
        self, index: str | tuple[str, ...], request: Request | None = None, **params: Any
    ) -> Iterator[Any]:
        """The batches; ``rows`` and ``scan`` have what came so far, and no row comes twice."""
        self.scan, self.rows = Scan(), {}
        asked = request or Request(COLUMNS)
        for batch in self.source(index, **params).read(asked, self.scan):
            new = contents(batch)
            assert self.rows.keys().isdisjoint(new), "a document came twice"
            self.rows |= new
            yield batch

    def read(
        self, index: str | tuple[str, ...], request: Request | None = None, **params: Any
    ) -> dict[str, Row]:
        """Id → content of all that comes."""
        for _ in self.batches(index, request, **params):
            pass
        return self.rows

    @property
    def pages(self) -> list[chaos.Call]:
        """The calls that asked for a page so far."""
        assert self.proxy is not None
        return [call for call in self.proxy.calls if is_page(call)]


@contextmanager
def through_chaos(elastic: Elastic) -> Iterator[Reader]:
    """A reader behind a proxy that does what ``reader.proxy.plan`` says."""
    context = ssl.create_default_context(cafile=elastic.ca) if elastic.ca else None
    with chaos.Chaos(elastic.url, context) as proxy:
        yield Reader(elastic, proxy)


def is_page(call: chaos.Call) -> bool:
    """Whether a call asks for a page."""
    return call.path.partition("?")[0] == "/_search"


def on_pages(plan: Callable[[int, chaos.Call], Any]) -> Callable[[chaos.Call], Any]:
    """A plan for the calls that ask for pages alone; it is told which of these it is, from 1."""
    count = 0

    def planned(call: chaos.Call) -> Any:
        nonlocal count
        if not is_page(call):
            return None
        count += 1
        return plan(count, call)

    return planned


def close_snapshot(elastic: Elastic, call: chaos.Call) -> None:
    """Have the server forget the point in time that a page is asked of, as if it had expired."""
    with suppress(RuntimeError):  # forgotten already
        elastic.admin("DELETE", "_pit", {"id": json.loads(call.body)["pit"]["id"]})


def open_contexts(elastic: Elastic) -> int:
    """How many points in time and scrolls the server has open."""
    nodes = elastic.admin("GET", "_nodes/stats/indices/search")["nodes"]
    return sum(node["indices"]["search"]["open_contexts"] for node in nodes.values())


def comes_true(test: Callable[[], bool], seconds: float = 10) -> bool:
    """Whether it does, asked again and again for so long."""
    end = time.monotonic() + seconds
    while not (true := test()) and time.monotonic() < end:
        pass
    return true


def state(elastic: Elastic, indices: str) -> str:
    """A digest of all documents, settings and mappings of indices."""
    told = [
        elastic.admin("GET", f"{indices}/{what}") for what in ("_settings", "_mapping", "_alias")
    ]
    names = sorted(told[0])
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
    for name in names:
        body: dict[str, Any] = {
            "size": 10_000, "sort": ["_seq_no"], "version": True, "seq_no_primary_term": True
        }  # fmt: skip
        while hits := elastic.admin("POST", f"{name}/_search", body)["hits"]["hits"]:
            for hit in hits:
                digest.update(json.dumps(hit, sort_keys=True).encode())
            body["search_after"] = hits[-1]["sort"]
    return digest.hexdigest()
