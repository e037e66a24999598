"""Run a bound condition on numpy columns, with the three-valued logic of SQL.

Text is tested on its dictionary, each value once. Everything is linear in rows plus dictionary.
"""

from __future__ import annotations

import math
import operator
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from distill_core.batch import Bools, Codes, Masked
from distill_core.columns import Column
from distill_core.conditions.bind import bind
from distill_core.conditions.literals import Value
from distill_core.conditions.patterns import tester
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
    Or,
)
from distill_core.params import MICROSECOND, instant_micros

Answer = tuple[Bools, Bools]
"""Where a condition is true, and where it is unknown; never both."""

_OPERATORS: Mapping[Op, Callable[[Any, Any], Any]] = {
    op: getattr(operator, op) for op in ("eq", "ne", "lt", "le", "gt", "ge")
}


class Table(Protocol):
    """Columns of equal length by name: an event log, a batch."""

    @property
    def columns(self) -> Mapping[str, Column]: ...

    def __len__(self) -> int: ...

    def get(self, name: str, /) -> Codes | Masked:
        """Text, JSON and ids as Codes, all else as Masked; times and durations in int64 µs."""
        ...


def mask(condition: Condition, table: Table) -> Bools:
    """Where ``condition``, bound to the table's columns, is true; unknown is not true."""
    return evaluate(bind(condition, table.columns), table)[0]


def evaluate(condition: Condition, table: Table) -> Answer:
    """(true, unknown) of each row under a *bound* condition; a row in neither is false.

    The arrays may be shared with the table: do not write into them.
    """
    match condition:
        case And(parts) | Or(parts):
            return _join(parts, table, every=isinstance(condition, And))
        case Not(of):
            true, unknown = evaluate(of, table)
            return ~(true | unknown), unknown
        case Null(name):
            null = table.get(name).null
            return null, np.zeros(len(null), dtype=bool)
        case Compare(op, name, None, str(other)):
            return _pair(op, table.get(name), table.get(other))
        case Compare(op, name, value) if value is not None:
            return _compare(op, table.get(name), _plain(value))
        case In(name, values):
            return _among(table.get(name), [_plain(value) for value in values])
        case Like(name) | Matches(name):
            column = table.get(name)
            assert isinstance(column, Codes), name
            return _by_dictionary(column, tester(condition))
    raise TypeError(f"{type(condition).__name__} is no condition")


def _join(parts: tuple[Condition, ...], table: Table, *, every: bool) -> Answer:
    """AND and OR of Kleene."""
    true, unknown = evaluate(parts[0], table)
    for part in parts[1:]:
        also, doubtful = evaluate(part, table)
        if every:
            possible, true = (true | unknown) & (also | doubtful), true & also
        else:
            possible, true = true | unknown | also | doubtful, true | also
        unknown = possible & ~true
    return true, unknown


def _plain(value: Value) -> Any:
    """As columns hold it: times and durations in µs."""
    if isinstance(value, datetime):
        return instant_micros(value)
    return value // MICROSECOND if isinstance(value, timedelta) else value


def _compare(op: Op, column: Codes | Masked, value: Any) -> Answer:
    if isinstance(column, Codes):
        if column.ordered:
            return _by_range(op, column, value)
        return _by_dictionary(column, lambda text: _OPERATORS[op](text, value))
    op, value = _exact(op, column.values, value)
    return _OPERATORS[op](column.values, value) & ~column.null, column.null


def _by_range(op: Op, column: Codes, value: str) -> Answer:
    """On a sorted dictionary the values that fit lie side by side."""
    codes, null = column.codes, column.null
    first, end = bisect_left(column.values, value), bisect_right(column.values, value)
    match op:
        case "eq":
            return (codes == first if first < end else np.zeros(len(codes), dtype=bool)), null
        case "ne":
            return ~null & (codes != first) if first < end else ~null, null
        case "lt" | "le":
            return (codes < (first if op == "lt" else end)) & ~null, null
        case _:
            return codes >= (first if op == "ge" else end), null


def _by_dictionary(column: Codes, fits: Callable[[str], bool]) -> Answer:
    values = column.values
    fitting = np.fromiter(map(fits, values), dtype=bool, count=len(values))
    return np.append(fitting, False)[column.codes], column.null  # code −1 finds the last


def _among(column: Codes | Masked, values: list[Any]) -> Answer:
    if isinstance(column, Codes):
        return _by_dictionary(column, frozenset(values).__contains__)
    found = [_exact("eq", column.values, value) for value in values]
    wanted = np.array([value for op, value in found if op == "eq"])
    return np.isin(column.values, wanted) & ~column.null, column.null


def _exact(op: Op, values: NDArray[Any], value: Any) -> tuple[Op, Any]:
    """The comparison that numpy, which rounds whole numbers to float64, answers exactly.

    A number between two that the column can hold becomes one of those; none equals it.
    """
    kind = values.dtype.kind
    if kind == "i" and isinstance(value, float):
        below: float = math.floor(value)
        above: float = math.ceil(value)
    elif kind == "f" and isinstance(value, int):
        near = float(value)
        below = near if near <= value else math.nextafter(near, -math.inf)
        above = near if near >= value else math.nextafter(near, math.inf)
    else:
        return op, value
    if below == above:
        return op, below
    if op in ("eq", "ne"):
        return ("lt" if op == "eq" else "ge"), -math.inf  # no row, every row
    return ("le", below) if op in ("lt", "le") else ("ge", above)


def _pair(op: Op, left: Codes | Masked, right: Codes | Masked) -> Answer:
    null = left.null | right.null
    if isinstance(left, Codes) and isinstance(right, Codes):
        texts = sorted({*left.values, *right.values})
        ranks = {text: rank for rank, text in enumerate(texts)}
        first, second = _ranked(left, ranks), _ranked(right, ranks)
    else:
        assert isinstance(left, Masked) and isinstance(right, Masked)  # noqa: PT018
        first, second = left.values, right.values
        if first.dtype.kind + second.dtype.kind == "if":
            first, second = _side(first, second), np.zeros(1, dtype=np.int8)
        elif first.dtype.kind + second.dtype.kind == "fi":
            first, second = np.zeros(1, dtype=np.int8), _side(second, first)
    return _OPERATORS[op](first, second) & ~null, null


def _ranked(column: Codes, ranks: Mapping[str, int]) -> NDArray[Any]:
    values = column.values
    found = np.fromiter(map(ranks.__getitem__, values), dtype=np.int64, count=len(values))
    return np.append(found, -1)[column.codes]


def _side(whole: NDArray[Any], real: NDArray[Any]) -> NDArray[np.int8]:
    """The sign of ``whole − real``, exact for int64 against float64."""
    floor = np.floor(real)
    above, below = floor >= 2.0**63, floor < -(2.0**63)
    inside = np.where(above | below, 0, floor).astype(np.int64)
    side = (whole > inside).astype(np.int8) - (whole < inside).astype(np.int8)
    side[(whole == inside) & (real > floor)] = -1
    side[above], side[below] = -1, 1
    return side
