"""The transform ``drop_dangling``: starts and stops without a partner leave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np
from pydantic import model_validator

from distill_core.builtin._pairing import (
    Key,
    MaxSpan,
    NullKey,
    PairingRule,
    Start,
    StartKey,
    Stop,
    StopKey,
    Ties,
    Toggle,
    Until,
    UntilKey,
    check_keys,
    check_types,
    find_pairs,
)
from distill_core.columns import Column
from distill_core.component import Scope, Transform
from distill_core.log import EventLog


class DropDangling(Transform):
    """Drop the starts and stops that find no partner, by the rules of ``intervals``.

    ::

        time       0    1    2    3    4
                   S1   x    E1   E2   S2    →    S1   x    E1
                   └─────────┘    ×    ×

    E2 is dropped as ``unmatched``, S2 as ``open``: the reasons are those for which events dangle
    in ``intervals``. An event of any pair stays, as the last of a chain does. Doing it twice
    removes nothing more.

    >>> rows = [("on", 0), ("x", 1), ("off", 2), ("off", 3), ("on", 4)]
    >>> log = EventLog.from_frame([{"c": 1, "a": a, "t": t} for a, t in rows],
    ...                           case="c", activity="a", time="t", unit="s")
    >>> out = log.apply(DropDangling(start="activity = 'on'", stop="activity = 'off'"))
    >>> [event["activity"] for event in out]
    ['on', 'x', 'off']
    >>> {reason: told.count for reason, told in out.steps[0].dropped.items()}
    {'open': 1, 'unmatched': 1}
    """

    scope: ClassVar[Scope] = "case"
    reads: ClassVar[tuple[str, ...] | None] = ()

    start: Start
    stop: Stop
    key: Key = ()
    start_key: StartKey = None
    stop_key: StopKey = None
    pairing: PairingRule = "nested"
    max_span: MaxSpan = None
    until: Until = None
    until_key: UntilKey = None
    toggle: Toggle = "alternate"
    ties: Ties = "listed"
    null_key: NullKey = "separate"

    @model_validator(mode="after")
    def _keys(self) -> Self:
        check_keys(self)
        return self

    def check(self, columns: Mapping[str, Column]) -> None:
        super().check(columns)
        check_types(self, columns)

    def apply(self, log: EventLog) -> EventLog:
        found = find_pairs(self, log)
        paired = np.zeros(len(log), dtype=bool)
        paired[found.rows[found.paired()]] = True
        dangling = found.dangling(found.reason)
        gone = np.zeros(len(log), dtype=bool)
        for rows in dangling.values():
            gone[rows] = True
        gone &= ~paired
        notes = log.tell(dangling=dangling).notes
        for reason, rows in dangling.items():
            notes = notes.drop(reason, log.positions[rows[gone[rows]]])
        return log.take(~gone).replace(reading=log.reading, steps=log.steps, notes=notes)
