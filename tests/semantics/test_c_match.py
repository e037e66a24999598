"""match (codes C1 to C10)."""

from __future__ import annotations

import re

import pytest

from distill_core.builtin.match import Match
from distill_core.columns import Column
from distill_core.errors import ConditionError
from distill_core.testing.logs import COLUMNS, build


def log_of(text, **more):
    """A log of one case from ``A@0 B@60000(k)``: ids e1, e2 …; in brackets the target."""
    found = re.findall(r"(\S+?)@(\d+)(?:\((\w+)\))?", text)
    return build([
        {"id": f"e{n}", "case": "c", "activity": a, "time": int(t), "target": k or None, **more}
        for n, (a, t, k) in enumerate(found, 1)
    ], (*COLUMNS, Column("id", paths=("id",))))  # fmt: skip


def run(text, pattern, **params):
    return log_of(text).apply(Match(pattern=pattern, **params))


def spans(out):
    """[first, last] of each match in ms."""
    made = [row for row in range(len(out)) if out.to_dicts()[row]["members"] is not None]
    return [(int(out.time[row]) // 1000, int(out.last[row]) // 1000) for row in made]


def matches(out):
    return [event for event in out.to_dicts() if event["members"] is not None]


CLICKS = "load@0 move@1 click@2 click@3 submit@4"


def test_c1_relaxed():
    """load → click+ → submit: one match [0,4] with its steps; what lies between stays."""
    out = run(CLICKS, "load click+ submit")
    assert spans(out) == [(0, 4)]
    (match,) = matches(out)
    assert match["steps"] == {"load": ["e1"], "click": ["e3", "e4"], "submit": ["e5"]}
    assert [*match["steps"]] == ["load", "click", "submit"]
    assert match["members"] == match["source_ids"] == ["e1", "e3", "e4", "e5"]
    assert [e["activity"] for e in out] == ["match", "move"]
    assert out.steps[0].to_dict() == {
        "step": 0, "transform": "match", "in": 5, "out": 2, "made": 1, "used": 4,
        "dropped": {}, "dangling": {}, "counts": {}, "partial": {},
        "fits": {"load": 1, "click": 2, "submit": 1},
    }  # fmt: skip


def test_c1_strict():
    """Strict: the move ends the try."""
    out = run(CLICKS, "load click+ submit", contiguity="strict")
    assert spans(out) == []
    assert out.steps[0].extra["partial"] == {"load": 1}
    assert spans(run("load@0 click@2 submit@4", "load click+ submit", contiguity="strict")) == [
        (0, 4)
    ]


def test_c1_arrows_are_the_same():
    """Steps follow each other with or without an arrow."""
    for pattern in ("load -> click+ -> submit", "load→click+→submit", "load->click+->submit"):
        assert spans(run(CLICKS, pattern)) == [(0, 4)]


def test_c2_restarts():
    """A@0 A@1 B@2 B@3: past_last [0,2]; latest [1,2]; to_next both, whatever restart."""
    text = "A@0 A@1 B@2 B@3"
    assert spans(run(text, "A B")) == [(0, 2)]
    assert spans(run(text, "A B", restart="latest")) == [(1, 2)]
    for restart in ("leftmost", "latest"):
        out = run(text, "A B", skip="to_next", restart=restart, keep="all")
        assert spans(out) == [(0, 2), (1, 2)]
        assert out.steps[0].dangling == {}


CART = "cart !support purchase within 60s"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("cart@0 support@5 purchase@10", []),
        ("cart@0 purchase@60000", [(0, 60000)]),
        ("cart@0 purchase@60001", []),
        ("cart@0 x@5 purchase@10", [(0, 10)]),
    ],
)
def test_c3_negation_and_within(text, found):
    """cart → !support → purchase within 60 s, inclusive."""
    assert spans(run(text, CART)) == found
    assert spans(run(text, "cart !support purchase", within="60s")) == found


def test_c3_the_next_step_is_never_forbidden():
    """An event that is the next step is never the forbidden one."""
    define = {"bad": "activity = 'B'"}
    assert spans(run("A@0 B@1", "A !bad B", define=define)) == [(0, 1)]


@pytest.mark.parametrize(
    ("text", "found", "partial"),
    [
        ("A@0 x@61", [(0, 0)], {}),
        ("A@0 x@60", [], {"A": 1}),
        ("A@0 B@60 x@61", [], {"A": 1}),
        ("A@0 B@61", [(0, 0)], {}),
    ],
)
def test_c4_trailing_negation(text, found, partial):
    """A !B within 60: a match when the case goes on for longer, and no B came."""
    out = run(text, "A !B", within="60ms")
    assert spans(out) == found
    assert out.steps[0].extra["partial"] == partial


def test_c4_trailing_negation_needs_within():
    """Without a time there is no end to wait for."""
    with pytest.raises(ConditionError, match="needs a time"):
        Match(pattern="A !B")


def test_c5_ends_at_the_first_submit():
    """load click+ submit on load click submit click submit ends at the first submit."""
    text = "load@0 click@1 submit@2 click@3 submit@4"
    assert spans(run(text, "load click+ submit")) == [(0, 2)]


def test_c6_a_way_that_cannot_finish_is_undone():
    """A+ B, an AB being both: A@0 AB@1 → A, B."""
    define = {"A": "activity LIKE 'A%'", "B": "activity LIKE '%B'"}
    out = run("A@0 AB@1", "A+ B", define=define)
    assert [e["steps"] for e in matches(out)] == [{"A": ["e1"], "B": ["e2"]}]
    out = run("A@0 AB@1 B@2", "A+ B", define=define)
    assert [e["steps"] for e in matches(out)] == [{"A": ["e1", "e2"], "B": ["e3"]}]


def test_c7_latest():
    """The earliest end, of these the latest start; starts passed over are superseded."""
    out = run("A@0 A@1 B@2 A@3 A@4 B@5", "A B", restart="latest")
    assert spans(out) == [(1, 2), (4, 5)]
    assert out.steps[0].dangling["superseded"].ids == ("e1", "e4")
    assert out.steps[0].extra["partial"] == {}


def test_c8_an_earlier_step():
    """define may use an earlier step's last event, in text, quoted, and in JSON."""
    text = "A@0(x) B@1(y) B@2(x)"
    for condition in (
        "activity = 'B' AND target = A.target",
        "activity = 'B' AND target = \"A.target\"",
        {"op": "and", "all": [{"op": "eq", "column": "activity", "value": "B"},
                              {"op": "eq", "column": "target", "other": "A.target"}]},
    ):  # fmt: skip
        assert spans(run(text, "A B", define={"B": condition})) == [(0, 2)]
    last = run("A@0(x) A@1(y) B@2(x) B@3(y)", "A+ B",
               define={"B": "activity = 'B' AND target = A.target"})  # fmt: skip
    assert [e["steps"]["B"] for e in matches(last)] == [["e4"]]


def test_c8_null_key_takes_no_part():
    """An event with a null key takes no part, and dangles."""
    out = run("A@0(x) B@1 B@2(y) B@3(x)", "A B", key=["target"])
    assert spans(out) == [(0, 3)]
    assert out.steps[0].dangling["missing_key"].ids == ("e2",)


def test_c9_partial():
    """report.partial: starts tried in vain, by furthest step."""
    out = run("A@0 B@1 A@2 x@3", "A B C")
    assert out.steps[0].extra["partial"] == {"A": 1, "B": 1}
    assert out.steps[0].to_dict()["partial"] == {"A": 1, "B": 1}


@pytest.mark.parametrize("pattern", ["A?", "A* B?", "!A B", "A? !B C", "(A | B*)", "!A"])
def test_c10_empty_or_negation_first(pattern):
    """A pattern that may be empty or begins with a negation is an error."""
    with pytest.raises(ConditionError, match="must not"):
        Match(pattern=pattern, within="1s")


def test_c9_fits():
    """report.fits: how many events each step could be, also what must not be there; 0: none."""
    out = run("A@0(1) A@1() B@2(1) x@3(1)", "A !no last", key=["target"],
              define={"last": "activity IN ('A', 'B')"})  # fmt: skip
    assert out.steps[0].to_dict()["fits"] == {"A": 2, "last": 3, "no": 0}
