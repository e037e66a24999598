"""What built-in queries share: a condition, and a range of time."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from distill_core.component import Query
from distill_core.conditions import And, Compare, Condition
from distill_core.moments import Moment
from distill_core.params import ColumnName, Zone


def _split(value: Any) -> Any:
    """Names of columns have no commas, so a text may list them."""
    return [name.strip() for name in value.split(",")] if isinstance(value, str) else value


Columns = Annotated[tuple[ColumnName, ...], BeforeValidator(_split)]
"""Names of columns: a list, or a text with commas between."""


def _decimal(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Label = Annotated[str, BeforeValidator(_decimal), Field(min_length=1)]
"""The text of a case or a user; an integer is its decimal text, as in the log."""


class Asked(Query):
    """A query with a condition and a range of time."""

    where: Condition | None = Field(None, description="events for which this is true")
    since: Moment | None = Field(None, description="from this moment on")
    until: Moment | None = Field(None, description="before this moment")
    zone: Zone = Field("UTC", description="zone of dates and days, in since and until too")

    def asked(self, now: datetime) -> Condition | None:
        """The condition of all three."""
        since = None if self.since is None else self.since.at(now, self.zone)
        until = None if self.until is None else self.until.at(now, self.zone)
        return both(
            self.where,
            None if since is None else Compare("ge", "time", since),
            None if until is None else Compare("lt", "time", until),
        )


def both(*conditions: Condition | None) -> Condition | None:
    """All of these; None: nothing is asked."""
    parts = tuple(part for part in conditions if part is not None)
    return And(parts) if len(parts) > 1 else parts[0] if parts else None
