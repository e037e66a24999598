"""The query ``events``: which events, by condition, time range, number and columns."""

from __future__ import annotations

from datetime import datetime

from pydantic import ConfigDict, Field

from distill_core.builtin._asked import Asked
from distill_core.component import Selection
from distill_core.params import ColumnName


class Events(Asked):
    """Events for which a condition is true, in a range of time.

    ``since`` is inclusive, ``until`` exclusive, so that ranges that touch share no event. They are
    instants, dates, or words that count from now: ``-7d``, ``today``, ``last week`` (see
    ``Moment``). Without a limit all events come; with one the first, in the order of the source,
    or by ``sort``.

    >>> Events(where="activity = 'click'", limit=10).select(datetime(2026, 1, 1)).limit
    10
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"where": "activity = 'click'", "since": "last week"}]}
    )

    limit: int | None = Field(None, ge=1, description="at most so many events")
    sort: str | None = Field(
        None, pattern="^-?time$", description="what a limit counts by: 'time' or '-time' (latest)"
    )
    columns: tuple[ColumnName, ...] = Field(
        (), description="attributes to read; none named: all of the schema's"
    )

    def select(self, now: datetime) -> Selection:
        return Selection(self.columns, self.asked(now), self.sort, self.limit)  # type: ignore[arg-type]
