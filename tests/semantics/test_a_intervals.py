"""A1–A14: intervals from starts and stops."""

from __future__ import annotations

from typing import Any

import pytest
from timelines import dangling, dropped, spans, timeline

import distill_core as dl
from distill_core.builtin.intervals import Intervals
from distill_core.errors import SpecError

ENDS = {"start": "activity LIKE 'S%'", "stop": "activity LIKE 'E%'"}
UNTIL = {**ENDS, "until": "activity LIKE '%R%'"}
TOGGLE = {"start": "activity = 'T'", "stop": "activity = 'T'"}


def run(text: str, **params: Any) -> dl.EventLog:
    return timeline(text).apply(Intervals(**{**ENDS, **params}))


def made(text: str, **params: Any) -> list[tuple[Any, ...]]:
    return spans(run(text, **params))


def ids(log: dl.EventLog) -> list[str]:
    return [row["id"] for row in log]


def test_a1_an_interval_from_focus_to_blur() -> None:
    """A1: [0,9], duration 9, start_id e1, end_id e3, key a; click untouched, none dangling."""
    log = timeline("focus@0(a) click@5(a) blur@9(a)")
    step = Intervals(start="activity = 'focus'", stop="activity = 'blur'", key=["k"])
    out = log.apply(step)
    interval, click = out.to_dicts()
    assert spans(out, "start_id", "end_id", "key", "k") == [(0, 9, "e1", "e3", "a", "a")]
    assert interval["duration"] == 9000
    assert interval["activity"] == "focus"
    assert interval["source_ids"] == ["e1", "e3"]
    assert click["id"] == "e2"
    assert out.steps[0].to_dict() == {
        "step": 0, "transform": "intervals", "in": 3, "out": 2, "made": 1, "used": 2,
        "dropped": {}, "dangling": {}, "counts": {},
    }  # fmt: skip


def test_a1_the_report_names_what_dangles() -> None:
    """The report of the semantics' last line: in 3, out 2, made 1, used 2, e3 open."""
    out = run("S@0 E@1 S@2")
    assert out.steps[0].to_dict() == {
        "step": 0, "transform": "intervals", "in": 3, "out": 2, "made": 1, "used": 2,
        "dropped": {}, "dangling": {"open": {"count": 1, "ids": ["e3"]}}, "counts": {},
    }  # fmt: skip


def test_a1_the_id_is_made_of_the_pair() -> None:
    """An interval's id is U(intervals, its parameters, start, stop)."""
    from distill_core.ids import combine, part, texts

    step = Intervals(**ENDS)
    out = timeline("S@0 E@1").apply(step)
    words = [part(text) for text in ("intervals", step.params_key(), "e1", "e2")]
    assert ids(out) == texts(combine(words)).tolist()
    assert step.params_key() == (
        '{"start":{"column":"activity","op":"like","pattern":"S%"},'
        '"stop":{"column":"activity","op":"like","pattern":"E%"}}'
    )


def test_a2_keys_pair_apart() -> None:
    """A2: S@0(u1) S@1(u2) E@2(u2) E@3(u1), case = user → u1[0,3], u2[1,2] in order O."""
    rows = [("S", 0, "u1"), ("S", 1, "u2"), ("E", 2, "u2"), ("E", 3, "u1")]
    frame = [{"who": who, "what": what, "at": at} for what, at, who in rows]
    log = dl.EventLog.from_frame(frame, case="who", activity="what", time="at", unit="ms")
    out = log.apply(Intervals(**ENDS))
    assert spans(out, "case") == [(0, 3, "u1"), (1, 2, "u2")]
    one = "S@0(u1) S@1(u2) E@2(u2) E@3(u1)"
    assert spans(run(one, key="k"), "k") == [(0, 3, "u1"), (1, 2, "u2")]


A3 = "S1@0 S2@10 E1@20 E2@30"


def test_a3_nested() -> None:
    """A3: nested (LIFO) → [10,20] depth 1 parent [0,30] depth 0."""
    outer, inner = run(A3).to_dicts()
    assert spans(run(A3), "depth") == [(0, 30, 0), (10, 20, 1)]
    assert (outer["parent"], inner["parent"]) == (None, outer["id"])


@pytest.mark.parametrize(
    ("pairing", "found", "left"),
    [
        ("fifo", [(0, 20), (10, 30)], {}),
        ("latest", [(10, 20)], {"superseded": ["e1"], "unmatched": ["e4"]}),
        ("first", [(0, 20)], {"ignored": ["e2"], "unmatched": ["e4"]}),
    ],
)
def test_a3_other_pairings(pairing: str, found: Any, left: Any) -> None:
    """A3: fifo → [0,20],[10,30]; latest → [10,20]; first → [0,20], the rest dangles."""
    out = run(A3, pairing=pairing)
    assert spans(out) == found
    assert dangling(out) == left


@pytest.mark.parametrize(
    ("pairing", "found", "left"),
    [
        ("nested", [(100, 130)], {"open": ["e1"]}),
        ("latest", [(100, 130)], {"superseded": ["e1"]}),
        ("fifo", [(0, 130)], {"open": ["e2"]}),
        ("first", [(0, 130)], {"ignored": ["e2"]}),
    ],
)
def test_a4_a_lost_stop(pairing: str, found: Any, left: Any) -> None:
    """A4: S1@0 S2@100 E@130: nested, latest → [100,130]; fifo, first: a false [0,130]."""
    out = run("S1@0 S2@100 E@130", pairing=pairing)
    assert (spans(out), dangling(out)) == (found, left)


def test_a5_an_orphan_makes_nothing() -> None:
    """A5: E@5 S@10 E@20 → [10,20]; e1 unmatched. Never a zero-length interval."""
    out = run("E@5 S@10 E@20")
    assert (spans(out), dangling(out)) == ([(10, 20)], {"unmatched": ["e1"]})
    assert ids(out)[0] == "e1"


@pytest.mark.parametrize(
    ("mode", "found", "left", "rest"),
    [
        ("report", [], {"open": ["e1"]}, ["e1", "e2"]),
        ("censor", [(0, 50, True, None)], {}, ["e2"]),
        ("keep", [(0, None, True, None)], {}, ["e2"]),
    ],
)
def test_a6_open_starts(mode: str, found: Any, left: Any, rest: Any) -> None:
    """A6: report → none, S open; censor → [0,50] censored; keep → end null, censored."""
    out = run("S@0 x@50", open=mode)
    assert (spans(out, "censored", "end_id"), dangling(out)) == (found, left)
    assert [i for i in ids(out) if i.startswith("e")] == rest
    assert out.steps[0].used == len(found)


def test_a6_a_case_ends_at_its_greatest_last() -> None:
    """A6: the case's end is the greatest end of its events, not the time of the last one."""
    assert made("S@0 x@10-70 y@50", open="censor") == [(0, 70)]
    assert spans(run("S@0 E@9", open="censor"), "censored") == [(0, 9, False)]


@pytest.mark.parametrize(
    ("text", "params", "found", "left"),
    [
        ("S@0 E@30", {"max_span": "30ms"}, [(0, 30)], {}),
        ("S@0 E@31", {"max_span": "30ms"}, [], {"expired": ["e1"], "unmatched": ["e2"]}),
        ("S@0 R@5 E@9", UNTIL, [], {"reset": ["e1"], "unmatched": ["e3"]}),
        ("S@0 E@5 R@9", UNTIL, [(0, 5)], {}),
    ],
)
def test_a7_limits(text: str, params: Any, found: Any, left: Any) -> None:
    """A7: max_span is inclusive; until resets what is open, not what is closed."""
    out = run(text, **params)
    assert (spans(out), dangling(out)) == (found, left)


def test_a8_equal_times() -> None:
    """A8: S@7 E@7 → [7,7]; E@7 S@7 → both dangling; start_first → [7,7]."""
    assert made("S@7 E@7") == [(7, 7)]
    assert dangling(run("E@7 S@7")) == {"open": ["e2"], "unmatched": ["e1"]}
    out = run("E@7 S@7", ties="start_first")
    assert spans(out, "start_id", "end_id") == [(7, 7, "e2", "e1")]


def test_a8_only_pure_starts_come_first() -> None:
    """A8: what also stops or resets keeps its place at equal time."""
    both = {"start": "activity LIKE '%S%'", "stop": "activity LIKE '%E%'", "ties": "start_first"}
    out = run("E@7 SE@7", **both)
    assert dangling(out) == {"open": ["e2"], "unmatched": ["e1"]}
    out = run("E@7 SR@7", **both, until="activity LIKE '%R%'")
    assert dangling(out) == {"open": ["e2"], "unmatched": ["e1"]}


def test_a9_alternate() -> None:
    """A9: T@0 T@4 T@9 → [0,4], T@9 open."""
    out = run("T@0 T@4 T@9", **TOGGLE)
    assert (spans(out), dangling(out)) == ([(0, 4)], {"open": ["e3"]})
    assert ids(out)[1] == "e3"


def test_a9_chain() -> None:
    """A9: chain → [0,4],[4,9], T@9 open; its last is in a pair, so it is used as well."""
    out = run("T@0 T@4 T@9", **TOGGLE, toggle="chain")
    assert spans(out, "depth") == [(0, 4, 0), (4, 9, 0)]
    assert dangling(out) == {"open": ["e3"]}
    report = out.steps[0]
    assert (report.entered, report.out, report.made, report.used) == (3, 2, 2, 3)


def test_a9_a_stop_only_for_its_own_key() -> None:
    """A9: a stop if its key has an open start, else a start."""
    text = "T@0(a) T@4(b) T@9(a)"
    out = run(text, **TOGGLE, key="k")
    assert (spans(out), dangling(out)) == ([(0, 9)], {"open": ["e2"]})


ROWS = [("S", 0, "t1", None), ("S", 1, None, "t1"), ("E", 2, "t1", None), ("E", 3, None, "t1")]


def two_keys(**params: Any) -> dl.EventLog:
    rows = [{"id": f"e{n}", "case": "c", "activity": a, "time": t, "target": x, "dialog_id": y}
            for n, (a, t, x, y) in enumerate(ROWS, 1)]  # fmt: skip
    log = dl.EventLog.from_frame(rows, case="case", activity="activity", time="time", unit="ms")
    keys = {"start_key": "target", "stop_key": "dialog_id"}
    return log.apply(Intervals(**ENDS, **keys, **params))


def test_a10_keys_of_two_columns() -> None:
    """A10: a start's target equals a stop's dialog_id; without a key an event never matches."""
    out = two_keys()
    assert spans(out, "key") == [(0, 3, "t1")]
    assert dangling(out) == {"missing_key": ["e2", "e3"]}
    assert ids(out)[1:] == ["e2", "e3"]


def test_a10_null_keys() -> None:
    """A10 and K: drop → they also leave the log; group → nulls are equal."""
    out = two_keys(null_key="drop")
    assert dangling(out) == dropped(out) == {"missing_key": ["e2", "e3"]}
    assert len(out) == 1
    out = two_keys(null_key="group")
    assert spans(out, "key") == [(0, 3, "t1"), (1, 2, None)]
    assert dangling(out) == {}


@pytest.mark.parametrize(
    "params",
    [
        {"start_key": "k"},
        {"stop_key": "k"},
        {"key": "k", "start_key": "k", "stop_key": "k"},
        {"start_key": ["k", "case"], "stop_key": "k"},
        {"start_key": [], "stop_key": []},
        {"until_key": "k", "key": "k"},
        {"until": "activity = 'R'", "until_key": ["k", "case"], "key": "k"},
        {"pairing": "lifo"},
        {"max_span": 30},
        {"max_span": "-1s"},
        {"gap": "1s"},
    ],
)
def test_a10_parameters_that_contradict(params: Any) -> None:
    """A10 and N: start_key and stop_key both or neither, of one length; unknown ones fail."""
    with pytest.raises(SpecError):
        Intervals(**{**ENDS, **params})


def test_a10_keys_of_different_types() -> None:
    """A text never equals a number: such a key is an error, not an empty answer."""
    with pytest.raises(dl.TransformError, match="no value of one equals one of the other"):
        run("S@0(a) E@1(a)", start_key="k", stop_key="time")


def test_a11_parent_and_depth() -> None:
    """A11: the innermost interval of this case and key that holds it; depth: how many do."""
    out = run("S@0 S@1 S@2 E@3 E@4 S@5 E@6 E@7")
    assert spans(out, "depth") == [(0, 7, 0), (1, 4, 1), (2, 3, 2), (5, 6, 1)]
    first, second = ids(out)[:2]
    assert [row["parent"] for row in out] == [None, first, second, first]


def test_a11_of_one_key() -> None:
    """A11 and B4: an interval of another key holds nothing."""
    out = run("S@0(a) S@1(b) E@2(b) E@3(a)", key="k")
    assert spans(out, "depth", "parent") == [(0, 3, 0, None), (1, 2, 0, None)]


def test_a11_by_position() -> None:
    """A11: at equal times the position decides who holds whom."""
    assert spans(run("S@5 S@5 E@5 E@5"), "depth") == [(5, 5, 0), (5, 5, 1)]
    assert spans(run("S@5 E@5 S@5 E@5"), "depth") == [(5, 5, 0), (5, 5, 0)]


@pytest.mark.parametrize("mode", ["censor", "keep"])
def test_a11_open_ones_end_after_all(mode: str) -> None:
    """A11: open intervals hold what comes after them, the earlier start outside."""
    out = run("S@0 S@1 S@2 E@3", open=mode)
    first, second, _ = ids(out)
    assert [row["depth"] for row in out] == [0, 1, 2]
    assert [row["parent"] for row in out] == [None, first, second]
    out = run("S@0 S@1 S@2 E@3", open=mode, pairing="fifo")
    assert [row["depth"] for row in out] == [0, 0, 1]
    assert [row["parent"] for row in out] == [None, None, ids(out)[1]]


def test_a11_what_is_no_interval_holds_nothing() -> None:
    """A11: a start without a stop counts for no depth unless it becomes an interval."""
    assert spans(run("S@0 S@1 E@2"), "depth") == [(1, 2, 0)]


@pytest.mark.parametrize(
    ("pairing", "found", "left"),
    [
        ("nested", [(10, 35)], {"expired": ["e1"]}),
        ("fifo", [(10, 35)], {"expired": ["e1"]}),
        ("latest", [(10, 35)], {"superseded": ["e1"]}),
        ("first", [], {"expired": ["e1"], "ignored": ["e2"], "unmatched": ["e3"]}),
    ],
)
def test_a12_expiry(pairing: str, found: Any, left: Any) -> None:
    """A12: max_span 30, S1@0 S2@10 E@35: an expired start gives way, if another is held."""
    out = run("S1@0 S2@10 E@35", pairing=pairing, max_span="30ms")
    assert (spans(out), dangling(out)) == (found, left)


def test_a12_when_the_case_ends() -> None:
    """A12: S@0 x@30 → open, x@31 → expired; an end counts for the case's end."""
    assert dangling(run("S@0 x@30", max_span="30ms")) == {"open": ["e1"]}
    assert dangling(run("S@0 x@31", max_span="30ms")) == {"expired": ["e1"]}
    assert dangling(run("S@0 x@9-31", max_span="30ms")) == {"expired": ["e1"]}
    assert made("S@0 x@31", max_span="30ms", open="censor") == []


def test_a13_until() -> None:
    """A13: S@0(a) S@1(b) R@5(a): until → both reset; until_key → only a."""
    text = "S@0(a) S@1(b) R@5(a) E@6(b)"
    out = run(text, **UNTIL, key="k")
    assert dangling(out) == {"reset": ["e1", "e2"], "unmatched": ["e4"]}
    out = run(text, **UNTIL, key="k", until_key="k")
    assert (spans(out), dangling(out)) == ([(1, 6)], {"reset": ["e1"]})


def test_a13_until_is_a_start_too() -> None:
    """A13: R also a start: resets, then opens; also a stop: closes one, resets the rest."""
    roles = {"start": "activity LIKE '%S%'", "stop": "activity LIKE '%E%'",
             "until": "activity LIKE '%R%'"}  # fmt: skip
    out = run("S@0 RS@5 E@9", **roles)
    assert (spans(out), dangling(out)) == ([(5, 9)], {"reset": ["e1"]})
    out = run("S@0 S@1 RE@5 E@9", **roles)
    assert (spans(out), dangling(out)) == ([(1, 5)], {"reset": ["e1"], "unmatched": ["e4"]})


def test_a13_an_expired_start_is_not_reset() -> None:
    """A start that has expired when the reset comes is told as expired."""
    out = run("S@0 S@20 R@35", **UNTIL, max_span="30ms")
    assert dangling(out) == {"expired": ["e1"], "reset": ["e2"]}


def test_a14_what_stays() -> None:
    """A14: others: all but pairs; intervals: nothing else (dropped, other); all: everything."""
    text = "x@0 S@1 x@2 E@3 S@4"
    out = run(text)
    assert [i for i in ids(out) if i in "e1 e2 e3 e4 e5"] == ["e1", "e3", "e5"]
    assert dropped(out) == {}
    out = run(text, keep="intervals")
    assert spans(out) == [(1, 3)]
    assert len(out) == 1
    assert (dropped(out), dangling(out)) == ({"other": ["e1", "e3", "e5"]}, {"open": ["e5"]})
    out = run(text, keep="all")
    assert [i if i in "e1 e2 e3 e4 e5" else "made" for i in ids(out)] == [
        "e1", "e2", "made", "e3", "e4", "e5",
    ]  # fmt: skip
    assert (out.steps[0].used, out.steps[0].made) == (0, 1)


def test_a14_name_and_end() -> None:
    """A14: activity = name, else the start's; end = the stop's time, whatever its end."""
    assert spans(run("S1@0-2 E1@5-8"), "activity") == [(0, 5, "S1")]
    assert spans(run("S1@0 E1@5", name="visit"), "activity") == [(0, 5, "visit")]


def test_a14_columns() -> None:
    """The step's columns come after the attributes, null on events that it did not make."""
    out = run("x@0(b) S@1(a) E@2(a)", key="k")
    names = [n for n in out.columns if n not in ("id", "case", "activity", "time", "end")]
    assert names == [
        "k", "key", "duration", "depth", "censored", "start_id", "end_id", "parent", "source_ids",
    ]  # fmt: skip
    event = out.to_dicts()[0]
    assert event["source_ids"] == ["e1"]
    assert {event[name] for name in names[1:-1]} == {None}


def test_a14_keys_as_text() -> None:
    """A key of one column is its text, of several a JSON list; the column's own name is kept."""
    rows = [{"id": f"e{n}", "c": "c", "a": a, "t": n, "i": 7, "s": "ä", "b": True, "key": 1}
            for n, a in enumerate("SE")]  # fmt: skip
    log = dl.EventLog.from_frame(rows, case="c", activity="a", time="t", unit="s")
    plain = log.without("key")
    assert [row["key"] for row in plain.apply(Intervals(**ENDS, key="i"))] == ["7"]
    many = Intervals(**ENDS, key=["s", "i", "b"])
    assert [row["key"] for row in plain.apply(many)] == ['["ä",7,true]']
    assert [row["key"] for row in log.apply(Intervals(**ENDS, key="key"))] == [1]
    assert [row["key"] for row in log.apply(Intervals(**ENDS))] == [1]
    with pytest.raises(dl.TransformError, match="'key' is integer"):
        log.apply(many)


def test_a14_intervals_of_intervals() -> None:
    """A step on a made log: columns are written anew, source_ids are the source's events."""
    first = run("S@0 E@1 S@2 E@3", name="visit")
    out = first.apply(
        Intervals(start="activity = 'visit'", stop="activity = 'visit'", key="activity")
    )
    (row,) = out.to_dicts()
    assert spans(out) == [(0, 2)]
    assert (row["start_id"], row["end_id"]) == tuple(ids(first))
    assert row["source_ids"] == ["e1", "e2", "e3", "e4"]


def test_unknown_column_is_named() -> None:
    """N: an unknown column is an error that names the nearest."""
    with pytest.raises(dl.TransformError, match="did you mean 'activity'"):
        run("S@0 E@1", key="activty")
    with pytest.raises(dl.ConditionError, match="did you mean 'activity'"):
        run("S@0 E@1", until="activty = 'R'")
