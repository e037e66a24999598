"""K: matching inside one case and one key, and what a missing key means."""

from __future__ import annotations

from timelines import dangling, dropped, spans, timeline

import distill_core as dl

ENDS = {"start": "activity = 'S'", "stop": "activity = 'E'", "key": ["k"]}


def test_k_one_case_one_key() -> None:
    """K: a stop of another key or another case takes no start."""
    out = timeline("S@0(a) S@1(b) E@2(b) E@3(a)").apply(dl.Intervals(**ENDS))
    assert spans(out, "k") == [(0, 3, "a"), (1, 2, "b")]
    two = dl.concat([timeline("S@0(a)", case="c"), timeline("E@1(a)", case="d")])
    assert dangling(two.apply(dl.Intervals(**ENDS))) == {"open": ["e1"], "unmatched": ["e1"]}


def test_k_null_separate() -> None:
    """K: null_key "separate": a null component equals nothing; the event dangles and stays."""
    out = timeline("S@0() E@1() S@2(a) E@3(a)").apply(dl.Intervals(**ENDS))
    assert spans(out) == [(2, 3)]
    assert dangling(out) == {"missing_key": ["e1", "e2"]}
    assert [event["id"] for event in out][:2] == ["e1", "e2"]


def test_k_null_drop() -> None:
    """K: null_key "drop": the event also leaves the log."""
    out = timeline("S@0() x@1() E@2(a)").apply(dl.Intervals(**ENDS, null_key="drop"))
    assert [event["activity"] for event in out] == ["x", "E"]
    assert dropped(out) == {"missing_key": ["e1"]}


def test_k_null_group() -> None:
    """K: null_key "group": nulls are equal."""
    out = timeline("S@0() E@1()").apply(dl.Intervals(**ENDS, null_key="group"))
    assert spans(out) == [(0, 1)]
    assert dangling(out) == {}
