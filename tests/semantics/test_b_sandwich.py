"""B1 to B6: intervals and what lies in them."""

from __future__ import annotations

from typing import Any

import pytest
from timelines import dangling, spans, timeline

import distill_core as dl
from distill_core.builtin.sandwich import Sandwich
from distill_core.errors import SpecError

ENDS = {"start": "activity LIKE 'S%'", "stop": "activity LIKE 'E%'"}
NESTED = "S1@0 a@1 S2@2 b@3 E2@4 c@5 E1@6"


def run(text: str, **params: Any) -> dl.EventLog:
    return timeline(text).apply(Sandwich(**{**ENDS, **params}))


def inside(log: dl.EventLog) -> list[list[str]]:
    return [row["members"] for row in log if row["start_id"] is not None]


def sizes(log: dl.EventLog) -> list[int]:
    return [row["size"] for row in log if row["start_id"] is not None]


def test_b1_members_lie_between() -> None:
    """B1: S1@0 a@1 b@2 E@3 c@4 → members [e2,e3]; include both → [e1..e4]."""
    out = run("S1@0 a@1 b@2 E@3 c@4")
    assert inside(out) == [["e2", "e3"]]
    assert [row["members"] for row in out][1:] == [None, None, None]
    both = run("S1@0 a@1 b@2 E@3 c@4", include="both")
    assert inside(both) == [["e1", "e2", "e3", "e4"]]
    assert sizes(both) == sizes(out) == [2]


@pytest.mark.parametrize(
    ("include", "members"), [("left", ["e1", "e2", "e3"]), ("right", ["e2", "e3", "e4"])]
)
def test_b1_one_side(include: str, members: list[str]) -> None:
    """B1: include left adds the start, right the stop, neither to size."""
    out = run("S1@0 a@1 b@2 E@3 c@4", include=include)
    assert (inside(out), sizes(out)) == ([members], [2])


def test_b2_nested() -> None:
    """B2: S1 a S2 b E2 c E1 → outer members [a,b,c], inner [b]; own → outer [a,c]."""
    assert inside(run(NESTED)) == [["e2", "e4", "e6"], ["e4"]]
    assert sizes(run(NESTED)) == [3, 1]
    assert inside(run(NESTED, members="own")) == [["e2", "e6"], ["e4"]]
    assert sizes(run(NESTED, members="own")) == [2, 1]


def test_b2_all_with_both_ends() -> None:
    """B2: "all", include both → outer [e1..e7]; own with both has only its own ends."""
    out = run(NESTED, include="both")
    assert inside(out) == [[f"e{n}" for n in range(1, 8)], ["e3", "e4", "e5"]]
    assert sizes(out) == [3, 1]
    own = run(NESTED, include="both", members="own")
    assert inside(own) == [["e1", "e2", "e6", "e7"], ["e3", "e4", "e5"]]


def test_b2_include_reaches_the_children() -> None:
    """B2: include adds to own members, so all members have the children's starts or stops."""
    assert inside(run(NESTED, include="left"))[0] == ["e1", "e2", "e3", "e4", "e6"]
    assert inside(run(NESTED, include="right"))[0] == ["e2", "e4", "e5", "e6", "e7"]


def test_b3_by_position() -> None:
    """B3: x@5 S@5 y@5 E@6 → [y]: membership goes by position, never by time."""
    assert inside(run("x@5 S@5 y@5 E@6")) == [["e3"]]
    assert inside(run("x@5 S@5 y@5 E@6", ties="start_first")) == [["e1", "e3"]]


def test_b4_intervals_of_other_keys() -> None:
    """B4: SA@0 SB@1 EA@2 EB@3 (key = kind) → A[0,2] with SB, B[1,3] with EA, both depth 0."""
    out = run("S1@0(A) S2@1(B) E3@2(A) E4@3(B)", key="k")
    assert spans(out, "depth", "members", "parent") == [
        (0, 2, 0, ["e2"], None), (1, 3, 0, ["e3"], None)
    ]  # fmt: skip
    inner = run("S1@0(A) S2@1(B) E3@2(B) E4@3(A)", key="k")
    assert spans(inner, "depth", "members") == [(0, 3, 0, ["e2", "e3"]), (1, 2, 0, [])]


def test_b5_without_members() -> None:
    """B5: S@0 E@1 → members [] kept unless min_size=1; what it hides is counted and stays."""
    out = run("S@0 E@1")
    assert (inside(out), sizes(out), out.steps[0].counts) == ([[]], [0], {})
    hidden = run("S@0 E@1", min_size=1)
    assert [(row["id"], row["members"]) for row in hidden] == [("e1", None), ("e2", None)]
    report = hidden.steps[0]
    assert report.counts == {"hidden_by_min_size": 1}
    assert (report.made, report.used, report.dropped, dangling(hidden)) == (0, 0, {}, {})
    assert "members" in hidden.columns


def test_b6_levels() -> None:
    """B6: level outer: depth 0; inner: no children; the others are counted, their events stay."""
    outer = run(NESTED, level="outer")
    assert inside(outer) == [["e2", "e4", "e6"]]
    assert [row["activity"] for row in outer] == ["S1", "a", "S2", "b", "E2", "c"]
    assert outer.steps[0].counts == {"hidden_by_level": 1}
    inner = run(NESTED, level="inner", min_size=1)
    assert spans(inner, "depth", "parent", "members") == [(2, 4, 1, None, ["e4"])]
    assert inner.steps[0].counts == {"hidden_by_level": 1, "hidden_by_min_size": 0}


def test_b_an_open_interval_reaches_to_the_end() -> None:
    """A6, A11: an interval that stays open holds all that comes after its start."""
    out = run("S1@0 a@1 S2@2 b@3", open="censor", include="both")
    assert spans(out, "members", "size", "depth") == [
        (0, 3, ["e1", "e2", "e3", "e4"], 2, 0), (2, 3, ["e3", "e4"], 1, 1)
    ]  # fmt: skip


def test_b_a_chain_lists_an_event_once() -> None:
    """A9: the event that ends one child and begins the next is one member of the parent."""
    both = {"start": "activity IN ('S', 'T')", "stop": "activity IN ('E', 'T')"}
    out = run("S@0 S@1 T@2 E@3 E@4", toggle="chain", include="both", **both)
    assert inside(out) == [["e1", "e2", "e3", "e4", "e5"], ["e2", "e3"], ["e3", "e4"]]
    own = run("S@0 S@1 T@2 E@3 E@4", toggle="chain", members="own", **both)
    assert inside(own) == [[], [], []]


def test_b_members_survive_the_log() -> None:
    """A14: keep "intervals" drops the members, and their ids stay listed."""
    out = run("S@0 a@1 E@2 c@3", keep="intervals")
    assert inside(out) == [["e2"]]
    assert [told.ids for told in out.steps[0].dropped.values()] == [("e2", "e4")]
    assert [row["source_ids"] for row in out] == [["e1", "e3"]]


def test_b_an_empty_log_has_the_columns() -> None:
    """N: nothing in, nothing out, but the columns are there."""
    out = timeline("x@0").take(slice(0, 0)).apply(Sandwich(**ENDS))
    assert (len(out), out.n_cases) == (0, 0)
    assert {"members", "size", "parent"} <= set(out.columns)


def test_b_a_clash_of_columns_is_told() -> None:
    """N: a column of the log's own that is no list of ids is an error."""
    log = dl.EventLog.from_frame(
        [{"c": 1, "a": "x", "t": 0, "members": "two"}], case="c", activity="a", time="t", unit="s"
    )
    with pytest.raises(dl.TransformError, match="members"):
        log.apply(Sandwich(**ENDS))


@pytest.mark.parametrize("params", [{"min_size": -1}, {"include": "all"}, {"level": "top"}])
def test_b_parameters_are_checked(params: dict[str, Any]) -> None:
    """N: a value that is no choice is an error."""
    with pytest.raises(SpecError):
        Sandwich(**ENDS, **params)
