"""What nodes are made of: literals, names and patterns, checked and made plain."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta

from distill_core.errors import ConditionError
from distill_core.params import parse_instant

Value = str | int | float | bool | datetime | timedelta
"""A literal: text, a number, a truth value, an aware datetime (kept in UTC) or a timedelta."""

MAX_INTEGER = 2**63 - 1
"""The columns of a log hold no wider integers, neither do the stores that conditions go to."""


def literal(value: object) -> Value:
    """``value`` as a node keeps it: a plain Python value, times in UTC; else ConditionError."""
    if isinstance(value, date):
        try:
            found = parse_instant(value)
        except (ValueError, OverflowError) as error:
            raise ConditionError(str(error), code="condition-literal") from None
        return datetime.combine(found.date(), found.time(), UTC)
    if isinstance(value, timedelta):
        return timedelta(value.days, value.seconds, value.microseconds)
    if isinstance(value, str):
        return str(value)
    if hasattr(value, "item"):  # a numpy scalar
        value = value.item()
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and -MAX_INTEGER - 1 <= value <= MAX_INTEGER:
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if value is None:
        raise ConditionError(
            "a comparison with null is never true",
            code="condition-literal",
            hint="use IS NULL, in Python .is_null()",
        )
    if isinstance(value, int | float):
        hint = "numbers are finite, integers fit into 64 bits"
    else:
        hint = "use text, a number, a truth value, a datetime or a timedelta"
    raise ConditionError(
        f"{short(value)} is no literal of a condition", code="condition-literal", hint=hint
    )


def short(value: object) -> str:
    """A value as messages show it."""
    if isinstance(value, int) and abs(value) > MAX_INTEGER + 1:
        return "the integer"  # Python refuses to write very long ones
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def name_of(value: object) -> str:
    """``value``, checked to be a column's name."""
    if isinstance(value, str) and value:
        return str(value)
    raise ConditionError(
        f"a column's name is text, not {short(value)}", code="condition-column"
    )


def pattern_of(value: object) -> str:
    """``value``, checked to be the text of a pattern."""
    if isinstance(value, str):
        return str(value)
    raise ConditionError(
        f"a pattern is text, not {short(value)}", code="condition-pattern"
    )
