"""What test servers are filled with: the recordings under the usual template, made-up documents."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from typing import Any

from elastic import Elastic
from recordings import recording

START = 1_790_000_000_000
DATE = {"type": "date", "format": "strict_date_optional_time||epoch_millis"}
FIELDS = {
    "date": "clientTime startTime endTime",
    "integer": "count details.clicks details.x details.y details.z location.x location.y",
    "boolean": "userAction targetChange typeChange details.alt details.ctrl details.meta "
    "details.shift details.window",
}


def make_template(elastic: Elastic, patterns: Iterable[str] = ("userale-*",)) -> None:
    """The template that UserALE.js logs usually have, for indices of these names."""
    known: dict[str, Any] = {
        path: DATE if kind == "date" else {"type": kind}
        for kind, paths in FIELDS.items()
        for path in paths.split()
    }
    # Attributes of pages: any number of them, one key with numbers and text.
    known |= {path: {"type": "object", "enabled": False} for path in ("attributes", "style")}
    keywords = {"match_mapping_type": "string", "mapping": {"type": "keyword"}}
    mappings = {
        "date_detection": False,  # what somebody typed would decide what others may type
        "dynamic_templates": [{"strings": keywords}],
        "properties": known,
    }
    settings = {"number_of_shards": 1, "number_of_replicas": 0}
    template = {"mappings": mappings, "settings": settings}
    body = {"index_patterns": list(patterns), "template": template, "priority": 10}
    elastic.admin("PUT", "_index_template/distill-userale", body)


def load_recordings(elastic: Elastic, names: Iterable[str], shards: int = 1) -> dict[str, str]:
    """Fill one index a recording, in the order of the file; name of the recording → index.

    What is no object cannot be in an index and is left out. An index of that name is made anew.
    """
    made = {}
    for name in names:
        index = name.partition(".ndjson")[0].removesuffix(".json")
        index = index if index.startswith("userale-") else f"userale-{index}"
        elastic.admin("DELETE", f"{index}?ignore_unavailable=true")
        elastic.admin("PUT", index, {"settings": {"number_of_shards": shards}})
        elastic.bulk(index, recorded(name))
        made[name] = index
    return made


def recorded(name: str) -> Iterator[bytes]:
    """The objects of a recording as bytes: of lines, of arrays in lines, of one array."""
    content = recording(name).read_bytes()
    text = gzip.decompress(content) if name.endswith(".gz") else content
    for line in [text] if ".ndjson" not in name else text.splitlines():
        read = json.loads(line)
        if isinstance(read, dict):
            yield line
        elif isinstance(read, list):
            yield from (json.dumps(one).encode() for one in read if isinstance(one, dict))


def made_up(count: int) -> Iterator[bytes]:
    """Documents of seven fields: twenty a session, three of the same time, ``n`` from 0 upwards."""
    kinds = ("click", "focus", "scroll", "keydown", "blur", "change", "mouseover")
    for n in range(count):
        yield (
            f'{{"n":{n},"session":"s{n // 20}","user":"u{n // 20 % 40}","activity":"{kinds[n % 7]}"'
            f',"clientTime":{START + n // 3 * 250},"target":"button#b{n % 50}.btn"'
            f',"details":{{"x":{n % 1280}}}}}'
        ).encode()


def load_made_up(elastic: Elastic, index: str, count: int, shards: int = 1) -> None:
    """Fill an index with these; an index of that name is made anew."""
    keyword = {"type": "keyword"}
    fields = dict.fromkeys(("session", "user", "activity", "target"), keyword)
    fields |= {"n": {"type": "integer"}, "clientTime": {"type": "date"}}
    settings = {"number_of_shards": shards, "number_of_replicas": 0, "refresh_interval": -1}
    elastic.admin("DELETE", f"{index}?ignore_unavailable=true")
    elastic.admin("PUT", index, {"settings": settings, "mappings": {"properties": fields}})
    elastic.bulk(index, made_up(count))
