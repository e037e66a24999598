"""Conditions in the query DSL: what is not found by it is not true, but not the reverse.

What the server compares is what it indexed; what counts is the document. So a test is sent only
where each document for which it is true is sure to be found: text that JSON may spell in several
ways, values that were not indexed (``_ignored``), dates of less than a millisecond. The core
applies the whole condition again. NOT is pushed inwards first: never is it put before a weaker
test.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from distill_core.columns import UNITS, Column
from distill_core.conditions import And, Compare, Condition, In, Like, Not, Null, Op, Or
from distill_core.extract import Constant, Field, Rest, Template, parse_path
from distill_core.params import instant_micros
from distill_elasticsearch.mapping import FieldCaps, Mappings

Query = dict[str, Any]
Made = tuple[Query, Condition | None]
"""A query, and what of the condition it tests (None: nothing, it finds every document)."""

ALL: Query = {"match_all": {}}
NONE: Query = {"match_none": {}}
DATES = {"strict_date_optional_time", "date_optional_time", "strict_date_optional_time_nanos"}
MAX_TERMS = 10_000
_NEGATED: dict[Op, Op] = {"eq": "ne", "ne": "eq", "lt": "ge", "ge": "lt", "gt": "le", "le": "gt"}
_WHOLE = re.compile(r"-?[1-9][0-9]*")
_DAY = 86_400_000_000
_ZONES = 2 * _DAY
"""Between a time of a zone and the same read as UTC there are never more µs than this."""


def to_query(
    condition: Condition | None, columns: Sequence[Column], mappings: Mappings
) -> Made:
    """The query that finds every document for which ``condition`` (bound) is true.

    >>> from distill_core.conditions import parse
    >>> has = Mappings(("logs",), {"type": FieldCaps("type", {"keyword": ()})})
    >>> to_query(parse("a = 'click'"), [Column("a", paths=("type",))], has)[0]["bool"]["should"][0]
    {'term': {'type': 'click'}}
    """
    if condition is None:
        return ALL, None
    return _Compiler({c.name: c for c in columns}, mappings).of(condition, positive=True)


class _Compiler:
    def __init__(self, columns: Mapping[str, Column], mappings: Mappings) -> None:
        self.columns, self.mappings = columns, mappings

    def of(self, node: Condition, *, positive: bool) -> Made:
        match node:
            case Not():
                return self.of(node.of, positive=not positive)
            case And() | Or():
                terms = node.all if isinstance(node, And) else node.any
                made = [self.of(term, positive=positive) for term in terms]
                return _all(made) if isinstance(node, And) == positive else _any(made)
            case Null() if positive:
                return self.null(node)
            case Compare() if node.other is None:
                op = node.op if positive else _NEGATED[node.op]
                column = self.columns.get(node.column)
                told = Compare(op, node.column, node.value)
                return self.leaf(column, told, _compare(op, node.value, column))
            case In() if positive and len(node.values) <= MAX_TERMS:
                column = self.columns.get(node.column)
                return self.leaf(column, node, _among(node.values, column))
            case Like() if positive:
                column = self.columns.get(node.column)
                return self.leaf(column, node, _like(node.pattern, column))
            case _:
                return ALL, None

    def null(self, node: Null) -> Made:
        """None of the column's fields exists; a template may be null by its fields alone."""
        column = self.columns.get(node.column)
        if column is None or column.type not in ("string", "ids") or not self.mappings.plain:
            return ALL, None
        paths = [parse_path(path) for path in column.paths]
        if any(isinstance(path, Constant) for path in paths):
            return NONE, node
        names = [path.text for path in paths if isinstance(path, Field)]
        if any(isinstance(path, Rest) for path in paths) or any(n[0] == "_" for n in names):
            return ALL, None
        return {"bool": {"must_not": [{"exists": {"field": name}} for name in names]}}, node

    def leaf(self, column: Column | None, told: Condition, test: _Test | None) -> Made:
        """The test on any of the column's paths: the first that is not null decides."""
        if column is None or not column.paths or test is None:
            return ALL, None
        found: list[Query] = []
        for path in map(parse_path, column.paths):
            match path:
                case Constant():
                    query = test.on_text(path.text, True)
                case Template(parts=(str() as start, *_)):
                    query = test.on_text(start, False)
                case Field() if not path.text.startswith("_"):
                    query = self.on_path(path.text, test)
                case _:
                    query = ALL
            if query == ALL:
                return ALL, None
            found.append(query)
        return _or([query for query in found if query != NONE]), told

    def on_path(self, name: str, test: _Test) -> Query:
        """The test on a field, or what of it was not indexed."""
        caps = self.mappings.get(name)
        if caps is None:
            return {"term": {"_ignored": name}} if self.mappings.tells(name) else ALL
        if caps.family is None and (inner := self.mappings.get(f"{name}.keyword")) is not None:
            caps = inner  # a text with its keyword beside it
        if caps.family is None or not caps.searchable:
            return ALL
        query = test.on_field(caps)
        if query == ALL:
            return ALL
        others: list[Query] = [{"term": {"_ignored": caps.name}}]
        if caps.unmapped and not self.mappings.tells(name):
            others.append({"terms": {"_index": list(caps.unmapped)}})
        return _or([query, *others])


@dataclass(frozen=True)
class _Test:
    """A test: on a field; on a text of which the beginning (or, if ``whole``, all) is known."""

    on_field: Callable[[FieldCaps], Query]
    on_text: Callable[[str, bool], Query] = lambda _text, _whole: ALL


def _compare(op: str, value: Any, column: Column | None) -> _Test | None:
    match column.type if column else None, op:
        case ("string" | "ids"), "eq":
            return _among((value,), column)
        case "boolean", "eq":
            return _Test(lambda c: {"term": {c.name: value}} if c.family == "boolean" else ALL)
        case "time", _ if isinstance(value, datetime) and column is not None:
            return _Test(lambda c: _range(c, *_bounds(op, *_moment(c, column, value))))
        case ("integer" | "number"), _ if _exact(value):
            return _Test(lambda c: _range(c, *_bounds(op, value - 1, value + 1), whole=True))
    return None


def _among(values: Sequence[Any], column: Column | None) -> _Test | None:
    if column is None or column.type not in ("string", "ids"):
        return None
    if not all(map(_spelt_once, values)):
        return None
    terms = sorted(set(values))

    def on_field(caps: FieldCaps) -> Query:
        if caps.family != "keyword":
            return ALL
        if len(terms) == 1:
            return {"term": {caps.name: terms[0]}}
        return {"terms": {caps.name: terms}}

    def on_text(text: str, whole: bool) -> Query:
        fits = text in terms if whole else any(term.startswith(text) for term in terms)
        return ALL if fits else NONE

    return _Test(on_field, on_text)


def _like(pattern: str, column: Column | None) -> _Test | None:
    prefix = re.split("[%_]", pattern)[0]
    if column is None or column.type not in ("string", "ids") or not prefix[:1].isalpha():
        return None

    def on_field(caps: FieldCaps) -> Query:
        return {"prefix": {caps.name: prefix}} if caps.family == "keyword" else ALL

    def on_text(text: str, whole: bool) -> Query:
        fits = text.startswith(prefix) or (not whole and prefix.startswith(text))
        return ALL if fits else NONE

    return _Test(on_field, on_text)


def _spelt_once(value: Any) -> bool:
    """Whether the server indexed under this very text whatever a document reads as it.

    The text of a list or an object is not indexed as such, and 1.50 is read as 1.5.
    """
    if not isinstance(value, str) or value.startswith(("[", "{")) or "\ufffd" in value:
        return False
    if _WHOLE.fullmatch(value):
        return True
    try:
        float(value)
    except ValueError:
        return True
    return False


def _exact(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 2**53


def _moment(caps: FieldCaps, column: Column, value: datetime) -> tuple[Any, Any]:
    """The least and the greatest number of the field that may stand for the moment."""
    micros = instant_micros(value)
    around = 1000 + (_ZONES if column.zone not in (None, "UTC") else 0)
    if caps.family == "date" and reads_alike(caps, column):
        return (micros - around) // 1000, -(-(micros + around) // 1000)
    if caps.family == "whole" and column.unit is not None:
        scale = UNITS[column.unit]
        return (micros - 1) * 1000 // scale - 1, -(-(micros + 1) * 1000 // scale) + 1
    return None, None


def reads_alike(caps: FieldCaps, column: Column) -> bool:
    """Whether the indices read a date, number or text, as the column does."""
    for formats in caps.formats:
        numbers = {part for part in formats.split("||") if part not in DATES}
        wanted = {None: set(), "ms": {"epoch_millis"}, "s": {"epoch_second"}}.get(column.unit)
        if wanted is None or (column.unit is not None and numbers != wanted):
            return False
        if column.unit is None and not numbers <= {"epoch_millis", "epoch_second"}:
            return False
    return bool(caps.formats)


def _bounds(op: str, low: Any, high: Any) -> tuple[Any, Any]:
    match op:
        case "eq":
            return low, high
        case "ge" | "gt":
            return low, None
        case "le" | "lt":
            return None, high
        case _:
            return None, None


def _range(caps: FieldCaps, low: Any, high: Any, *, whole: bool = False) -> Query:
    """A range of the field, ends included; everything if it has none."""
    limits = {k: v for k, v in (("gte", low), ("lte", high)) if v is not None}
    if not limits or (whole and caps.family != "whole" and set(caps.types) != {"double"}):
        return ALL
    if caps.family == "date":
        limits["format"] = "epoch_millis"
    return {"range": {caps.name: limits}}


def _or(queries: list[Query]) -> Query:
    if ALL in queries:
        return ALL
    parts = [part for query in queries for part in query.get("bool", {}).get("should", [query])]
    if len(parts) < 2:
        return parts[0] if parts else NONE
    return {"bool": {"should": parts, "minimum_should_match": 1}}


def _all(made: list[Made]) -> Made:
    queries = [query for query, _ in made if query != ALL]
    told = tuple(condition for _, condition in made if condition is not None)
    query = {"bool": {"filter": queries}} if len(queries) > 1 else next(iter(queries), ALL)
    return query, told[0] if len(told) == 1 else (And(told) if told else None)


def _any(made: list[Made]) -> Made:
    query = _or([query for query, _ in made])
    told = tuple(condition for _, condition in made if condition is not None)
    if query == ALL or len(told) < len(made):
        return ALL, None
    return query, told[0] if len(told) == 1 else Or(told)
