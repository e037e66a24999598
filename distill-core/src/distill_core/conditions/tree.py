"""The nodes of a condition: frozen, hashable, equal by value and type, never deeper than MAX_DEPTH.

Nodes check what they are given, so that a tree that exists can be written, compiled and run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Literal, get_args

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from distill_core.conditions.literals import Value, literal, name_of, pattern_of, short
from distill_core.errors import ConditionError

Op = Literal["eq", "ne", "lt", "le", "gt", "ge"]
OPS: tuple[Op, ...] = get_args(Op)

MAX_DEPTH = 20
"""Levels of AND, OR and NOT in each other (AND in AND is one). Deeper trees are an error, so that
neither our recursion nor the text parser's, 25 frames a level, ends in a RecursionError."""


class Condition:
    """A test on one event: true, false or unknown, as in SQL.

    As a pydantic field it accepts a Condition, text and JSON. ``&``, ``|`` and ``~`` combine.

    >>> Condition.coerce("size > 3") & ~Condition.coerce({"op": "null", "column": "user"})
    parse("size > 3 AND user IS NOT NULL")
    """

    @property
    def depth(self) -> int:
        """Levels of AND, OR and NOT below and with this node."""
        return 0

    def __bool__(self) -> bool:
        """Python's and, or, not and ``1 < x < 3`` would drop a part of it without a word."""
        raise TypeError("a condition is neither true nor false: combine with &, | and ~")

    @cached_property
    def columns(self) -> frozenset[str]:
        """The names of the columns used."""
        names = (getattr(self, name, None) for name in ("column", "other"))
        return frozenset(name for name in names if name is not None)

    @classmethod
    def coerce(cls, value: object) -> Condition:
        """A condition from a condition, its text or its JSON form; else ConditionError."""
        if isinstance(value, Condition):
            return value
        if isinstance(value, str):
            from distill_core.conditions.text import parse

            return parse(value)
        return cls.from_json(value)

    def to_json(self) -> dict[str, Any]:
        """The JSON form. Times and durations become text, which ``bind`` reads back.

        >>> Condition.coerce("activity = 'click'").to_json()
        {'op': 'eq', 'column': 'activity', 'value': 'click'}
        """
        from distill_core.conditions.jsonform import to_json

        return to_json(self)

    @classmethod
    def from_json(cls, obj: object) -> Condition:
        """The condition of a JSON form; ConditionError names the path of a fault in it."""
        from distill_core.conditions.jsonform import from_json

        return from_json(obj)

    def __and__(self, other: Condition) -> Condition:
        return And((self, other)) if isinstance(other, Condition) else NotImplemented

    def __or__(self, other: Condition) -> Condition:
        return Or((self, other)) if isinstance(other, Condition) else NotImplemented

    def __invert__(self) -> Condition:
        return Not(self)

    def __str__(self) -> str:
        from distill_core.conditions.write import to_text

        return to_text(self)

    def __repr__(self) -> str:
        text = str(self).replace("\\", "\\\\").replace('"', '\\"')
        return f'parse("{text}")' if text.isprintable() else f"parse({str(self)!r})"

    def _key(self) -> tuple[object, ...]:
        """All fields, literals with their types: TRUE is not 1."""
        return tuple(_typed(getattr(self, field.name)) for field in fields(self))  # type: ignore[arg-type]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Condition):
            return NotImplemented
        return type(self) is type(other) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash((type(self), self._key()))

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.coerce,
            serialization=core_schema.plain_serializer_function_ser_schema(cls.to_json),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "anyOf": [{"type": "string", "format": "condition"}, {"type": "object"}],
            "examples": ["activity = 'click' AND target LIKE 'button%'"],
        }


def _typed(value: object) -> object:
    return tuple(_typed(v) for v in value) if isinstance(value, tuple) else (type(value), value)


def _set(node: Condition, **values: object) -> None:
    for name, value in values.items():
        object.__setattr__(node, name, value)


@dataclass(frozen=True, eq=False, repr=False)
class Compare(Condition):
    """``column`` compared with ``value``, or with the column ``other``: exactly one is given."""

    op: Op
    column: str
    value: Value | None = None
    other: str | None = None

    def __post_init__(self) -> None:
        if self.op not in OPS:
            raise ConditionError(
                f"{self.op!r} is no comparison", code="condition-syntax", hint=", ".join(OPS)
            )
        _set(self, column=name_of(self.column))
        if self.other is None:
            _set(self, value=literal(self.value))
        elif self.value is None:
            _set(self, other=name_of(self.other))
        else:
            raise ConditionError(
                "a comparison has a value or another column, not both", code="condition-syntax"
            )


@dataclass(frozen=True, eq=False, repr=False)
class In(Condition):
    """``column`` equals one of ``values``, of which there is at least one."""

    column: str
    values: tuple[Value, ...]

    def __post_init__(self) -> None:
        if isinstance(self.values, str) or not isinstance(self.values, Iterable):
            raise ConditionError("IN takes several values", code="condition-literal")
        _set(self, column=name_of(self.column), values=tuple(literal(v) for v in self.values))
        if not self.values:
            raise ConditionError("IN needs at least one value", code="condition-literal")


@dataclass(frozen=True, eq=False, repr=False)
class Like(Condition):
    """``column`` as a whole fits ``pattern``: ``%`` is any text, ``_`` any character, no escape."""

    column: str
    pattern: str

    def __post_init__(self) -> None:
        _set(self, column=name_of(self.column), pattern=pattern_of(self.pattern))


@dataclass(frozen=True, eq=False, repr=False)
class Matches(Condition):
    """The RE2 expression ``pattern`` is found somewhere in ``column`` (anchor it with ^ and $)."""

    column: str
    pattern: str

    def __post_init__(self) -> None:
        _set(self, column=name_of(self.column), pattern=pattern_of(self.pattern))


@dataclass(frozen=True, eq=False, repr=False)
class Null(Condition):
    """``column`` has no value. Never unknown."""

    column: str

    def __post_init__(self) -> None:
        _set(self, column=name_of(self.column))


class _Nested(Condition):
    """What is made of other conditions."""

    def parts(self) -> tuple[Condition, ...]:
        raise NotImplementedError

    @cached_property
    def depth(self) -> int:
        return 1 + max(part.depth for part in self.parts())

    @cached_property
    def columns(self) -> frozenset[str]:
        return frozenset().union(*(part.columns for part in self.parts()))

    def _check(self, parts: tuple[object, ...]) -> tuple[Condition, ...]:
        """``parts``, all conditions and none too deep for one more level."""
        found: list[Condition] = []
        for part in parts:
            if not isinstance(part, Condition):
                raise ConditionError(
                    f"{short(part)} is no condition",
                    code="condition-syntax",
                    hint="use Condition.coerce(...) or dl.col(...)",
                )
            found.append(part)
        if not found:
            raise ConditionError(
                f"{type(self).__name__} needs at least one condition", code="condition-syntax"
            )
        if max(part.depth for part in found) >= MAX_DEPTH:
            raise ConditionError(
                f"conditions nest at most {MAX_DEPTH} deep", code="condition-syntax"
            )
        return tuple(found)

    def _flat(self, parts: object) -> tuple[Condition, ...]:
        """``parts`` checked; one of this node's own kind gives its parts instead."""
        found: list[object] = []
        for part in parts if isinstance(parts, Iterable) else (parts,):
            found += part.parts() if type(part) is type(self) else (part,)
        return self._check(tuple(found))


@dataclass(frozen=True, eq=False, repr=False)
class And(_Nested):
    """All are true. An And among ``all`` is replaced by its own parts.

    One part is allowed; the text of such a node is that of the part.
    """

    all: tuple[Condition, ...]

    def __post_init__(self) -> None:
        _set(self, all=self._flat(self.all))

    def parts(self) -> tuple[Condition, ...]:
        return self.all


@dataclass(frozen=True, eq=False, repr=False)
class Or(_Nested):
    """One is true. An Or among ``any`` is replaced by its own parts; one part is allowed too."""

    any: tuple[Condition, ...]

    def __post_init__(self) -> None:
        _set(self, any=self._flat(self.any))

    def parts(self) -> tuple[Condition, ...]:
        return self.any


@dataclass(frozen=True, eq=False, repr=False)
class Not(_Nested):
    """``of`` is false; unknown stays unknown."""

    of: Condition

    def __post_init__(self) -> None:
        self._check((self.of,))

    def parts(self) -> tuple[Condition, ...]:
        return (self.of,)
