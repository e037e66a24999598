"""Text in and out: what is accepted, what is refused and where, and that writing reads back."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    parse,
)
from distill_core.errors import ConditionError

A1, B2, C3 = (Compare("eq", name, value) for name, value in (("a", 1), ("b", 2), ("c", 3)))
FLAG = Compare("eq", "flag", value=True)
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)

ACCEPTED = {
    "a = 1": A1,
    "a == 1": A1,
    "a <> 1": Compare("ne", "a", 1),
    "a != 1": Compare("ne", "a", 1),
    "a < 1": Compare("lt", "a", 1),
    "a <= 1.5": Compare("le", "a", 1.5),
    "a > -1": Compare("gt", "a", -1),
    "a >= - 2e3": Compare("ge", "a", -2000.0),
    "a = 'it''s'": Compare("eq", "a", "it's"),
    r"a = 'C:\n'": Compare("eq", "a", r"C:\n"),
    "a = b": Compare("eq", "a", other="b"),
    "3 < a": Compare("gt", "a", 3),
    "3 <= a": Compare("ge", "a", 3),
    "3 > a": Compare("lt", "a", 3),
    "3 >= a": Compare("le", "a", 3),
    "3 = a": Compare("eq", "a", 3),
    "3 <> a": Compare("ne", "a", 3),
    "(a) = (1)": A1,
    "flag": FLAG,
    "not flag": Not(FLAG),
    "flag = FALSE": Compare("eq", "flag", value=False),
    "a IS NULL": Null("a"),
    "a is not null": Not(Null("a")),
    "a IN ('x', -1, TRUE)": In("a", ("x", -1, True)),
    "a NOT IN (1)": Not(In("a", (1,))),
    "a LIKE 'x%'": Like("a", "x%"),
    "a NOT LIKE 'x%'": Not(Like("a", "x%")),
    "a BETWEEN 1 AND 2": And((Compare("ge", "a", 1), Compare("le", "a", 2))),
    "a NOT BETWEEN 1 AND b": Not(And((Compare("ge", "a", 1), Compare("le", "a", other="b")))),
    "matches(a, '^x')": Matches("a", "^x"),
    "REGEXP_LIKE(a, '^x')": Matches("a", "^x"),
    "a ~ '^x'": Matches("a", "^x"),
    "a = 1 AND b = 2 AND c = 3": And((A1, B2, C3)),
    "a = 1 AND (b = 2 AND c = 3)": And((A1, B2, C3)),
    "a = 1 OR b = 2 AND c = 3": Or((A1, And((B2, C3)))),
    "(a = 1 OR b = 2) AND c = 3": And((Or((A1, B2)), C3)),
    "NOT a = 1 AND b = 2": And((Not(A1), B2)),
    "NOT (a = 1 OR b = 2)": Not(Or((A1, B2))),
    "a > INTERVAL '2 seconds'": Compare("gt", "a", timedelta(seconds=2)),
    "a > INTERVAL '2' second": Compare("gt", "a", timedelta(seconds=2)),
    "a > INTERVAL '500us'": Compare("gt", "a", timedelta(microseconds=500)),
    "a > INTERVAL '3 ms'": Compare("gt", "a", timedelta(milliseconds=3)),
    "a > INTERVAL '1.5 hours'": Compare("gt", "a", timedelta(minutes=90)),
    "a > INTERVAL '-1 week 2 days 3 minutes'": Compare(
        "gt", "a", timedelta(weeks=-1, days=2, minutes=3)
    ),
    "a = TIMESTAMP '2026-01-31T13:00:00+01:00'": Compare("eq", "a", NOON),
    "a = DATE '2026-01-31'": Compare("eq", "a", datetime(2026, 1, 31, tzinfo=UTC)),
    '"a b" = 1': Compare("eq", "a b", 1),
    '"a.b" = 1': Compare("eq", "a.b", 1),
    '"say ""hi""" = 1': Compare("eq", 'say "hi"', 1),
    "Größe = 1": Compare("eq", "Größe", 1),
    "\n\ta\u00a0= 1 ": A1,
    "a = -9223372036854775808": Compare("eq", "a", -(2**63)),
}


@pytest.mark.parametrize(("text", "expected"), ACCEPTED.items(), ids=list(ACCEPTED))
def test_each_form_has_its_tree(text, expected):
    """Each documented form of text gives exactly this tree."""
    assert parse(text) == expected


@pytest.mark.parametrize(
    "word",
    ["case", "end", "order", "user", "time", "date", "timestamp", "interval", "if", "any", "all",
     "select", "from", "where", "window", "in", "is", "values", "exists", "cast", "current_date",
     "limit", "left", "as", "matches", "null_", "Nulls"],
)  # fmt: skip
def test_words_of_sql_are_names(word):
    """A column may bear a word of SQL, as `case`, `end` and `order` do, wherever it stands."""
    assert parse(f"a = 1 AND {word} = 'x'") == And((A1, Compare("eq", word, "x")))
    assert parse(f"{word} IN ('x') OR b = 2") == Or((In(word, ("x",)), B2))


REFUSED = {
    "": (0, "the condition is empty"),
    " \n ": (0, "the condition is empty"),
    "a = 1; drop table x": (5, "';' has no meaning in a condition"),
    "a = 1;": (5, "a condition is one expression"),
    "a = 1 -- b": (6, "a condition has no comments"),
    "a = 1 /* b */ OR c": (6, "a condition has no comments"),
    "a = 1 {# b #}": (6, "a condition has no comments"),
    "{# b #} a = 1": (0, "a condition has no comments"),
    "a = {{x}}": (4, "write the value itself"),
    "a = {% x %}": (4, "write the value itself"),
    "a = @x": (4, "write the value itself"),
    "a = ?": (4, "write the value itself"),
    "a = $1": (4, "write the value itself"),
    "a = :x": (4, "no casts and no parameters"),
    "a::int = 1": (1, "no casts and no parameters"),
    "cast(a as int) = 1": (0, "there is no function 'cast'"),
    "b OR lower(a) = 'x'": (5, "there is no function 'lower'"),
    "\"matches\"(a, 'x')": (0, "there is no function 'matches'"),
    "a IN (SELECT b)": (13, "'b' is not expected here"),
    "a = (SELECT 1)": (12, "'1' is not expected here"),
    "a + 1 = 2": (2, "they do not calculate"),
    "a - 1 = 2": (0, "they do not calculate"),
    "a = -b": (4, "a minus belongs before a number"),
    "a = --1": (4, "a condition has no comments"),
    "a || b": (2, "they do not calculate"),
    "a.b = 1": (1, "a name with a dot goes in double quotes"),
    "a = .5": (4, "a number starts with a digit"),
    "a = 1_000": (5, "'_000' is not expected here"),
    "a = 0x10": (5, "'x10' is not expected here"),
    "a = 1e999": (4, "this number is too large"),
    "a = 9223372036854775808": (4, "integers fit into 64 bits"),
    "a = " + "9" * 5000: (4, "this number cannot be read"),
    "a = NULL": (4, "use IS NULL"),
    "NULL <> a": (0, "use IS NULL"),
    "a IN (1, NULL)": (9, "use IS NULL"),
    "NOT NULL": (0, "this is no condition"),
    "a IS TRUE": (0, "IS goes with NULL and NOT NULL only"),
    "a IN ()": (0, "IN needs at least one value"),
    "a IN (1, b)": (9, "text goes in single quotes: 'b'"),
    "a LIKE b": (7, "text goes in single quotes: 'b'"),
    "a LIKE 1": (7, "a pattern is text in single quotes"),
    "a LIKE 'x' ESCAPE '!'": (11, "'ESCAPE' is not expected here"),
    "a ILIKE 'x'": (2, "'ILIKE' is not expected here"),
    "a = 'x' COLLATE y": (8, "'COLLATE' is not expected here"),
    "a = 1 ORDER BY b": (6, "'ORDER' is not expected here"),
    "a = 1 AS b": (6, "'AS' is not expected here"),
    "matches(a)": (0, "matches takes a column and a pattern"),
    "matches('x', a)": (8, "a column is expected here"),
    "regexp_like(a, 'x', 'i')": (0, "this form is no condition"),
    "'x' LIKE a": (0, "a column is expected here"),
    "1 = 1": (0, "a comparison needs a column"),
    "TRUE": (0, "this is no condition"),
    "1": (0, "this is no condition"),
    "a = 1 = 2": (0, "neither a column nor a value"),
    "(a = 1) = TRUE": (1, "neither a column nor a value"),
    "(a, b) = 1": (1, "neither a column nor a value"),
    "()": (0, "this is no condition"),
    "a = 1)": (5, "')' is not expected here"),
    "(a = 1": (6, "something is missing here"),
    "a = ": (3, "something is missing here"),
    "a = 1 AND": (9, "something is missing here"),
    "a = 'x": (4, "a quote is not closed"),
    "a = 'x''": (4, "a quote is not closed"),
    'a = \'x\' AND "b': (12, "a quote is not closed"),
    "a = 'x' 'y'": (8, "'y' is not expected here"),
    "a = n'x'": (4, "has no meaning in a condition"),
    "`a` = 1": (0, "names go in double quotes"),
    '"" = 1': (0, "a column's name is text"),
    "a !~ 'x'": (2, "write NOT"),
    "a = \x001": (4, "has no meaning in a condition"),
    "a = 1\x00; x": (5, "has no meaning in a condition"),
    "a > INTERVAL '3'": (13, "'3' is no interval"),
    "a > INTERVAL '1 month'": (13, "'1 month' is no interval"),
    "a > INTERVAL '1' month": (13, "'1 month' is no interval"),
    "a > INTERVAL '0.5 us'": (13, "'0.5 us' is no interval"),
    "a > INTERVAL '9999999999 weeks'": (13, "longer than a duration can be"),
    "a = TIMESTAMP '2026-01-31 12:00'": (14, "has no zone"),
    "a = TIMESTAMP 'noon'": (14, "'noon' is no time"),
    "a = TIMESTAMP '9999-12-31T23:59:59-05:00'": (14, "date value out of range"),
}


@pytest.mark.parametrize(("text", "expected"), REFUSED.items(), ids=[t[:30] for t in REFUSED])
def test_everything_else_is_refused_with_its_place(text, expected):
    """What is no condition is a ConditionError that says what is wrong and where."""
    position, message = expected
    with pytest.raises(ConditionError) as caught:
        parse(text)
    assert caught.value.code == "condition-syntax"
    assert message in str(caught.value)
    assert caught.value.position == position


def test_the_message_shows_the_place():
    """The line of the fault stands in the message, with a caret below the place."""
    with pytest.raises(ConditionError) as caught:
        parse("a = 1 AND\n  (b = 2; c)")
    assert caught.value.message == (
        "';' has no meaning in a condition at position 18:\n    (b = 2; c)\n          ^"
    )
    assert caught.value.hint == "a condition is one expression"


def test_the_message_shows_an_excerpt_without_control_characters():
    """Of a long line the part around the place is shown; nothing in it can move a cursor."""
    with pytest.raises(ConditionError) as caught:
        parse("a = '\x1b[2J' AND " * 100 + ";" + "b" * 1000)
    _, line, caret = caught.value.message.split("\n")
    assert len(line) < 100
    assert line.isprintable()
    assert line[caret.index("^")] == ";"


def nested(depth):
    """AND and OR in turn, `depth` deep."""
    condition = A1
    for level in range(depth):
        condition = (Or if level % 2 else And)((condition, Compare("eq", "b", level)))
    return condition


HOSTILE = {
    "parentheses": "(" * 5000 + "a" + ")" * 5000,
    "open parentheses": "(" * 50_000,
    "NOT": "NOT " * 5000 + "a",
    "NOT in parentheses": "NOT (" * 5000 + "a" + ")" * 5000,
    "AND in parentheses": "(a AND " * 5000 + "a" + ")" * 5000,
    "minus": "a = " + "-" * 5000 + "1",
    "length": "a = '" + "x" * 100_000 + "'",
    "quotes": "'" * 99_999,
    "interval": "a > INTERVAL '" + "1 day " * 10_000 + "'",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=list(HOSTILE))
def test_hostile_text_is_a_clean_error(text):
    """Too deep or too long text is an error of its own, not one of the interpreter."""
    with pytest.raises(ConditionError) as caught:
        parse(text)
    assert caught.value.code == "condition-syntax"
    assert caught.value.position is not None
    assert len(str(caught.value)) < 400


def test_a_deep_caller_gets_a_clean_error():
    """Where little of the stack is left, the text is refused, not the interpreter broken."""
    text = str(nested(MAX_DEPTH))

    def descend(levels):
        return parse(text) if levels == 0 else descend(levels - 1)

    left = sys.getrecursionlimit() - len_of_stack()
    with pytest.raises(ConditionError, match="stack"):
        descend(left - 60)


def len_of_stack():
    frame, count = sys._getframe(), 0
    while frame is not None:
        frame, count = frame.f_back, count + 1
    return count


def test_the_deepest_tree_is_readable_text():
    """A tree of the greatest depth, of any make, is read back from its text."""
    negated = In("a", (1,))
    for _ in range(MAX_DEPTH):
        negated = Not(negated)
    for deepest in (nested(MAX_DEPTH), negated):
        assert deepest.depth == MAX_DEPTH
        assert parse(str(deepest)) == deepest


@pytest.mark.parametrize("word", ["AND", "OR"])
def test_a_thousand_terms_are_one_node(word):
    """A chain of 1,000 comparisons, in text and back, is one flat node."""
    text = f" {word} ".join(f"c{i} = {i}" for i in range(1000))
    condition = parse(text)
    assert type(condition) is {"AND": And, "OR": Or}[word]
    assert len(condition.parts()) == 1000
    assert condition.depth == 1
    assert str(condition) == text


def test_terms_side_by_side_are_not_nested():
    """However many NOTs and parentheses stand beside each other, they are one level."""
    text = " AND ".join(["NOT a = 1", "(NOT b IN (2) OR a = 1)"] * 100)
    assert parse(text).depth == 3


names = st.text(min_size=1, max_size=8) | st.sampled_from(["case", "date", "interval", "AND", "a"])
instants = st.datetimes(timezones=st.just(UTC))
values = (
    st.text()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | instants
    | st.timedeltas()
)
ops = st.sampled_from(["eq", "ne", "lt", "le", "gt", "ge"])
leaves = (
    st.builds(Compare, ops, names, values)
    | st.builds(lambda op, a, b: Compare(op, a, other=b), ops, names, names)
    | st.builds(lambda name, found: In(name, tuple(found)), names, st.lists(values, min_size=1))
    | st.builds(Like, names, st.text())
    | st.builds(Matches, names, st.text())
    | st.builds(Null, names)
)
trees = st.recursive(
    leaves,
    lambda inner: st.builds(Not, inner)
    | st.builds(lambda parts: And(tuple(parts)), st.lists(inner, min_size=2, max_size=4))
    | st.builds(lambda parts: Or(tuple(parts)), st.lists(inner, min_size=2, max_size=4)),
    max_leaves=10,
)


@given(trees)
def test_text_reads_back_as_the_same_tree(condition):
    """parse(str(c)) == c for every tree, whatever its names and values."""
    assert parse(str(condition)) == condition


@given(trees)
def test_repr_is_python(condition):
    """The repr of a condition makes it again."""
    assert eval(repr(condition), {"parse": parse}) == condition  # noqa: S307  # own text


pieces = st.sampled_from([
    "a", "b", "AND", "OR", "NOT", "IN", "LIKE", "IS", "NULL", "BETWEEN", "TRUE", "INTERVAL", "DATE",
    "TIMESTAMP", "matches", "(", ")", ",", "=", "<>", "<", ">=", "-", "1", "2.5", "'x'", "'2s'",
    "'2026-01-01'", '"c d"', "'", '"', ";", ".", "*", "+", "{{", "}}", "@", "--", "/*", "SELECT",
    "CASE", "END", "~", "!", "\x00", "é", "second", "ESCAPE", "1e5",
])  # fmt: skip


@settings(max_examples=500)
@given(st.lists(pieces, max_size=12).map(" ".join) | st.text())
def test_any_text_is_a_condition_or_an_error(text):
    """No text raises anything but ConditionError, and what is accepted reads back."""
    try:
        condition = parse(text)
    except ConditionError as error:
        found = error.code, 0 <= error.position <= len(text)
        assert found == ("condition-syntax", True)
    else:
        assert isinstance(condition, Condition)
        assert parse(str(condition)) == condition


def test_sqlglot_is_loaded_by_text_alone():
    """Python, JSON and writing need no sqlglot: it costs 0.4 s."""
    code = (
        "import sys; from distill_core.conditions import *\n"
        "c = (col('a') == 1) & col('b').matches('x')\n"
        "assert Condition.from_json(c.to_json()) == c and str(c)\n"
        "assert 'sqlglot' not in sys.modules\n"
        "parse('a = 1'); assert 'sqlglot' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
