"""Whole columns are read as each of their values is read alone."""

from __future__ import annotations

import struct
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from distill_core.batch import Codes, Masked
from distill_core.columns import UNITS, Column
from distill_core.errors import SchemaError
from distill_core.extract import MAX_DEPTH, Rest, extract, parse_path, read_values
from distill_core.extract.jsontext import _BETWEEN, canonical_all
from distill_core.extract.values import DTYPES, INT64, read_each, reader

EDGES = [0, -1, 499, 500, 501, 1500, 2500, -500, -1500, 2**53 + 1, 2**63 - 1, -(2**63), 2**63,
         -(2**63) - 1, 10**400, 253_402_300_799_999, 253_402_300_800_000,
         253_402_300_799_999_999_499, 9_223_372_036_854_775, 9_223_372_036_854_776,
         -9_223_372_036_854_775, -9_223_372_036_854_776]  # fmt: skip
FLOATS = [0.0, -0.0, 0.5, 1e308, float("nan"), float("inf"), float("-inf"), 7.0]
TEXTS = ["", "7", "7.0", "-1.5", "true", "false", "2s", "2024-06-28T01:15:11.079Z", "2024-06-28",
         "x\ud83d", "x\udc00", "x\ufffd", "ü", "\0", _BETWEEN, "1e999"]  # fmt: skip
ints = st.sampled_from(EDGES) | st.integers(-(2**65), 2**65)
floats = st.sampled_from(FLOATS) | st.floats()
texts = st.sampled_from(TEXTS) | st.text(st.characters(exclude_categories=()), max_size=4)
scalars = st.none() | st.booleans() | ints | floats | texts
nested = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
foreign = st.sampled_from([
    np.float64(1.0), struct.pack("<d", 1.0), [np.float64(1.0)], [struct.pack("<d", 1.0)],
    [np.int64(7)], {1: 2}, {"1": 2}, {np.float64(1.0): 1}, {b"1": 1}, {None: 1}, (1, 2), [1, 2],
    OrderedDict(a=1), object(), datetime(2024, 6, 28, tzinfo=UTC), timedelta(seconds=1), True, 1,
])  # fmt: skip


def lists(values: Any) -> Any:
    return st.lists(values, max_size=12) | st.lists(st.none() | values, max_size=12)


columns_of_values = st.one_of(
    *map(lists, (ints, floats, ints | floats, texts, st.booleans(), scalars, nested, foreign)),
    lists(nested | foreign),
)


def columns(name: str = "c", paths: Any = ()) -> st.SearchStrategy[Column]:
    types = ("string", "integer", "number", "boolean", "time", "duration", "json", "ids")
    return st.builds(
        Column,
        st.just(name),
        paths=paths if isinstance(paths, st.SearchStrategy) else st.just(paths),
        type=st.sampled_from(types),
        unit=st.sampled_from([None, *UNITS]),
        zone=st.sampled_from([None, "Europe/Berlin"]),
    )


def one_by_one(values: list[Any], column: Column) -> tuple[Codes | Masked, list[bool]]:
    """What the column is, each value read alone."""
    found, bad = read_each(values, reader(column))
    faults = [place in set(bad) for place in range(len(values))]
    if column.type in ("string", "json", "ids"):
        return Codes.of(found), faults
    return Masked.of(found, DTYPES[column.type]), faults


def same(array: Codes | Masked, other: Codes | Masked) -> None:
    """Equal to the bit: values, dictionary, types, what is under a null."""
    assert type(array) is type(other)
    if isinstance(array, Codes):
        assert array.ordered == other.ordered
        pairs = [(array.codes, other.codes), (array.values, other.values)]
    else:
        pairs = [(array.values, other.values), (array.null, other.null)]
    for left, right in pairs:
        assert left.dtype == right.dtype
        assert [(type(v), repr(v)) for v in left.tolist()] == [
            (type(v), repr(v)) for v in right.tolist()
        ]


@given(columns_of_values, columns())
@example([[np.float64(1.0)], [struct.pack("<d", 1.0)]], Column("c", type="json"))
@example([[struct.pack("<d", 1.0)], [np.float64(1.0)]], Column("c", type="json"))
@example([{np.float64(1.0): 1}, {b"\0\0\0\0\0\0\xf0?": 1}], Column("c", type="json"))
@example([[_BETWEEN], _BETWEEN, ["a", _BETWEEN, "b"]], Column("c", type="json"))
@example([{"\ud800": 1, "\ue000": 2}], Column("c", type="json"))
@example(["x\ud83d", "x\udc00", "x\ufffd", "a"], Column("c"))
@example([True, 1.5, None], Column("c", type="number"))
@example([True, 1, None], Column("c", type="integer"))
@example([1, True, None], Column("c", type="boolean"))
def test_a_column_is_read_as_each_of_its_values(values, column):
    """Reading at once and one by one give the same arrays and faults, to the bit."""
    array, faults = read_values(values, column)
    expected, bad = one_by_one(values, column)
    assert faults.tolist() == bad
    same(array, expected)


@pytest.mark.parametrize("type_", ["time", "duration"])
@pytest.mark.parametrize("unit", [None, *UNITS])
def test_whole_numbers_in_every_unit(type_, unit):
    """Numbers at the borders of years, of int64 and of rounding are read as if alone."""
    values = [near for edge in EDGES for near in (edge - 1, edge, edge + 1) if near in INT64]
    column = Column("c", type=type_, unit=unit)
    array, faults = read_values(values, column)
    expected, bad = one_by_one(values, column)
    assert faults.tolist() == bad
    same(array, expected)


@pytest.mark.parametrize("depth", [MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1, 3000])
def test_depth_is_judged_value_by_value(depth):
    """One value that is nested too deep is a fault among others that are not."""
    deep: Any = []
    for _ in range(depth - 1):
        deep = {"x": deep}
    array, faults = read_values([{"a": 1}, deep, [1]], Column("c", type="json"))
    assert faults.tolist() == [False, depth > MAX_DEPTH, False]
    assert (array.to_list()[0], array.to_list()[2]) == ('{"a":1}', "[1]")


def test_equal_objects_are_encoded_once():
    """Objects are told apart by type and order, not by equality; each text is its own."""
    values = [{"a": 1}, {"a": True}, {"a": 1.0}, {"b": 1, "a": 2}, {"a": 2, "b": 1}, {"a": 1}]
    assert canonical_all(values) == [
        '{"a":1}', '{"a":true}', '{"a":1.0}', '{"a":2,"b":1}', '{"a":2,"b":1}', '{"a":1}',
    ]  # fmt: skip


@pytest.mark.parametrize("values", [[], [None], [1], ["x"]])
def test_a_zone_that_does_not_exist_is_told_for_any_values(values):
    """The schema's error does not hang on what is read."""
    with pytest.raises(SchemaError, match="Berlim"):
        read_values(values, Column("c", type="time", unit="ms", zone="Europe/Berlim"))


KEYS = ("a", "b", "a.b", "a.b.c", "d")
PATHS = ("a", "a.b", "a.b.c", "b", "u:{a}", "{a.b}-{d}", "=x", "*")
documents = st.lists(
    st.dictionaries(
        st.sampled_from(KEYS),
        nested | st.dictionaries(st.sampled_from(("b", "c")), nested, max_size=2)
        | st.just(OrderedDict(b=OrderedDict(c=1))),
        max_size=4,
    ),
    max_size=8,
)  # fmt: skip
some_paths = st.lists(st.sampled_from(PATHS), min_size=1, max_size=3).map(tuple)


@given(documents, columns("x", some_paths), columns("y", some_paths))
def test_paths_are_followed_as_in_each_document(docs, first, second):
    """Columns of documents are those of each document alone, by the first path that is not null."""
    made = extract(docs, [first, second], np.arange(len(docs)))
    roots = frozenset().union(*(parse_path(p).roots for c in (first, second) for p in c.paths))
    for column in (first, second):
        paths = [parse_path(path) for path in column.paths]
        gets = [Rest(roots).get if isinstance(path, Rest) else path.get for path in paths]
        values = []
        for document in docs:
            found = (get(document) for get in gets)
            values.append(next((value for value in found if value is not None), None))
        expected, bad = one_by_one(values, column)
        assert made.faults.get(column.name, np.zeros(len(docs), bool)).tolist() == bad
        same(made.columns[column.name], expected)
