"""The text of a condition, which ``parse`` reads back as the same tree."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from distill_core.conditions.literals import Value
from distill_core.conditions.spans import span_text
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
from distill_core.params import instant_text

SIGNS = {"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
"""Comparison → how SQL writes it."""

WORDS = frozenset((
    "and", "or", "not", "in", "like", "is", "null", "between", "true", "false", "interval",
    "timestamp", "date",
))  # fmt: skip
"""Words with a meaning of their own in the text of a condition."""

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def to_text(condition: Condition) -> str:
    """See ``Condition.__str__``."""
    match condition:
        case Compare(op, column, value, other):
            right = literal_text(value) if value is not None else name_text(str(other))
            return f"{name_text(column)} {SIGNS[op]} {right}"
        case Null(column):
            return f"{name_text(column)} IS NULL"
        case Not(Null(column)):
            return f"{name_text(column)} IS NOT NULL"
        case In() | Like():
            return _listed(condition)
        case Not(In() | Like() as of):
            return _listed(of, "NOT ")
        case Matches(column, pattern):
            return f"matches({name_text(column)}, {_quoted(pattern)})"
        case And(parts):
            return " AND ".join(f"({p})" if isinstance(p, Or) else str(p) for p in parts)
        case Or(parts):
            return " OR ".join(map(str, parts))
        case Not(of):
            return f"NOT ({of})"
    raise TypeError(f"{type(condition).__name__} is no condition")


def _listed(condition: In | Like, negated: str = "") -> str:
    name = name_text(condition.column)
    if isinstance(condition, Like):
        return f"{name} {negated}LIKE {_quoted(condition.pattern)}"
    return f"{name} {negated}IN ({', '.join(map(literal_text, condition.values))})"


def name_text(name: str) -> str:
    """A column's name, quoted where it has to be.

    >>> name_text("case"), name_text("a b"), name_text("date")
    ('case', '"a b"', '"date"')
    """
    if _PLAIN.fullmatch(name) and name.lower() not in WORDS:
        return name
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def literal_text(value: Value) -> str:
    """A literal as SQL writes it.

    >>> from datetime import timedelta
    >>> literal_text("it's"), literal_text(True), literal_text(timedelta(minutes=2))
    ("'it''s'", 'TRUE', "INTERVAL '2 minutes'")
    """
    match value:
        case bool():
            return str(value).upper()
        case str():
            return _quoted(value)
        case datetime():
            return f"TIMESTAMP '{instant_text(value)}'"
        case timedelta():
            return f"INTERVAL '{span_text(value)}'"
        case _:
            return repr(value)


def _quoted(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"
