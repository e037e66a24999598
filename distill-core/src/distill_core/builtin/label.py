"""The transform ``label``: a text column by rules."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from distill_core.batch import Codes
from distill_core.columns import DURATION, RESERVED, STEP_COLUMNS, Column
from distill_core.component import Scope, Transform
from distill_core.conditions import Condition, mask
from distill_core.log import EventLog


class Rule(BaseModel):
    """One rule: where ``when`` is true, the column's value is ``value``."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    when: Condition = Field(description="the events that the rule is for")
    value: str = Field(description="what the column says there")


class Label(Transform):
    """Write a text column: the first rule that is true decides, else ``default``, else null.

    A rule that is unknown, because a column is null, is not true. The column replaces an
    attribute of its name. ``activity`` may be written if there is a default, since no event is
    without an activity; no other reserved column and none that other steps write can be.

    >>> log = EventLog.from_frame(
    ...     [{"c": 1, "a": a, "t": t} for t, a in enumerate(["click", "wheel", "load"])],
    ...     case="c", activity="a", time="t", unit="s")
    >>> step = Label(column="kind", default="other", rules=[
    ...     {"when": "activity = 'click'", "value": "choose"},
    ...     {"when": "activity IN ('click', 'wheel')", "value": "move"}])
    >>> [event["kind"] for event in log.apply(step)]
    ['choose', 'move', 'other']
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"column": "kind", "rules": [{"when": "activity = 'click'", "value": "choose"}]}
            ]
        }
    )

    scope: ClassVar[Scope] = "event"
    reads: ClassVar[tuple[str, ...] | None] = ()

    column: str = Field(min_length=1, description="name of the column that is written")
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)] = Field(
        description="what the column says and when; the first true rule decides"
    )
    default: str | None = Field(None, description="the value where no rule is true")

    @field_validator("column")
    @classmethod
    def _free(cls, name: str) -> str:
        if name != "activity" and name in {*RESERVED, *STEP_COLUMNS, DURATION.name}:
            raise ValueError(f"the column {name!r} has a meaning of its own: choose another name")
        return name

    @model_validator(mode="after")
    def _every_activity(self) -> Label:
        if self.column == "activity" and not (self.default and all(r.value for r in self.rules)):
            raise ValueError("no event is without an activity: give a default, and no empty value")
        return self

    def apply(self, log: EventLog) -> EventLog:
        texts = {rule.value for rule in self.rules} | {self.default} - {None}
        values = sorted(text for text in texts if text is not None)
        start = -1 if self.default is None else values.index(self.default)
        codes = np.full(len(log), start, dtype=np.int32)
        for rule in reversed(self.rules):
            codes[mask(rule.when, log)] = values.index(rule.value)
        column = Column(self.column, description="label by rules")
        return log.with_columns(**{self.column: (column, Codes(codes, values, ordered=True))})
