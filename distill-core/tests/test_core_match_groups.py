"""Matches of many cases at a time, and steps after which nothing but what they made is there."""

from __future__ import annotations

import random
from typing import Any

import pytest

from distill_core.builtin import _match_all
from distill_core.builtin.intervals import Intervals
from distill_core.builtin.match import Match
from distill_core.builtin.sandwich import Sandwich
from distill_core.builtin.segment import Segment
from distill_core.log import EventLog

CASES = 3 * _match_all.FEW
MADE = [
    Match(pattern="a !c b+", keep="all"),
    Intervals(start="activity = 'a'", stop="activity = 'b'", key=["place"], keep="all"),
    Sandwich(start="activity = 'a'", stop="activity = 'b'", keep="all"),
    Segment(every="3s", keep="all"),
]

OTHERS = [
    Match(pattern="b c", name="a", keep="all"),
    Sandwich(start="activity = 'b'", stop="activity = 'c'", key=["place"], keep="all"),
]


def _rows(cases: int, seed: int) -> list[dict[str, Any]]:
    chance = random.Random(seed)
    return [
        {"id": f"{c}.{t}", "c": f"case {c:03d}", "a": chance.choice("abc"), "t": t,
         "place": chance.choice(["x", "y", None]), "x": chance.choice([1, None])}
        for c in range(cases)
        for t in range(chance.randrange(1, 30))
    ]  # fmt: skip


def _log(rows: list[dict[str, Any]]) -> EventLog:
    return EventLog.from_frame(rows, case="c", activity="a", time="t", unit="s")


@pytest.mark.parametrize("pattern", ["a b", "a !c b+ c", "a+ c", "a (b | c) within 4s"])
def test_many_cases_at_a_time_match_as_each_does_alone(pattern: str) -> None:
    """The matches of a log of many cases are those of its cases, one after the other."""
    rows, step = _rows(CASES, seed=5), Match(pattern=pattern)
    alone: list[dict[str, Any]] = []
    for case in dict.fromkeys(row["c"] for row in rows):
        alone += _log([row for row in rows if row["c"] == case]).apply(step).to_dicts()
    assert any(event["activity"] == "match" for event in alone)
    assert _log(rows).apply(step).to_dicts() == alone


@pytest.mark.parametrize("step", MADE, ids=lambda step: step.__component__)
@pytest.mark.parametrize("again", [False, True])
def test_made_events_are_the_same_whether_others_stay(step: Any, again: bool) -> None:
    """With keep "intervals" comes out what "all" has besides the events that went in."""
    log = _log(_rows(40, seed=6))
    if again:  # a log that has lists, and columns of steps, already
        for other in OTHERS:
            log = log.apply(other)
    known = set(log.ids.texts(log.positions))
    every = [event for event in log.apply(step).to_dicts() if event["id"] not in known]
    out = log.apply(step.model_copy(update={"keep": "intervals"})).to_dicts()
    assert out
    assert _without_ids(out) == _without_ids(every)


def _without_ids(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Made events as they are but for ids of made ones, which the parameters are part of."""
    return [{k: v for k, v in event.items() if k not in ("id", "parent")} for event in events]
