"""The transform ``fill``: short gaps between equal neighbours are closed."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import ConfigDict, Field

from distill_core.batch import Ints, Masked
from distill_core.builtin._runs import micros, reach, run_starts
from distill_core.columns import Column
from distill_core.component import Scope, Transform
from distill_core.conditions import Condition, mask
from distill_core.log import EventLog
from distill_core.params import ColumnName, Duration

END = Column("end", type="time", description="end of the event")


class Fill(Transform):
    """Close gaps between equal neighbours: the earlier one lasts until the later one begins.

    Neighbours: events side by side in a case, for which ``where`` is true, equal in ``same`` (null
    equals null). A gap: from the greatest end so far of such a run to the time of the next event.
    Where it is at most ``max_gap`` long, the event that ends last is given the next one's time as
    its end; an event without an end ends at its time. ``max_gap`` 5 s::

        time     0    2    5    8        20   22
                 [=A==]    [=A==]        [=A==]
        after    [=A=======][=A=]        [=A==]

    Nothing else changes: no event is merged (``collapse`` does that), none is shortened, and where
    two overlap there is no gap. The report counts ``filled`` events and ``filled_time`` (µs).

    Known as flooding in ActivityWatch (``aw_transform.flood``), where a watcher's heartbeats leave
    gaps; that one also merges, and fills between different events.

    >>> log = EventLog.from_frame(
    ...     [{"c": 1, "a": "work", "t": t, "end": e} for t, e in [(0, 2), (5, 8), (20, 22)]],
    ...     case="c", activity="a", time="t", end="end", unit="s")
    >>> out = log.apply(Fill(same=["activity"], max_gap="5s"))
    >>> [event["duration"] // 1_000_000 for event in out]
    [5, 3, 2]
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"same": ["activity"], "max_gap": "2s"}]}
    )

    scope: ClassVar[Scope] = "case"
    reads: ClassVar[tuple[str, ...] | None] = ()

    same: tuple[ColumnName, ...] = Field(
        min_length=1, description="columns in which neighbours are equal"
    )
    max_gap: Duration = Field(description="longest gap that is closed")
    where: Condition | None = Field(
        None, description="only events for which this is true; others lie between neighbours"
    )

    def apply(self, log: EventLog) -> EventLog:
        new = run_starts(log, self.same, None if self.where is None else mask(self.where, log))
        far = reach(log, np.flatnonzero(new))
        gap = log.time[1:] - far[:-1]
        before = np.flatnonzero(~new[1:] & (gap > 0) & (gap <= micros(self.max_gap)))
        rows = _reaching(log, far)[before]
        old = log.data.get("end")
        nothing = Masked(np.zeros(len(log), dtype=np.int64), np.ones(len(log), dtype=bool))
        end = old if isinstance(old, Masked) else nothing
        values, null = end.values.copy(), end.null.copy()
        values[rows], null[rows] = log.time[before + 1], False
        column = log.columns.get("end", END)
        return log.with_columns(end=(column, Masked(values, null))).tell(
            filled=len(rows), filled_time=int(gap[before].sum())
        )


def _reaching(log: EventLog, far: Ints) -> Ints:
    """The row that reaches ``far``, the latest of several; a run's first row always does."""
    rows = np.where(log.last == far, np.arange(len(log)), 0)
    return np.maximum.accumulate(rows)
