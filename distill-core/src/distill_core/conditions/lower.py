"""sqlglot's nodes to ours, by a whitelist; what is not on it is an error with its place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlglot import exp

from distill_core.conditions.literals import Value, literal
from distill_core.conditions.spans import parse_span
from distill_core.conditions.text import error_at
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
from distill_core.errors import ConditionError
from distill_core.params import parse_instant

_OPS: Mapping[type[exp.Expr], Op] = {
    exp.EQ: "eq", exp.NEQ: "ne", exp.LT: "lt", exp.LTE: "le", exp.GT: "gt", exp.GTE: "ge",
}  # fmt: skip
_FLIPPED: Mapping[Op, Op] = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}
_CASTS = (exp.DType.TIMESTAMP, exp.DType.DATE)


class _Name(str):
    """The name of a column, as against a text."""

    __slots__ = ()


def lower(node: exp.Expr | None, text: str) -> Condition:
    """The condition of sqlglot's ``node``, parsed from ``text``."""
    return _Lowering(text).condition(node)


class _Lowering:
    def __init__(self, text: str) -> None:
        self.text = text

    def error(self, node: object, message: str, hint: str | None = None) -> ConditionError:
        found = node.walk() if isinstance(node, exp.Expr) else ()
        places = [inner.meta["start"] for inner in found if "start" in inner.meta]
        return error_at(self.text, min(places, default=0), message, hint)

    def make(self, node: exp.Expr, kind: type[Condition], *args: object) -> Condition:
        try:
            return kind(*args)
        except ConditionError as error:
            raise self.error(node, error.message, error.hint) from None

    def condition(self, node: object) -> Condition:
        """A node that stands for a truth value."""
        self.only(node)
        match node:
            case exp.Paren():
                return self.condition(node.this)
            case exp.And() | exp.Or():
                kind = And if isinstance(node, exp.And) else Or
                parts = tuple(map(self.condition, _chain(node)))
                return self.make(node, kind, parts)
            case exp.Not():
                return self.make(node, Not, self.condition(node.this))
            case exp.Column():
                return self.make(node, Compare, "eq", self.column(node), True)
            case exp.Is():
                if not isinstance(node.expression, exp.Null):
                    raise self.error(node, "IS goes with NULL and NOT NULL only")
                return self.make(node, Null, self.column(node.this))
            case exp.Binary() if type(node) in _OPS:
                return self.compare(node, _OPS[type(node)], node.this, node.expression)
            case exp.Between():
                low = self.compare(node, "ge", node.this, node.args["low"])
                high = self.compare(node, "le", node.this, node.args["high"])
                return self.make(node, And, (low, high))
            case exp.In():
                values = tuple(map(self.value, node.expressions))
                return self.make(node, In, self.column(node.this), values)
            case exp.Like():
                found = self.make(node, Like, self.column(node.this), self.pattern(node.expression))
                return self.make(node, Not, found) if node.args.get("negate") else found
            case exp.RegexpLike():
                return self.make(
                    node, Matches, self.column(node.this), self.pattern(node.expression)
                )
            case exp.Anonymous():
                return self.matches(node)
        raise self.error(node, "this is no condition", "compare a column with a value")

    def only(self, node: object) -> None:
        """Fail if sqlglot has read something into ``node`` that we would leave out."""
        if not isinstance(node, exp.Expr):
            raise self.error(node, "this is no condition")
        known = {"this", "expression", "expressions", "low", "high", "negate"}
        if any(value for key, value in node.args.items() if key not in known):
            raise self.error(node, "this form is no condition")

    def compare(self, node: exp.Expr, op: Op, left: object, right: object) -> Condition:
        first, second = self.operand(left), self.operand(right)
        if not isinstance(first, _Name):
            first, second, op = second, first, _FLIPPED.get(op, op)
        if not isinstance(first, _Name):
            raise self.error(node, "a comparison needs a column")
        if isinstance(second, _Name):
            return self.make(node, Compare, op, str(first), None, str(second))
        return self.make(node, Compare, op, str(first), second)

    def matches(self, node: exp.Anonymous) -> Condition:
        if len(node.expressions) != 2:
            raise self.error(node, "matches takes a column and a pattern")
        column, pattern = node.expressions
        return self.make(node, Matches, self.column(column), self.pattern(pattern))

    def column(self, node: object) -> str:
        found = self.operand(node)
        if not isinstance(found, _Name):
            raise self.error(node, "a column is expected here", "names go bare or in double quotes")
        return str(found)

    def value(self, node: object) -> Value:
        found = self.operand(node)
        if isinstance(found, _Name):
            hint = f"text goes in single quotes: '{found}'"
            raise self.error(node, "a value is expected here", hint)
        return found

    def pattern(self, node: object) -> str:
        found = self.value(node)
        if not isinstance(found, str):
            raise self.error(node, "a pattern is text in single quotes")
        return found

    def operand(self, node: object) -> Value | _Name:
        """A name or a literal."""
        while isinstance(node, exp.Paren):
            node = node.this
        match node:
            case exp.Column(this=exp.Identifier(this=str(name))) if len(_used(node)) == 1:
                return _Name(name)
            case exp.Literal(is_string=True):
                return node.name
            case exp.Literal():
                return self.number(node, node.name)
            case exp.Neg(this=exp.Literal(is_string=False)):
                return self.number(node, f"-{node.this.name}")
            case exp.Boolean():
                return bool(node.this)
            case exp.Cast(this=exp.Literal(is_string=True)) if node.to.this in _CASTS:
                return self.instant(node)
            case exp.Interval(this=exp.Literal(is_string=True)):
                return self.span(node)
        raise self.error(
            node,
            "this is neither a column nor a value",
            "conditions compare columns with values, they do not calculate",
        )

    def number(self, node: exp.Expr, text: str) -> Value:
        try:
            return literal(float(text) if re.search("[.eE]", text) else int(text))
        except ConditionError as error:
            raise self.error(node, "this number is too large", error.hint) from None
        except ValueError:
            raise self.error(node, "this number cannot be read") from None

    def instant(self, node: exp.Cast) -> datetime:
        try:
            return parse_instant(node.this.name)
        except (ValueError, OverflowError) as error:
            raise self.error(node, str(error)) from None

    def span(self, node: exp.Interval) -> timedelta:
        unit = node.args.get("unit")
        text = " ".join([node.this.name, *([unit.name] if unit else [])])
        try:
            return parse_span(text)
        except ValueError as error:
            raise self.error(node, str(error)) from None


def _chain(node: exp.And | exp.Or) -> list[object]:
    """The parts of ``a AND b AND c …``, which sqlglot nests to the left, without recursion."""
    found: list[object] = []
    pending: list[object] = [node]
    while pending:
        part = pending.pop()
        if type(part) is type(node) and isinstance(part, exp.Binary):
            pending += (part.expression, part.this)
        else:
            found.append(part)
    return found


def _used(node: exp.Expr) -> list[str]:
    return [key for key, value in node.args.items() if value]
