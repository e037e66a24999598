"""The text of patterns: what it means, what is refused and where, and what is compiled of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distill_core.errors import ConditionError
from distill_core.patterns import (
    Choice,
    Entry,
    Forbidden,
    Pattern,
    Repeat,
    Sequence,
    Step,
    compiled,
    parse,
)

A, B, C = Step("A"), Step("B"), Step("C")


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("A", A),
        ("A B C", Sequence((A, B, C))),
        ("A->B → C", Sequence((A, B, C))),
        ("A (B C)", Sequence((A, Sequence((B, C))))),
        ("A | B C | C", Choice((A, Sequence((B, C)), C))),
        ("(A | B) C", Sequence((Choice((A, B)), C))),
        ("A? B* C+", Sequence((Repeat(A, 0, 1), Repeat(B, 0, None), Repeat(C, 1, None)))),
        ("A{2} B{2,} C{ 2 , 3 }", Sequence((Repeat(A, 2, 2), Repeat(B, 2, None), Repeat(C, 2, 3)))),
        ("A !B C", Sequence((A, Forbidden("B"), C))),
        ("(A)+", Repeat(A, 1, None)),
        ("add-to-cart page.load _x1",
         Sequence((Step("add-to-cart"), Step("page.load"), Step("_x1")))),
        ("'add to cart' \"say \"\"no\"\"\" !'it''s'",
         Sequence((Step("add to cart"), Step('say "no"'), Forbidden("it's")))),
        ("'within'", Step("within")),
        ("clíck\n  B", Sequence((Step("clíck"), B))),
    ],
)  # fmt: skip
def test_text(text, root):
    """Each form of the text has its tree."""
    assert parse(text) == Pattern(root)


@pytest.mark.parametrize("text", ["A B within 60s", "A B WITHIN 1m", "A -> B within PT60S",
                                  "A B within '60s'"])  # fmt: skip
def test_within(text):
    """A pattern may end with the longest time."""
    assert parse(text) == Pattern(Sequence((A, B)), timedelta(seconds=60))


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("", 0, "the pattern ends, but a step, \\( or ! is"),
        ("A (B", 4, "the pattern ends, but .* or \\) is"),
        ("A B)", 3, "'\\)' is not expected"),
        ("A | | B", 4, "'\\|' is not expected, but a step"),
        ("A -> ", 5, "the pattern ends"),
        ("-> A", 0, "'->' is not expected"),
        ("A ++", 3, "only one quantifier"),
        ("A ! (B)", 4, "the name of a step"),
        ("A !B+ C", 4, "a step after what is forbidden"),
        ("A{3,2}", 1, "n of at least m"),
        ("A{0}", 1, "n of at least m"),
        ("A{1001}", 1, "up to 1000"),
        ("A{x}", 1, "'{' has no meaning"),
        ("A, B", 1, "',' has no meaning"),
        ("A 'B", 2, "\"'\" has no meaning"),
        ("A ''", 2, "\"'\" has no meaning"),
        ("A within", 8, "a duration"),
        ("A within soon", 9, "'soon' is no duration"),
        ("A within 60s B", 13, "the end of the pattern"),
        ("within 60s", 0, "a step, "),
        ("A ( within 1s )", 4, "a step, "),
    ],
)
def test_errors_have_a_place(text, position, message):
    """What is no pattern is refused, with its place, a caret and what was expected."""
    with pytest.raises(ConditionError, match=message) as caught:
        parse(text)
    error = caught.value
    assert (error.code, error.position) == ("pattern-syntax", position)
    shown, caret = error.message.splitlines()[1:]
    assert shown == f"  {text}"
    assert caret.index("^") == position + 2


def test_limits():
    """Depth, length and size have limits, so nothing ends in a RecursionError or without end."""
    assert parse("(" * 50 + "A" + ")" * 50).root == A
    with pytest.raises(ConditionError, match="at most 50 deep"):
        parse("(" * 51 + "A" + ")" * 51)
    with pytest.raises(ConditionError, match="at most 10,000 characters"):
        parse("A" * 10_001)
    with pytest.raises(ConditionError, match="at most 2,000 steps") as caught:
        compiled(parse("((A{100}){100}){100}"))
    assert caught.value.code == "pattern-invalid"
    with pytest.raises(ConditionError, match="too large"):
        compiled(parse("A (B?){500}"))


@given(st.text(alphabet="AB '\"()|?*+{},123!->→within s.\n", max_size=30))
def test_any_text_is_a_pattern_or_an_error(text):
    """No text does anything but give a tree or a ConditionError that points into it."""
    try:
        parse(text)
    except ConditionError as error:
        assert error.code == "pattern-syntax"  # noqa: PT017
        assert 0 <= error.position <= len(text)  # noqa: PT017


def entries(*pairs):
    return tuple(Entry(target, frozenset(names)) for target, names in pairs)


def test_what_may_follow():
    """One more repetition comes first, then the left alternative; what is forbidden is kept."""
    program = compiled(parse("A+ !C (B | C) within 1s"))
    assert program.names == ("A", "B", "C")
    assert program.first == (0,)
    assert program.follow == (entries((0, ""), (1, "C"), (2, "C")), (), ())
    assert program.accepts == ((), (frozenset(),), (frozenset(),))
    assert program.forbidden == ("C",)


def test_copies_have_the_rank_of_their_text():
    """{m,n} is written out; every copy is as far in the text as the step itself."""
    program = compiled(parse("A B{2,3} C"))
    names = [program.names[step] for step in program.step]
    assert sorted(names) == ["A", "B", "B", "B", "C"]
    assert dict(zip(names, program.rank, strict=True)) == {"A": 0, "B": 1, "C": 2}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A?", "must not be empty"),
        ("!A", "must not be empty"),
        ("A* | B", "must not be empty"),
        ("!A B", "must not begin"),
        ("A? !B C", "must not begin"),
        ("(!A | B) C", "must not begin"),
        ("A !B", "needs a time"),
        ("A (!B)?", None),
        ("A (!B | C)", "needs a time"),
        ("A (B !C)?", "needs a time"),
    ],
)
def test_what_is_no_pattern(text, message):
    """A pattern takes an event, begins with a step, and ends with one unless time is limited."""
    if message is None:
        compiled(parse(text))
        return
    with pytest.raises(ConditionError, match=message) as caught:
        compiled(parse(text))
    assert caught.value.code == "pattern-invalid"


def test_negation_at_the_end_with_a_time():
    """With within, a match may end where nothing forbidden follows."""
    program = compiled(parse("A !B !C within 1s"))
    assert program.accepts == ((frozenset("BC"),),)
