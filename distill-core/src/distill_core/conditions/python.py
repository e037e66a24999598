"""Conditions in Python: ``col("activity") == "click"``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from distill_core.conditions.tree import (
    And,
    Compare,
    Condition,
    In,
    Like,
    Matches,
    Not,
    Null,
    Op,
)


def col(name: str) -> Col:
    """The column ``name``, to be compared with a value or with another ``col``.

    Values: text, numbers, truth values, aware datetimes, dates (midnight in UTC), timedeltas.
    Combine conditions with ``&``, ``|``, ``~`` and parentheses: ``and``, ``or``, ``not`` and
    chains as in ``1 < col("size") < 5`` cannot be overloaded in Python.

    >>> (col("size") > 3) & col("target").like("button%")
    parse("size > 3 AND target LIKE 'button%'")
    """
    return Col(name)


class Col:
    """A column of which conditions are made; see ``col``."""

    __hash__ = None  # type: ignore[assignment]  # == makes a condition

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"col({self.name!r})"

    def __bool__(self) -> bool:
        raise TypeError(
            f"{self!r} is neither true nor false: compare it, as in {self!r} == True, and combine "
            "conditions with & | ~"
        )

    def _compare(self, op: Op, value: Any) -> Condition:
        if isinstance(value, Col):
            return Compare(op, self.name, other=value.name)
        return Compare(op, self.name, value)

    def __eq__(self, value: object) -> Condition:  # type: ignore[override]
        return self._compare("eq", value)

    def __ne__(self, value: object) -> Condition:  # type: ignore[override]
        return self._compare("ne", value)

    def __lt__(self, value: Any) -> Condition:
        return self._compare("lt", value)

    def __le__(self, value: Any) -> Condition:
        return self._compare("le", value)

    def __gt__(self, value: Any) -> Condition:
        return self._compare("gt", value)

    def __ge__(self, value: Any) -> Condition:
        return self._compare("ge", value)

    def isin(self, values: Iterable[Any]) -> Condition:
        """Equal to one of ``values``; at least one is needed."""
        return In(self.name, values)  # type: ignore[arg-type]  # the node makes it a tuple

    def like(self, pattern: str) -> Condition:
        """The whole text fits ``pattern``: ``%`` is any text, ``_`` any character, no escape."""
        return Like(self.name, pattern)

    def matches(self, pattern: str) -> Condition:
        """The RE2 expression is found anywhere in the text; anchor it with ``^`` and ``$``."""
        return Matches(self.name, pattern)

    def is_null(self) -> Condition:
        """There is no value."""
        return Null(self.name)

    def not_null(self) -> Condition:
        """There is a value."""
        return Not(Null(self.name))

    def between(self, low: Any, high: Any) -> Condition:
        """At least ``low`` and at most ``high``."""
        return And((self._compare("ge", low), self._compare("le", high)))
