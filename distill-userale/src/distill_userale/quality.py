"""How far a UserALE.js log can be trusted: a table of known faults, counted, with samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from distill_core.columns import Column
from distill_core.component import Model
from distill_userale import _checks, _fields

if TYPE_CHECKING:
    from distill_core.log import EventLog
    from distill_core.reports import Reading
    from distill_core.result import Result

SAMPLES = 5
"""How many events or places a row of the report shows."""

_COLUMNS = (
    Column("check", description="the fault"),
    Column("of", description="what is counted"),
    Column("count", type="integer", description="how many show it; null: not known"),
    Column("total", type="integer", description="of how many; null: not known"),
    Column("share", type="number", description="count / total, 0 to 1; null: not known"),
    Column("samples", type="ids", description="the first of them: ids of events, or places of "
           "records that no event was made of"),
    Column("meaning", description="what it means, and what to do"),
)  # fmt: skip


class _Check(NamedTuple):
    name: str
    of: str
    meaning: str
    sign: Callable[[EventLog], _checks.Sign]


_REJECTED = {
    "not_object": "Not an object but null or a bare value: to 2.3 a mapper that returns nothing.",
    "no_time": "Neither clientTime nor startTime: objects that the application pushed by itself.",
    "no_case": "Neither a session nor a user: objects that the application pushed by itself.",
}

_CHECKS = (
    _Check("no_session", "records", "No session id; the case is the user's. To 2.0 custom "
           "records, later objects that the application pushed by itself.", _checks.no_session),
    _Check("no_user", "records", "No user: its page had no user parameter and set no user.",
           _checks.no_user),
    _Check("twin", "focus and blur records", "Logged by window and document alike: one event. "
           "Collapse neighbours of one activity, target, path and time.", _checks.twins),
    _Check("duplicate", "records", "Equal to an earlier record in every column: sent or caught "
           "twice. Dedupe by all columns.", _checks.duplicates),
    _Check("same_stamp", "raw records", "In one microsecond with an earlier one of its session: "
           "only arrival orders them.", _checks.same_stamp),
    _Check("negative_duration", "intervals", "Ends before it starts, since events are not "
           "dispatched in the order of their times; its end is set to its time.",
           _checks.negative_duration),
    _Check("zero_duration", "intervals", "Ends as it starts: common, and no fault by itself.",
           _checks.zero_duration),
    _Check("count_suspect", "intervals", "Says that it has no events, a fault of the logger: "
           "count the raw records instead.", _checks.count_suspect),
    _Check("custom_before_click", "custom records", "Up to 60 ms before the act that most likely "
           "caused it: another clock, in tabs made by window.open.", _checks.custom_before_click),
    _Check("page_end_lost", "page changes", "The page's records end before the person left it: "
           "likely the rest was never sent, and pairs stay open.", _checks.page_end_lost),
    _Check("shared_session", "sessions", "Two pages go on in turns: likely two tabs with one "
           "session id, whose events are mixed.", _checks.shared_session),
)  # fmt: skip


class UseraleQuality(Model, name="userale_quality"):
    """Known faults of UserALE.js logs, one row each: how many, which, what they mean.

    Counted as logged, on a log as the schema ``userale`` reads it, before any transform. What was
    rejected is known for a whole reading alone. ``page_end_lost``, ``shared_session`` and
    ``custom_before_click`` are signs, not proofs. Source of the signs: the loggers' code and
    recordings of five builds in a browser.

    >>> import distill_core as dl
    >>> from distill_userale import sample_path
    >>> log = dl.read(str(sample_path()), schema="userale")
    >>> [(row["check"], row["count"]) for row in UseraleQuality().compute(log).rows[:3]]
    [('not_object', 0), ('no_time', 2), ('no_case', 2)]
    """

    reads: ClassVar[tuple[str, ...] | None] = tuple(column.name for column in _fields.COLUMNS)

    def compute(self, log: EventLog) -> Result:
        """The report: rejected records first, then what the log shows."""
        from distill_core.result import Result

        rows = [*_rejected(log.reading), *(_row(check, log) for check in _CHECKS)]
        return Result.table(_COLUMNS, rows)


def _rejected(reading: Reading | None) -> list[dict[str, Any]]:
    told = dict(reading.rejected) if reading else {}
    reasons = _REJECTED | {reason: "No event could be made of it." for reason in sorted(told)
                           if reason not in _REJECTED}  # fmt: skip
    rows = []
    for reason, meaning in reasons.items():
        found = told.get(reason)
        count = (found.count if found else 0) if reading else None
        samples = list(found.samples[:SAMPLES]) if found else []
        total = reading.read if reading else None
        rows.append(_written(reason, "records read", count, total, samples, meaning))
    return rows


def _row(check: _Check, log: EventLog) -> dict[str, Any]:
    import numpy as np

    found, about = check.sign(log)
    first = log.positions[np.flatnonzero(found)[:SAMPLES]]
    samples = log.ids.texts(first).tolist()
    count, total = int(found.sum()), int(about.sum())
    return _written(check.name, check.of, count, total, samples, check.meaning)


def _written(
    check: str, of: str, count: int | None, total: int | None, samples: list[str], meaning: str
) -> dict[str, Any]:
    share = count / total if count is not None and total else None
    return {"check": check, "of": of, "count": count, "total": total, "share": share,
            "samples": samples, "meaning": meaning}  # fmt: skip
