"""Queries for tables: how many events, of which values, when; what cases and users did."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from distill_core.builtin._asked import Asked, Columns
from distill_core.component import Selection
from distill_core.params import Calendar, ColumnName, Every
from distill_core.summary import Group, Measure, Summary

EVENTS = Measure("events", "count")
FIRST, LAST = Measure("first", "min", "time"), Measure("last", "max", "time")
ACTIVITIES = Measure("activities", "distinct", "activity")


class Count(Asked):
    """How many events there are; with ``by`` of each combination of values.

    >>> Count(by="activity").select(datetime(2026, 1, 1)).summary.names
    ('activity', 'events')
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"by": ["activity"], "since": "-7d"}]}
    )

    by: Columns = Field((), description="columns whose values are counted apart")

    def select(self, now: datetime) -> Selection:
        by = tuple(map(Group, self.by))
        return Selection(where=self.asked(now), summary=Summary(by, (EVENTS,)))


class Values(Asked):
    """The values of a column, in their order, and how many events have each.

    >>> Values(column="activity").select(datetime(2026, 1, 1)).summary.names
    ('activity', 'events')
    """

    column: ColumnName = Field(description="the column")

    def select(self, now: datetime) -> Selection:
        summary = Summary((Group(self.column),), (EVENTS,))
        return Selection(where=self.asked(now), summary=summary)


class Top(Asked):
    """The most frequent values, or combinations of values; equal ones in their order.

    >>> Top(by="activity", n=3).select(datetime(2026, 1, 1)).summary.top
    3
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"by": ["activity", "target"], "n": 5}]}
    )

    by: Columns = Field(min_length=1, description="columns whose values are counted")
    n: int = Field(10, ge=1, description="how many rows")

    def select(self, now: datetime) -> Selection:
        summary = Summary(tuple(map(Group, self.by)), (EVENTS,), self.n)
        return Selection(where=self.asked(now), summary=summary)


class Timeline(Asked):
    """How many events there are in each window of time; ``by``: of each value.

    A window is known by its begin, in the column ``time``. Lengths such as ``15m`` or ``24h``
    count from the epoch in UTC; ``1d``, ``1w``, ``1mo`` are those of the calendar in ``zone``.
    Windows without events are there too, from the first to the last that has some, with each
    combination of values of ``by``.

    >>> Timeline(every="1h", by="activity").select(datetime(2026, 1, 1)).summary.names
    ('time', 'activity', 'events')
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"every": "1d", "zone": "Europe/Berlin"}]}
    )

    every: Every = Field(Calendar(1, "d"), description="length of a window: 15m, 24h, 1d, 1w, 1mo")
    by: Columns = Field((), description="columns whose values are counted apart")
    empty: Literal["keep", "drop"] = Field("keep", description="windows without events")

    def select(self, now: datetime) -> Selection:
        time = Group("time", self.every, self.zone, self.empty)
        summary = Summary((time, *map(Group, self.by)), (EVENTS,))
        return Selection(where=self.asked(now), summary=summary)


class Cases(Asked):
    """One row a case: the times of its first and its last event, and how many there are.

    Beside the events, different users and activities are counted.

    >>> Cases().select(datetime(2026, 1, 1)).summary.names
    ('case', 'first', 'last', 'events', 'users', 'activities')
    """

    def select(self, now: datetime) -> Selection:
        users = Measure("users", "distinct", "user")
        summary = Summary((Group("case"),), (FIRST, LAST, EVENTS, users, ACTIVITIES))
        return Selection(where=self.asked(now), summary=summary)


class Users(Asked):
    """One row a user: the times of the first and the last event, and how many there are.

    Beside the events, different cases and activities are counted. Events of nobody are a row too.

    >>> Users().select(datetime(2026, 1, 1)).summary.names
    ('user', 'first', 'last', 'events', 'cases', 'activities')
    """

    def select(self, now: datetime) -> Selection:
        cases = Measure("cases", "distinct", "case")
        summary = Summary((Group("user"),), (FIRST, LAST, EVENTS, cases, ACTIVITIES))
        return Selection(where=self.asked(now), summary=summary)
