"""The query ``events``: which events, by condition, time range, number and columns."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from distill_core.component import Query, Selection
from distill_core.conditions import And, Compare, Condition
from distill_core.params import ColumnName, Instant


class Events(Query):
    """Events for which a condition is true, in a range of time.

    ``since`` is inclusive, ``until`` exclusive, so that ranges that touch share no event. Without
    a limit all of them come; with one the first, in the order of the source, or by ``sort``.

    >>> Events(where="activity = 'click'", limit=10).select(datetime(2026, 1, 1)).limit
    10
    """

    where: Condition | None = Field(None, description="events for which this is true")
    since: Instant | None = Field(None, description="from this moment on")
    until: Instant | None = Field(None, description="before this moment")
    limit: int | None = Field(None, ge=1, description="at most so many events")
    sort: str | None = Field(
        None, pattern="^-?time$", description="what a limit counts by: 'time' or '-time' (latest)"
    )
    columns: tuple[ColumnName, ...] = Field(
        (), description="attributes to read; none named: all of the schema's"
    )

    def select(self, now: datetime) -> Selection:
        parts = [] if self.where is None else [self.where]
        if self.since is not None:
            parts.append(Compare("ge", "time", self.since))
        if self.until is not None:
            parts.append(Compare("lt", "time", self.until))
        where = And(tuple(parts)) if len(parts) > 1 else parts[0] if parts else None
        return Selection(self.columns, where, self.sort, self.limit)  # type: ignore[arg-type]
