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
from distill_core.extract import Constant, Field, Template, parse_path
from distill_elasticsearch.mapping import METADATA, FieldCaps, Mappings, prefixes
from distill_elasticsearch.moments import (
    YEARS,
    between,
    moment,
    takes_years,
    year_starts,
    years_behind,
)

Query = dict[str, Any]
Made = tuple[Query, Condition | None]
"""A query, and what of the condition it tests (None: nothing, it finds every document)."""

ALL: Query = {"match_all": {}}
NONE: Query = {"match_none": {}}
MAX_TERMS = 10_000
_NEGATED: dict[Op, Op] = {"eq": "ne", "ne": "eq", "lt": "ge", "ge": "lt", "gt": "le", "le": "gt"}
_WHOLE = re.compile(r"-?[1-9][0-9]*")


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
        """None of the case's fields exists: of rows without a case the user is asked for.

        Of other columns nothing is asked: a value may be there that no column takes (1e999).
        """
        column = self.columns.get(node.column)
        if column is None or column.name != "case" or column.type not in ("string", "ids"):
            return ALL, None
        paths = [parse_path(path) for path in column.paths]
        if any(isinstance(path, Constant) for path in paths):
            return NONE, node
        names = [path.text for path in paths if isinstance(path, Field) and self.sure(path.text)]
        if not names:
            return ALL, None
        return {"bool": {"must_not": [{"exists": {"field": name}} for name in names]}}, node

    def sure(self, name: str) -> bool:
        """Whether a text that exists in the index is in the document, at this very path.

        In a list of objects a field has no path, and a constant exists in every document.
        """
        caps = self.mappings.get(name)
        here = caps is not None and caps.types.keys() <= {"keyword", "text"}
        return here and self.mappings.plain and "." not in name

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
                case Field() if path.text not in METADATA:
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
            return ignored(name) if self.mappings.tells(name) else ALL
        if caps.family is None and (inner := self.mappings.get(f"{name}.keyword")) is not None:
            caps = inner  # a text with its keyword beside it
        if caps.family is None or not caps.searchable:
            return ALL
        query = test.on_field(caps)
        if query == ALL:
            return ALL
        others = [ignored(caps.name)]
        if caps.unmapped and not self.mappings.tells(name):
            others.append({"terms": {"_index": list(caps.unmapped)}})
        return _or([query, *others])


def ignored(name: str) -> Query:
    """Documents of which the field was not indexed, or an object or a text around it."""
    return {"terms": {"_ignored": prefixes(name)}}


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
            return _Test(lambda c: _time(c, column, op, value))
        case ("integer" | "number"), _ if _exact(value):
            return _Test(lambda c: _number(c, op, value))
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
        if caps.family != "keyword" or caps.normalized or "\ufffd" in prefix:
            return ALL
        return {"prefix": {caps.name: prefix}}

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


def _time(caps: FieldCaps, column: Column, op: str, value: datetime) -> Query:
    """Where the index may take a number for a year, such are found in addition."""
    low, high = _bounds(op, *moment(caps, column, value))
    found = between(caps, low, high)
    if found == ALL or not takes_years(caps, column) or column.unit is None:
        return found
    first, last = (year * UNITS[column.unit] // 1_000_000 for year in (YEARS[0], YEARS[-1]))
    if low is not None:  # what is taken for a year is, by the column, of the first hours of 1970
        return ALL if low <= last else found
    return _or([found, *year_starts(caps, years_behind(high))]) if high >= first else found


def _number(caps: FieldCaps, op: str, value: Any) -> Query:
    low, high = _bounds(op, value - 1, value + 1)
    kept = caps.family == "whole" or set(caps.types) == {"double"}
    return between(caps, low, high) if kept else ALL


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
