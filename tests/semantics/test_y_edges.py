"""edges (codes Y1 and Y2)."""

from __future__ import annotations

import pytest

from distill_core.builtin.edges import Edges
from distill_core.errors import SpecError
from distill_core.testing.logs import build


def log_of(*events):
    """A log of (case, activity, time, user)."""
    return build([{"case": c, "activity": a, "time": t, "user": u} for c, a, t, u in events])


def left(log, **params):
    return [event["activity"] for event in log.apply(Edges(**params))]


ONE = log_of(("a", "load", 0, "u"), ("a", "click", 1, "u"), ("a", "leave", 3, "u"))


def test_y1_first_and_last():
    """The first, the last, both, each event once."""
    assert left(ONE, side="first") == ["load"]
    assert left(ONE, side="last") == ["leave"]
    assert left(ONE, side="both") == ["load", "leave"]
    assert left(ONE, side="both", n=2) == ["load", "click", "leave"]
    assert left(ONE, side="last", n=2) == ["click", "leave"]
    assert left(ONE, side="first", n=9) == ["load", "click", "leave"]


def test_y1_of_each_case():
    """Every case has its own first event."""
    log = log_of(("a", "1", 0, "u"), ("a", "2", 1, "u"), ("b", "3", 2, "u"), ("b", "4", 3, "u"))
    assert left(log, side="first") == ["1", "3"]
    assert left(log, side="last") == ["2", "4"]


def test_y1_where():
    """Only events for which where is true count; the rest goes, told."""
    out = ONE.apply(Edges(side="first", where="activity <> 'load'"))
    assert [event["activity"] for event in out] == ["click"]
    assert out.steps[0].dropped["edges"].count == 2


def test_y2_of_a_user():
    """By time, in whichever case."""
    log = log_of(("b", "enter", 2, "u"), ("a", "load", 0, "u"), ("a", "leave", 3, "u"))
    assert left(log, side="first", by=["user"]) == ["load"]
    assert left(log, side="last", by=["user"]) == ["leave"]
    log = log_of(("a", "late", 9, "u"), ("b", "early", 1, "u"), ("b", "other", 0, "v"))
    assert left(log, side="first", by=["user"]) == ["other", "early"]


def test_y2_ties_by_order_then_position():
    """At one time: a null order first, then the smaller, then the earlier by position."""
    event = {"time": 0, "user": "u"}
    rows = [
        {**event, "case": "a", "activity": "x", "order": 1},
        {**event, "case": "b", "activity": "y", "order": 0},
        {**event, "case": "c", "activity": "z"},
    ]
    assert left(build(rows), side="first", by=["user"]) == ["z"]
    assert left(build(rows[:2]), side="first", by=["user"]) == ["y"]
    same = [{**row, "order": 5} for row in rows]
    assert left(build(same), side="first", by=["user"]) == ["x"]
    assert left(build(same), side="last", by=["user"]) == ["z"]


def test_y2_several_columns_and_null():
    """Equal in all of by; null is a group."""
    log = log_of(
        ("a", "1", 0, "u"), ("a", "2", 1, None), ("a", "3", 2, "u"), ("a", "4", 3, None),
        ("b", "5", 0, None),
    )  # fmt: skip
    assert left(log, side="first", by=["case", "user"]) == ["1", "2", "5"]
    assert left(log, side="last", by=["user"]) == ["3", "4"]


@pytest.mark.parametrize(
    "wrong", [{}, {"side": "none"}, {"side": "first", "n": 0}, {"side": "first", "by": []}]
)
def test_y2_parameters(wrong):
    """A side is named, at least one event wanted, and a group is of something."""
    with pytest.raises(SpecError):
        Edges(**wrong)
