"""Types of parameters: durations, instants, column names, secrets.

Each is an annotated plain type: the component sees a ``timedelta``, a ``datetime``, a ``str``;
JSON, TOML and the command line see text.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic_core import core_schema

from distill_core.errors import SpecError

MICROSECOND = timedelta(microseconds=1)
_UNITS = {
    "us": MICROSECOND, "ms": timedelta(milliseconds=1), "s": timedelta(seconds=1),
    "m": timedelta(minutes=1), "min": timedelta(minutes=1), "h": timedelta(hours=1),
    "d": timedelta(days=1), "w": timedelta(weeks=1),
}  # fmt: skip
_SHORT = re.compile(r"(\d+) ?(us|ms|s|m|min|h|d|w)")
_ISO = re.compile(
    r"P(?=.)(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,6})?)S)?)?"
)
_CALENDAR = re.compile(r"(\d+) ?(d|w|mo)|P(\d+)([DWM])")
_ISO_UNITS = {"D": "d", "W": "w", "M": "mo"}
_MOST_PERIODS = 100_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_duration(value: object) -> timedelta:
    """A length of time from ``500us 500ms 2s 30m 1h 1d 1w``, ``PT30M`` or a timedelta.

    ``30min`` is ``30m``, and a space may stand before the unit. Raises ValueError for anything
    else, a bare number among it: seconds are never guessed.

    >>> parse_duration("30m") == parse_duration("PT30M") == parse_duration("30 min")
    True
    """
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str):
        text = value.strip()
        if found := _SHORT.fullmatch(text):
            return _checked(int(found[1]) * (_UNITS[found[2]] // MICROSECOND), value)
        if found := _ISO.fullmatch(text):
            weeks, days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
            total = (((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds
            return _checked(round(total * 1_000_000), value)
    raise ValueError(f"{value!r} is no duration: write it as '500ms', '2s', '30m', '1h' or 'PT30M'")


def _checked(micros: int, value: object) -> timedelta:
    try:
        return timedelta(microseconds=micros)
    except OverflowError:
        raise ValueError(f"{value!r} is longer than a duration can be") from None


def duration_text(value: timedelta) -> str:
    """The shortest text that ``parse_duration`` reads back as the same length.

    >>> duration_text(timedelta(minutes=30))
    '30m'
    """
    micros = value // MICROSECOND
    for unit in ("w", "d", "h", "m", "s", "ms"):
        size = _UNITS[unit] // MICROSECOND
        if micros and micros % size == 0:
            return f"{micros // size}{unit}"
    return f"{micros}us"


def parse_instant(value: object, zone: str | None = None) -> datetime:
    """A moment in UTC from ISO 8601 text or a datetime; a date is its midnight in UTC.

    Text or a datetime without a zone is an error unless ``zone`` names one; so is a number, since
    its unit is not known. Raises ValueError.

    >>> parse_instant("2024-06-28T01:15:11.079+02:00").isoformat()
    '2024-06-27T23:15:11.079000+00:00'
    """
    if isinstance(value, str):
        try:
            found = datetime.fromisoformat(value.strip())
        except ValueError:
            raise ValueError(f"{value!r} is no time: write it as '2026-01-31T12:00:00Z'") from None
        if len(value.strip()) <= 10:
            return found.replace(tzinfo=UTC)
    elif isinstance(value, datetime):
        found = value
    elif isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    else:
        raise ValueError(f"{value!r} is no time: write it as '2026-01-31T12:00:00Z'")
    if found.tzinfo is None:
        if zone is None:
            raise ValueError(f"{value!r} has no zone: write it as '{found.isoformat()}Z'")
        found = found.replace(tzinfo=ZoneInfo(zone))
    return found.astimezone(UTC)


def instant_micros(value: datetime) -> int:
    """µs since the epoch of an aware datetime."""
    return (value - _EPOCH) // MICROSECOND


def instant_text(value: datetime | int) -> str:
    """ISO 8601 in UTC with microseconds, from an aware datetime or µs since the epoch.

    >>> instant_text(1719530111079000)
    '2024-06-27T23:15:11.079000Z'
    """
    moment = _EPOCH + timedelta(microseconds=value) if isinstance(value, int) else value
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def _not_negative(value: timedelta) -> timedelta:
    if value < timedelta(0):
        raise ValueError("a duration must not be negative")
    return value


Duration = Annotated[
    timedelta,
    BeforeValidator(lambda value: _not_negative(parse_duration(value))),
    PlainSerializer(duration_text, when_used="json"),
    WithJsonSchema({"type": "string", "format": "duration", "examples": ["500ms", "30m", "PT30M"]}),
]
"""A length of time: ``"500us" "500ms" "2s" "30m" "1h" "1d" "1w" "PT30M"`` or a timedelta."""


@dataclass(frozen=True)
class Calendar:
    """Days, weeks or months of a calendar: how long they are depends on the zone and the date."""

    count: int
    unit: Literal["d", "w", "mo"]

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"


def parse_every(value: object) -> timedelta | Calendar:
    """The length of windows: ``1d 1w 1mo`` (``P1D P1W P1M``) of a calendar, else a duration.

    A timedelta is a duration, however long; so is ``24h``. Raises ValueError.

    >>> parse_every("1mo"), parse_every("36h")
    (Calendar(count=1, unit='mo'), datetime.timedelta(days=1, seconds=43200))
    """
    if isinstance(value, Calendar):
        return value
    if isinstance(value, str) and (found := _CALENDAR.fullmatch(value.strip())):
        count, unit = (found[1], found[2]) if found[1] else (found[3], _ISO_UNITS[found[4]])
        if not 0 < int(count) <= _MOST_PERIODS:
            raise ValueError(f"{value!r}: there are 1 to {_MOST_PERIODS} of these in a window")
        return Calendar(int(count), unit)  # type: ignore[arg-type]
    try:
        span = parse_duration(value)
    except ValueError as error:
        raise ValueError(f"{error}; of a calendar as '1d', '1w' or '1mo'") from None
    if span <= timedelta(0):
        raise ValueError("windows are longer than nothing")
    return span


def every_text(value: timedelta | Calendar) -> str:
    """Text that ``parse_every`` reads back as the same.

    >>> every_text(timedelta(days=1)), every_text(Calendar(1, "d"))
    ('24h', '1d')
    """
    if isinstance(value, Calendar):
        return str(value)
    micros = value // MICROSECOND
    units = (unit for unit in ("h", "m", "s", "ms") if micros % (_UNITS[unit] // MICROSECOND) == 0)
    unit = next(units, "us")
    return f"{micros // (_UNITS[unit] // MICROSECOND)}{unit}"


Every = Annotated[
    timedelta | Calendar,
    BeforeValidator(parse_every),
    PlainSerializer(every_text, when_used="json"),
    WithJsonSchema({"type": "string", "examples": ["5s", "15m", "24h", "1d", "1w", "1mo"]}),
]
"""The length of windows: a duration, or days, weeks, months of a calendar (``1d 1w 1mo``)."""

Instant = Annotated[
    datetime,
    BeforeValidator(parse_instant),
    PlainSerializer(instant_text, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A moment: ISO 8601 text with a zone, a date (its midnight in UTC) or an aware datetime."""


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"there is no zone {name!r}: write it as 'Europe/Berlin'") from None
    return name


Zone = Annotated[
    str, AfterValidator(_known_zone), Field(json_schema_extra={"examples": ["Europe/Berlin"]})
]
"""The name of a time zone, as IANA has it."""


class ColumnMarker:
    """Marks a text parameter as the name of a column, so that tools and checks know it."""


ColumnName = Annotated[
    str, ColumnMarker(), Field(min_length=1, json_schema_extra={"format": "column"})
]
"""The name of a column of the log at this step."""


class Secret:
    """A value kept outside of documents: ``env:NAME`` or ``file:PATH``, read when it is used.

    A literal may be given in Python; it has no written form and never shows in repr or errors.

    >>> Secret("env:TOKEN")
    Secret('env:TOKEN')
    >>> Secret("hunter2")
    Secret('***')
    """

    def __init__(self, text: str) -> None:
        self._text = text

    @property
    def reference(self) -> str | None:
        """``env:NAME`` or ``file:PATH``; None for a literal."""
        return self._text if self._text.startswith(("env:", "file:")) else None

    def reveal(self) -> str:
        """The value itself, read now. Raises SpecError if it is not there."""
        if self.reference is None:
            return self._text
        kind, _, where = self._text.partition(":")
        try:
            return os.environ[where] if kind == "env" else Path(where).read_text("utf-8").strip()
        except (KeyError, OSError, UnicodeDecodeError):
            raise SpecError(
                f"the secret {self._text!r} cannot be read",
                code="secret-missing",
                hint=f"set the variable {where}" if kind == "env" else f"make the file {where}",
            ) from None

    def __repr__(self) -> str:
        return f"Secret({self.reference or '***'!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        def check(value: object) -> Secret:
            if isinstance(value, Secret):
                return value
            if isinstance(value, str):
                return cls(value)
            raise ValueError("a secret is 'env:NAME' or 'file:PATH'")

        def write(value: Secret, info: core_schema.SerializationInfo) -> str:
            if value.reference is not None:
                return value.reference
            if info.context and info.context.get("masked"):
                return "***"
            raise ValueError("a literal secret has no written form: use 'env:NAME'")

        return core_schema.no_info_plain_validator_function(
            check,
            serialization=core_schema.plain_serializer_function_ser_schema(write, info_arg=True),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string", "format": "secret", "examples": ["env:NAME", "file:PATH"]}
