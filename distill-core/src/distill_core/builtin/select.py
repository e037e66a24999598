"""The transform ``select``: keep some columns."""

from __future__ import annotations

from typing import ClassVar

from pydantic import ConfigDict, Field

from distill_core.component import Scope, Transform
from distill_core.log import EventLog
from distill_core.params import ColumnName

ALWAYS = ("id", "case", "activity", "time", "end", "order")
"""What an event log cannot do without, and what decides its order and durations."""


class Select(Transform):
    """Keep these columns; id, case, activity, time, end and order stay too.

    ``duration`` is computed, so it is there whenever ``end`` is. Outputs have the columns in the
    order of the log, not in that of this list.

    >>> log = EventLog.from_frame([{"c": 1, "a": "x", "t": 0, "page": "p", "size": 3}],
    ...                           case="c", activity="a", time="t", unit="s")
    >>> list(log.apply(Select(columns=["size"])).columns)
    ['id', 'case', 'activity', 'time', 'size']
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"columns": ["target", "page_url"]}]})

    scope: ClassVar[Scope] = "event"
    reads: ClassVar[tuple[str, ...] | None] = ()

    columns: tuple[ColumnName, ...] = Field(description="names of the columns that stay")

    def apply(self, log: EventLog) -> EventLog:
        return log.without(*(n for n in log.data if n not in (*ALWAYS, *self.columns)))
