"""truncate (codes J1 to J4)."""

from __future__ import annotations

import pytest

from distill_core.builtin.truncate import Truncate
from distill_core.errors import ConditionError, DistillError, SpecError
from distill_core.testing.logs import build


def log_of(text, case="c", time=None):
    """A log of activities, a millisecond apart (or all at one time)."""
    return build([{"case": case, "activity": a, "time": t if time is None else time}
                  for t, a in enumerate(text.split())])  # fmt: skip


def left(log, **params):
    return " ".join(event["activity"] for event in log.apply(Truncate(**params)))


BUY = "activity = 'buy'"


@pytest.mark.parametrize(
    ("keep", "occurrence", "inclusive", "exclusive"),
    [
        ("before", "first", "load buy", "load"),
        ("before", "last", "load buy click buy", "load buy click"),
        ("after", "first", "buy click buy leave", "click buy leave"),
        ("after", "last", "buy leave", "leave"),
    ],
)
def test_j1_before_and_after(keep, occurrence, inclusive, exclusive):
    """The table of the semantics."""
    log = log_of("load buy click buy leave")
    params = {"where": BUY, "keep": keep, "occurrence": occurrence}
    assert left(log, **params) == inclusive
    assert left(log, **params, inclusive=False) == exclusive


def test_j1_what_is_cut_off_is_told():
    """Dropped with the reason truncate; a case may be left with nothing."""
    log = build([{"case": c, "activity": "buy", "time": 0} for c in "ab"])
    out = log.apply(Truncate(where=BUY, keep="before", inclusive=False))
    assert (len(out), out.n_cases) == (0, 0)
    assert out.steps[0].dropped["truncate"].count == 2


def test_j2_by_position():
    """a@5 b@5 c@5: what is before b is a and b."""
    log = log_of("a b c", time=5)
    assert left(log, where="activity = 'b'", keep="before") == "a b"
    assert left(log, where="activity = 'b'", keep="after", inclusive=False) == "c"


@pytest.mark.parametrize("keep", ["before", "after"])
def test_j3_a_case_without_a_match(keep):
    """It stays whole, or goes whole, no_match; either way it is counted."""
    events = [("p", "x", 0), ("p", "y", 1), ("q", "buy", 0)]
    rows = [{"case": c, "activity": a, "time": t} for c, a, t in events]
    stays = build(rows).apply(Truncate(where=BUY, keep=keep))
    assert [e["activity"] for e in stays] == ["x", "y", "buy"]
    assert stays.steps[0].to_dict()["dropped"] == {}
    goes = build(rows).apply(Truncate(where=BUY, keep=keep, missing="drop"))
    assert [e["activity"] for e in goes] == ["buy"]
    assert {reason: told.count for reason, told in goes.steps[0].dropped.items()} == {"no_match": 2}
    for out in (stays, goes):
        assert out.steps[0].counts == {"cases_without_match": 1}


def test_j3_unknown_is_no_match():
    """A condition that is unknown matches nothing."""
    out = log_of("a b").apply(Truncate(where="number > 0", keep="before"))
    assert out.steps[0].counts == {"cases_without_match": 1}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"keep": "before"}, "x A y B"),
        ({"keep": "before", "inclusive": False}, "x"),
        ({"keep": "after"}, "A y B z A B w"),
        ({"keep": "after", "inclusive": False}, "z A B w"),
        ({"keep": "after", "occurrence": "last"}, "A B w"),
        ({"keep": "after", "occurrence": "last", "inclusive": False}, "w"),
    ],
)
def test_j4_by_pattern(params, expected):
    """A match of a pattern lasts from its first to its last event."""
    assert left(log_of("x A y B z A B w"), pattern="A B", **params) == expected


def test_j4_define_and_within():
    """Steps are defined, and may look back, as in match; within is the longest time."""
    events = [("A", 0, "x"), ("B", 1, "y"), ("B", 2, "x"), ("B", 3, "x")]
    rows = [{"case": "c", "activity": a, "time": t, "target": s} for a, t, s in events]
    link = {"B": "activity = 'B' AND target = A.target"}
    assert left(build(rows), pattern="A B", define=link, keep="before") == "A B B"
    counts = build(rows).apply(
        Truncate(pattern="A B", define=link, within="1ms", keep="before")
    ).steps[0].counts  # fmt: skip
    assert counts == {"cases_without_match": 1}


@pytest.mark.parametrize(
    "wrong",
    [{}, {"where": BUY, "pattern": "A"}, {"where": BUY, "within": "1s"},
     {"where": BUY, "define": {"A": BUY}}, {"pattern": "A", "define": {"B": BUY}}],
)  # fmt: skip
def test_j4_either_where_or_pattern(wrong):
    """One of them says what a match is; define and within belong to a pattern."""
    with pytest.raises(SpecError):
        Truncate(keep="before", **wrong)


def test_j4_faults_are_told():
    """A pattern that is none and a column that is not there are errors with their place."""
    with pytest.raises((ConditionError, SpecError), match="pattern ends"):
        Truncate(pattern="A (", keep="before")
    with pytest.raises(DistillError) as error:
        log_of("A B").apply(Truncate(pattern="A", define={"A": "tagret = 'x'"}, keep="before"))
    assert (error.value.code, error.value.path) == ("condition-column", "define.A")
