"""The transform ``relate``: pairs of intervals by how they lie to each other."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import ConfigDict, Field, model_validator

from distill_core.batch import Array, Codes, Ints, Lists, Masked
from distill_core.builtin._allen import RELATIONS, SHARING, Relation, joined
from distill_core.builtin._operands import TwoSided, operands, spans_of
from distill_core.builtin._runs import micros
from distill_core.columns import Column
from distill_core.component import Scope
from distill_core.log import EventLog
from distill_core.params import Duration

RELATION = Column("relation", description="how the interval lies to the other one")
OTHER_ID = Column("other_id", type="ids", description="the other interval")
OTHER_ACTIVITY = Column("other_activity", description="activity of the other interval")
OVERLAP = Column("overlap", type="duration", unit="us", description="the time that both share")
WRITTEN = (RELATION, OTHER_ID, OTHER_ACTIVITY, OVERLAP)


class Relate(TwoSided):
    """Join intervals that lie to each other in one of Allen's relations, case by case.

    For every left and right interval of a case exactly one of thirteen relations holds::

        left             [────)
        before           ·       [────)    after
        meets            ·    [────)       met_by
        overlaps         · [────)          overlapped_by
        starts           [───────)         started_by
        during         [────────)          contains
        finishes       [──────)            finished_by
        equals           [────)

    Left *before* right is as in the picture; with the words on the far side left and right change
    places. Begins are compared with begins and ends with ends, so an interval without length that
    lies where another begins ``starts`` it.

    Each pair is an event: the left interval (its time, end and columns; its activity unless there
    is a ``name``) with ``relation``, ``other_id``, ``other_activity`` and ``overlap``, the time
    that both share (µs, 0 where they only touch). It follows the left interval if that stays; its
    sources are those of both.

    The intervals on the left are those of this log (events with an ``end``); ``left`` chooses
    among them. Those on the right are chosen by ``right`` from the ``other`` log, else from this
    one; without either, all intervals are on both sides, and none is paired with itself. Pairs
    take the place of the intervals in them, and all else stays; with ``keep`` nothing but pairs
    stays (``intervals``; reason ``other``), or everything does. The report counts ``left``,
    ``right`` and the pairs by relation, and under ``other`` tells how the other log was read.

    The relations are those of Allen (Maintaining Knowledge about Temporal Intervals, 1983). There
    are as many pairs of ``before`` and ``after`` as intervals times intervals, unless ``within``
    limits the time between them.

    >>> rows = [("work", 0, 6), ("work", 8, 12), ("call", 4, 10)]
    >>> log = EventLog.from_frame([{"c": 1, "a": a, "t": t, "e": e} for a, t, e in rows],
    ...                           case="c", activity="a", time="t", end="e", unit="s")
    >>> out = log.apply(Relate(left="activity = 'work'", right="activity = 'call'"))
    >>> [(e["activity"], e["relation"], e["overlap"]) for e in out]
    [('work', 'overlaps', 2000000), ('work', 'overlapped_by', 2000000)]
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"left": "activity = 'work'", "right": "activity = 'call'"}]
        }
    )

    scope: ClassVar[Scope] = "log"
    reads: ClassVar[tuple[str, ...] | None] = ()

    relations: tuple[Relation, ...] = Field(
        SHARING, min_length=1, description="of left to right; default: all with time in common"
    )
    within: Duration | None = Field(
        None, description="the longest time between the two (before, after); none: any"
    )
    name: str | None = Field(
        None, min_length=1, description="activity of the pairs; none: that of the left interval"
    )
    keep: Literal["others", "intervals", "all"] = Field(
        "others",
        description="what stays beside pairs: all but the intervals in them (others), nothing, "
        "or all",
    )

    @model_validator(mode="after")
    def _far(self) -> Self:
        if self.within is not None and not {"before", "after"} & set(self.relations):
            raise ValueError("within is for the relations before and after")
        return self

    def writes(self) -> tuple[Column, ...]:
        return WRITTEN

    def apply(self, log: EventLog) -> EventLog:
        both = operands(self, log)
        log, left, right = both.log, both.left, both.right
        alone = self.other is None and self.right is None
        right = left if alone else right
        within = None if self.within is None else micros(self.within)
        one, two, number = joined(
            spans_of(log, left), spans_of(log, right), self.relations, within
        )
        at, partner = left[one], right[two]
        if self.other is None:
            apart = at != partner
            at, partner, number = at[apart], partner[apart], number[apart]
        paired = np.zeros(len(log), dtype=bool)
        paired[at] = paired[partner] = True
        drop, lose = both.leaving(paired, self.keep)
        sources = Lists(np.arange(0, 2 * len(at) + 1, 2), np.stack([at, partner], axis=1).ravel())
        out = log.derive(
            self, at=at, sources=sources, columns=self._columns(log, at, partner, number),
            drop=drop, lose=lose,
        )  # fmt: skip
        counts = np.bincount(number, minlength=len(RELATIONS)).tolist()
        told = {r: n for r, n in zip(RELATIONS, counts, strict=True) if r in self.relations}
        out = both.settled(out).tell(left=len(left), right=len(right), **told)
        return out if self.other is None else out.tell(other=self.other.told())

    def _columns(
        self, log: EventLog, at: Ints, partner: Ints, number: Ints
    ) -> dict[str, tuple[Column, Array]]:
        begin = np.maximum(log.time[at], log.time[partner])
        shared = np.maximum(np.minimum(log.last[at], log.last[partner]) - begin, 0)
        columns: dict[str, tuple[Column, Array]] = {
            "relation": (RELATION, Codes(number, RELATIONS)),
            "other_id": (OTHER_ID, Masked.full(log.positions[partner])),
            "other_activity": (OTHER_ACTIVITY, log.data["activity"].take(partner)),
            "overlap": (OVERLAP, Masked.full(shared)),
        }
        if self.name is not None:
            codes = Codes(np.zeros(len(at), dtype=np.int32), [self.name], ordered=True)
            columns["activity"] = (log.columns["activity"], codes)
        return columns
