"""The transform ``append``: the events of another log as well."""

from __future__ import annotations

from typing import ClassVar

from pydantic import ConfigDict, Field

from distill_core.component import Scope, Transform
from distill_core.inputs import Input
from distill_core.log import EventLog, concat


class Append(Transform):
    """Add the events of another log, in their places.

    Each event goes where case, time and order put it; where these are equal, the events of this
    log come first::

        this log    a@0       b@9
        the other        z@5  c@9
                    a@0  z@5  b@9  c@9

    Columns that only one of the logs has are null on the events of the other (``count`` is 1); a
    column that has one type here and another there is an error. Ids stay, so an event that is in
    both logs is there twice until ``dedupe``. The report tells the added events as ``made``, and
    under ``other`` how the other log was read and what its steps did.

    >>> one, two = (EventLog.from_frame([{"c": "x", "a": a, "t": t}], case="c", activity="a",
    ...             time="t", unit="s") for a, t in [("late", 9), ("early", 0)])
    >>> [event["activity"] for event in one.apply(Append(other=two))]
    ['early', 'late']
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"other": "web"}]})

    scope: ClassVar[Scope] = "log"
    reads: ClassVar[tuple[str, ...] | None] = None

    other: Input = Field(description="the log whose events are added")

    def apply(self, log: EventLog) -> EventLog:
        other = self.other.log()
        told = log.notes.derive(made=len(other), used=0)
        return concat([log, other]).replace(notes=told).tell(other=self.other.told())
