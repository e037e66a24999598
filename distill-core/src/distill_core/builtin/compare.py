"""The query ``compare``: two sets of events beside each other."""

from __future__ import annotations

from datetime import datetime

from pydantic import ConfigDict, Field

from distill_core.builtin._asked import Asked, Columns, both
from distill_core.component import Selection
from distill_core.conditions import Condition, Or
from distill_core.params import Every
from distill_core.summary import Group, Measure, Summary


class Compare(Asked):
    """Two sets of events, beside each other: counts and shares for each value of a column.

    The sets are those for which ``where_a`` and ``where_b`` are true; an event may be in both.
    Columns are ``a``, how many events of the first set there are; ``a_share``, their share of that
    set; ``a_low`` and ``a_high``, the 95 % interval of the share; and the same of ``b``. With
    ``every`` this is told for each window of time.

    Intervals are Wilson's (Probable Inference, the Law of Succession, and Statistical Inference,
    1927). They hold for events that are independent of each other, which those of one case are
    not: what is unsure is more than they say.

    >>> query = Compare(where_a="user = 'ann'", where_b="user = 'bob'", by="activity")
    >>> query.select(datetime(2026, 1, 1)).summary.names[:5]
    ('activity', 'a', 'a_share', 'a_low', 'a_high')
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"where_a": "tool = 'old'", "where_b": "tool = 'new'", "by": ["activity"]}]
        }
    )

    where_a: Condition = Field(description="the first set of events")
    where_b: Condition = Field(description="the second set of events")
    by: Columns = Field(("activity",), description="columns whose values are compared")
    every: Every | None = Field(None, description="for each window of this length too")
    top: int | None = Field(None, ge=1, description="only the rows with most events of a")

    def select(self, now: datetime) -> Selection:
        by = tuple(map(Group, self.by))
        if self.every is not None:
            by = (Group("time", self.every, self.zone, "keep"), *by)
        a, b = Measure("a", "count", None, self.where_a), Measure("b", "count", None, self.where_b)
        summary = Summary(by, (a, b), self.top, ("a", "b"))
        where = both(self.asked(now), Or((self.where_a, self.where_b)))
        return Selection(where=where, summary=summary)
