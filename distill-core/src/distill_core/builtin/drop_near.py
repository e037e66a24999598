"""The transform ``drop_near``: events leave because of what is near them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from distill_core.batch import Bools, Ints
from distill_core.builtin._near import Side, equal, nearest, neighbours
from distill_core.builtin._runs import micros
from distill_core.component import Scope, Transform
from distill_core.conditions import Condition, mask
from distill_core.log import EventLog
from distill_core.params import ColumnName, Duration

WHERE = "the events that leave if the other is there"
NEAR = "the other event; 'absent': there is none beside it, its case begins or ends here"

OnSide = Annotated[
    Literal["next", "previous", "either"],
    Field(description="whether the other comes after, before, or on either side"),
]
Reach = Annotated[
    Literal["adjacent", "any"],
    Field(description="the other is right beside it, or anywhere in its case"),
]
Within = Annotated[Duration | None, Field(description="longest time between both; none: any time")]
Same = Annotated[tuple[ColumnName, ...], Field(description="columns in which both are equal")]
Skip = Annotated[
    Condition | None, Field(description="events that are looked through, as if they were not there")
]
Near = Annotated[Literal["absent"] | Condition, Field(union_mode="left_to_right")]


class NearRule(BaseModel):
    """One rule: which events leave, and what has to be near."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    where: Condition = Field(description=WHERE)
    near: Near = Field(description=NEAR)
    side: OnSide = "next"
    reach: Reach = "adjacent"
    within: Within = None
    same: Same = ()
    skip: Skip = None
    name: str | None = Field(
        None, min_length=1, description="what the report calls the rule; none: its number from 0"
    )

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.near == "absent" and (self.reach == "any" or self.same or self.within is not None):
            raise ValueError("near='absent' looks right beside: it takes no reach, same or within")
        if self.skip is not None and self.reach == "any":
            raise ValueError("skip is for what is right beside: reach='any' looks everywhere")
        return self

    def finds(self, log: EventLog) -> Bools:
        """The events that leave by this rule alone."""
        where = mask(self.where, log)
        sides: Sequence[Side] = ("next", "previous") if self.side == "either" else (self.side,)
        gone = np.zeros(len(log), dtype=bool)
        if self.near != "absent" and self.reach == "any":
            rows, others = nearest(log, where, mask(self.near, log), self.same, sides)
            for other in others:
                found = np.flatnonzero(other >= 0)
                gone[rows[found[self._in_time(log, rows[found], other[found])]]] = True
            return gone
        rows = np.flatnonzero(where)
        skip = None if self.skip is None else mask(self.skip, log)
        near = None if self.near == "absent" else mask(self.near, log)
        for side in sides:
            other = neighbours(log, rows, skip, side)
            if near is None:
                gone[rows[other < 0]] = True
                continue
            found = np.flatnonzero((other >= 0) & near[other])
            one, other = rows[found], other[found]
            gone[one[self._in_time(log, one, other) & equal(log, self.same, one, other)]] = True
        return gone

    def _in_time(self, log: EventLog, one: Ints, other: Ints) -> Bools:
        if self.within is None:
            return np.ones(len(one), dtype=bool)
        near: Bools = np.abs(log.time[one] - log.time[other]) <= micros(self.within)
        return near


class DropNear(Transform):
    """Drop events that another event makes superfluous, such as the mouse-down before a click.

    An event for which ``where`` is true leaves if, on that side, the event beside it (or with
    reach ``any`` some event of its case) is true for ``near``, equal in ``same`` (null equals
    null) and not further away than ``within``, from time to time, inclusive::

        time       0      80     81                 900
                   down   up     click              down      where down or up, near click,
                   ×      ×      │                  stays     reach any, within 500 ms
                   └──────┴──────┘

    ``skip`` names events to look through: they are nobody's neighbours. At the edge of a case the
    neighbour is absent: ``near="absent"`` is true there, all else is false.

    Several ``rules`` look at the log as it came, all at once: of X Y, "drop X if the next is Y"
    and "drop Y if the previous is X" drop both. With ``cascade`` one rule acts after the other,
    on what is left. Dropped events are told as ``drop_near``, of several rules as
    ``drop_near.0``, ``drop_near.1`` … or by the rule's name, under the first that drops them.

    >>> rows = [("down", 0), ("up", 80), ("click", 81), ("down", 900)]
    >>> log = EventLog.from_frame([{"c": 1, "a": a, "t": t} for a, t in rows],
    ...                           case="c", activity="a", time="t", unit="ms")
    >>> step = DropNear(where="activity IN ('down', 'up')", near="activity = 'click'",
    ...                 reach="any", within="500ms")
    >>> [event["activity"] for event in log.apply(step)]
    ['click', 'down']
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "where": "activity IN ('mousedown', 'mouseup')",
                    "near": "activity = 'click'",
                    "reach": "any",
                    "within": "500ms",
                    "same": ["target"],
                }
            ]
        }
    )

    scope: ClassVar[Scope] = "case"
    reads: ClassVar[tuple[str, ...] | None] = ()

    where: Condition | None = Field(None, description=WHERE)
    near: Near | None = Field(None, description=NEAR)
    side: OnSide = "next"
    reach: Reach = "adjacent"
    within: Within = None
    same: Same = ()
    skip: Skip = None
    rules: tuple[NearRule, ...] = Field(
        (), description="several rules, each with where, near and so on, instead of those"
    )
    cascade: bool = Field(
        default=False, description="whether each rule sees what the rules before it left"
    )

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        single = [name for name in NearRule.model_fields if name != "name"]
        if not self.rules:
            if self.where is None or self.near is None:
                raise ValueError("give where and near, or rules")
            if self.cascade:
                raise ValueError("cascade is for several rules")
            NearRule(**{name: getattr(self, name) for name in single})
            return self
        fields = type(self).model_fields
        given = [name for name in single if getattr(self, name) != fields[name].default]
        if given:
            raise ValueError(f"with rules, {', '.join(given)} belongs into a rule")
        return self

    def apply(self, log: EventLog) -> EventLog:
        rules = self._rules()
        if self.cascade:
            for reason, rule in rules:
                log = log.keep(~rule.finds(log), reason)
            return log
        gone = np.zeros(len(log), dtype=bool)
        notes = log.notes
        for reason, rule in rules:
            found = rule.finds(log) & ~gone
            notes = notes.drop(reason, log.positions[found])
            gone |= found
        return log.take(~gone).replace(reading=log.reading, steps=log.steps, notes=notes)

    def _rules(self) -> list[tuple[str, NearRule]]:
        """Each rule, and the reason under which it is told."""
        if not self.rules:
            single = {n: getattr(self, n) for n in NearRule.model_fields if n != "name"}
            return [("drop_near", NearRule(**single))]
        return [(f"drop_near.{rule.name or n}", rule) for n, rule in enumerate(self.rules)]
