"""The nodes, Python's `col`, JSON and pydantic: one tree from every side."""

from __future__ import annotations

import json
import math
import pickle
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from distill_core.conditions import (
    MAX_DEPTH,
    And,
    Compare,
    Condition,
    In,
    Like,
    Matches,
    Not,
    Null,
    Or,
    col,
    parse,
)
from distill_core.errors import ConditionError

A1, B2, C3 = (Compare("eq", name, value) for name, value in (("a", 1), ("b", 2), ("c", 3)))
MIDNIGHT = datetime(2026, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (col("a") == "x", "a = 'x'"),
        (col("a") != "x", "a <> 'x'"),
        (col("a") < 1, "a < 1"),
        (col("a") <= 1, "a <= 1"),
        (col("a") > 1, "a > 1"),
        (col("a") >= 1, "a >= 1"),
        (1 < col("a"), "a > 1"),  # noqa: SIM300  # the claim
        (col("a") == col("b"), "a = b"),
        (col("a").isin(["x", "y"]), "a IN ('x', 'y')"),
        (col("a").isin(n for n in (1, 2)), "a IN (1, 2)"),
        (col("a").like("x%"), "a LIKE 'x%'"),
        (col("a").matches("^x"), "matches(a, '^x')"),
        (col("a").is_null(), "a IS NULL"),
        (col("a").not_null(), "a IS NOT NULL"),
        (col("a").between(1, col("b")), "a BETWEEN 1 AND b"),
        (~(col("a") == 1) & (col("b") == 2), "NOT a = 1 AND b = 2"),
        ((col("a") == 1) | (col("b") == 2) & (col("c") == 3), "a = 1 OR b = 2 AND c = 3"),
        (col("a") == MIDNIGHT, "a = DATE '2026-01-31'"),
        (col("a") == date(2026, 1, 31), "a = DATE '2026-01-31'"),
        (col("a") > timedelta(seconds=2), "a > INTERVAL '2s'"),
        (col("a") == True, "a"),  # noqa: E712  # the claim
    ],
)
def test_python_makes_the_tree_of_the_text(made, text):
    """Each operator and method of col gives the tree that its SQL gives."""
    assert made == parse(text)


@pytest.mark.parametrize(
    ("given_value", "kept"),
    [
        (np.int64(7), 7),
        (np.float64(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("x"), "x"),
        (pd.Timestamp("2026-01-31T01:00+01:00"), MIDNIGHT),
        (datetime(2026, 1, 31, 1, tzinfo=timezone(timedelta(hours=1))), MIDNIGHT),
        (pd.Timedelta("2s"), timedelta(seconds=2)),
        (date(2026, 1, 31), MIDNIGHT),
    ],
)
def test_values_are_kept_as_plain_python(given_value, kept):
    """Values of numpy and pandas become plain ones, times go to UTC."""
    value = Compare("eq", "a", given_value).value
    assert value == kept
    assert type(value) is type(kept)


@pytest.mark.parametrize(
    ("make", "code", "message"),
    [
        (lambda: col("a") == None, "condition-literal", r"\.is_null\(\)"),  # noqa: E711
        (lambda: col("a") == datetime(2026, 1, 1), "condition-literal", "no zone"),  # noqa: DTZ001
        (lambda: Compare("eq", "a", math.nan), "condition-literal", "finite"),
        (lambda: col("a") == math.inf, "condition-literal", "finite"),
        (lambda: col("a") == 2**63, "condition-literal", "64 bits"),
        (lambda: col("a") == 10**5000, "condition-literal", "64 bits"),
        (lambda: col("a") == b"x", "condition-literal", "no literal"),
        (lambda: col("a") == object(), "condition-literal", "no literal"),
        (lambda: col("a").isin([]), "condition-literal", "at least one"),
        (lambda: col("a").isin("abc"), "condition-literal", "several values"),
        (lambda: col("a").isin([1, None]), "condition-literal", "is_null"),
        (lambda: col("a").like(1), "condition-pattern", "a pattern is text"),
        (lambda: col("a").matches(None), "condition-pattern", "a pattern is text"),
        (lambda: col("") == 1, "condition-column", "name is text"),
        (lambda: Null(3), "condition-column", "name is text"),
        (lambda: Compare("is", "a", 1), "condition-syntax", "no comparison"),
        (lambda: Compare("eq", "a", 1, "b"), "condition-syntax", "not both"),
        (lambda: And(()), "condition-syntax", "at least one"),
        (lambda: Or(("a = 1",)), "condition-syntax", "no condition"),
        (lambda: Not("a = 1"), "condition-syntax", "no condition"),
        (lambda: And(3), "condition-syntax", "no condition"),
    ],
)
def test_a_node_refuses_what_cannot_be_run(make, code, message):
    """A tree that exists is sound: nodes check names, values, patterns and parts."""
    with pytest.raises(ConditionError, match=message) as caught:
        make()
    assert caught.value.code == code


def test_python_traps_are_told():
    """`and` between a column and something is an error that tells of `&`."""
    with pytest.raises(TypeError, match=r"combine conditions with & \| ~"):
        col("flag") and A1
    with pytest.raises(TypeError):
        A1 & True
    with pytest.raises(TypeError):
        A1 | "b = 2"


def test_and_in_and_is_one():
    """However a chain is put together, it is one flat node in its order."""
    flat = And((A1, B2, C3))
    assert flat == A1 & B2 & C3
    assert flat == A1 & (B2 & C3)
    wide = Or((A1, B2, C3))
    assert wide == Or((A1, Or((B2, C3)))) == (A1 | B2 | C3)
    mixed = And((Or((A1, B2)), C3))
    assert mixed == (A1 | B2) & C3
    assert And(part for part in (A1, B2)) == A1 & B2


def test_equality_knows_types():
    """TRUE is not 1 and 1 is not 1.0; equal conditions are one key of a dictionary."""
    different = [Compare("eq", "a", value) for value in (True, 1, 1.0, "1")]
    assert len(set(different)) == 4
    assert In("a", (1,)) != In("a", (True,))
    assert Like("a", "x") != Matches("a", "x")
    assert hash(parse("a = 1 AND b = 2")) == hash(A1 & B2)
    assert A1 != "a = 1"


def test_nodes_are_frozen_and_pickle():
    """A node cannot be changed, and travels to another process as it is."""
    condition = (A1 | ~In("b", ("x", MIDNIGHT, timedelta(1)))) & Like("c", "%") & Null("d")
    assert condition.columns == {"a", "b", "c", "d"}
    assert pickle.loads(pickle.dumps(condition)) == condition
    with pytest.raises(AttributeError):
        A1.value = 2


def test_columns_are_those_of_both_sides():
    """`columns` has the other column too, at any depth."""
    assert parse("a = b OR NOT (c IS NULL AND d IN (1))").columns == {"a", "b", "c", "d"}
    assert parse("a = 1").columns == {"a"}


def test_depth_is_limited():
    """Nesting beyond MAX_DEPTH is an error where the node is made."""
    condition: Condition = A1
    for _ in range(MAX_DEPTH):
        condition = ~condition
    with pytest.raises(ConditionError, match="at most 20 deep"):
        ~condition
    with pytest.raises(ConditionError, match="at most 20 deep"):
        condition & A1


JSON = {
    "a = 1": {"op": "eq", "column": "a", "value": 1},
    "a <> 'x'": {"op": "ne", "column": "a", "value": "x"},
    "a < 1.5": {"op": "lt", "column": "a", "value": 1.5},
    "a <= TRUE": {"op": "le", "column": "a", "value": True},
    "a > b": {"op": "gt", "column": "a", "other": "b"},
    "a >= b": {"op": "ge", "column": "a", "other": "b"},
    "a IN (1, 'x')": {"op": "in", "column": "a", "values": [1, "x"]},
    "a LIKE ''": {"op": "like", "column": "a", "pattern": ""},
    "matches(a, '^x')": {"op": "matches", "column": "a", "pattern": "^x"},
    "a IS NULL": {"op": "null", "column": "a"},
    "a IS NULL AND b IS NULL": {
        "op": "and", "all": [{"op": "null", "column": "a"}, {"op": "null", "column": "b"}]},
    "a IS NULL OR b IS NULL": {
        "op": "or", "any": [{"op": "null", "column": "a"}, {"op": "null", "column": "b"}]},
    "a IS NOT NULL": {"op": "not", "of": {"op": "null", "column": "a"}},
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), JSON.items(), ids=list(JSON))
def test_json_is_as_documented(text, expected):
    """Each node has the documented JSON form, and is made from it."""
    assert parse(text).to_json() == expected
    assert Condition.from_json(expected) == parse(text)


def test_times_and_durations_are_text_in_json():
    """JSON has no times: they are ISO 8601 in UTC and short durations."""
    condition = In("a", (MIDNIGHT, timedelta(minutes=30), timedelta(microseconds=-1)))
    assert condition.to_json()["values"] == ["2026-01-31T00:00:00.000000Z", "30m", "-1us"]


NULL_A = {"op": "null", "column": "a"}


@pytest.mark.parametrize(
    ("obj", "path", "message"),
    [
        (None, None, "a condition is an object"),
        ([], None, "a condition is an object"),
        ({}, "op", "None is no op"),
        ({"op": "equals"}, "op", "'equals' is no op"),
        ({"op": ["eq"]}, "op", "there are: eq, ne"),
        ({"op": "nul", "column": "a"}, "op", "did you mean 'null'"),
        ({"op": "eq", "value": 1}, None, "'eq' needs 'column'"),
        ({"op": "eq", "column": "a"}, None, "a value or another column"),
        ({"op": "eq", "column": "a", "value": 1, "other": "b"}, None, "a value or another column"),
        ({"op": "eq", "column": "a", "value": None}, "value", "None is no text"),
        ({"op": "eq", "column": "a", "value": [1]}, "value", "is no text, number"),
        ({"op": "eq", "column": "a", "value": float("nan")}, "value", "nan is no literal"),
        ({"op": "eq", "column": "a", "value": 2**64}, "value", "64 bits"),
        ({"op": "eq", "column": "", "value": 1}, "column", "no name of a column"),
        ({"op": "eq", "column": 1, "value": 1}, "column", "no name of a column"),
        ({"op": "eq", "column": "a", "other": None}, "other", "no name of a column"),
        ({"op": "null", "column": "a", "x": 1}, None, "'null' has no 'x'"),
        ({"op": "in", "column": "a", "values": []}, "values", "at least one"),
        ({"op": "in", "column": "a", "values": "abc"}, "values", "a list"),
        ({"op": "in", "column": "a", "values": [1, {}]}, "values.1", "is no text, number"),
        ({"op": "like", "column": "a", "pattern": 1}, "pattern", "1 is no text"),
        ({"op": "and", "all": []}, "all", "at least one"),
        ({"op": "and", "all": NULL_A}, "all", "a list"),
        ({"op": "and", "all": [NULL_A, 3]}, "all.1", "a condition is an object"),
        ({"op": "or", "any": [{"op": "not", "of": {"op": "x"}}]}, "any.0.of.op", "no op"),
        (
            {"op": "and", "all": [NULL_A, {"op": "le", "column": "a", "value": None}]},
            "all.1.value",
            "None is no text",
        ),
    ],
)
def test_json_faults_have_a_path(obj, path, message):
    """What is not of the documented shape is an error with its place in the document."""
    with pytest.raises(ConditionError, match=message) as caught:
        Condition.from_json(obj)
    assert (caught.value.code, caught.value.path) == ("condition-json", path)


@pytest.mark.parametrize("op", ["and", "not"])
def test_deep_json_is_a_clean_error(op):
    """JSON nested too deep is refused before the interpreter's stack ends."""
    obj = NULL_A
    for _ in range(5000):
        obj = {"op": "and", "all": [obj]} if op == "and" else {"op": "not", "of": obj}
    with pytest.raises(ConditionError, match="at most 20 deep") as caught:
        Condition.from_json(obj)
    assert caught.value.code == "condition-json"


plain = (
    st.text()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
)
names = st.text(min_size=1)
json_leaves = (
    st.builds(Compare, st.sampled_from(["eq", "ne", "lt", "le", "gt", "ge"]), names, plain)
    | st.builds(lambda a, b: Compare("le", a, other=b), names, names)
    | st.builds(lambda name, found: In(name, tuple(found)), names, st.lists(plain, min_size=1))
    | st.builds(Like, names, st.text())
    | st.builds(Matches, names, st.text())
    | st.builds(Null, names)
)
json_trees = st.recursive(
    json_leaves,
    lambda inner: st.builds(Not, inner)
    | st.builds(lambda parts: And(tuple(parts)), st.lists(inner, min_size=1, max_size=3))
    | st.builds(lambda parts: Or(tuple(parts)), st.lists(inner, min_size=1, max_size=3)),
    max_leaves=10,
)


@given(json_trees)
def test_json_reads_back_as_the_same_tree(condition):
    """from_json(to_json(c)) == c, through real JSON text."""
    assert Condition.from_json(json.loads(json.dumps(condition.to_json()))) == condition


class Holder(BaseModel):
    """A component with a condition among its parameters."""

    where: Condition | None = None


@pytest.mark.parametrize("value", [A1, "a = 1", {"op": "eq", "column": "a", "value": 1}])
def test_pydantic_takes_each_form(value):
    """A field takes a Condition, its text and its JSON, and is written as JSON."""
    holder = Holder(where=value)
    assert holder.where == A1
    assert holder.model_dump() == {"where": A1.to_json()}
    assert Holder.model_validate_json(holder.model_dump_json()) == holder
    assert Holder.model_validate({}).where is None


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("a = 1;", "position 5:\n  a = 1;\n       ^"),
        ({"op": "not", "of": {"op": "null"}}, "of: 'null' needs 'column'"),
        (3, "a condition is an object with an op, not 3"),
    ],
)
def test_pydantic_keeps_the_message(value, message):
    """A wrong condition is an error of its field, with the condition's own message."""
    with pytest.raises(ValidationError) as caught:
        Holder(where=value)
    (error,) = caught.value.errors()
    assert error["loc"] == ("where",)
    assert message in error["msg"]


def test_json_schema_allows_text_and_object():
    """Forms and other clients see text of format `condition`, or an object."""
    schema = Holder.model_json_schema()["properties"]["where"]["anyOf"][0]["anyOf"]
    assert schema == [{"type": "string", "format": "condition"}, {"type": "object"}]
