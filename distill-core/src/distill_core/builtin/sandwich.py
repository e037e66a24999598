"""The transform ``sandwich``: intervals that know what lies in them."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import ConfigDict, Field

from distill_core.batch import Bools, Ints, Lists, Masked
from distill_core.builtin._members import Bounds, Members, all_members, own_members
from distill_core.builtin._pairing import Found
from distill_core.builtin.intervals import Intervals, Spans
from distill_core.columns import Column
from distill_core.log import EventLog

SIZE = Column("size", type="integer", description="how many events are inside")
MEMBERS = Column("members", type="ids", description="the events that are inside")


class Sandwich(Intervals):
    """Make intervals, as ``intervals`` does, that list the events between start and stop.

    Members are the events after the start and before the stop by position, whatever their times::

        time        0    1    2    3    4    5    6
                    S1   a    S2   b    E2   c    E1
        inner                 └─────────┘                   members b
        outer       └─────────────────────────────┘         own a, c; all a, b, c

    A child (an interval of the same case and key inside, by ``parent``) keeps what it spans to
    itself: that is no own member of the intervals around it. ``members="all"`` adds what the
    children have, and theirs. Starts and stops are members only by ``include``. An interval of
    another key is no child; its start and stop are members like any event. An open interval
    (``open``) reaches to the end of its case. At equal time ``ties="start_first"`` lets starts
    come before everything else, so what the log has before them is inside.

    Columns written besides those of ``intervals``: ``members`` (ids, in order; they stay ids of
    what a ``keep`` removes) and ``size``, how many there are without ``include``. ``level`` and
    ``min_size`` hide intervals: they are counted (``hidden_by_level``, ``hidden_by_min_size``),
    their events stay as other events do, and ``parent`` is null where it would be a hidden one;
    ``depth`` counts those too. Members of intervals that lie in each other are listed in each:
    the work and the memory are proportional to what comes out.

    Nesting is that of a call stack, own against all what profilers call self and total; the
    relations of intervals are Allen's (Maintaining Knowledge about Temporal Intervals, 1983).

    >>> rows = [("open", 0), ("read", 1), ("type", 2), ("close", 3), ("read", 4)]
    >>> log = EventLog.from_frame([{"id": f"e{t}", "c": 1, "a": a, "t": t} for a, t in rows],
    ...                           case="c", activity="a", time="t", unit="s")
    >>> step = Sandwich(start="activity = 'open'", stop="activity = 'close'")
    >>> log.apply(step).to_dicts()[0]["members"]
    ['e1', 'e2']
    >>> step = Sandwich(start="activity = 'open'", stop="activity = 'close'", include="both")
    >>> [(e["members"], e["size"]) for e in log.apply(step)][0]
    (['e0', 'e1', 'e2', 'e3'], 2)
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"start": "activity = 'focus'", "stop": "activity = 'blur'", "key": ["target"]}
            ]
        }
    )

    include: Literal["none", "both", "left", "right"] = Field(
        "none", description="whether starts (left), stops (right) or both are members"
    )
    members: Literal["all", "own"] = Field(
        "all", description="with what the children of an interval have, or without"
    )
    level: Literal["all", "outer", "inner"] = Field(
        "all", description="only intervals that lie in no other (outer) or hold no other (inner)"
    )
    min_size: int = Field(
        0, ge=0, description="only intervals with at least so many members (without include)"
    )

    def writes(self) -> tuple[Column, ...]:
        return (*super().writes(), SIZE, MEMBERS)

    def apply(self, log: EventLog) -> EventLog:
        found, spans, reason = self._spans(log)
        order = _acting(log, found)
        bounds = self._bounds(log, found, spans, order)
        inside = own_members(bounds) if self.members == "own" else all_members(bounds)
        chosen, hidden = self._chosen(spans, bounds, inside)
        spans = _part(spans, chosen)
        columns = self._columns(log, found, spans)
        columns["size"] = (SIZE, Masked.full(inside.size[chosen]))
        places = inside.lists(chosen)
        rows = places.values if order is None else order[places.values]
        columns["members"] = (MEMBERS, Lists(places.offsets, log.positions.take(rows)))
        out = log.tell(dangling=found.dangling(reason), **hidden)
        return self._derive(out, found, spans, columns)

    def _bounds(self, log: EventLog, found: Found, spans: Spans, order: Ints | None) -> Bounds:
        shut, case = spans.end >= 0, found.case[spans.start]
        start, stop = spans.at, spans.end
        if order is not None:
            place = np.empty(len(order), dtype=np.int64)
            place[order] = np.arange(len(order))
            start, stop = place[start], place[stop]
        stop = np.where(shut, stop, log.offsets[1:][case])
        group = case
        if found.key is not None:
            key = found.key[spans.start]
            group = case * (int(key.max(initial=0)) + 1) + key
        return Bounds(start, stop, shut, spans.parent, group,
                      left=self.include in ("left", "both"),
                      right=self.include in ("right", "both"))  # fmt: skip

    def _chosen(self, spans: Spans, bounds: Bounds, inside: Members) -> tuple[Ints, dict[str, int]]:
        """The intervals that come out, and how many do not."""
        shown: Bools = np.ones(len(spans.at), dtype=bool)
        hidden: dict[str, int] = {}
        if self.level != "all":
            shown = spans.depth == 0 if self.level == "outer" else bounds.children == 0
            hidden["hidden_by_level"] = int(np.count_nonzero(~shown))
        if self.min_size:
            small = shown & (inside.size < self.min_size)
            hidden["hidden_by_min_size"] = int(np.count_nonzero(small))
            shown &= ~small
        return np.flatnonzero(shown), hidden


def _acting(log: EventLog, found: Found) -> Ints | None:
    """The rows in the order in which they act; None: their own."""
    if found.early is None:
        return None
    early = np.zeros(len(log), dtype=bool)
    early[found.rows[found.early]] = True
    new = np.zeros(len(log), dtype=bool)
    new[1:] = np.diff(log.time) != 0
    new[log.offsets[:-1]] = True
    return np.argsort(2 * np.cumsum(new) + ~early, kind="stable")


def _part(spans: Spans, chosen: Ints) -> Spans:
    """These of the intervals; a parent that is not among them is none."""
    number = np.full(len(spans.at) + 1, -1, dtype=np.int64)  # −1 finds the last
    number[chosen] = np.arange(len(chosen))
    return Spans(
        spans.start[chosen], spans.at[chosen], spans.end[chosen], spans.depth[chosen],
        number[spans.parent[chosen]],
    )  # fmt: skip
