"""Times in the query DSL: which values of a field may stand for a moment, and ranges of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np

from distill_core.columns import UNITS, Column
from distill_core.params import instant_micros
from distill_elasticsearch.mapping import FieldCaps

Query = dict[str, Any]

DATES = {"strict_date_optional_time", "date_optional_time", "strict_date_optional_time_nanos"}
LENIENT = "date_optional_time"
"""It takes numbers of any length for years."""
LIMITS: Mapping[str, tuple[int, int]] = {
    "date_nanos": (0, 2**63 // 1_000_000), "whole": (-(2**63), 2**63 - 1),
}  # fmt: skip
"""The least and greatest that the server takes in a question, by type or family."""
YEARS = range(1000, 10_000)
"""The numbers that may be taken for years: those of four digits."""
LIVELY = range(1970, 2101)
"""Years in which logs have events."""
_DAY = 86_400_000_000
_ZONES = 2 * _DAY
"""Between a time of a zone and the same read as UTC there are never more µs than this."""


def moment(caps: FieldCaps, column: Column, value: datetime) -> tuple[Any, Any]:
    """The least and the greatest number of the field that may stand for the moment."""
    micros = instant_micros(value)
    around = 1000 + (_ZONES if column.zone not in (None, "UTC") else 0)
    if caps.family == "date" and reads_alike(caps, column):
        return (micros - around) // 1000, -(-(micros + around) // 1000)
    if caps.family == "whole" and column.unit is not None:
        scale = UNITS[column.unit]
        return (micros - 1) * 1000 // scale - 1, -(-(micros + 1) * 1000 // scale) + 1
    return None, None


def reads_alike(caps: FieldCaps, column: Column) -> bool:
    """Whether the indices read a date, number or text, as the column does.

    Numbers of four digits aside: see ``takes_years``.
    """
    for formats in map(_parts, caps.formats):
        numbers = formats - DATES
        wanted = {None: set(), "ms": {"epoch_millis"}, "s": {"epoch_second"}}.get(column.unit)
        if wanted is None or (column.unit is not None and numbers != wanted):
            return False
        if column.unit is not None and LENIENT in formats:
            return False
        if column.unit is None and not numbers <= {"epoch_millis", "epoch_second"}:
            return False
    return bool(caps.formats)


def _parts(formats: str) -> set[str]:
    return set(formats.split("||"))


def takes_years(caps: FieldCaps, column: Column) -> bool:
    """Whether 2026 may be a year to an index, and to the column 2,026 of its unit."""
    mixed = any(_parts(formats) & DATES for formats in caps.formats)
    return caps.family == "date" and column.unit is not None and mixed


def year_starts(caps: FieldCaps, years: range, *, before: bool = False) -> list[Query]:
    """What finds all documents at the moment where one of ``years``, or a later one, begins.

    It finds whatever is behind ``years``, and, if asked for, ``before`` them: a test of each of
    nine thousand moments is too much to ask, and hardly anything is there.
    """
    first, behind = _start(years.start), _start(years.stop)
    found = [between(caps, start, start) for start in map(_start, years)]
    found.append(between(caps, behind, None))
    return [*found, between(caps, None, first - 1)] if before else found


def years_behind(millis: int) -> range:
    """The next thirty years that begin behind a moment."""
    year = int(np.datetime64(millis, "ms").astype("datetime64[Y]").astype(np.int64)) + 1970
    return range(year + 1, year + 31)


def _start(year: int) -> int:
    return int(np.datetime64(year - 1970, "Y").astype("datetime64[ms]").astype(np.int64))


def between(caps: FieldCaps, low: Any, high: Any) -> Query:
    """A range of the field, ends included; everything if it has none that says something.

    The server refuses to be asked for what a field cannot hold.
    """
    ends = [LIMITS[kind] for kind in (*caps.types, caps.family or "") if kind in LIMITS]
    for least, greatest in ends:
        low = None if low is None or low <= least else min(low, greatest)
        high = None if high is None or high >= greatest else max(high, least)
    limits = {k: v for k, v in (("gte", low), ("lte", high)) if v is not None}
    if not limits:
        return {"match_all": {}}
    if caps.family == "date":
        limits["format"] = "epoch_millis"
    return {"range": {caps.name: limits}}
