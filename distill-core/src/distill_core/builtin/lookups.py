"""Queries for the events of one case, of one user, the latest, those around a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pydantic import ConfigDict, Field

from distill_core.builtin._asked import Asked, Label, both
from distill_core.component import Query, Selection
from distill_core.conditions import Compare, Condition
from distill_core.moments import Moment
from distill_core.params import Duration, Zone

_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class Case(Asked):
    """The events of one case.

    >>> str(Case(id="a7").select(datetime(2026, 1, 1)).where)
    "case = 'a7'"
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": "a7"}]})

    id: Label = Field(description="the case")

    def select(self, now: datetime) -> Selection:
        return Selection(where=both(Compare("eq", "case", self.id), self.asked(now)))


class User(Asked):
    """The events of one user.

    >>> str(User(id=7).select(datetime(2026, 1, 1)).where)
    "user = '7'"
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"id": "ann", "since": "yesterday", "until": "today"}]}
    )

    id: Label = Field(description="the user")

    def select(self, now: datetime) -> Selection:
        return Selection(where=both(Compare("eq", "user", self.id), self.asked(now)))


class Latest(Asked):
    """The latest events of all: the log is in its usual order.

    >>> Latest(n=5).select(datetime(2026, 1, 1)).sort
    '-time'
    """

    n: int = Field(100, ge=1, description="how many events")

    def select(self, now: datetime) -> Selection:
        return Selection(where=self.asked(now), sort="-time", limit=self.n)


class Around(Query):
    """The events around a moment; both borders are in.

    >>> str(Around(time="2026-01-05T09:00:00Z", before="0s", after="1m")
    ...     .select(datetime(2026, 1, 5)).where).count("09:0")
    2
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"time": "2026-01-31T12:00:00Z", "before": "1m"}]}
    )

    time: Moment = Field(description="the moment")
    before: Duration = Field(timedelta(minutes=5), description="how long before it")
    after: Duration = Field(timedelta(minutes=5), description="how long after it")
    where: Condition | None = Field(None, description="events for which this is true")
    zone: Zone = Field("UTC", description="zone of dates and days, in time")

    def select(self, now: datetime) -> Selection:
        time = self.time.at(now, self.zone)
        first = time - min(self.before, time - _FIRST)
        last = time + min(self.after, _LAST - time)
        span = Compare("ge", "time", first), Compare("le", "time", last)
        return Selection(where=both(self.where, *span))
