"""The transform ``where``: keep what a condition is true for."""

from __future__ import annotations

from typing import ClassVar

from pydantic import ConfigDict, Field

from distill_core.component import Scope, Transform
from distill_core.conditions import Condition, mask
from distill_core.log import EventLog


class Where(Transform):
    """Keep the events for which the condition is true.

    What is unknown, because a column is null, goes, as under SQL's WHERE; the others are dropped,
    reason ``where``::

        target = 'a'     a  b  a  null  →  a  a

    >>> log = EventLog.from_frame(
    ...     [{"c": 1, "a": "x", "t": t, "target": v} for t, v in enumerate(["a", "b", None])],
    ...     case="c", activity="a", time="t", unit="s")
    >>> [event["target"] for event in log.apply(Where(condition="target <> 'b'"))]
    ['a']
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"condition": "activity = 'click'"}]})

    scope: ClassVar[Scope] = "event"
    reads: ClassVar[tuple[str, ...] | None] = ()

    condition: Condition = Field(description="the events for which this is true stay")

    def apply(self, log: EventLog) -> EventLog:
        return log.keep(mask(self.condition, log), "where")
