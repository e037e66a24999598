"""Moments in words: ``-7d``, ``today``, ``last week``, a date; what they mean depends on now."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import GetCoreSchemaHandler
from pydantic_core import core_schema

from distill_core.errors import SpecError, TransformError
from distill_core.grids import midnight
from distill_core.params import MICROSECOND, instant_text, parse_instant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BACK = re.compile(r"(?:-|last )(\d{1,6}) ?([a-z]+)")
_NAMED = re.compile(r"(last|this|next) (week|month|year)")
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_WHICH = {"last": -1, "this": 0, "next": 1}
_WORDS = {"second": "s", "minute": "m", "hour": "h", "day": "d", "week": "w", "month": "mo",
          "year": "y"}  # fmt: skip
_FIXED = {"s": "seconds", "m": "minutes", "h": "hours"}
_WAYS = "write it as '2026-01-31T12:00:00Z', '2026-01-31', '-7d', 'today' or 'last week'"


@dataclass(frozen=True)
class Moment:
    """A moment as a query's parameter: an instant, or words that count from now.

    A moment is where what it names begins:

    - ``2026-01-31T12:00:00Z``, any ISO 8601 text with a zone, is that instant;
    - ``2026-01-31`` is the midnight of that date;
    - ``now``; ``-30m``, ``-7d`` or ``last 7 days``: so long before now. ``s m h`` are lengths of
      time; ``d w mo y`` (days to years) lead to the same time of day, months to the same day of
      the month or to its last;
    - ``today``, ``yesterday``, ``tomorrow``, ``this week``, ``last month``, ``next year``: the
      midnight with which it begins, weeks on Monday.

    Dates, days and what is longer are those of a zone, which a query has as a parameter.

    >>> now = datetime(2026, 3, 31, 12, 30, tzinfo=UTC)
    >>> [Moment(text).at(now).isoformat()[:16] for text in ("-7d", "-1mo", "this week", "today")]
    ['2026-03-24T12:30', '2026-02-28T12:30', '2026-03-30T00:00', '2026-03-31T00:00']
    """

    text: str

    def __str__(self) -> str:
        return self.text

    def at(self, now: datetime, zone: str = "UTC") -> datetime:
        """The instant, in UTC. SpecError if it is not within the years 1 to 9999."""
        try:
            return _at(self.text, now, ZoneInfo(zone))
        except (OverflowError, ValueError, TransformError):
            raise SpecError(
                f"{self.text!r} is not within the years 1 to 9999", code="param-invalid"
            ) from None

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            parse_moment,
            serialization=core_schema.plain_serializer_function_ser_schema(str, when_used="json"),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        examples = ["2026-01-31T12:00:00Z", "2026-01-31", "-7d", "today", "last week"]
        return {"type": "string", "format": "moment", "examples": examples}


def parse_moment(value: object) -> Moment:
    """A moment from text, a date or an aware datetime, in one spelling. Raises ValueError.

    >>> parse_moment("Last 7 days"), parse_moment("2026-01-31T12:00+01:00")
    (Moment(text='-7d'), Moment(text='2026-01-31T11:00:00.000000Z'))
    """
    if isinstance(value, Moment):
        return value
    if isinstance(value, date) and not isinstance(value, datetime):
        return Moment(value.isoformat())
    if isinstance(value, str):
        words = " ".join(value.lower().split())
        if words == "now" or words in _DAYS or _NAMED.fullmatch(words):
            return Moment(words)
        if found := _BACK.fullmatch(words):
            unit = _WORDS.get(found[2].removesuffix("s"), found[2])
            if unit in _WORDS.values():
                return Moment(f"-{int(found[1])}{unit}")
        try:
            return Moment(date.fromisoformat(words).isoformat())
        except ValueError:
            pass
    try:
        return Moment(instant_text(parse_instant(value)))
    except (ValueError, OverflowError) as error:
        has_zone = "zone" not in str(error)
        raise ValueError(f"{value!r} is no moment: {_WAYS}" if has_zone else str(error)) from None


def _at(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    local = now.astimezone(zone)
    day = local.date()
    if text == "now":
        return now.astimezone(UTC)
    if text in _DAYS:
        return _midnight(day + timedelta(days=_DAYS[text]), zone)
    if found := _NAMED.fullmatch(text):
        return _midnight(_begin(day, found[2], _WHICH[found[1]]), zone)
    if found := _BACK.fullmatch(text):
        count, unit = int(found[1]), found[2]
        if unit in _FIXED:
            return now.astimezone(UTC) - timedelta(**{_FIXED[unit]: count})
        if unit in ("d", "w"):
            then = day - timedelta(days=count * (7 if unit == "w" else 1))
        else:
            then = _month(day, -count * (12 if unit == "y" else 1))
        return datetime.combine(then, local.time(), zone).astimezone(UTC)
    if len(text) == len("2026-01-31"):
        return _midnight(date.fromisoformat(text), zone)
    return parse_instant(text)


def _begin(day: date, unit: str, step: int) -> date:
    if unit == "week":
        return day - timedelta(days=day.weekday() - 7 * step)
    return _month(day.replace(day=1), step) if unit == "month" else date(day.year + step, 1, 1)


def _month(day: date, step: int) -> date:
    """The same day so many months later, or the last of that month."""
    number = day.year * 12 + day.month - 1 + step
    after = date((number + 1) // 12, (number + 1) % 12 + 1, 1)
    last = (after - timedelta(days=1)).day
    return date(number // 12, number % 12 + 1, min(day.day, last))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return _EPOCH + midnight((day - _EPOCH.date()).days, zone) * MICROSECOND
