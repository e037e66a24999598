"""The transform ``algebra``: union, intersection, difference and complement of intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import ConfigDict, Field, model_validator

from distill_core.batch import Array, Bools, Codes, Ints, Lists, Masked
from distill_core.builtin._operands import (
    END,
    TwoSided,
    leaving,
    operands,
    spans_of,
)
from distill_core.builtin._sweep import Spans, pieces, sharing
from distill_core.columns import Column
from distill_core.component import Scope
from distill_core.errors import TransformError
from distill_core.ids import U64
from distill_core.log import EventLog

SIZE = Column("size", type="integer", description="how many events are inside")
MEMBERS = Column("members", type="ids", description="the events that are inside")

RULES: Mapping[str, Callable[[Bools, Bools], Bools]] = {
    "union": lambda left, right: left | right,
    "intersection": lambda left, right: left & right,
    "difference": lambda left, right: left & ~right,
    "complement": lambda case, left: case & ~left,
}


class Algebra(TwoSided):
    """Put intervals together as sets: of moments, or of events.

    By ``time`` an interval is all moments from its time up to its end, without the end, and the
    result is made of the longest intervals that there are, case by case; what touches is one::

        left            [──────)    [──────)
        right               [───────────)
        union           [──────────────────)
        intersection        [──)    [───)
        difference      [───)           [──)
        complement  [···)      [────)      [···)    of left, in its case

    A complement reaches from the case's first event to its greatest end. The result is made of
    windows, cut from time and not from events: they have ``activity`` (``name``), ``time`` and
    ``end``, come before the events of their time, and their sources are the intervals that share
    time with them, of a difference those on the left, of a complement none. Their other columns
    are null.

    By ``members`` an interval is the events that it lists (see ``sandwich`` and ``segment``, with
    ``keep`` ``all``), and the result is made of the longest runs of events that are neighbours,
    where all that lists members is passed over. A run is an interval from its first event, whose
    columns it has and which it follows, to the greatest end; ``members`` and ``size`` are those
    events. Members that are not in this log any more are counted, ``members_gone``.

    The intervals on the left are those of this log (events with an ``end``, by members those
    with ``members``); ``left`` chooses among them. Those on the right are chosen by ``right``
    from the ``other`` log, else from this one. The union alone may do without a right side.
    The results take the place of this log's intervals on both sides, and all else stays; with
    ``keep`` nothing but results stays (``intervals``; reason ``other``), or everything does. The
    report counts ``left`` and ``right``, how many are moments ``without_length`` (which add
    nothing), and under ``other`` tells how the other log was read.

    The sweep is the usual one for interval data (Dignös, Böhlen, Gamper: Temporal Alignment,
    2012): linear once begins and ends are sorted, and in what comes out.

    >>> rows = [("work", 0, 6), ("work", 8, 12), ("call", 4, 10)]
    >>> log = EventLog.from_frame([{"c": 1, "a": a, "t": t, "e": e} for a, t, e in rows],
    ...                           case="c", activity="a", time="t", end="e", unit="s")
    >>> calls = {"left": "activity = 'work'", "right": "activity = 'call'"}
    >>> [(e["time"][17:19], e["duration"]) for e in log.apply(Algebra(kind="difference", **calls))]
    [('00', 4000000), ('10', 2000000)]
    >>> [e["activity"] for e in log.apply(Algebra(kind="intersection", **calls, name="busy"))]
    ['busy', 'busy']
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"kind": "difference", "left": "activity = 'work'", "right": "activity = 'call'"}
            ]
        }
    )

    scope: ClassVar[Scope] = "log"
    reads: ClassVar[tuple[str, ...] | None] = ("members", "source_ids")

    kind: Literal["union", "intersection", "difference", "complement"] = Field(
        description="in left or right, in both, in left only, in the case but not in left"
    )
    by: Literal["time", "members"] = Field(
        "time", description="whether intervals are sets of moments or of the events they list"
    )
    name: str | None = Field(
        None, min_length=1, description="activity of the results; none: the kind"
    )
    keep: Literal["others", "intervals", "all"] = Field(
        "others",
        description="what stays beside results: all but the intervals of both sides (others), "
        "nothing, or all",
    )

    @model_validator(mode="after")
    def _sides(self) -> Self:
        two = self.right is not None or self.other is not None
        if self.kind == "complement" and two:
            raise ValueError("a complement is that of left; it has no right and no other")
        if self.kind in ("intersection", "difference") and not two:
            raise ValueError(f"the {self.kind} needs a right side: right, other or both")
        return self

    def writes(self) -> tuple[Column, ...]:
        return (SIZE, MEMBERS) if self.by == "members" else ()

    def apply(self, log: EventLog) -> EventLog:
        out = self._of_events(log) if self.by == "members" else self._of_moments(log)
        return out if self.other is None else out.tell(other=self.other.told())

    def _activity(self, log: EventLog, rows: int) -> tuple[Column, Array]:
        codes = Codes(np.zeros(rows, dtype=np.int32), [self.name or self.kind], ordered=True)
        return log.columns["activity"], codes

    def _of_moments(self, log: EventLog) -> EventLog:
        both = operands(self, log)
        log = both.log
        left, right = spans_of(log, both.left), spans_of(log, both.right)
        rows = both.left if self.kind == "difference" else np.flatnonzero(both.sides)
        if self.kind == "complement":
            found = pieces(_cases(log), left, RULES[self.kind])
            sources = Lists(np.zeros(len(found) + 1), np.zeros(0, dtype=np.int64))
        else:
            found = pieces(left, right, RULES[self.kind])
            sources = sharing(found, spans_of(log, rows), rows)
        columns: dict[str, tuple[Column, Array]] = {
            "case": (log.columns["case"], Masked.full(found.case)),
            "activity": self._activity(log, len(found)),
            "time": (log.columns["time"], Masked.full(found.start)),
            "end": (log.columns.get("end", END), Masked.full(found.end)),
        }
        drop, lose = both.leaving(both.sides, self.keep)
        out = log.derive(self, at=None, sources=sources, columns=columns, drop=drop, lose=lose)
        flat = int((left.start == left.end).sum() + (right.start == right.end).sum())
        return both.settled(out).tell(left=len(left), right=len(right), without_length=flat)

    def _of_events(self, log: EventLog) -> EventLog:
        listing = _listing(log)
        left, right = self.chosen(log, listing)
        one, two = _members(log, left), _members(log, right)
        counts: dict[str, Any] = {"left": int(left.sum()), "right": int(right.sum())}
        if self.other is not None:
            other = self.other.log()
            chosen = self.of_other(other, _listing(other))
            two, counts["right"] = _members(other, chosen), int(chosen.sum())
        ids = log.ids.hashes(log.positions)
        every = np.concatenate([one, two])
        gone = set(every[~_among(every, ids)].tolist())
        rows = np.flatnonzero(~listing)
        inside, start = self._runs(log, rows, _among(ids[rows], one), _among(ids[rows], two))
        runs = Lists(np.append(start, len(inside)), inside)
        end = np.maximum.reduceat(log.last[inside], start) if len(start) else start
        columns: dict[str, tuple[Column, Array]] = {
            "activity": self._activity(log, len(start)),
            "end": (log.columns.get("end", END), Masked.full(end)),
            "size": (SIZE, Masked.full(runs.lengths)),
            "members": (MEMBERS, runs.with_values(log.positions[inside])),
        }
        drop, lose = leaving(left | right, self.keep)
        out = log.derive(
            self, at=inside[start], sources=runs, columns=columns, drop=drop, lose=lose
        )
        return out.tell(**counts, members_gone=len(gone))

    def _runs(self, log: EventLog, rows: Ints, left: Bools, right: Bools) -> tuple[Ints, Ints]:
        """Of these rows those that are in the result, and where runs of neighbours begin."""
        if self.kind == "complement":
            left, right = np.ones(len(rows), dtype=bool), left
        holds = RULES[self.kind](left, right)
        first = holds.copy()
        first[1:] &= ~holds[:-1] | (np.diff(log.case_of[rows]) != 0)
        return rows[holds], np.flatnonzero(first[holds])


def _cases(log: EventLog) -> Spans:
    """Each case from its first event to its greatest end."""
    start = log.offsets[:-1]
    end = np.maximum.reduceat(log.last, start) if len(start) else start
    return Spans(np.arange(log.n_cases), log.time[start], end)


def _listing(log: EventLog) -> Bools:
    """The rows that list members."""
    members = log.data.get("members")
    if not isinstance(members, Lists):
        raise TransformError(
            "there is no column 'members' at this step",
            code="column-unknown",
            hint="sandwich and segment make intervals with members",
            path="by",
        )
    return ~members.null


def _members(log: EventLog, rows: Bools) -> U64:
    """The hashes of the ids of all that these rows list."""
    members = log.data["members"]
    assert isinstance(members, Lists)
    return log.ids.hashes(members.take(np.flatnonzero(rows)).values)


def _among(hashes: U64, others: U64) -> Bools:
    """Whether each is one of the others; pandas does without a sort."""
    from pandas import Series

    return Series(hashes).isin(others).to_numpy()
