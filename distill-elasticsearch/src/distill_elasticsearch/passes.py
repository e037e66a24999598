"""Which scans a reading needs: one for each field that may hold the time, cut into ranges of it.

A scan goes by time, since only that lets it go on after its point in time is lost. A document is
scanned by the first of the time's fields that the index has of it; what has none, one that was
not indexed, or one where the index may have taken a number for a year, in one last pass. So every
document is in just one pass, whatever its fields hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from distill_core.columns import Column
from distill_core.extract import Field, parse_path
from distill_elasticsearch.dsl import ALL, ignored
from distill_elasticsearch.mapping import FieldCaps, Mappings, conflict_error
from distill_elasticsearch.moments import LIVELY, Query, reads_alike, takes_years, year_starts


@dataclass(frozen=True)
class Pass:
    """The documents of ``query``, in the order of ``caps`` (None: in no order that lasts).

    ``low`` and ``high``: only where this field's least value is in [low, high).
    """

    query: Query
    caps: FieldCaps | None
    low: int | None = None
    high: int | None = None

    def sort(self, order: str) -> list[Any]:
        """How the server sorts; every document has a place of its own."""
        if self.caps is None:
            return ["_shard_doc"]
        by: dict[str, Any] = {"order": order, "mode": "min", "unmapped_type": "long"}
        if self.caps.family == "date":
            by["numeric_type"] = "date"
        return [{self.caps.name: by}, {"_shard_doc": "asc"}]

    def within(self, low: Any, high: Any, *, included: bool = False) -> Query:
        """The query, of these values of the field: from ``low``, to ``high``, may be with it."""
        assert self.caps is not None
        if included and self.caps.family == "date":  # the index may hold parts of a millisecond
            high, included = high + 1, False
        upper = "lte" if included else "lt"
        limits = {k: v for k, v in (("gte", low), (upper, high)) if v is not None}
        if not limits:
            return self.query
        if self.caps.family == "date":
            limits["format"] = "epoch_millis"
        return {"bool": {"filter": [self.query, {"range": {self.caps.name: limits}}]}}

    def cut_to(self, low: int | None, high: int | None) -> Pass:
        """The documents whose field's least value is in [low, high)."""
        return Pass(self.query, self.caps, low, high)

    def cut(self, borders: Sequence[int]) -> list[Pass]:
        """The same documents in several passes, cut at these values."""
        edges = [self.low, *sorted(set(borders)), self.high]
        return [self.cut_to(low, high) for low, high in zip(edges, edges[1:], strict=False)]


def passes(where: Query, columns: Sequence[Column], mappings: Mappings) -> list[Pass]:
    """One pass a field of the time, and one for what has none.

    Raises SourceError ``source-conflict`` if indices keep a field so that it has no one order.
    """
    found: list[Pass] = []
    before: list[Query] = []
    rest: list[Query] = []
    time = _time(columns)
    for caps in _time_fields(time, mappings):
        there = {"exists": {"field": caps.name}}
        others = [*before]
        if time is not None and reads_alike(caps, time) and takes_years(caps, time):
            others += year_starts(caps, LIVELY, before=True)
        found.append(Pass(_joined(where, [there], others), caps))
        rest.append(_joined(ALL, [there], others))
        before += [there, ignored(caps.name)]
    return [*found, Pass(_joined(where, [], rest), None)]


def orderly(columns: Sequence[Column], mappings: Mappings) -> bool:
    """Whether the server's order of the passes, each and together, is that of the column time.

    It is if a field that some document has is sure to be indexed, as the column reads it, and a
    field that is indexed is sure to be in the document: not in a list of objects.
    """
    time = _time(columns)
    if time is None or time.zone not in (None, "UTC") or not mappings.plain:
        return False
    families = set()
    for path in map(parse_path, time.paths):
        if not isinstance(path, Field) or "." in path.text:
            return False
        caps = mappings.get(path.text)
        if (caps is None or caps.unmapped) and not mappings.tells(path.text):
            return False
        if caps is not None:
            families.add(caps.family if caps.searchable and caps.aggregatable else None)
            if caps.family == "date" and not reads_alike(caps, time):
                return False
    return len(families) == 1 and families <= {"date", "whole", "decimal"}


def _time(columns: Sequence[Column]) -> Column | None:
    return next((column for column in columns if column.name == "time"), None)


def _time_fields(time: Column | None, mappings: Mappings) -> list[FieldCaps]:
    found: list[FieldCaps] = []
    for path in map(parse_path, time.paths if time else ()):
        caps = mappings.get(path.text) if isinstance(path, Field) else None
        if caps is None:
            continue
        if caps.conflict is not None:
            raise conflict_error(caps, "time")
        if caps.family in ("date", "whole", "decimal") and caps.aggregatable and caps.searchable:
            found.append(caps)
    return found


def _joined(where: Query, must: list[Query], must_not: list[Query]) -> Query:
    every = [query for query in (where, *must) if query != ALL]
    if not every and not must_not:
        return ALL
    return {"bool": {"filter": every, "must_not": [*must_not]}}
