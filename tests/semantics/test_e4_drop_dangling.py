"""E4: starts and stops without a partner leave."""

from __future__ import annotations

from typing import Any

import pytest
from timelines import dangling, dropped, timeline

import distill_core as dl
from distill_core.builtin.drop_dangling import DropDangling
from distill_core.errors import SpecError

ENDS = {"start": "activity LIKE 'S%'", "stop": "activity LIKE 'E%'"}


def run(text: str, **params: Any) -> dl.EventLog:
    return timeline(text).apply(DropDangling(**{**ENDS, **params}))


def ids(log: dl.EventLog) -> list[str]:
    return [row["id"] for row in log]


def test_e4_drops_what_finds_no_partner() -> None:
    """E4: S1@0 x@1 E1@2 E@3 S@4 → S1,x,E1; e4, e5 dropped, and the reasons told."""
    out = run("S1@0 x@1 E1@2 E@3 S@4")
    assert ids(out) == ["e1", "e2", "e3"]
    assert dropped(out) == dangling(out) == {"open": ["e5"], "unmatched": ["e4"]}
    report = out.steps[0]
    assert (report.entered, report.out, report.made, report.used) == (5, 3, 0, 0)


def test_e4_twice_is_once() -> None:
    """E4: running it twice removes nothing more."""
    once = run("S1@0 x@1 E1@2 E@3 S@4")
    again = once.apply(DropDangling(**ENDS))
    assert again.to_dicts() == once.to_dicts()
    assert dropped(again) == {}


def test_e4_an_event_of_any_pair_stays() -> None:
    """E4: the last of a chain dangles, but it is in a pair and stays."""
    both = {"start": "activity = 'T'", "stop": "activity = 'T'", "toggle": "chain"}
    out = run("T@0 T@4 T@9", **both)
    assert ids(out) == ["e1", "e2", "e3"]
    assert (dropped(out), dangling(out)) == ({}, {"open": ["e3"]})


def test_e4_adds_no_column() -> None:
    """E4: nothing is made, so no column comes."""
    log = timeline("S@0 E@1 S@2")
    assert list(log.apply(DropDangling(**ENDS)).columns) == list(log.columns)


@pytest.mark.parametrize("null_key", ["separate", "drop"])
def test_e4_a_missing_key(null_key: str) -> None:
    """K: an event without a key dangles, so it goes."""
    out = run("S@0(a) S@1() E@2() E@3(a)", key="k", null_key=null_key)
    assert ids(out) == ["e1", "e4"]
    assert dropped(out) == {"missing_key": ["e2", "e3"]}


def test_e4_rules_are_those_of_intervals() -> None:
    """E4: pairing, limits and resets are as in intervals."""
    assert dropped(run("S@0 S@1 E@2", pairing="first")) == {"ignored": ["e2"]}
    assert dropped(run("S@0 E@31", max_span="30ms")) == {"expired": ["e1"], "unmatched": ["e2"]}
    assert dropped(run("S@0 R@1 E@2", until="activity = 'R'")) == {
        "reset": ["e1"], "unmatched": ["e3"],
    }  # fmt: skip
    assert ids(run("E@7 S@7", ties="start_first")) == ["e1", "e2"]


@pytest.mark.parametrize("name", ["open", "name", "keep"])
def test_e4_has_no_parameter_of_output(name: str) -> None:
    """E4: what only says how an interval looks is no parameter here."""
    with pytest.raises(SpecError, match=name):
        DropDangling(**ENDS, **{name: "all"})
