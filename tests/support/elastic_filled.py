"""A server that a test fills with documents, and the log that these are in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from elastic import Elastic

import distill_core as dl
from distill_core.component import Schema
from distill_core.testing import Documents
from distill_elasticsearch import Elasticsearch

SCHEMA = dl.Fields(case="who", activity="what", time="at", unit="ms")
WAYS: tuple[dict[str, Any], ...] = ({}, {"fetch": "columns", "page": 2, "slices": 3})


class Server:
    """A server, and how its indices are made and read."""

    def __init__(self, elastic: Elastic) -> None:
        self.elastic = elastic
        self.admin = elastic.admin
        self.made: set[str] = set()

    def delete(self, index: str) -> None:
        self.admin("DELETE", index)
        self.made.remove(index)

    def fill(self, index: str, documents: Sequence[Mapping[str, Any]], mappings: Any = None,
             **settings: Any) -> None:  # fmt: skip
        """A new index of these documents, with one shard; one that is there stays as it is."""
        if index in self.made:
            return
        self.made.add(index)
        made = {"index.number_of_shards": 1, "index.mapping.ignore_malformed": True, **settings}
        properties = {"properties": mappings or {"at": {"type": "date"}}}
        self.admin("PUT", index, {"settings": made, "mappings": properties})
        self.elastic.bulk(index, documents)

    def source(self, index: str | tuple[str, ...], role: str = "reader", **params: Any) -> Any:
        name, password = self.elastic.users[role]
        way = {"hosts": self.elastic.url, "ca_file": self.elastic.ca}
        return Elasticsearch(index=index, **{**way, "username": name, "password": password,
                                             **params})  # fmt: skip

    def log(self, index: str | tuple[str, ...], schema: Schema = SCHEMA, where: str | None = None,
            **params: Any) -> dl.EventLog:  # fmt: skip
        query = dl.Events(where=where) if where else None
        return dl.Pipeline(self.source(index, **params), schema, query).log()


@contextmanager
def filled(elastic: Elastic) -> Iterator[Server]:
    """A server that may be filled; its indices are gone behind."""
    server = Server(elastic)
    try:
        yield server
    finally:
        for index in sorted(server.made):
            server.delete(index)


def alike(log: dl.EventLog, documents: Sequence[Mapping[str, Any]], schema: Schema = SCHEMA,
          where: str | None = None) -> None:  # fmt: skip
    """The log is what these documents are in memory, and tells of as much that was left out."""
    query = dl.Events(where=where) if where else None
    wanted = dl.Pipeline(Documents(documents=tuple(documents)), schema, query).log()
    assert log.to_dicts() == wanted.to_dicts()
    told, known = log.reading, wanted.reading
    assert told is not None
    assert known is not None
    for one, other in ((told.rejected, known.rejected), (told.nulled, known.nulled)):
        assert {k: c.count for k, c in one.items()} == {k: c.count for k, c in other.items()}


def event(who: str, what: str, at: Any, **more: Any) -> dict[str, Any]:
    return {"who": who, "what": what, "at": at, **more}
