"""The transform ``elapsed``: how long after the case's begin, and after the event before."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from distill_core.batch import Masked
from distill_core.columns import Column
from distill_core.component import Scope, Transform
from distill_core.log import EventLog

SINCE_START = Column(
    "since_start", type="duration", unit="us", description="time since the case's first event"
)
SINCE_PREVIOUS = Column(
    "since_previous", type="duration", unit="us", description="time since the event before"
)


class Elapsed(Transform):
    """Add ``since_start`` and ``since_previous``, durations in µs between times of events.

    Both count inside a case and from ``time``, never from an ``end``; the first event of a case
    has no event before it, so its ``since_previous`` is null::

        time             0     3        8
        since_start      0     3        8
        since_previous   null  3        5

    >>> log = EventLog.from_frame([{"c": 1, "a": "x", "t": t} for t in (0, 3, 8)],
    ...                           case="c", activity="a", time="t", unit="ms")
    >>> [(e["since_start"], e["since_previous"]) for e in log.apply(Elapsed())]
    [(0, None), (3000, 3000), (8000, 5000)]
    """

    scope: ClassVar[Scope] = "case"
    reads: ClassVar[tuple[str, ...] | None] = ()

    def writes(self) -> tuple[Column, ...]:
        return (SINCE_START, SINCE_PREVIOUS)

    def apply(self, log: EventLog) -> EventLog:
        time, first = log.time, log.offsets[:-1]
        start = time - np.repeat(time[first], np.diff(log.offsets))
        previous = np.diff(time, prepend=0)
        none = np.zeros(len(time), dtype=bool)
        none[first] = True
        previous[first] = 0
        return log.with_columns(
            since_start=(SINCE_START, Masked.full(start)),
            since_previous=(SINCE_PREVIOUS, Masked(previous, none)),
        )
