"""W5: intervals as sets of moments or of events, and Allen's relations between them."""

from __future__ import annotations

from typing import Any

import pytest
from timelines import timeline

import distill_core as dl
from distill_core.builtin.algebra import Algebra
from distill_core.builtin.relate import Relate
from distill_core.errors import SpecError

SIDES = {"left": "activity = 'A'", "right": "activity = 'B'"}


def made(log: dl.EventLog, *names: str) -> list[tuple[Any, ...]]:
    """(time, end) in ms, and columns, of what is not an event of the timeline."""
    rows = zip(log.to_dicts(), log.time.tolist(), log.last.tolist(), strict=True)
    return [(time // 1000, last // 1000, *(row[name] for name in names))
            for row, time, last in rows if len(row["id"]) == 16]  # fmt: skip


def run(text: str, kind: str, **params: Any) -> dl.EventLog:
    return timeline(text).apply(Algebra(**{"kind": kind, **SIDES, **params}))


TEXT = "A@0-10 B@5-20 A@15-30 x@40"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("union", [(0, 30, ["e1", "e2", "e3"])]),
        ("intersection", [(5, 10, ["e1", "e2"]), (15, 20, ["e2", "e3"])]),
        ("difference", [(0, 5, ["e1"]), (20, 30, ["e3"])]),
    ],
)
def test_w5_by_time(kind: str, expected: list[Any]) -> None:
    """W5: union, intersection, difference by time, case by case; sources share time with it."""
    out = run(TEXT, kind)
    assert made(out, "source_ids") == expected
    assert [row["activity"] for row in out.to_dicts()] == [kind] * len(expected) + ["x"]
    assert out.steps[0].counts == {"left": 2, "right": 1, "without_length": 0}
    assert (out.steps[0].made, out.steps[0].used) == (len(expected), 3)


def test_w5_complement() -> None:
    """W5: complement in the case, from its first event to its greatest end, has no sources."""
    out = run("x@0 A@5-10 A@8-20 y@20 A@25-30", "complement", left="activity = 'A'", right=None)
    assert made(out, "source_ids", "k") == [(0, 5, [], None), (20, 25, [], None)]
    whole = run("x@3 y@9", "complement", left=None, right=None)
    assert made(whole) == [(3, 9)]
    assert made(run("x@3", "complement", left=None, right=None)) == []


def test_w5_touching_unites() -> None:
    """W5: half-open: what touches is one in a union, and shares nothing."""
    assert made(run("A@0-5 B@5-9", "union")) == [(0, 9)]
    assert made(run("A@0-5 B@5-9", "intersection")) == []
    assert made(run("A@0-5 B@5-9", "difference")) == [(0, 5)]
    assert made(run("A@0-5 B@6-9", "union")) == [(0, 5), (6, 9)]


def test_w5_without_length() -> None:
    """W5: a moment without length is no set of moments: it adds nothing, and is counted."""
    out = run("A@0-10 B@5-5", "difference")
    assert made(out) == [(0, 10)]
    assert out.steps[0].counts["without_length"] == 1
    assert made(run("A@5-5", "union", right=None)) == []


def test_w5_union_alone() -> None:
    """W5: a union without a right side unites the intervals that overlap or touch."""
    out = run("A@0-4 A@2-6 A@6-8 A@9-10", "union", left=None, right=None)
    assert made(out) == [(0, 8), (9, 10)]


def test_w5_places_and_ids() -> None:
    """PL, ID: results precede the events of their time; U(transform, params, case, time)."""
    from distill_core.ids import combine, part, texts

    out = run("A@0-10 x@3 B@3-7 y@7", "difference", keep="all", name="quiet")
    rows = out.to_dicts()
    assert [row["activity"] for row in rows] == ["quiet", "A", "x", "B", "quiet", "y"]
    step = Algebra(kind="difference", **SIDES, keep="all", name="quiet")
    words = [part(x) for x in ("algebra", step.params_key(), "c", 7000)]
    assert rows[4]["id"] == texts(combine(words))[0]


def test_w5_keep() -> None:
    """A14: others: results take the intervals' place · intervals: the rest goes, other · all."""
    assert [row["id"] for row in run("A@0-5 x@1 B@3-9", "union")][1:] == ["e2"]
    only = run("A@0-5 x@1 B@3-9", "union", keep="intervals")
    assert (len(only), {r: t.ids for r, t in only.steps[0].dropped.items()}) == (
        1, {"other": ("e2",)}
    )  # fmt: skip
    everything = run("A@0-5 x@1 B@3-9", "union", keep="all")
    assert [row["id"] for row in everything][1:] == ["e1", "e2", "e3"]
    assert (everything.steps[0].made, everything.steps[0].used) == (1, 0)


def test_w5_the_other_log() -> None:
    """W5: the right side comes from another log, case by case; its events do not come along."""
    one, other = timeline("A@0-10 x@3"), timeline("B@5-20 C@2-3 y@4")
    out = one.apply(Algebra(kind="difference", other=other, right="activity = 'B'"))
    assert made(out) == [(0, 5)]
    assert [row["activity"] for row in out] == ["difference", "x"]
    assert (out.steps[0].entered, out.steps[0].used, out.steps[0].made) == (2, 1, 1)
    assert out.steps[0].extra["other"]["reading"]["kept"] == 3
    union = one.apply(Algebra(kind="union", other=timeline("B@5-20", case="d"), keep="intervals"))
    assert [(row["case"], row["duration"]) for row in union] == [("c", 10000), ("d", 15000)]


def test_w5_the_other_side_is_checked() -> None:
    """N: a column that the other log does not have is an error with its path."""
    step = Algebra(kind="union", other=timeline("B@5-20"), right="nope = 1")
    with pytest.raises(dl.ConditionError) as caught:
        timeline("A@0-10").apply(step)
    assert caught.value.path == "right"


MEMBERS = {"by": "members", "keep": "others"}


def windows(text: str) -> dl.EventLog:
    """Events in windows: W of neighbours with k, V of every three."""
    log = timeline(text)
    one = dl.Segment(kind="change", same=["k"], name="W", keep="all")
    two = dl.Segment(kind="count", n=3, name="V", keep="all")
    joined = log.apply(one).apply(dl.Drop(condition="activity = 'W' AND k IS NULL"))
    threes = log.apply(two).apply(dl.Where(condition="activity = 'V'"))
    return dl.concat([joined, threes])


@pytest.mark.parametrize(
    ("kind", "right", "expected"),
    [
        ("union", "activity = 'V'", [["e1", "e2", "e3", "e4", "e5", "e6"]]),
        ("intersection", "activity = 'V' AND time < '1970-01-01T00:00:00.001Z'", [["e2", "e3"]]),
        ("difference", "activity = 'V' AND time < '1970-01-01T00:00:00.001Z'", [["e5"]]),
        ("complement", None, [["e1"], ["e4"], ["e6"]]),
    ],
)
def test_w5_by_members(kind: str, right: str | None, expected: list[Any]) -> None:
    """W5: by members an interval is the events it lists; the result is runs of neighbours."""
    log = windows("a@0 b@1(k) c@2(k) d@3 e@4(k) f@5")
    step = Algebra(kind=kind, by="members", left="activity = 'W'", right=right, keep="all")
    out = [row for row in log.apply(step) if row["activity"] == kind]
    assert [row["members"] for row in out] == expected
    assert [row["source_ids"] for row in out] == expected
    assert [row["size"] for row in out] == [len(members) for members in expected]


def test_w5_by_members_of_another_log() -> None:
    """W5: the other log's intervals list events of this one, known by their ids."""
    log = timeline("a@0 b@1-8 c@2 d@9")
    other = log.apply(dl.Segment(kind="count", n=3, name="V")).where("size = 3")
    out = log.apply(dl.Segment(kind="count", n=2, keep="all")).apply(
        Algebra(kind="intersection", by="members", other=other, name="both")
    )
    rows = [row for row in out if row["activity"] == "both"]
    assert [(row["members"], row["duration"]) for row in rows] == [(["e1", "e2", "e3"], 8000)]
    assert [row["activity"] for row in out] == ["a", "both", "b", "c", "d"]


def test_w5_members_that_are_gone() -> None:
    """W5: what intervals list but the log has no more is counted."""
    log = timeline("a@0 b@1").apply(dl.Segment(kind="count", n=2, keep="intervals"))
    out = log.apply(Algebra(kind="union", by="members"))
    assert (len(out), out.steps[-1].counts["members_gone"]) == (0, 2)
    with pytest.raises(dl.TransformError, match="segment") as caught:
        timeline("a@0").apply(Algebra(kind="union", by="members"))
    assert (caught.value.code, caught.value.path) == ("column-unknown", "by")


ALLEN = {
    "before": "A@0-2 B@4-6", "meets": "A@0-4 B@4-6", "overlaps": "A@0-5 B@4-6",
    "starts": "A@4-5 B@4-6", "during": "B@0-6 A@1-2", "finishes": "B@0-6 A@4-6",
    "equals": "A@0-6 B@0-6", "finished_by": "A@0-6 B@4-6", "contains": "A@0-6 B@1-2",
    "started_by": "A@4-6 B@4-5", "overlapped_by": "B@0-5 A@4-6", "met_by": "B@0-4 A@4-6",
    "after": "B@0-2 A@4-6",
}  # fmt: skip


@pytest.mark.parametrize("relation", ALLEN)
def test_w5_allen(relation: str) -> None:
    """W5: each of the thirteen relations finds its pair, and no other does."""
    log = timeline(ALLEN[relation])
    for asked in ALLEN:
        out = log.apply(Relate(**SIDES, relations=[asked]))
        assert [row["relation"] for row in out if row["relation"]] == [relation] * (
            asked == relation
        )
        assert out.steps[0].counts == {"left": 1, "right": 1, asked: int(asked == relation)}


def test_w5_pairs() -> None:
    """PL, W5: a pair has the left interval's columns; relation, other_id, overlap; both sources."""
    out = timeline("A@0-5(p) x@1 B@3-9(q)").apply(Relate(**SIDES, keep="all"))
    rows = out.to_dicts()
    assert [row["activity"] for row in rows] == ["A", "A", "x", "B"]
    pair = rows[1]
    assert made(out) == [(0, 5)]
    assert [pair[n] for n in ("k", "relation", "other_id", "other_activity", "overlap")] == [
        "p", "overlaps", "e3", "B", 2000,
    ]  # fmt: skip
    assert pair["source_ids"] == ["e1", "e3"]
    assert rows[0]["relation"] is None
    others = timeline("A@0-5 A@20-30 B@3-9").apply(Relate(**SIDES, name="P"))
    assert [row["activity"] for row in others] == ["P", "A"]


def test_w5_b4() -> None:
    """B4: A [0,2] and B [1,3]: A overlaps B, whichever side is asked."""
    out = timeline("A@0-2 B@1-3").apply(Relate(keep="intervals"))
    assert [(row["activity"], row["relation"], row["other_activity"]) for row in out] == [
        ("A", "overlaps", "B"), ("B", "overlapped_by", "A"),
    ]  # fmt: skip


def test_w5_within() -> None:
    """B: within is inclusive, and is about intervals that share nothing."""
    step = {"relations": ["before"], "within": "4ms"}
    out = timeline("A@0-2 B@6-7 B@7-8").apply(Relate(**SIDES, **step))
    assert [row["other_id"] for row in out if row["relation"]] == ["e2"]
    with pytest.raises(SpecError, match="within"):
        Relate(within="4ms")


def test_w5_pairs_with_another_log() -> None:
    """W5: pairs with intervals of another log, which do not come along; cases never mingle."""
    other = timeline("B@1-3")
    out = timeline("A@0-2 x@1").apply(Relate(other=other))
    assert [(row["activity"], row["other_activity"]) for row in out] == [("A", "B"), ("x", None)]
    assert (out.steps[0].used, out.steps[0].made) == (1, 1)
    apart = timeline("A@0-2").apply(Relate(other=timeline("B@1-3", case="d")))
    assert [row["id"] for row in apart] == ["e1"]


@pytest.mark.parametrize(
    "params",
    [
        {"kind": "intersection"}, {"kind": "difference"}, {"kind": "complement", **SIDES},
        {"kind": "sum"}, {"kind": "union", "by": "ids"}, {"kind": "union", "name": ""},
    ],
)  # fmt: skip
def test_w5_parameters_are_checked(params: dict[str, Any]) -> None:
    """N: what is no choice, or has no second side, is an error."""
    with pytest.raises(SpecError):
        Algebra(**params)


def test_w5_an_empty_log_has_the_columns() -> None:
    """N: nothing in, nothing out, but the columns are there."""
    empty = timeline("x@0").take(slice(0, 0))
    assert {"end", "source_ids"} <= set(empty.apply(Algebra(kind="union")).columns)
    assert {"relation", "other_id", "overlap"} <= set(empty.apply(Relate()).columns)
