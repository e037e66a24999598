"""What a value means in a column: time is strict, all else is read from its text.

| type | read | a fault |
|---|---|---|
| string, ids | text; of other values their JSON text (``true``, ``7``, ``1.0``, ``[1]``) | |
| json | canonical JSON text | |
| integer | a whole number in int64, or its text (``7``, ``7.0``) | ``1.9``, true |
| number | a finite number, or its text | true |
| boolean | true, false, or these texts | 0, 1, ``True`` |
| time | a number ≥ 0 if the column has a unit; ISO 8601 text with a zone, or without one if the \
column has a zone; years 1 to 9999 | a number in text, true, a number < 0 |
| duration | a number, or its text, if the column has a unit; duration text (``2s``, ``PT2S``) | |

NaN and Infinity are a fault everywhere; inside a list or an object they become null and the rest
is kept. What is nested deeper than MAX_DEPTH is a fault. Times and durations are rounded to whole
microseconds, half to even. A time in a zone that a change of clocks made occur twice is the first
of the two; one that never occurred is read by the clock from before the change.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from distill_core.columns import UNITS, Column
from distill_core.errors import SchemaError
from distill_core.extract.jsontext import Unreadable, canonical, text_of
from distill_core.params import MICROSECOND, parse_duration

Read = Callable[[Any], Any]

INT64 = range(-(2**63), 2**63)
"""What an integer may be."""
YEARS = range(-62_135_596_800_000_000, 253_402_300_800_000_000)
"""The microseconds since the epoch that are times: years 1 to 9999."""
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (its zone is taken into account apart)
_WHOLE = re.compile(r"-?[0-9]+")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_ISO = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ](?P<clock>(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?)"
    r"(?:(?<=:[0-9]{2}:[0-9]{2})[.,](?P<fraction>[0-9]+))?"
    r"(?P<zone>Z|(?P<sign>[+-])(?P<hours>[01][0-9]|2[0-3]):?(?P<minutes>[0-5][0-9])?)?)?"
)


def read_each(values: Iterable[Any], read: Read) -> tuple[list[Any], list[int]]:
    """Each value read, None for null; and the places of the faults."""
    found: list[Any] = []
    bad: list[int] = []
    for value in values:
        if value is None:
            found.append(None)
            continue
        try:
            found.append(read(value))
        except Unreadable as fault:
            bad.append(len(found))
            found.append(fault.kept)
    return found, bad


DTYPES: dict[str, Any] = {
    "integer": np.int64, "number": np.float64, "boolean": np.bool_,
    "time": np.int64, "duration": np.int64,
}  # fmt: skip
"""Type of a column → dtype of its ``Masked``; the others are ``Codes``."""


def reader(column: Column) -> Read:
    """What turns one value that is not null into the column's own; it raises Unreadable."""
    scale = UNITS[column.unit] if column.unit else None
    match column.type:
        case "json":
            return canonical
        case "integer":
            return read_integer
        case "number":
            return read_number
        case "boolean":
            return read_boolean
        case "time":
            return partial(read_time, scale=scale, zone=zone_of(column))
        case "duration":
            return partial(read_duration, scale=scale)
        case _:
            return text_of


def zone_of(column: Column) -> ZoneInfo | None:
    """The zone of the column's naive times; SchemaError if there is none of its name."""
    if column.zone is None:
        return None
    try:
        return ZoneInfo(column.zone)
    except (ValueError, OSError, KeyError):
        raise SchemaError(
            f"column {column.name!r} has the zone {column.zone!r}, which does not exist",
            code="schema-invalid",
            hint="use a name such as 'UTC' or 'Europe/Berlin'",
        ) from None


def read_integer(value: Any) -> int:
    """A whole number in int64."""
    if isinstance(value, str):
        value = _number_of(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is int and value in INT64:
        return value
    raise Unreadable


def read_number(value: Any) -> float:
    """A finite number."""
    if isinstance(value, str):
        value = _number_of(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            found = float(value)
        except OverflowError:
            raise Unreadable from None
        if math.isfinite(found):
            return found
    raise Unreadable


def read_boolean(value: Any) -> bool:
    """True or false, or these words."""
    if isinstance(value, bool):
        return value
    if value == "true":
        return True
    if value == "false":
        return False
    raise Unreadable


def read_time(value: Any, scale: int | None, zone: ZoneInfo | None) -> int:
    """µs since the epoch; ``scale``: the nanoseconds that a number counts."""
    if isinstance(value, str):
        micros = _iso_micros(value, zone)
    elif isinstance(value, datetime):
        micros = _datetime_micros(value, zone)
    elif isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        micros = _scaled(value, scale)
    else:
        raise Unreadable
    if micros in YEARS:
        return micros
    raise Unreadable


def read_duration(value: Any, scale: int | None) -> int:
    """A length of time in µs; a number may be negative."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = _number_of(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        micros = _scaled(value, scale)
    else:
        try:
            micros = parse_duration(value) // MICROSECOND
        except (ValueError, OverflowError):
            raise Unreadable from None
    if micros in INT64:
        return micros
    raise Unreadable


def _number_of(text: str) -> int | float:
    try:
        if _WHOLE.fullmatch(text):
            return int(text)
        if _NUMBER.fullmatch(text):
            return float(text)
    except ValueError:  # more digits than Python turns into a number
        pass
    raise Unreadable


def _scaled(value: float, scale: int | None) -> int:
    if scale is None or (isinstance(value, float) and not math.isfinite(value)):
        raise Unreadable
    if scale % 1000 == 0 and isinstance(value, int):
        return value * (scale // 1000)
    return round(Fraction(value) * scale / 1000)


def _datetime_micros(value: datetime, zone: ZoneInfo | None) -> int:
    if value.tzinfo is None:
        if zone is None:
            raise Unreadable
        value = value.replace(tzinfo=zone)
    return (value - datetime(1970, 1, 1, tzinfo=UTC)) // MICROSECOND


def _iso_micros(text: str, zone: ZoneInfo | None) -> int:
    parts = _ISO.fullmatch(text)
    if parts is None:
        raise Unreadable
    try:
        moment = datetime.fromisoformat(f"{parts['day']}T{parts['clock'] or '00:00'}")
    except ValueError:
        raise Unreadable from None
    if parts["zone"] is None:
        if zone is None:
            raise Unreadable
        offset = moment.replace(tzinfo=zone).utcoffset() or timedelta(0)
    elif parts["zone"] == "Z":
        offset = timedelta(0)
    else:
        minutes = int(parts["hours"]) * 60 + int(parts["minutes"] or 0)
        offset = timedelta(minutes=-minutes if parts["sign"] == "-" else minutes)
    micros = round(Fraction(f"0.{(parts['fraction'] or '0')[:40]}") * 1_000_000)
    return ((moment - _EPOCH) - offset) // MICROSECOND + micros
