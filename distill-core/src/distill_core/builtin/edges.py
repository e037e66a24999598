"""The transform ``edges``: the first and last event of each case or user."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from distill_core.batch import Bools, Ints, Masked
from distill_core.builtin._runs import group_codes
from distill_core.component import Scope, Transform
from distill_core.conditions import Condition, mask
from distill_core.log import EventLog
from distill_core.params import ColumnName
from distill_core.prepare import stable_argsort


class Edges(Transform):
    """Keep the first events of each case, the last ones, or both.

    Of each group of events that are equal in ``by`` (the case, unless you say otherwise; null
    equals null) the first ``n`` stay, the last ``n``, or with side ``both`` the first and the last
    ``n``. Events count only if ``where`` is true for them; the others go. First and last go by
    time, then ``order``, then position, so with by ``user`` the first event of a user is found in
    whichever case it is. ``n`` 1::

        time               0      1      2      3
        case a             load   click         leave
        case b                           load
        by case   first    a             b
                  last                   b      a
        by user   first    a                           (both cases are of one user)

    What goes is dropped, reason ``edges``. A group may lie in several cases, so the step needs the
    whole log.

    >>> rows = [("load", 0), ("click", 1), ("leave", 3)]
    >>> log = EventLog.from_frame([{"c": 1, "a": a, "t": t} for a, t in rows],
    ...                           case="c", activity="a", time="t", unit="s")
    >>> [event["activity"] for event in log.apply(Edges(side="both"))]
    ['load', 'leave']
    """

    scope: ClassVar[Scope] = "log"
    reads: ClassVar[tuple[str, ...] | None] = ()

    side: Literal["first", "last", "both"] = Field(description="which events stay")
    by: tuple[ColumnName, ...] = Field(
        ("case",), min_length=1, description="columns in which the events of a group are equal"
    )
    n: int = Field(1, ge=1, description="how many at each side")
    where: Condition | None = Field(None, description="only events for which this is true")

    def apply(self, log: EventLog) -> EventLog:
        rows = np.arange(len(log))
        if self.where is not None:
            rows = np.flatnonzero(mask(self.where, log))
        group = log.case_of[rows]
        if self.by != ("case",):
            turn = rows if "case" in self.by else _by_time(log, rows)
            group = group_codes(log, self.by, turn)
            order = stable_argsort(group)
            rows, group = turn[order], group[order]
        stays = np.zeros(len(log), dtype=bool)
        stays[rows[self._at_edge(group)]] = True
        return log.keep(stays, "edges")

    def _at_edge(self, group: Ints) -> Bools:
        """Which events, sorted by group, are among the first or last of theirs."""
        far = group[self.n :] != group[: -self.n]
        edge = np.ones(min(self.n, len(group)), dtype=bool)
        first: Bools = np.append(edge, far)
        last: Bools = np.append(far, edge)
        return {"first": first, "last": last, "both": first | last}[self.side]


def _by_time(log: EventLog, rows: Ints) -> Ints:
    """These rows by time, order (null first), position."""
    keys: list[NDArray[Any]] = [log.time[rows]]
    order = log.data.get("order")
    if isinstance(order, Masked):
        keys = [order.values[rows], ~order.null[rows], *keys]
    return rows[np.lexsort(keys)]
