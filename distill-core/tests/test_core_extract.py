"""The normative reading of documents: paths, values, JSON text."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distill_core.batch import Codes
from distill_core.columns import Column
from distill_core.errors import SchemaError
from distill_core.extract import (
    MAX_DEPTH,
    Unreadable,
    canonical,
    count_surrogates,
    extract,
    mended,
    parse_path,
    read_values,
    too_deep,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def one(value: Any, **column: Any) -> tuple[Any, bool]:
    """What a column reads of one value, and whether it is a fault."""
    array, faults = read_values([value], Column("c", **column))
    return array.to_list()[0], bool(faults[0])


def column_of(documents: list[dict[str, Any]], *paths: str, **column: Any) -> list[Any]:
    batch = extract(documents, [Column("c", paths=paths, **column)], np.arange(len(documents)))
    return batch.columns["c"].to_list()


FAULT = (None, True)
MS = {"type": "time", "unit": "ms"}
INSTANT = 1_719_530_111_079_000


@pytest.mark.parametrize(
    ("value", "column", "micros"),
    [
        (1_719_530_111_079, MS, INSTANT),
        (1_719_530_111.079, {"type": "time", "unit": "s"}, INSTANT),
        (1_719_530_111_079_000_000, {"type": "time", "unit": "ns"}, INSTANT),
        ("2024-06-28T01:15:11.079+02:00", MS, INSTANT),
        ("2024-06-27 23:15:11.079Z", {"type": "time"}, INSTANT),
        ("2024-06-28T01:15:11,079", {"type": "time", "zone": "Europe/Berlin"}, INSTANT),
        ("2024-06-27T20:45:11.079-0230", MS, INSTANT),
        (datetime(2024, 6, 28, 1, 15, 11, 79000, timezone(timedelta(hours=2))), MS, INSTANT),
        (0, MS, 0),
        ("1969-12-31T23:59:59Z", MS, -1_000_000),
        ("2024-06-28", {"type": "time", "zone": "UTC"}, 1_719_532_800_000_000),
    ],
)
def test_one_instant_in_every_notation(value, column, micros):
    """Numbers in the declared unit, ISO text with or without the column's zone, datetimes."""
    assert one(value, **column) == (micros, False)


@pytest.mark.parametrize(
    ("value", "column"),
    [
        (1_719_530_111_079, {"type": "time"}),
        ("1719530111079", MS),
        ("20240628", {"type": "time", "zone": "UTC"}),
        ("2024-06-28T01:15:11", MS),
        ("2024-06-28", MS),
        (datetime(2024, 6, 28), MS),  # noqa: DTZ001 (without a zone: that is the claim)

        (True, MS), (-1, MS), (-0.5, MS), (float("nan"), MS), (float("inf"), MS),
        ("", MS), (" 2024-06-28T01:15:11Z", MS), ("2024-06-31T00:00:00Z", MS),
        ("2024-06-28T24:00:00Z", MS), ("2024-06-28T23:59:60Z", MS), ("0000-01-01T00:00:00Z", MS),
        ("0001-01-01T00:00:00+01:00", MS), ("9999-12-31T23:59:59.9999999Z", MS),
        (253_402_300_800_000, MS), (10**400, MS), ([1], MS), ({}, MS),
    ],
)  # fmt: skip
def test_time_is_strict(value, column):
    """A time without unit or zone, in another guise or outside of years 1 to 9999 is a fault."""
    assert one(value, **column) == FAULT


def test_times_of_a_change_of_clocks():
    """A time that occurs twice is its first; one that never occurs goes by the clock before."""
    berlin = {"type": "time", "zone": "Europe/Berlin"}
    assert one("2024-10-27T02:30:00", **berlin) == one("2024-10-27T02:30:00+02:00", **berlin)
    assert one("2024-03-31T02:30:00", **berlin) == one("2024-03-31T02:30:00+01:00", **berlin)


@given(st.integers(0, 10**6), st.integers(0, 10**12), st.integers(1, 12))
def test_micros_are_rounded_half_to_even(second, digits, places):
    """Fractions of any length and nanoseconds are rounded as Python rounds exact fractions."""
    digits %= 10**places
    text = f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}.{digits:0{places}}Z"
    exact = round((second + Fraction(digits, 10**places)) * 10**6)
    assert one(text, type="time") == (exact, False)
    nanos = second * 10**9 + digits
    assert one(nanos, type="time", unit="ns") == (round(Fraction(nanos, 1000)), False)


def test_a_zone_that_does_not_exist():
    """A misspelt zone is an error of the schema, not a fault of each value."""
    with pytest.raises(SchemaError, match="Europe/Berlim"):
        one("2024-01-01T00:00:00", type="time", zone="Europe/Berlim")


@pytest.mark.parametrize(
    ("value", "type_", "read"),
    [
        (True, "string", "true"), (7, "string", "7"), (1.0, "string", "1.0"), ("", "string", ""),
        ({"b": 1, "a": [1, "ü"]}, "string", '{"a":[1,"ü"],"b":1}'),
        (2**70, "string", str(2**70)), (1e22, "string", "1e+22"), ("x\ud83d", "string", "x\ufffd"),
        (7, "ids", "7"), ("a", "json", '"a"'), (1.50, "json", "1.5"), ([], "json", "[]"),
        ("7", "integer", 7), ("7.0", "integer", 7), (7.0, "integer", 7), ("-7e1", "integer", -70),
        (2**63 - 1, "integer", 2**63 - 1), (-(2**63), "integer", -(2**63)),
        (9_007_199_254_740_993, "integer", 9_007_199_254_740_993),
        ("9007199254740993", "integer", 9_007_199_254_740_993),
        (1, "number", 1.0), ("1.5", "number", 1.5), ("1E3", "number", 1000.0),
        (True, "boolean", True), ("false", "boolean", False),
        ("2s", "duration", 2_000_000), ("PT30M", "duration", 1_800_000_000),
        (timedelta(seconds=1), "duration", 1_000_000),
    ],
)  # fmt: skip
def test_all_else_is_read_from_its_text(value, type_, read):
    """A value of another JSON type counts if its text reads as the column's type."""
    assert one(value, type=type_) == (read, False)


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        ("1.9", "integer"), (1.9, "integer"), ("x", "integer"), (True, "integer"), ("", "integer"),
        (2**63, "integer"), ("1_0", "integer"), ("٧", "integer"), (" 7", "integer"),
        ([7], "integer"), ("9" * 5000, "integer"),
        (True, "number"), ("NaN", "number"), (float("nan"), "number"), (10**400, "number"),
        ("1e999", "number"), ("0x10", "number"), (float("-inf"), "string"),
        (float("nan"), "json"), (0, "boolean"), (1, "boolean"), ("True", "boolean"),
        (5, "duration"), ("5", "duration"), (True, "duration"), ("P" + "9" * 400 + "W", "duration"),
        (object(), "string"), ({"x": object()}, "json"),
    ],
)  # fmt: skip
def test_what_is_no_such_value_is_a_fault(value, type_):
    """An unreadable value is null and marked."""
    assert one(value, type=type_) == FAULT


def test_durations_by_unit():
    """With a unit a number, or its text, is a duration, negative ones too."""
    column = {"type": "duration", "unit": "ms"}
    assert [one(v, **column) for v in (-12, "1.5", 2**63)] == [
        (-12_000, False), (1500, False), FAULT,
    ]  # fmt: skip
    assert [one(v, type="duration", unit="us")[0] for v in (0.5, 1.5, -2.5)] == [0, 2, -2]


def test_null_and_absent_are_no_faults():
    """Null is null in every type."""
    for type_ in ("string", "integer", "number", "boolean", "time", "duration", "json", "ids"):
        batch = extract([{"x": None}, {}], [Column("c", ("x",), type=type_)], np.arange(2))
        assert batch.columns["c"].to_list() == [None, None]
        assert batch.faults == {}


def test_nan_inside_is_null_and_told():
    """NaN in an object becomes null, the rest is kept and the row is marked."""
    assert one({"x": float("nan"), "y": 1}, type="json") == ('{"x":null,"y":1}', True)


def test_a_key_comes_before_the_keys_that_dots_part():
    """A path is a key; if that is null or absent, keys in one another; lists are not entered."""
    documents = [
        {"a.b": 1, "a": {"b": 2}}, {"a.b": None, "a": {"b": 2}}, {"a": {"b": 3}},
        {"a": [{"b": 4}]}, {"a": "text"}, {"a": {"b": None}}, {"a": {"b": {"c": 5}}},
    ]  # fmt: skip
    read = [1, 2, 3, None, None, None, None]
    batch = extract(documents, [Column("c", ("a.b",), type="integer")], np.arange(7))
    assert batch.columns["c"].to_list() == read
    assert batch.faults["c"].tolist() == [False] * 6 + [True]
    assert column_of(documents[-1:], "a.b.c", type="integer") == [5]


def test_the_first_not_null_decides():
    """A later path counts where the earlier are null, never where they are unreadable."""
    columns = [Column("time", ("clientTime", "startTime"), type="time", unit="ms")]
    documents = [{"clientTime": "x", "startTime": 1}, {"clientTime": None, "startTime": 1}, {}]
    batch = extract(documents, columns, np.array([3, 5, 9]), {"time"})
    assert batch.columns["time"].to_list() == [None, 1000, None]
    assert batch.faults["time"].tolist() == [True, False, False]
    assert batch.arrival.tolist() == [3, 5, 9]
    assert batch.wanted == {"time"}


def test_templates_and_constants():
    """Braces take the text of a field, null if one is null; ``=`` is the text itself."""
    documents = [{"u": "ann", "d": {"n": 1.0}}, {"u": 7, "d": {"n": [True]}}, {"d": {"n": 1}}]
    assert column_of(documents, "{u}:{d.n}!", "=none") == ["ann:1.0!", "7:[true]!", "none"]
    assert column_of(documents, "=7", type="integer") == [7, 7, 7]
    batch = extract([{"u": float("nan")}], [Column("c", ("x:{u}", "=y"))], np.arange(1))
    assert batch.columns["c"].to_list() == [None]
    assert batch.faults["c"].tolist() == [True]


def test_star_is_what_no_other_column_reads():
    """``*`` is the object of the other top-level keys, null if there are none."""
    columns = [
        Column("other", ("*",), type="json"),
        Column("user", ("userId", "u:{who.id}")), Column("x", ("d.x",)),
    ]  # fmt: skip
    documents = [{"userId": 1, "who": {}, "d": {"y": 1}, "d.x": 2, "z": None, "b": [1]}, {"d": 1}]
    batch = extract(documents, columns, np.arange(2))
    assert batch.columns["other"].to_list() == ['{"b":[1],"z":null}', None]


def test_columns_without_paths_are_not_filled():
    """What the schema makes itself is not in the batch."""
    batch = extract([{"a": 1}], [Column("a", of=("b",)), Column("b", ("a",))], np.arange(1))
    assert list(batch.columns) == ["b"]


def test_no_documents():
    """No documents make empty columns."""
    batch = extract([], [Column("a", ("a",)), Column("n", ("n",), type="number")], np.arange(0))
    assert (len(batch), batch.columns["a"].to_list(), batch.columns["n"].to_list()) == (0, [], [])


@pytest.mark.parametrize("path", ["", "{", "a}", "{}", "{a}{b"])
def test_paths_that_are_none(path):
    """Empty paths and odd braces are errors of the schema."""
    with pytest.raises(SchemaError):
        parse_path(path)


def test_text_comes_by_dictionary():
    """Text is Codes with a sorted dictionary of distinct values."""
    array, _ = read_values(["b", "a\ud800", "a\udfff", "b"], Column("c"))
    assert isinstance(array, Codes)
    assert (array.values.tolist(), array.codes.tolist()) == (["a\ufffd", "b"], [1, 0, 0, 1])


@given(JSON)
def test_canonical_text_is_the_value(value):
    """Canonical text reads back as an equal value, and is its own canonical text."""
    try:
        text = canonical(value)
    except Unreadable:
        pytest.fail("a JSON value has a text")
    assert json.loads(text) == value
    assert canonical(json.loads(text)) == text


@given(st.text(st.characters(exclude_categories=())))
def test_mended_text_is_utf8(text):
    """Each lone surrogate becomes U+FFFD, all else stays."""
    good = mended(text)
    good.encode("utf-8")
    assert len(good) == len(text)
    assert count_surrogates({text: [text]}) == 2 * sum(
        a != b for a, b in zip(good, text, strict=True)
    )


@pytest.mark.parametrize("depth", [1, MAX_DEPTH, MAX_DEPTH + 1, 100_000])
def test_depth_is_limited(depth):
    """A value nested deeper than the limit is a fault, never a RecursionError."""
    value: Any = []
    for level in range(depth - 1):
        value = [1, value] if level % 2 else {"x": value, "y": 1}
    assert too_deep(value) == (depth > MAX_DEPTH)
    assert (one(value, type="json") == FAULT) == (depth > MAX_DEPTH)
