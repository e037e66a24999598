"""What a reading notes beside its counts: signs that a path, a unit or a zone is wrong.

Notes depend on the events, and on what was rejected, alone: not on the source or on batches.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

from distill_core.batch import Codes, Masked
from distill_core.columns import UNITS, Column
from distill_core.reports import Reading

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400_000_000
_CENTURY = range(946_684_800_000_000, 4_102_444_800_000_000)
"""The microseconds since the epoch of the years 2000 to 2099."""

Data = Mapping[str, Codes | Masked]


def notes_of(
    columns: Mapping[str, Column], data: Data, reading: Reading, named: Collection[str]
) -> tuple[str, ...]:
    """The notes on events ``data``; ``named``: columns that should not be null in all of them."""
    if not reading.kept:
        return tuple(_no_events(columns, reading))
    if not len(data["time"]):  # the limit is 0
        return ()
    return (
        *_user_for_case(columns, reading),
        *_odd_times(columns["time"], data["time"]),
        *(_empty(columns[name], reading) for name in columns
          if name in named and data[name].null.all()),
    )  # fmt: skip


def _no_events(columns: Mapping[str, Column], reading: Reading) -> Iterator[str]:
    for reason, told in reading.rejected.items():
        what, _, name = reason.partition("_")
        column = columns.get(name)
        if column is None:
            continue
        if what == "no":
            yield f"no event: {told.count} records have no {name}{_places(column)}"
        elif what == "bad":
            yield f"no event: {told.count} records have no readable {name}{_remedy(column)}"


def _places(column: Column) -> str:
    return f" (read from {' or '.join(map(repr, column.paths))})" if column.paths else ""


def _remedy(column: Column) -> str:
    if column.type != "time":
        return ""
    unit = (
        f"is the unit {column.unit!r} right?"
        if column.unit
        else "a number needs its unit: unit = 's', 'ms', 'us' or 'ns'"
    )
    zone = "" if column.zone else "; a text without a zone needs one: zone = 'UTC'"
    return f": {unit}{zone}"


def _user_for_case(columns: Mapping[str, Column], reading: Reading) -> Iterator[str]:
    column = columns["case"]
    if column.paths and reading.counts.get("case_from_user") == reading.kept:
        yield f"no record has a case{_places(column)}: the user stands for it in every event"


def _odd_times(column: Column, time: Codes | Masked) -> Iterator[str]:
    """Whether a unit is wrong: the next larger one would give times of this century."""
    first, last = int(time.values.min()), int(time.values.max())
    if column.unit is None:
        return
    if first >= _CENTURY.stop:
        yield f"all times are later than 2099: is the unit {column.unit!r} right?"
    for unit, nanoseconds in sorted(UNITS.items(), key=lambda pair: pair[1]):
        factor = nanoseconds // UNITS[column.unit]
        if factor > 1 and first * factor in _CENTURY and last * factor in _CENTURY:
            yield (
                f"all times are before {_day(last + _DAY)}, read with unit {column.unit!r}; "
                f"with unit {unit!r} the last would be of {_day(last * factor)}"
            )
            return


def _day(micros: int) -> date:
    return (_EPOCH + timedelta(microseconds=micros)).date()


def _empty(column: Column, reading: Reading) -> str:
    if column.name in reading.nulled:
        return f"column {column.name!r} is null in every event: no value is of type {column.type}"
    return f"column {column.name!r} is null in every event: no record has a value{_places(column)}"
