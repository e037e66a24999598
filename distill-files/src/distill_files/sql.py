"""Conditions in SQL: what is not true here is not true of the record, but not the reverse.

The core applies the whole condition again, so a test that SQL cannot make exactly on JSON text is
replaced by a weaker one, in the end by TRUE. NOT is pushed inwards first: never is it put before a
weaker test. Values are bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import reduce
from typing import Any

from distill_core.columns import UNITS, Column
from distill_core.conditions import And, Compare, Condition, In, Like, Matches, Not, Null, Or
from distill_core.extract import Constant, Field
from distill_core.params import instant_micros
from distill_files.leaves import Kind, Plan

Sql = tuple[str, list[Any]]
_TRUE: Sql = ("TRUE", [])
_FALSE: Sql = ("FALSE", [])
_NEGATED = {"eq": "ne", "ne": "eq", "lt": "ge", "ge": "lt", "gt": "le", "le": "gt"}


def compile(condition: Condition, columns: Mapping[str, Column], plan: Plan) -> Sql:  # noqa: A001
    """SQL on a table of the plan's leaves (``codes``), and the values of its ``?``.

    ``condition`` is bound to ``columns``. The SQL is true for each record for which the condition
    is; TRUE if that is all that can be said.
    """
    return _Compiler(columns, plan).of(condition, positive=True)


class _Compiler:
    def __init__(self, columns: Mapping[str, Column], plan: Plan) -> None:
        self.columns, self.plan = columns, plan

    def of(self, node: Condition, *, positive: bool) -> Sql:
        match node:
            case Not():
                return self.of(node.of, positive=not positive)
            case And() | Or():
                terms = node.all if isinstance(node, And) else node.any
                both = isinstance(node, And) == positive
                return _joined([self.of(term, positive=positive) for term in terms], both=both)
            case Null():
                return self.null(node.column) if positive else self.some(node.column)
            case Compare() if node.other is None:
                op = node.op if positive else _NEGATED[node.op]
                return self.compare(op, node.column, node.value)
            case In() if positive:
                found = [self.compare("eq", node.column, value) for value in node.values]
                return _joined(found, both=False)
            case Compare() | In() | Like() | Matches():
                return self.some(node.column)
            case _:
                return _TRUE

    def some(self, name: str) -> Sql:
        """The column may have a value."""
        return self._any(name, lambda *_: _TRUE, lambda _: _TRUE)

    def null(self, name: str) -> Sql:
        """All that the column is made of is null, or something may be unreadable."""
        if self.columns[name].type not in ("string", "ids", "json"):
            return _TRUE
        leaves = self._leaves(name)
        if leaves is None:
            return _TRUE
        nothing = _joined([(f"{text} IS NULL", []) for text, _ in leaves], both=True)
        return _joined([nothing, *(_odd(*leaf) for leaf in leaves)], both=False)

    def compare(self, op: str, name: str, value: Any) -> Sql:
        column = self.columns[name]
        if column.type in ("string", "ids") and isinstance(value, str) and op == "eq":
            if not value.isprintable() or '"' in value or "\\" in value:
                return self.some(name)

            def equal(text: str, kind: Kind) -> Sql:
                same: Sql = (f"{text} = ?", [value if kind == "VARCHAR" else f'"{value}"'])
                return _joined([same, _odd(text, kind)], both=False)

            return self._any(name, equal, lambda constant: _TRUE if constant == value else _FALSE)
        if (limits := _limits(op, value, column)) is not None:
            low, high = limits

            def within(text: str, kind: Kind) -> Sql:
                if kind not in ("BIGINT", "DOUBLE"):
                    return _TRUE
                number = text.replace("c", "n")
                tests = [(f"{number} >= ?", [low])] if low is not None else []
                tests += [(f"{number} <= ?", [high])] if high is not None else []
                return _joined([(f"{text} IS NOT NULL", []), _joined(tests, both=True)], both=False)

            return self._any(name, within, lambda _: _TRUE)
        return self.some(name)

    def _any(self, name: str, test: Any, constant: Any) -> Sql:
        """A test on some of the column's paths; a path with no value makes none true."""
        if (leaves := self._leaves(name)) is None:
            return _TRUE
        found = []
        for text, kind in leaves:
            there = f"{text} IS NOT NULL"
            if kind in ("BIGINT", "DOUBLE"):
                there += f" OR {text.replace('c', 'n')} IS NOT NULL"
            sql = test(text, kind)
            found.append((f"({there})", []) if sql == _TRUE else sql)
        paths = self.plan.paths[name]
        found += [constant(path.text) for path in paths if isinstance(path, Constant)]
        return _joined(found, both=False)

    def _leaves(self, name: str) -> list[tuple[str, Kind]] | None:
        """(column, kind) of the leaves that are the column's paths; None if there are others."""
        found: list[tuple[str, Kind]] = []
        for path in self.plan.paths.get(name, []):
            if isinstance(path, Constant):
                continue
            if not isinstance(path, Field):
                return None
            for keys in [(path.text,)] + ([path.keys] if "." in path.text else []):
                index = self.plan.leaf_of(keys)
                leaf = self.plan.leaves[index]
                if leaf.keys != keys:
                    return None
                found.append((f"c{index}", leaf.kind))
        return found or None


def _odd(text: str, kind: Kind) -> Sql:
    """What may be no text: read as the exact reader alone knows."""
    if kind == "VARCHAR":
        return f"left({text}, 1) IN ('[', '{{', '-', 'n', 'N', 'i', 'I')", []
    return f"left({text}, 1) <> '\"'", []


def _limits(op: str, value: Any, column: Column) -> tuple[Any, Any] | None:
    """The lowest and the highest plain number that can make the comparison true."""
    low = high = value
    if column.type == "time" and isinstance(value, datetime) and column.unit is not None:
        scale, micros = UNITS[column.unit], instant_micros(value)
        low, high = (micros - 1) * 1000 // scale, -(-(micros + 1) * 1000 // scale)
    elif column.type not in ("integer", "number") or not _is_exact(value):
        return None
    match op:
        case "eq":
            return low, high
        case "ge" | "gt":
            return low, None
        case "le" | "lt":
            return None, high
        case _:
            return None


def _is_exact(value: Any) -> bool:
    """Whether BIGINT and DOUBLE both compare with the number as Python does."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 2**53


def _joined(terms: list[Sql], *, both: bool) -> Sql:
    """AND (``both``) or OR of the terms, without what is known."""
    known, other = (_FALSE, _TRUE) if both else (_TRUE, _FALSE)
    if known in terms:
        return known
    rest = [term for term in terms if term != other]
    if not rest:
        return other
    word = " AND " if both else " OR "
    values = reduce(lambda found, term: found + term[1], rest, list[Any]())
    return "(" + word.join(sql for sql, _ in rest) + ")", values
