"""The transform ``segment``: cases seen through windows of time."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import ConfigDict, Field, model_validator

from distill_core.batch import Array, Bools, Codes, Ints, Lists, Masked
from distill_core.builtin._runs import micros, reach, run_starts
from distill_core.builtin._windows import Windows, check_members, windows
from distill_core.columns import Column
from distill_core.component import Scope, Transform
from distill_core.errors import TransformError
from distill_core.grids import YEARS, CalendarGrid, FixedGrid, ranges
from distill_core.log import EventLog
from distill_core.params import Calendar, ColumnName, Duration, Every, Zone

END = Column("end", type="time", description="end of the event")
SIZE = Column("size", type="integer", description="how many events are inside")
MEMBERS = Column("members", type="ids", description="the events that are inside")
WRITTEN = (SIZE, MEMBERS)
OWN = ("id", "case", "activity", "time", "end", "duration", "order", "source_ids", "size")
"""Columns in which a window of equal events does not take over what they are equal in."""

NEEDS = {
    "fixed": ("every",),
    "sliding": ("every", "step"),
    "deadspace": ("limit",),
    "change": ("same",),
    "count": ("n",),
}
ON_GRID = ("every", "align", "empty", "zone")


class Segment(Transform):
    """Make windows over each case: intervals that say which events are in them.

    ``fixed`` windows of 5 s hold their start and not their end, and each event is in one of them,
    by its time; ``sliding`` ones begin with each ``step`` and overlap::

        second                    10      14    17                26
                                  a       b c   d                 e
        fixed 5s                  [────────)[────────)          [────────)
        … empty keep                                  [────────)
        sliding 10s,    [──────────────────)[──────────────────)[──────────────────)
        step 5s                   [──────────────────)[──────────────────)
        deadspace 6s                            [────────────────)
        count 2                   [───────] [───]                 []

    ``deadspace`` is where nothing is going on for longer than ``limit``: from the greatest end so
    far to the next event. ``change`` makes a window of each run of neighbours that are equal in
    ``same`` (null equals null), and takes over what they are equal in; ``count`` one of each
    ``n`` events. Both reach from the first event's time to the greatest end, inclusive.

    Lengths such as ``5s`` or ``24h`` count from the epoch in UTC, or with align ``first`` from
    the first event of the case. ``1d``, ``1w``, ``1mo`` (and ``2w`` …) are those of the calendar
    in ``zone``: they begin at local midnight, weeks on Monday, months on the first, and are
    longer or shorter where clocks change. Windows without events are left out, unless ``empty``
    is ``keep``: then all that reach into the time from the first to the last event are there.

    A window has the columns ``activity`` (``name``), ``time``, ``end``, ``members`` (ids) and
    ``size``; its sources are its members. It comes before the events of its time. No event is
    used up: with ``keep`` ``all`` they stay, else only windows do and the rest is dropped,
    reason ``other``.

    Tumbling and sliding windows are those of stream processing (Akidau et al.: The Dataflow
    Model, 2015), deadspace is what dwell and inactivity analysis of interaction logs looks for.

    >>> log = EventLog.from_frame([{"c": 1, "a": "x", "t": t} for t in (0, 4, 5, 7, 16)],
    ...                           case="c", activity="a", time="t", unit="s")
    >>> [(e["time"][14:19], e["size"]) for e in log.apply(Segment(every="5s"))]
    [('00:00', 2), ('00:05', 2), ('00:15', 1)]
    >>> [e["duration"] for e in log.apply(Segment(kind="deadspace", limit="6s"))]
    [9000000]
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"every": "1d", "zone": "Europe/Berlin"},
                {"kind": "sliding", "every": "10m", "step": "1m"},
                {"kind": "deadspace", "limit": "30s"},
            ]
        }
    )

    scope: ClassVar[Scope] = "case"
    reads: ClassVar[tuple[str, ...] | None] = ()

    kind: Literal["fixed", "sliding", "deadspace", "change", "count"] = Field(
        "fixed", description="what makes a window: time, a pause, equal events, their number"
    )
    every: Every | None = Field(
        None, description="length of fixed and sliding windows: 5s, 24h, or 1d 1w 1mo of zone"
    )
    step: Every | None = Field(None, description="from one sliding window to the next")
    limit: Duration | None = Field(None, description="a pause longer than this is a deadspace")
    same: tuple[ColumnName, ...] = Field(
        (), description="columns in which the events of a window are equal (change)"
    )
    n: int | None = Field(None, ge=1, description="events in a window (count)")
    align: Literal["epoch", "first"] = Field(
        "epoch", description="where windows are counted from: 1970-01-01 in UTC, the first event"
    )
    empty: Literal["drop", "keep"] = Field(
        "drop", description="whether windows without events, between events, are made"
    )
    zone: Zone = Field("UTC", description="zone in which days, weeks and months begin")
    name: str = Field("window", min_length=1, description="activity of the windows")
    keep: Literal["intervals", "all"] = Field(
        "intervals", description="what stays: nothing but windows, or all events too"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        fields, needs = type(self).model_fields, NEEDS[self.kind]
        for name in needs:
            if getattr(self, name) == fields[name].default:
                raise ValueError(f"kind {self.kind!r} needs {name}")
        allowed = (*needs, *(ON_GRID if "every" in needs else ()))
        for name in dict.fromkeys((*ON_GRID, *(n for names in NEEDS.values() for n in names))):
            if name not in allowed and getattr(self, name) != fields[name].default:
                raise ValueError(f"{name} has no meaning for kind {self.kind!r}")
        step = self.step or self.every
        calendar = isinstance(self.every, Calendar)
        if calendar is not isinstance(step, Calendar):
            raise ValueError("every and step are both of a calendar (1d 1w 1mo) or neither")
        if isinstance(self.every, Calendar) and isinstance(step, Calendar):
            if (self.every.unit == "mo") is not (step.unit == "mo"):
                raise ValueError("every and step are both months or neither")
            if self.align == "first":
                raise ValueError("days, weeks and months begin at midnight, not at the first event")
        elif self.zone != "UTC":
            raise ValueError("zone is for days, weeks and months: every='1d', '1w' or '1mo'")
        return self

    def writes(self) -> tuple[Column, ...]:
        return WRITTEN

    def apply(self, log: EventLog) -> EventLog:
        if "every" in NEEDS[self.kind]:
            found, time, end = self._on_grid(log)
        else:
            found, time, end = self._by_events(log)
        check_members(found, len(log))
        rows = ranges(found.low, found.high)
        columns: dict[str, tuple[Column, Array]] = {
            "case": (log.columns["case"], Masked.full(log.case_of[found.low])),
            "activity": (
                log.columns["activity"],
                Codes(np.zeros(len(time), dtype=np.int32), [self.name], ordered=True),
            ),
            "time": (log.columns["time"], Masked.full(time)),
            "end": (log.columns.get("end", END), Masked.full(end)),
            "size": (SIZE, Masked.full(rows.lengths)),
            "members": (MEMBERS, Lists(rows.offsets, log.positions.take(rows.values))),
        }
        for name in self.same:
            if name not in OWN and not isinstance(log.data[name], Lists):
                columns[name] = (log.columns[name], log.data[name].take(found.low))
        lose = {"other": np.ones(len(log), dtype=bool)} if self.keep == "intervals" else {}
        return log.derive(self, at=None, sources=rows, columns=columns, lose=lose)

    def _on_grid(self, log: EventLog) -> tuple[Windows, Ints, Ints]:
        every, step = self.every, self.step or self.every
        origin = log.time[log.offsets[:-1]] if self.align == "first" else None
        if isinstance(every, Calendar) and isinstance(step, Calendar):
            grid: FixedGrid | CalendarGrid = CalendarGrid(every, step, self.zone)
        else:
            assert not isinstance(every, Calendar | None)
            assert not isinstance(step, Calendar | None)
            grid = FixedGrid(micros(every), micros(step))
        first, last = grid.span(log.time if origin is None else log.time - origin[log.case_of])
        found = windows(first, last, _new(log), empty=self.empty == "keep")
        time, end = grid.bounds(found.number)
        if origin is not None:
            shift = origin[log.case_of[found.low]]
            time, end = time + shift, end + shift
        if (time < YEARS[0]).any() or (end >= YEARS[1]).any():
            raise TransformError(
                "a window would reach beyond the years 1 to 9999",
                code="window-limit",
                path="every",
                hint="choose shorter windows, or leave events of that time out by where",
            )
        there = end > time  # a day that a zone left out has none
        if there.all():
            return found, time, end
        return found.take(there), time[there], end[there]

    def _by_events(self, log: EventLog) -> tuple[Windows, Ints, Ints]:
        if self.limit is not None:
            so_far = reach(log, log.offsets[:-1])
            long = np.zeros(len(log), dtype=bool)
            long[1:] = log.time[1:] - so_far[:-1] > micros(self.limit)
            row = np.flatnonzero(long & ~_new(log))
            return Windows(row, row, row), so_far[row - 1], log.time[row]
        if self.n is not None:
            place = np.arange(len(log)) - log.offsets[:-1][log.case_of]
            low = np.flatnonzero(place % self.n == 0)
        else:
            low = np.flatnonzero(run_starts(log, self.same))
        end = np.maximum.reduceat(log.last, low) if len(low) else low
        return Windows(low, low, np.append(low, len(log))[1:]), log.time[low], end


def _new(log: EventLog) -> Bools:
    """Where cases begin."""
    new = np.zeros(len(log), dtype=bool)
    new[log.offsets[:-1]] = True
    return new
