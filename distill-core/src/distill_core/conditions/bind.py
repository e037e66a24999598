"""Give the literals of a condition the types of the columns, before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from distill_core.columns import RESERVED, Column, Type
from distill_core.conditions.literals import Value
from distill_core.conditions.patterns import check_pattern
from distill_core.conditions.tree import (
    And,
    Compare,
    Condition,
    In,
    Like,
    Matches,
    Not,
    Null,
    Or,
)
from distill_core.conditions.write import literal_text
from distill_core.errors import ConditionError, nearest
from distill_core.params import parse_duration, parse_instant

_ALIKE: Mapping[Type, str] = {
    "string": "text", "ids": "text", "json": "json", "integer": "number", "number": "number",
    "boolean": "boolean", "time": "time", "duration": "duration",
}  # fmt: skip
"""Columns of the same word may be compared with each other."""

_HINTS: Mapping[str, str] = {
    "string": "text goes in quotes: '7'",
    "ids": "ids are text, in quotes",
    "json": "compare it with its JSON as text, in quotes",
    "integer": "write the number without quotes",
    "number": "write the number without quotes",
    "boolean": "write TRUE or FALSE",
    "time": "write it as '2026-01-31T12:00:00Z' or '2026-01-31'",
    "duration": "write it as '2s', '500ms' or INTERVAL '2 seconds'",
}


def bind(condition: Condition, columns: Mapping[str, Column]) -> Condition:
    """The same condition with each literal as a value of its column's type.

    Times and durations given as text become datetimes (a date is its midnight in UTC) and
    timedeltas; whole numbers get their column's kind. ConditionError: a column is not there
    (``condition-column``), a literal does not fit (``condition-literal``), a pattern is no RE2
    (``condition-pattern``). Binding twice changes nothing.

    >>> from distill_core.conditions import parse
    >>> bind(parse("time >= '2026-01-01'"), {"time": Column("time", type="time")})
    parse("time >= TIMESTAMP '2026-01-01T00:00:00.000000Z'")
    """
    match condition:
        case And(parts):
            return And(tuple(bind(part, columns) for part in parts))
        case Or(parts):
            return Or(tuple(bind(part, columns) for part in parts))
        case Not(of):
            return Not(bind(of, columns))
        case Compare(op, name, None, str(other)):
            _comparable(_find(name, columns), _find(other, columns, or_text=True))
            return condition
        case Compare(op, name, value) if value is not None:
            return Compare(op, name, _typed(value, _find(name, columns)))
        case In(name, values):
            column = _find(name, columns)
            return In(name, tuple(_typed(value, column) for value in values))
        case Like(name) | Matches(name):
            _of_text(_find(name, columns), "LIKE" if isinstance(condition, Like) else "matches")
            check_pattern(condition)
        case Null(name):
            _find(name, columns)
    return condition


def _find(name: str, columns: Mapping[str, Column], *, or_text: bool = False) -> Column:
    """The column of this name; ``or_text``: it may be text whose quotes were forgotten."""
    if name not in columns:
        hint = nearest(name, columns)
        if or_text:
            near = f"; {hint}" if hint.startswith("did") else ""
            hint = f"text goes in single quotes: {literal_text(name)}{near}"
        raise ConditionError(f"there is no column {name!r}", code="condition-column", hint=hint)
    return columns[name]


def _comparable(left: Column, right: Column) -> None:
    if _ALIKE[left.type] != _ALIKE[right.type]:
        raise ConditionError(
            f"columns {left.name!r} ({left.type}) and {right.name!r} ({right.type}) cannot be "
            "compared",
            code="condition-literal",
        )


def _of_text(column: Column, what: str) -> None:
    if column.type not in ("string", "json", "ids"):
        raise ConditionError(
            f"{what} is for text, but column {column.name!r} is of type {column.type}",
            code="condition-literal",
        )


def _typed(value: Value, column: Column) -> Value:
    """``value`` as one of the column's type; it is never guessed from another kind."""
    match column.type, value:
        case ("boolean", bool()):
            return value
        case (_, bool()):
            raise _misfit(value, column)
        case ("integer", float()):
            return int(value) if value.is_integer() and abs(value) < 2.0**63 else value
        case ("number", int()):
            return float(value) if int(float(value)) == value else value
        case ("integer", int()) | ("number", float()):
            return value
        case ("string" | "json" | "ids", str()):
            return value
        case ("time", datetime()) | ("duration", timedelta()):
            return value
        case ("time" | "duration", str(text)):
            return _read(text, column)
    raise _misfit(value, column)


def _read(text: str, column: Column) -> Value:
    try:
        if column.type == "time":
            return parse_instant(text)
        sign = -1 if text.strip().startswith("-") else 1
        return sign * parse_duration(text.strip().removeprefix("-"))
    except (ValueError, OverflowError) as error:
        raise ConditionError(
            f"column {column.name!r} is of type {column.type}: {error}", code="condition-literal"
        ) from None


def _misfit(value: Value, column: Column) -> ConditionError:
    shown = literal_text(value)
    shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
    return ConditionError(
        f"column {column.name!r} is of type {column.type}, {shown} is not",
        code="condition-literal",
        hint=_hint(value, column),
    )


def _hint(value: Value, column: Column) -> str:
    """How to write the literal; what is read is text only because its column has no type."""
    kind = {bool: "boolean", int: "integer", float: "number"}.get(type(value))
    if kind and column.type == "string" and column.paths and column.name not in RESERVED:
        return f'give it a type where it is read: {{name = "{column.name}", type = "{kind}"}}'
    return _HINTS[column.type]
