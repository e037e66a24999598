"""E1 to E3: events leave because of what is near them."""

from __future__ import annotations

from typing import Any

import pytest
from timelines import dropped, timeline

import distill_core as dl
from distill_core.builtin.drop_near import DropNear
from distill_core.errors import SpecError

MOUSE = "mousedown@0(t) mouseup@80(t) click@81(t) mousedown@900(t)"
CLICKS = {"where": "activity IN ('mousedown', 'mouseup')", "near": "activity = 'click'",
          "same": ["k"], "within": "500ms", "reach": "any"}  # fmt: skip
XY = [{"where": "activity = 'X'", "near": "activity = 'Y'"},
      {"where": "activity = 'Y'", "near": "activity = 'X'", "side": "previous"}]  # fmt: skip


def run(text: str, **params: Any) -> dl.EventLog:
    return timeline(text).apply(DropNear(**params))


def ids(log: dl.EventLog) -> list[str]:
    return [row["id"] for row in log]


def test_e1_before_a_click() -> None:
    """E1: mousedown, mouseup go when a click of the same target follows within 500."""
    out = run(MOUSE, **CLICKS)
    assert ids(out) == ["e3", "e4"]
    assert dropped(out) == {"drop_near": ["e1", "e2"]}
    other = "mousedown@0(t) mouseup@80(u) click@81(t) mousedown@900(t)"
    assert ids(run(other, **CLICKS)) == ["e2", "e3", "e4"]


def test_e1_adjacent_reaches_one_event() -> None:
    """E1: adjacent looks one event far, through what skip is true for."""
    beside = {"where": "activity = 'mousedown'", "near": "activity = 'click'"}
    assert ids(run(MOUSE, **beside)) == ["e1", "e2", "e3", "e4"]
    assert ids(run(MOUSE, skip="activity = 'mouseup'", **beside)) == ["e2", "e3", "e4"]


@pytest.mark.parametrize(("within", "left"), [("81ms", ["e2"]), ("80ms", ["e1", "e2"])])
def test_e1_within_is_inclusive(within: str, left: list[str]) -> None:
    """B: |Δtime| <= within, from time to time, on both sides."""
    rule = {"where": "activity = 'a'", "near": "activity = 'b'", "within": within}
    assert ids(run("a@0-70 b@81", **rule)) == left
    back = run("b@0-70 a@81", side="previous", **rule)
    assert len(back) == len(left)
    assert ids(run("a@0 b@81", reach="any", **rule)) == left


@pytest.mark.parametrize(
    ("side", "left"), [("next", ["e2", "e3"]), ("previous", ["e1", "e2"]), ("either", ["e2"])]
)
@pytest.mark.parametrize("reach", ["adjacent", "any"])
def test_e1_sides(side: str, left: list[str], reach: str) -> None:
    """E1: after, before, or on either side."""
    rule = {"where": "activity = 'a'", "near": "activity = 'b'", "reach": reach}
    assert ids(run("a@0 b@1 a@2", side=side, **rule)) == left


@pytest.mark.parametrize("reach", ["adjacent", "any"])
def test_e1_no_event_is_near_itself(reach: str) -> None:
    """E1: an event that is true for both needs another."""
    rule = {"where": "activity = 'a'", "near": "activity = 'a'", "reach": reach, "side": "either"}
    assert ids(run("a@0", **rule)) == ["e1"]
    assert ids(run("a@0 a@0", **rule)) == []


def test_e1_null_equals_null_in_same() -> None:
    """Q: same compares as GROUP BY does."""
    rule = {"where": "activity = 'a'", "near": "activity = 'b'", "same": ["k"]}
    assert ids(run("a@0() b@1()", **rule)) == ["e2"]
    assert ids(run("a@0(x) b@1()", **rule)) == ["e1", "e2"]


def test_e2_rules_are_simultaneous() -> None:
    """E2: "drop X if next is Y", "drop Y if previous is X" on X Y → both go."""
    out = run("X@0 Y@1", rules=XY)
    assert dropped(out) == {"drop_near.0": ["e1"], "drop_near.1": ["e2"]}
    assert len(out) == 0


def test_e2_cascade() -> None:
    """E2: cascade=True (rule after rule) → Y stays."""
    out = run("X@0 Y@1", rules=XY, cascade=True)
    assert (ids(out), dropped(out)) == (["e2"], {"drop_near.0": ["e1"]})


def test_e2_told_once_and_by_name() -> None:
    """E2: what several rules drop is told under the first; a name stands for the number."""
    rules = [XY[0] | {"name": "before"}, {"where": "activity <> 'z'", "near": "activity = 'Y'"}]
    out = run("X@0 Y@1", rules=rules)
    assert dropped(out) == {"drop_near.before": ["e1"]}
    same = [rule | {"name": "both"} for rule in XY]
    assert dropped(run("X@0 Y@1", rules=same)) == {"drop_near.both": ["e1", "e2"]}


def test_e3_at_the_edge_of_a_case() -> None:
    """E3: at the edge the neighbour is absent: near="absent" is true, all else false."""
    where = "activity = 'a'"
    assert ids(run("a@0 a@1 a@2", where=where, near="absent")) == ["e1", "e2"]
    assert ids(run("a@0 a@1 a@2", where=where, near="absent", side="previous")) == ["e2", "e3"]
    assert ids(run("a@0 a@1 a@2", where=where, near="absent", side="either")) == ["e2"]
    assert ids(run("a@0", where=where, near="activity IS NULL OR k IS NULL")) == ["e1"]
    assert ids(run("a@0 x@1", where=where, near="absent", skip="activity = 'x'")) == ["e2"]


def test_e3_cases_have_edges() -> None:
    """E3, K: an event of another case is nobody's neighbour."""
    log = dl.concat([timeline("a@0", "p"), timeline("b@1", "q")])
    for reach in ("adjacent", "any"):
        rule = DropNear(where="activity = 'a'", near="activity = 'b'", reach=reach)
        assert len(log.apply(rule)) == 2
    assert log.apply(DropNear(where="activity = 'a'", near="absent")).cases.tolist() == ["q"]


def test_e_written_and_read_back() -> None:
    """V1: both forms are read back from what they are written as."""
    for step in (DropNear(**CLICKS), DropNear(rules=XY), DropNear(where="k = 'a'", near="absent")):
        assert DropNear.model_validate(step.params()) == step


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"where": "k = 'a'"},
        {"near": "absent"},
        {"rules": XY, "where": "k = 'a'"},
        {"rules": XY, "side": "either"},
        {"where": "k = 'a'", "near": "k = 'b'", "cascade": True},
        {"where": "k = 'a'", "near": "absent", "within": "1s"},
        {"where": "k = 'a'", "near": "absent", "same": ["k"]},
        {"where": "k = 'a'", "near": "absent", "reach": "any"},
        {"where": "k = 'a'", "near": "k = 'b'", "reach": "any", "skip": "k = 'c'"},
        {"where": "k = 'a'", "near": "k = 'b'", "within": 500},
        {"rules": [{"where": "k = 'a'"}]},
    ],
)
def test_e_parameters_that_contradict(params: dict[str, Any]) -> None:
    """N: what has no meaning is an error."""
    with pytest.raises(SpecError):
        DropNear(**params)


@pytest.mark.parametrize("where", ["no_such = 'a'", "activity = 'a'"])
def test_e_unknown_columns_are_named(where: str) -> None:
    """N: an unknown column is an error that names its place."""
    rule = {"where": where, "near": "absent" if "such" in where else "nothing = 1"}
    with pytest.raises(dl.DistillError) as error:
        run("a@0", rules=[rule])
    assert error.value.path in {"rules.0.where", "rules.0.near"}
