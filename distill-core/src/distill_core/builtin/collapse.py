"""The transform ``collapse``: runs of equal events become one event each."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
from pydantic import ConfigDict, Field

from distill_core.batch import Array, Bools, Ints, Lists, Masked
from distill_core.builtin._runs import micros, reach, run_starts
from distill_core.columns import Column
from distill_core.component import Scope, Transform
from distill_core.conditions import Condition, mask
from distill_core.errors import TransformError
from distill_core.log import EventLog
from distill_core.params import ColumnName, Duration

COUNT = Column("count", type="integer", description="how many events this one stands for")
END = Column("end", type="time", description="end of the event")
SOURCE_IDS = Column(
    "source_ids", type="ids", description="the source's events that this one is made of"
)
OWN = ("id", "case", "time", "end", "order", "count", "source_ids")
"""Columns for which ``keep`` does not decide."""


class Collapse(Transform):
    """Make one event of each run of equal neighbours.

    A run: events side by side in a case, for which ``where`` is true, equal in ``same`` (null
    equals null), each beginning at most ``max_gap`` after the greatest end so far. With anchor
    ``first`` the gap is counted from the run's first event instead. ``max_gap`` 500 ms::

        time            0        400      900      950     1000
                        scroll   scroll   scroll   click   scroll
        anchor chain    └─ count 3 ─────────────┘  click   count 1
        anchor first    └─ count 2 ───┘   count 1  click   count 1

    A run becomes its first event: id, time, order. ``count`` adds up the members' counts (an
    event without one counts 1), ``source_ids`` are the events of the source behind it. Into
    ``event`` it has an end only if a member had one, into ``interval`` always: the greatest one.
    Of members with one time and an end only the longest counts (loggers write an interval again
    while it grows); the others are dropped, reason ``superseded``.

    Columns written: ``count`` (1 for every other event), ``source_ids``, and ``end`` into
    ``interval``. Known as gaps and islands in SQL; the time limit is that of ``max_gap`` in
    sessionising (Catledge, Pitkow: Characterizing Browsing Strategies in the World-Wide Web,
    1995).

    >>> rows = [("scroll", 0), ("scroll", 400), ("scroll", 900), ("click", 950), ("scroll", 1000)]
    >>> log = EventLog.from_frame([{"c": 1, "a": a, "t": t} for a, t in rows],
    ...                           case="c", activity="a", time="t", unit="ms")
    >>> [(e["activity"], e["count"]) for e in log.apply(Collapse(same=["activity"]))]
    [('scroll', 3), ('click', 1), ('scroll', 1)]
    >>> step = Collapse(same=["activity"], max_gap="500ms", anchor="first", into="interval")
    >>> [(e["activity"], e["count"], e["duration"]) for e in log.apply(step)]
    [('scroll', 2, 400000), ('scroll', 1, 0), ('click', 1, 0), ('scroll', 1, 0)]
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"same": ["activity", "target"], "max_gap": "500ms"}]}
    )

    scope: ClassVar[Scope] = "case"
    reads: ClassVar[tuple[str, ...] | None] = ("count",)

    same: tuple[ColumnName, ...] = Field(
        min_length=1, description="columns in which the events of a run are equal"
    )
    where: Condition | None = Field(
        None, description="only events for which this is true; the others stay as they are"
    )
    max_gap: Duration | None = Field(
        None, description="longest time between events of a run; none: any time"
    )
    anchor: Literal["chain", "first"] = Field(
        "chain", description="gap from the greatest end so far (chain) or from the first event"
    )
    keep: Literal["first", "last", "coalesce"] = Field(
        "first", description="other columns: of the first or last member, or the first not null"
    )
    into: Literal["event", "interval"] = Field(
        "event", description="whether a run of events without an end gets one"
    )

    def writes(self) -> tuple[Column, ...]:
        return (SOURCE_IDS,)

    def apply(self, log: EventLog) -> EventLog:
        chosen = None if self.where is None else mask(self.where, log)
        new = run_starts(log, self.same, chosen)
        if self.max_gap is not None:
            new = self._split(log, new, micros(self.max_gap))
        longer = _superseded(log, new, chosen)
        if longer is not None:
            run = np.cumsum(new)[~longer]
            log = log.keep(~longer, "superseded")
            new = np.append(True, run[1:] != run[:-1])
            chosen = None if chosen is None else chosen[~longer]
        first = np.flatnonzero(new)
        offsets = np.append(first, len(log))
        data = self._picked(log, first, offsets)
        data |= self._written(log, first, offsets, None if chosen is None else chosen[first])
        return log.replace(
            columns={**log.columns, "end": END, "count": COUNT, "source_ids": SOURCE_IDS}
            | {name: column for name, column in log.columns.items() if name == "end"},
            data=data,
            offsets=np.searchsorted(first, log.offsets) if len(first) else log.offsets,
            notes=log.notes.derive(made=0, used=len(log) - len(first)),
        )

    def _split(self, log: EventLog, new: Bools, gap: int) -> Bools:
        """Runs cut where the gap is too long; the input is used up."""
        time = log.time
        if self.anchor == "chain":
            new[1:] |= time[1:] - reach(log, np.flatnonzero(new))[:-1] > gap
            return new
        edges = np.append(np.flatnonzero(new), len(new))
        start, end = edges[:-1], edges[1:]
        long = np.flatnonzero(time[end - 1] - time[start] > gap)
        times = time.tolist() if len(long) else []
        for row, stop in zip(start[long].tolist(), end[long].tolist(), strict=True):
            while (row := bisect_right(times, times[row] + gap, row, stop)) < stop:
                new[row] = True
        return new

    def _picked(self, log: EventLog, first: Ints, offsets: Ints) -> dict[str, Array]:
        data: dict[str, Array] = {}
        for name, column in log.data.items():
            rows = first
            if name not in OWN and self.keep == "last":
                rows = offsets[1:] - 1
            elif name not in OWN and self.keep == "coalesce":
                rows = _first_known(column.null, first, offsets)
            data[name] = column.take(rows)
        return data

    def _written(
        self, log: EventLog, first: Ints, offsets: Ints, member: Bools | None
    ) -> Mapping[str, Array]:
        sources = Lists(offsets, log.positions)
        if "source_ids" in log.data:
            sources = log.sources_of(Lists(offsets, np.arange(len(log), dtype=np.int64)))
        found: dict[str, Array] = {
            "count": _counts(log, first, offsets),
            "source_ids": sources,
        }
        end = log.data.get("end")
        if self.into == "interval" or isinstance(end, Masked):
            greatest = _greatest(log, first, offsets)
            none = np.ones(len(first), dtype=bool)
            if isinstance(end, Masked) and len(first):
                none = np.logical_and.reduceat(end.null, first)
            if self.into == "interval":
                none &= False if member is None else ~member
            found["end"] = Masked(np.where(none, 0, greatest), none)
        return found


def _greatest(log: EventLog, first: Ints, offsets: Ints) -> Ints:
    """The greatest ``last`` of each run."""
    if log.last is log.time or not len(first):
        return log.time[offsets[1:] - 1]  # times do not fall inside a case
    return np.maximum.reduceat(log.last, first)


def _superseded(log: EventLog, new: Bools, chosen: Bools | None) -> Bools | None:
    """Members with an end that have a longer one of the same time and run; None: there is none."""
    end = log.data.get("end")
    if not isinstance(end, Masked):
        return None
    rows = np.flatnonzero(~end.null if chosen is None else ~end.null & chosen)
    run, time, until = np.cumsum(new)[rows], log.time[rows], end.values[rows]
    tied = (run[1:] == run[:-1]) & (time[1:] == time[:-1])
    if not tied.any():
        return None
    start = np.flatnonzero(np.append(True, ~tied))
    group = np.repeat(np.arange(len(start)), np.diff(np.append(start, len(rows))))
    longest = np.flatnonzero(until == np.maximum.reduceat(until, start)[group])
    stays = longest[np.append(True, group[longest][1:] != group[longest][:-1])]
    lost = np.zeros(len(new), dtype=bool)
    lost[np.delete(rows, stays)] = True
    return lost


def _counts(log: EventLog, first: Ints, offsets: Ints) -> Masked:
    """How many events each run stands for."""
    count = log.data.get("count")
    if count is None:
        return Masked.full(np.diff(offsets))
    kind = log.columns["count"].type
    if not isinstance(count, Masked) or kind not in ("integer", "number"):
        raise TransformError(
            f"column 'count' is {kind}, but it should say how many events an event stands for",
            code="column-type",
            hint="give that column another name",
        )
    each = np.where(count.null, 1, count.values).astype(np.int64)
    if kind == "number" and (each != np.where(count.null, 1, count.values)).any():
        raise TransformError(
            "column 'count' has values that are no whole numbers",
            code="column-type",
            hint="give that column another name",
        )
    if not len(first):
        return Masked.full(each)
    if np.abs(each.astype(np.float64)).max() * len(each) >= 2**62:  # a sum may wrap around
        sums = np.add.reduceat(each.astype(object), first)
        if not all(-(2**63) <= total < 2**63 for total in sums):
            raise TransformError(
                "the counts of a run add up to more than a whole number of 64 bits holds",
                code="column-type",
                hint="give the column 'count' another name, if it is no count of events",
            )
    return Masked.full(np.add.reduceat(each, first))


def _first_known(null: Bools, first: Ints, offsets: Ints) -> Ints:
    """The first row of each run that is not null, else the run's first."""
    rows = first.copy()
    open_ = np.flatnonzero(null[first] & (np.diff(offsets) > 1))
    known = np.flatnonzero(~null)
    place = np.searchsorted(known, first[open_])
    found = np.append(known, len(null))[place]
    inside = found < offsets[1:][open_]
    rows[open_[inside]] = found[inside]
    return rows
