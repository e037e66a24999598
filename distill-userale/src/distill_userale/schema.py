"""UserALE.js logs of every version as events: one schema that goes by fields, never by version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from distill_core.batch import Batch
from distill_core.columns import Column
from distill_core.component import Schema
from distill_userale import _fields, _parse

Case = Literal["session", "tab", "user"]


class UserALE(Schema, name="userale"):
    """UserALE.js 2.0.2 to the current head: raw, interval and custom records alike.

    What a record is follows from the fields that it has, since builds that differ in their
    fields call themselves alike. Times are epoch milliseconds; ``order`` is the whole
    microseconds inside the millisecond. A record without a session belongs to the case
    ``user:<user>``; one with neither session nor user, or without any time, is rejected.

    >>> [c.paths for c in UserALE().columns() if c.name in ("case", "activity", "time")]
    [('sessionId', 'sessionID', 'user:{userId}'), ('type', '=custom'), ('clientTime', 'startTime')]
    """

    version: ClassVar[str] = "1"
    """Rises whenever the same record would become another event."""

    case: Case = Field(
        "session",
        description="what a case is: the session id, the session id told apart by the HTTP "
        "session id where there is one (tab), or the user",
    )

    def columns(self) -> tuple[Column, ...]:
        """The columns, reserved ones first."""
        return (_fields.case_column(self.case), *_fields.COLUMNS)

    def parse(self, batch: Batch) -> Batch:
        """Fill ``order`` and ``count_suspect``, which no record has, where they are wanted."""
        columns, faults = dict(batch.columns), dict(batch.faults)
        if "order" in batch.wanted:
            columns["order"], faults["order"] = _parse.order(batch)
        if "count_suspect" in batch.wanted:
            columns["count_suspect"] = _parse.count_suspect(batch)
        return Batch(columns, batch.arrival, faults, batch.wanted)

    @classmethod
    def detect(cls, sample: Sequence[Mapping[str, Any]]) -> float:
        """The share of records that have the fields that each UserALE.js record has.

        >>> UserALE.detect([{"logType": "raw", "userAction": True, "sessionID": "s"}, {"a": 1}])
        0.5
        """
        return sum(_parse.looks_like(record) for record in sample) / max(1, len(sample))
