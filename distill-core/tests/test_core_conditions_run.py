"""Conditions at work: binding, three-valued evaluation against DuckDB, weaker conditions."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill_core.batch import Codes, Masked
from distill_core.columns import Column
from distill_core.conditions import (
    And,
    Compare,
    Condition,
    In,
    Like,
    Matches,
    Not,
    Null,
    Or,
    bind,
    col,
    evaluate,
    mask,
    parse,
    without,
)
from distill_core.errors import ConditionError
from distill_core.params import MICROSECOND, instant_micros

COLUMNS: Mapping[str, Column] = {
    name: Column(name, type=kind)
    for name, kind in {
        "s": "string", "t": "string", "k": "ids", "v": "json", "i": "integer", "j": "integer",
        "f": "number", "b": "boolean", "w": "time", "x": "time", "d": "duration",
    }.items()
}  # fmt: skip
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


class Rows:
    """A table of plain Python rows, each a mapping by name."""

    def __init__(self, rows, *, ordered=True, columns=COLUMNS):
        self.rows, self.ordered, self.columns = rows, ordered, columns

    def __len__(self):
        return len(self.rows)

    def get(self, name):
        values = [row.get(name) for row in self.rows]
        kind = self.columns[name].type
        if kind in ("string", "json", "ids"):
            return Codes.of(values) if self.ordered else shuffled(values)
        if kind == "time":
            values = [None if v is None else instant_micros(v) for v in values]
        if kind == "duration":
            values = [None if v is None else v // MICROSECOND for v in values]
        types = {"number": np.float64, "boolean": np.bool_}
        return Masked.of(values, types.get(kind, np.int64))


def shuffled(values):
    """Codes of a dictionary without order, with duplicates and with values that no row has."""
    known = [value for value in values if value is not None]
    dictionary = ["unused", *reversed(known)]
    codes = [-1 if v is None else 1 + known[::-1].index(v) for v in values]
    for place in range(0, len(codes), 2):  # every other row uses its last duplicate
        if codes[place] > 0:
            codes[place] = len(dictionary) - 1 - dictionary[::-1].index(values[place])
    return Codes(np.array(codes, dtype=np.int32), dictionary)


def answers(condition, table):
    """True, False or None of each row, after binding."""
    true, unknown = evaluate(bind(condition, table.columns), table)
    assert not (true & unknown).any()
    assert np.array_equal(mask(condition, table), true)
    return [None if u else t for t, u in zip(true.tolist(), unknown.tolist(), strict=True)]


def run(text, **columns):
    """The answers of a condition on columns given as lists."""
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    found = [answers(parse(text), Rows(rows, ordered=ordered)) for ordered in (True, False)]
    assert found[0] == found[1]
    return found[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("s = 'b'", [False, True, False, None]),
        ("s <> 'b'", [True, False, True, None]),
        ("s < 'b'", [True, False, False, None]),
        ("s <= 'b'", [True, True, False, None]),
        ("s > 'b'", [False, False, True, None]),
        ("s >= 'b'", [False, True, True, None]),
        ("s = 'bb'", [False, False, False, None]),
        ("s <> 'bb'", [True, True, True, None]),
        ("s < 'bb'", [True, True, False, None]),
        ("s <= 'bb'", [True, True, False, None]),
        ("s > 'bb'", [False, False, True, None]),
        ("s >= 'bb'", [False, False, True, None]),
        ("s IN ('a', 'x')", [True, False, False, None]),
        ("s NOT IN ('a', 'x')", [False, True, True, None]),
        ("s IS NULL", [False, False, False, True]),
        ("s IS NOT NULL", [True, True, True, False]),
        ("NOT s = 'b'", [True, False, True, None]),
        ("s = s", [True, True, True, None]),
    ],
)
def test_text_is_compared_by_code_point(text, expected):
    """Each comparison of text with a value in or between those of the column; null is unknown."""
    assert run(text, s=["a", "b", "é", None]) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("i < 2", [True, False, False, None]),
        ("i <= 2", [True, True, False, None]),
        ("i > 2", [False, False, True, None]),
        ("i >= 2", [False, True, True, None]),
        ("i = 2", [False, True, False, None]),
        ("i <> 2", [True, False, True, None]),
        ("i < 2.5", [True, True, False, None]),
        ("i >= 2.5", [False, False, True, None]),
        ("i = 2.5", [False, False, False, None]),
        ("i <> 2.5", [True, True, True, None]),
        ("i = 2.0", [False, True, False, None]),
        ("i IN (1, 2.5, 3.0)", [True, False, True, None]),
        ("i IN (2.5)", [False, False, False, None]),
        ("i BETWEEN 1.5 AND 2.5", [False, True, False, None]),
        ("i < 1e300", [True, True, True, None]),
        ("i > -1e300", [True, True, True, None]),
    ],
)
def test_numbers_compare_as_numbers(text, expected):
    """A whole number compares with a fraction as numbers do; null, 0 inside, is unknown."""
    assert run(text, i=[1, 2, 3, None]) == expected


TRUTH = [True, False, None]


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("b AND c", [[True, False, None], [False, False, False], [None, False, None]]),
        ("b OR c", [[True, True, True], [True, False, None], [True, None, None]]),
        ("NOT (b AND c)", [[False, True, None], [True, True, True], [None, True, None]]),
    ],
)
def test_truth_tables_of_kleene(text, table):
    """AND, OR, NOT of true, false and unknown are those of SQL, cell by cell."""
    columns = {name: Column(name, type="boolean") for name in "bc"}
    rows = [{"b": b, "c": c} for b in TRUTH for c in TRUTH]
    found = answers(parse(text), Rows(rows, columns=columns))
    assert found == [cell for line in table for cell in line]


def test_times_and_durations():
    """Times and durations compare with their literals to the microsecond."""
    tick = timedelta(microseconds=1)
    times = [NOON - tick, NOON, NOON + tick, None]
    assert run("w >= '2026-01-31T12:00:00Z'", w=times) == [False, True, True, None]
    assert run("w > TIMESTAMP '2026-01-31T13:00+01:00'", w=times) == [False, False, True, None]
    assert run("w < '2026-02-01'", w=times) == [True, True, True, None]
    spans = [timedelta(0), timedelta(seconds=2), timedelta(seconds=2) + tick, None]
    assert run("d > '2s'", d=spans) == [False, False, True, None]
    assert run("d IN (INTERVAL '2 seconds', '0s')", d=spans) == [True, True, False, None]
    assert run("d > '-1s'", d=spans) == [True, True, True, None]
    assert run("w < x", w=times, x=[NOON] * 4) == [True, False, False, None]


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("", [""]),
        ("%", ["", "a", "a%b", "a_b", "ab", "a\nb", "aéb", "é😀", "abab", "\n\n\n"]),
        ("a%b", ["a%b", "a_b", "ab", "a\nb", "aéb", "abab"]),
        ("a_b", ["a%b", "a_b", "a\nb", "aéb"]),
        ("__", ["ab", "é😀"]),
        ("%b%b", ["abab"]),
        ("ab%ab", ["abab"]),
        ("aba%bab", []),
        ("%éb", ["aéb"]),
        (r"a\%b", []),
        ("A%", []),
        ("%_%", ["a", "a%b", "a_b", "ab", "a\nb", "aéb", "é😀", "abab", "\n\n\n"]),
        ("a.b", []),
        ("%\n_%", ["a\nb", "\n\n\n"]),
    ],
)
def test_like_has_two_signs_and_no_escape(pattern, fits):
    """`%` is any text, line ends too, `_` one character; nothing else means anything."""
    values = ["", "a", "a%b", "a_b", "ab", "a\nb", "aéb", "é😀", "abab", "\n\n\n"]
    table = Rows([{"s": value} for value in values])
    found = answers(Like("s", pattern), table)
    assert [value for value, hit in zip(values, found, strict=True) if hit] == fits


def test_like_is_linear():
    """A pattern of many `%` on a text that nearly fits does not run for ever."""
    table = Rows([{"s": "a" * 50_000}, {"s": "a" * 50_000 + "b"}])
    for pattern in ("%a" * 200 + "%b", "%a_" * 200 + "%b"):
        assert answers(Like("s", pattern), table) == [False, True]


def test_matches_searches_with_re2():
    """`matches` finds the expression anywhere; RE2 runs in linear time what others cannot."""
    assert run("matches(s, 'b')", s=["abc", "x", None]) == [True, False, None]
    assert run("matches(s, '^b')", s=["abc", "bc", None]) == [False, True, None]
    assert run("matches(s, '^.$')", s=["é", "éé", "😀"]) == [True, False, True]
    assert run("matches(s, '(a+)+$')", s=["a" * 50_000 + "!", "aa"]) == [False, True]


def test_columns_with_columns():
    """Text of two dictionaries, ids and text, whole numbers and fractions compare by value."""
    assert run("s < t", s=["a", "b", "é", None], t=["b", "b", "b", "b"]) == [
        True, False, False, None]  # fmt: skip
    assert run("k = s", k=["e1", "e2", None], s=["e1", "e1", "e1"]) == [True, False, None]
    assert run("i < f", i=[1, 2, 3, None], f=[1.5, 2.0, 2.5, 0.0]) == [True, False, False, None]
    assert run("f <= i", i=[1, 2, 3, None], f=[1.5, 2.0, 2.5, 0.0]) == [False, True, True, None]
    assert run("b = b", b=[True, False, None]) == [True, True, None]


def test_an_empty_table_has_no_answers():
    """Every kind of test runs on no rows at all."""
    text = (
        "s = 'a' AND s < t AND s LIKE 'a%' AND s LIKE '_' AND matches(s, 'a') AND s IN ('a') "
        "AND i = 1 AND i IN (1) AND i < f AND f = 1 AND w < x AND d = '1s' AND b AND v IS NULL"
    )
    for ordered in (True, False):
        assert answers(parse(text), Rows([], ordered=ordered)) == []


OPS = {op: getattr(operator, op) for op in ("eq", "ne", "lt", "le", "gt", "ge")}
wide = st.integers(-(2**63), 2**63 - 1) | st.sampled_from(
    [sign * 2**power + step for sign in (1, -1) for power in (53, 54, 62) for step in (-1, 0, 1)]
)
reals = st.floats(allow_nan=False, allow_infinity=False) | wide.map(float)


@settings(max_examples=300)
@given(st.sampled_from(list(OPS)), wide, reals)
def test_whole_numbers_compare_exactly_with_fractions(op, whole, real):
    """Beyond 2**53, where float64 rounds, answers are still those of Python's exact comparison."""
    table = Rows([{"i": whole, "f": real}])
    expected = [OPS[op](whole, real)]
    assert answers(Compare(op, "i", real), table) == expected
    assert answers(Compare(op, "i", other="f"), table) == expected
    flipped = [OPS[op](real, whole)]
    assert answers(Compare(op, "f", whole), table) == flipped
    assert answers(Compare(op, "f", other="i"), table) == flipped
    assert answers(In("i", (real,)), table) == [whole == real]
    assert answers(In("f", (whole,)), table) == [whole == real]


texts = st.text(alphabet="abAé€😀'\"%_\\\n .*", max_size=4)
small = st.integers(-5, 5)
exact = st.integers(-(2**53), 2**53)
fractions = st.sampled_from([-1.5, -0.0, 0.25, 1e-5, 2.0, 1e16, 0.1])
moments = st.just(NOON) | st.timedeltas(timedelta(days=-30_000), timedelta(days=30_000)).map(
    lambda span: NOON + span
)
spans = st.timedeltas(timedelta(days=-40), timedelta(days=40)) | st.just(timedelta(seconds=2))
VALUES = {
    "string": texts, "integer": small | exact, "number": fractions, "boolean": st.booleans(),
    "time": moments, "duration": spans,
}  # fmt: skip
SQL = {"string": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN",
       "time": "TIMESTAMP", "duration": "INTERVAL"}  # fmt: skip
USED = {name: column for name, column in COLUMNS.items() if column.type in VALUES}
PAIRS = [("s", "t"), ("i", "j"), ("i", "f"), ("f", "j"), ("w", "x"), ("d", "d"), ("b", "b")]

rows = st.lists(
    st.fixed_dictionaries(
        {name: st.none() | VALUES[column.type] for name, column in USED.items()}
    ),
    max_size=8,
)


def literals(kind):
    return small | exact | fractions if kind in ("integer", "number") else VALUES[kind]


def leaves(names):
    """Conditions on one or two of the columns `names`, well typed."""
    ops = st.sampled_from(list(OPS))
    found = [st.sampled_from(names).map(Null)]
    for name in names:
        values = literals(USED[name].type)
        found.append(st.builds(Compare, ops, st.just(name), values))
        several = st.lists(values, min_size=1, max_size=4).map(tuple)
        found.append(st.builds(In, st.just(name), several))
        if USED[name].type == "string":
            found.append(st.builds(Like, st.just(name), texts))
            patterns = st.sampled_from(["a", "^a", "[ab]$", "^.$", "é|b", "", "(?i)A", r"\s", "^%"])
            found.append(st.builds(Matches, st.just(name), patterns))
    for left, right in PAIRS:
        if left in names and right in names:
            found.append(st.builds(Compare, ops, st.just(left), other=st.just(right)))
    return st.one_of(found)


def trees(names):
    return st.recursive(
        leaves(names),
        lambda inner: st.builds(Not, inner)
        | st.builds(lambda parts: And(tuple(parts)), st.lists(inner, min_size=1, max_size=3))
        | st.builds(lambda parts: Or(tuple(parts)), st.lists(inner, min_size=1, max_size=3)),
        max_leaves=6,
    )


@pytest.fixture(scope="module")
def store():
    """A DuckDB with an empty table of the columns in use."""
    connection = duckdb.connect()
    fields = ", ".join(f"{name} {SQL[column.type]}" for name, column in USED.items())
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("CREATE MACRO matches(a, b) AS regexp_matches(a, b)")
    connection.execute(f"CREATE TABLE log (row_number INTEGER, {fields})")
    yield connection
    connection.close()


@settings(max_examples=300, deadline=None)
@given(rows, trees(list(USED)), st.booleans())
def test_duckdb_agrees(store, rows, condition, ordered):
    """True, false and unknown of each row are those of DuckDB for the condition's own text."""
    store.execute("DELETE FROM log")
    for number, row in enumerate(rows):
        found = [row[name] for name in USED]
        values = [v.replace(tzinfo=None) if isinstance(v, datetime) else v for v in found]
        marks = ", ".join("?" * (len(values) + 1))
        store.execute(f"INSERT INTO log VALUES ({marks})", [number, *values])  # noqa: S608  # marks
    query = f"SELECT ({condition}) FROM log ORDER BY row_number"  # noqa: S608  # its own text
    expected = [answer for (answer,) in store.execute(query).fetchall()]
    assert answers(condition, Rows(rows, ordered=ordered, columns=USED)) == expected


@settings(max_examples=300)
@given(rows, trees(list(USED)), st.sets(st.sampled_from(list(USED)), max_size=4))
def test_without_is_weaker(rows, condition, names):
    """Where the condition is true, the one without some columns is true, and does not use them."""
    weaker = without(condition, names)
    if weaker is None:
        assert condition.columns & names
        return
    assert not weaker.columns & names
    table = Rows(rows, columns=USED)
    kept, all_kept = mask(condition, table), mask(weaker, table)
    assert not (kept & ~all_kept).any()


@given(trees(list(USED)))
def test_binding_changes_no_answer_and_only_once(condition):
    """Binding a bound condition changes nothing, and JSON of a bound one binds to it again."""
    bound = bind(condition, USED)
    assert bind(bound, USED) == bound
    assert bind(Condition.from_json(bound.to_json()), USED) == bound
    assert bind(parse(str(bound)), USED) == bind(bound, USED) or has_single(bound)


def has_single(condition):
    """Whether an AND or OR has one part: its text is that of the part."""
    parts = condition.parts() if isinstance(condition, And | Or | Not) else ()
    alone = isinstance(condition, And | Or) and len(parts) == 1
    return alone or any(map(has_single, parts))


@pytest.mark.parametrize(
    ("text", "names", "expected"),
    [
        ("a = 1", "b", "a = 1"),
        ("a = 1", "a", None),
        ("a = 1 AND b = 2", "b", "a = 1"),
        ("a = 1 AND b = 2", "ab", None),
        ("a = 1 AND b = 2 AND c = 3", "b", "a = 1 AND c = 3"),
        ("a = 1 OR b = 2", "b", None),
        ("c = 3 AND (a = 1 OR b = 2)", "b", "c = 3"),
        ("a = 1 OR (b = 2 AND c = 3)", "b", "a = 1 OR c = 3"),
        ("NOT b = 2", "b", None),
        ("NOT (a = 1 AND b = 2)", "b", None),
        ("NOT (a = 1 OR b = 2)", "b", "NOT a = 1"),
        ("NOT NOT (a = 1 AND b = 2)", "b", "a = 1"),
        ("a < b", "b", None),
        ("b IS NOT NULL AND a = 1", "b", "a = 1"),
    ],
)
def test_without_keeps_what_it_can(text, names, expected):
    """AND loses the parts concerned, OR goes as a whole, NOT is never made of a weaker one."""
    found = without(parse(text), set(names))
    assert found == (None if expected is None else parse(expected))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("w >= '2026-01-31'", col("w") >= datetime(2026, 1, 31, tzinfo=UTC)),
        ("w >= '2026-01-31T13:00:00+01:00'", col("w") >= NOON),
        ("w IN ('2026-01-31')", In("w", (datetime(2026, 1, 31, tzinfo=UTC),))),
        ("d > '2s'", col("d") > timedelta(seconds=2)),
        ("d > 'PT30M'", col("d") > timedelta(minutes=30)),
        ("d > INTERVAL '2 seconds'", col("d") > timedelta(seconds=2)),
        ("i = 2.0", col("i") == 2),
        ("i < 2.5", col("i") < 2.5),
        ("f = 2", col("f") == 2.0),
        ("f = 9007199254740993", col("f") == 9007199254740993),
        ("k = 'e1'", col("k") == "e1"),
        ("v = '{\"a\":1}'", col("v") == '{"a":1}'),
        ("k LIKE 'e%' AND matches(v, 'a') OR NOT s LIKE 't'", None),
    ],
)
def test_literals_take_the_type_of_their_column(text, expected):
    """Text becomes a time or duration where the column is one; numbers become the column's."""
    assert bind(parse(text), COLUMNS) == (parse(text) if expected is None else expected)


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("activty = 1", "condition-column", "column 'activty' .did you mean 'activity'"),
        ("zzz IS NULL", "condition-column", "there is no column 'zzz'"),
        ("s < zzz", "condition-column", "there is no column 'zzz'"),
        ("zzz LIKE 'a'", "condition-column", "there is no column 'zzz'"),
        ("s = 7", "condition-literal", "'s' is of type string, 7 is not .text goes in quotes"),
        ("s IN ('a', 7)", "condition-literal", "7 is not"),
        ("s = TRUE", "condition-literal", "TRUE is not"),
        ("s", "condition-literal", "TRUE is not"),
        ("s = DATE '2026-01-31'", "condition-literal", "text goes in quotes"),
        ("k = 7", "condition-literal", "ids are text"),
        ("v = 7", "condition-literal", "its JSON as text"),
        ("i = '7'", "condition-literal", "write the number without quotes"),
        ("i = 'x'", "condition-literal", "'x' is not"),
        ("i = TRUE", "condition-literal", "TRUE is not"),
        ("f = '7'", "condition-literal", "write the number without quotes"),
        ("b = 1", "condition-literal", "write TRUE or FALSE"),
        ("b = 'true'", "condition-literal", "write TRUE or FALSE"),
        ("w = 7", "condition-literal", "write it as '2026-01-31T12:00:00Z'"),
        ("w = 'noon'", "condition-literal", "'w' is of type time: 'noon' is no time"),
        ("w = '2026-01-31T12:00'", "condition-literal", "has no zone"),
        ("w = INTERVAL '1 day'", "condition-literal", "INTERVAL '1 day' is not"),
        ("d = 2", "condition-literal", "write it as '2s'"),
        ("d = 'soon'", "condition-literal", "'soon' is no duration"),
        ("d = DATE '2026-01-31'", "condition-literal", "TIMESTAMP '2026-01-31"),
        ("i LIKE '7%'", "condition-literal", "LIKE is for text, but column 'i'"),
        ("matches(w, '7')", "condition-literal", "matches is for text, but column 'w'"),
        ("matches(s, '(a')", "condition-pattern", r"missing \): \(a"),
        (r"matches(s, '(a)\1')", "condition-pattern", "no back-references"),
        ("matches(s, '(?=a)')", "condition-pattern", "no look-around"),
        ("s = i", "condition-literal", "'s' .string. and 'i' .integer. cannot be compared"),
        ("w < d", "condition-literal", "cannot be compared"),
        ("s = v", "condition-literal", "cannot be compared"),
        ("NOT (i = 1 AND (b OR s = 7))", "condition-literal", "7 is not"),
    ],
)
def test_what_does_not_fit_is_refused(text, code, message):
    """Nothing is guessed from a value of another kind; the message names column and remedy."""
    columns = {**COLUMNS, "activity": Column("activity")}
    with pytest.raises(ConditionError, match=message) as caught:
        bind(parse(text), columns)
    assert caught.value.code == code


def test_a_huge_literal_is_shown_in_part():
    """A message about a long literal stays short."""
    with pytest.raises(ConditionError) as caught:
        bind(Compare("eq", "i", "x" * 10_000), COLUMNS)
    assert len(str(caught.value)) < 250


def test_a_thousand_terms_run():
    """A chain of 1,000 terms is bound and evaluated without trouble."""
    condition = parse(" OR ".join(f"i = {number}" for number in range(1000)))
    assert answers(condition, Rows([{"i": 999}, {"i": 1000}, {"i": None}])) == [True, False, None]
