"""Lengths of time as SQL writes them: ``INTERVAL '2 seconds'``."""

from __future__ import annotations

import re
from datetime import timedelta
from fractions import Fraction

from distill_core.params import MICROSECOND

UNITS = {
    "week": 604_800_000_000, "day": 86_400_000_000, "hour": 3_600_000_000, "minute": 60_000_000,
    "second": 1_000_000, "millisecond": 1_000, "microsecond": 1,
}  # fmt: skip
"""Unit → µs, longest first."""

_SHORT = {"us": "microsecond", "ms": "millisecond", "s": "second", "sec": "second", "m": "minute",
          "min": "minute", "h": "hour", "d": "day", "w": "week"}  # fmt: skip
_PART = re.compile(r"(-?\d+(?:\.\d+)?)\s*([a-z]+)\s*", re.IGNORECASE | re.ASCII)
_LONGEST = 40  # characters; numbers of unbounded length are slow to read


def parse_span(text: str) -> timedelta:
    """The length of time of an INTERVAL's text; ValueError if it is none of whole µs.

    >>> parse_span("1 day 2 hours")
    datetime.timedelta(days=1, seconds=7200)
    """
    micros, end = Fraction(0), 0
    while len(text) <= _LONGEST and (found := _PART.match(text, end)):
        name = found[2].lower()
        name = _SHORT.get(name, name.removesuffix("s"))
        if name not in UNITS:
            break
        micros += Fraction(found[1]) * UNITS[name]
        end = found.end()
    if not text or end != len(text) or micros.denominator != 1:
        raise ValueError(f"'{text[:_LONGEST]}' is no interval")
    try:
        return timedelta(microseconds=int(micros))
    except OverflowError:
        raise ValueError(f"'{text}' is longer than a duration can be") from None


def span_text(value: timedelta) -> str:
    """The shortest text that ``parse_span`` reads back.

    >>> span_text(timedelta(minutes=2))
    '2 minutes'
    """
    micros = value // MICROSECOND
    unit = next(unit for unit, size in UNITS.items() if micros % size == 0)
    count = micros // UNITS[unit]
    return f"{count} {unit}{'' if count == 1 else 's'}"
