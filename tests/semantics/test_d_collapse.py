"""collapse and dedupe (codes D1 to D6)."""

from __future__ import annotations

import json
import random

import pytest
from recordings import recording

from distill_core.builtin.collapse import Collapse
from distill_core.builtin.dedupe import Dedupe
from distill_core.columns import Column
from distill_core.errors import DuplicateIdError, SpecError
from distill_core.log import EventLog
from distill_core.testing.logs import COLUMNS, build

SAME = ["activity", "target", "path", "case", "time"]
WITH_ID = (Column("id", paths=("id",)), *COLUMNS)


def log_of(text, **more):
    """``scroll@0 click@5-9``: activity@time[-end] in ms, of one case."""
    rows = []
    for word in text.split():
        activity, _, times = word.partition("@")
        time, _, end = times.partition("-")
        row = {"case": "c", "activity": activity, "time": int(time), **more}
        rows.append(row | ({"end": int(end)} if end else {}))
    return build(rows)


def shown(log):
    """``scroll@0-900×3``: activity@time[-end]×count of each event, in ms."""
    ends = [None] * len(log) if "end" not in log.data else log.data["end"].to_list()
    return " ".join(
        f"{e['activity']}@{time // 1000}" + ("" if end is None else f"-{end // 1000}")
        + f"×{e['count']}"
        for e, time, end in zip(log, log.time.tolist(), ends, strict=True)
    )  # fmt: skip


def test_d1_twins_become_one_event():
    """focus twins of one time, details {window:true} and null → one event, count 2, 2 sources."""
    twin = {"case": "c", "activity": "focus", "time": 9, "target": "w"}
    log = build([{**twin, "details": {"window": True}}, {**twin, "details": None}])
    out = log.apply(Collapse(same=["activity", "target", "case", "time"]))
    ids = [e["id"] for e in log]
    (event,) = out
    assert event["id"] == ids[0]
    assert (event["count"], event["source_ids"]) == (2, ids)
    assert event["details"] == {"window": True}
    report = out.steps[0].to_dict()
    assert (report["in"], report["out"], report["used"], report["made"]) == (2, 1, 1, 0)
    assert report["dropped"] == {}


def recorded(records, order):
    return EventLog.from_frame(
        records, case="sessionID", activity="type", time="clientTime", order=order, unit="ms"
    )


@pytest.fixture(scope="module")
def records():
    return json.loads(recording("flagon-task-example.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("order", "expected"), [("microTime", 1217), (None, 1218)])
def test_d1_a_real_recording(records, order, expected):
    """1336 events → 1217, counts sum to 1336; 1218 without the order inside a millisecond."""
    log = recorded(records, order)
    out = log.apply(Collapse(same=SAME))
    assert (len(log), len(out)) == (1336, expected)
    assert sum(e["count"] for e in out) == 1336
    sources = [i for e in out for i in e["source_ids"]]
    assert sources == [e["id"] for e in log]


@pytest.mark.parametrize("order", ["microTime", None])
def test_d6_dedupe_by_columns_needs_no_order(records, order):
    """D1's columns, first of each group anywhere in the log → 1217, in any order."""
    shuffled = random.Random(5).sample(records, len(records))
    for rows in (records, shuffled, records[::-1]):
        assert len(recorded(rows, order).apply(Dedupe(by=SAME))) == 1217


SCROLLS = "scroll@0 scroll@400 scroll@900 click@950 scroll@1000"


@pytest.mark.parametrize(("anchor", "into", "expected"), [
    ("chain", "interval", "scroll@0-900×3 click@950-950×1 scroll@1000-1000×1"),
    ("first", "interval", "scroll@0-400×2 scroll@900-900×1 click@950-950×1 scroll@1000-1000×1"),
    ("chain", "event", "scroll@0×3 click@950×1 scroll@1000×1"),
    ("first", "event", "scroll@0×2 scroll@900×1 click@950×1 scroll@1000×1"),
])  # fmt: skip
def test_d2_anchors(anchor, into, expected):
    """max_gap 500: chain counts from the end so far, first from the run's first event."""
    step = Collapse(same=["activity"], max_gap="500ms", anchor=anchor, into=into)
    assert shown(log_of(SCROLLS).apply(step)) == expected


@pytest.mark.parametrize("anchor", ["chain", "first"])
def test_d2_a_gap_is_inclusive(anchor):
    """Exactly max_gap is the same run, one ms more is not."""
    step = Collapse(same=["activity"], max_gap="500ms", anchor=anchor)
    assert shown(log_of("a@0 a@500").apply(step)) == "a@0×2"
    assert shown(log_of("a@0 a@501").apply(step)) == "a@0×1 a@501×1"


def test_d2_gap_from_the_greatest_end_so_far():
    """With anchor chain a long event carries on past shorter ones; with first it does not."""
    log = log_of("a@0-1000 a@100-150 a@1400")
    chain = Collapse(same=["activity"], max_gap="500ms")
    assert shown(log.apply(chain)) == "a@0-1400×3"
    first = Collapse(same=["activity"], max_gap="500ms", anchor="first")
    assert shown(log.apply(first)) == "a@0-1000×2 a@1400×1"


def test_d2_a_run_begins_its_own_end():
    """The end so far is the run's, not that of an event before it."""
    log = log_of("b@0-5000 a@100 a@800")
    out = log.apply(Collapse(same=["activity"], max_gap="500ms"))
    assert shown(out) == "b@0-5000×1 a@100×1 a@800×1"


def test_runs_are_neighbours_of_one_case():
    """An event between them, or the border of a case, ends a run; null equals null."""
    rows = [{"case": c, "activity": a, "time": t, "target": v}
            for c, a, t, v in [
                ("a", "x", 0, None), ("a", "x", 1, None), ("a", "y", 2, None),
                ("a", "x", 3, None), ("b", "x", 4, None), ("b", "x", 5, "v"),
            ]]  # fmt: skip
    out = build(rows).apply(Collapse(same=["activity", "target"]))
    assert [(e["case"], e["activity"], e["count"]) for e in out] == [
        ("a", "x", 2), ("a", "y", 1), ("a", "x", 1), ("b", "x", 1), ("b", "x", 1)
    ]  # fmt: skip


def test_where_leaves_others_as_they_are():
    """Only events for which where is true form runs; unknown is not true; others end a run."""
    rows = [{"case": "c", "activity": "x", "time": t, "target": v}
            for t, v in enumerate(["a", "a", "b", "a", None, None, "a"])]  # fmt: skip
    out = build(rows).apply(Collapse(same=["activity"], where="target = 'a'", into="interval"))
    assert shown(out) == "x@0-1×2 x@2×1 x@3-3×1 x@4×1 x@5×1 x@6-6×1"


def test_d3_event_has_an_end_only_if_a_member_had_one():
    """Into event: time = first, the greatest end if a member had one; into interval: always."""
    log = log_of("a@0 a@5 b@6-9 b@7 c@20-30 c@21-25")
    assert shown(log.apply(Collapse(same=["activity"]))) == "a@0×2 b@6-9×2 c@20-30×2"
    out = log.apply(Collapse(same=["activity"], into="interval"))
    assert shown(out) == "a@0-5×2 b@6-9×2 c@20-30×2"


def test_d3_an_interval_of_a_run_of_one():
    """Into interval a run of one has an end too, and so a duration of 0."""
    out = log_of("a@3").apply(Collapse(same=["activity"], into="interval"))
    assert [e["duration"] for e in out] == [0]


def test_d3_growing_intervals_count_once():
    """Of members with one time and an end only the longest counts; the rest: superseded."""
    log = log_of("a@0-5 a@0-9 a@0-7 a@0 a@3-4 a@3-8")
    ids = [e["id"] for e in log]
    out = log.apply(Collapse(same=["activity"]))
    (event,) = out
    assert shown(out) == "a@0-9×3"
    assert event["id"] == ids[1]
    assert event["source_ids"] == [ids[1], ids[3], ids[5]]
    report = out.steps[0].to_dict()
    assert report["dropped"] == {"superseded": {"count": 3, "ids": [ids[0], ids[2], ids[4]]}}
    assert (report["in"], report["used"], report["out"]) == (6, 2, 1)


def test_d3_equally_long_ones_count_once():
    """Of equally long members of one time the first counts."""
    log = log_of("a@0-5 a@0-5")
    out = log.apply(Collapse(same=["activity"]))
    assert [(e["id"], e["count"]) for e in out] == [(log.to_dicts()[0]["id"], 1)]
    assert out.steps[0].dropped["superseded"].count == 1


@pytest.mark.parametrize(("keep", "target", "number"), [
    ("first", None, 1), ("last", "y", None), ("coalesce", "x", 1),
])  # fmt: skip
def test_keep_picks_the_other_columns(keep, target, number):
    """Id, time and order are the first's; other columns the first's, last's or first not null."""
    rows = [{"case": "c", "activity": "a", "time": t, "order": t, "target": v, "number": n}
            for t, v, n in [(0, None, 1), (1, "x", 2), (2, "y", None)]]  # fmt: skip
    log = build(rows)
    (event,) = log.apply(Collapse(same=["activity"], keep=keep))
    first = log.to_dicts()[0]
    assert {n: event[n] for n in ("id", "time", "order")} == {
        n: first[n] for n in ("id", "time", "order")
    }
    assert (event["target"], event["number"], event["count"]) == (target, number, 3)


def counted(*counts):
    columns = (*COLUMNS, Column("count", paths=("count",), type="integer"))
    rows = [{"case": "c", "activity": "a", "time": t, "count": n} for t, n in enumerate(counts)]
    return build(rows, columns)


def test_d5_counts_add_up():
    """count adds up (null is 1)."""
    assert [e["count"] for e in counted(3, None, 0).apply(Collapse(same=["activity"]))] == [4]
    out = counted(3, None, 5).apply(Collapse(same=["activity"], where="time < '1970-01-01'"))
    assert [e["count"] for e in out] == [3, 1, 5]


def test_d5_twice_is_once():
    """collapse twice = once, source_ids too."""
    step = Collapse(same=["activity"], max_gap="500ms")
    once = log_of(SCROLLS).apply(step)
    twice = once.apply(step)
    assert twice.to_dicts() == once.to_dicts()
    assert twice.steps[1].used == 0


def test_d5_a_coarser_collapse_gathers_sources():
    """Collapsing what is collapsed: counts and the source's events add up."""
    log = log_of("a@0 a@1 b@2 b@3")
    out = log.apply(Collapse(same=["activity"])).apply(Collapse(same=["case"]))
    (event,) = out
    assert (event["count"], event["source_ids"]) == (4, [e["id"] for e in log])


def test_n_columns_are_there():
    """count and source_ids (into interval: end) are there even if nothing is made."""
    out = build([]).apply(Collapse(same=["activity"], into="interval"))
    assert len(out) == 0
    assert {"count", "source_ids", "end"} <= set(out.columns)


def with_ids(*pairs):
    return build([{"id": i, "case": "c", "activity": a, "time": t}
                  for t, (i, a) in enumerate(pairs)], WITH_ID)  # fmt: skip


def payload(i, activity, time=0, case="c"):
    return {"id": i, "case": case, "activity": activity, "time": time}


def kept(log):
    return [(e["id"], e["activity"]) for e in log]


def test_d4_same_id_same_payload():
    """same id, same payload → one event, dropped duplicate."""
    log = build([payload("e1", "p"), payload("e2", "p"), payload("e1", "p")], WITH_ID)
    out = log.apply(Dedupe())
    assert kept(out) == [("e1", "p"), ("e2", "p")]
    assert out.steps[0].to_dict()["dropped"] == {"duplicate": {"count": 1, "ids": ["e1"]}}


def test_d4_same_id_other_payload_is_an_error():
    """same id, other payload → DuplicateIdError unless on_conflict says what to do."""
    log = build([payload("e1", "p"), payload("e1", "q")], WITH_ID)
    with pytest.raises(DuplicateIdError, match="'e1'") as caught:
        log.apply(Dedupe())
    assert caught.value.code == "duplicate-id"
    assert "on_conflict" in caught.value.hint


@pytest.mark.parametrize(("on_conflict", "expected", "dropped"), [
    ("keep_first", [("e1", "p"), ("e2", "z")], {"conflict": 1, "duplicate": 1}),
    ("keep_last", [("e1", "p"), ("e2", "z")], {"conflict": 1, "duplicate": 1}),
    ("suffix", [("e1", "p"), ("e1~2", "q"), ("e2", "z")], {"duplicate": 1}),
])  # fmt: skip
def test_d4_on_conflict(on_conflict, expected, dropped):
    """keep_first, keep_last (conflict) or suffix (id~2): nothing is silently overwritten."""
    rows = [payload("e1", a, t) for t, a in ((0, "p"), (0, "q"), (0, "p"))]
    log = build([*rows, payload("e2", "z", 9)], WITH_ID)
    out = log.apply(Dedupe(on_conflict=on_conflict))
    assert kept(out) == expected
    assert {reason: told.count for reason, told in out.steps[0].dropped.items()} == dropped


def test_d4_keep_last_keeps_the_last():
    """keep_last keeps the last in the order of the log, wherever its case is."""
    log = build([payload("e1", "p", 5, case="a"), payload("e1", "q", 1, case="b")], WITH_ID)
    assert kept(log.apply(Dedupe(on_conflict="keep_first"))) == [("e1", "p")]
    assert kept(log.apply(Dedupe(on_conflict="keep_last"))) == [("e1", "q")]


def test_d4_a_suffix_is_a_free_id():
    """A suffix never takes an id that another event has."""
    rows = [
        payload("e1", "p"),
        payload("e1", "q", 1),
        payload("e1", "r", 2),
        payload("e1~2", "s", 3),
    ]
    out = build(rows, WITH_ID).apply(Dedupe(on_conflict="suffix"))
    assert kept(out) == [("e1", "p"), ("e1~3", "q"), ("e1~4", "r"), ("e1~2", "s")]


def test_d4_source_ids_are_no_payload():
    """What an event is made of does not make it another event."""
    rows = [payload("e1", "p"), payload("e1", "p")]
    log = build(rows, WITH_ID).apply(Collapse(same=["id"], max_gap="0s", where="activity = 'z'"))
    assert len(log) == 2
    assert kept(log.apply(Dedupe())) == [("e1", "p")]


def test_d6_first_of_each_group_anywhere():
    """dedupe(by=columns): first of each group anywhere in the log; keep_last the last."""
    log = with_ids(("e1", "p"), ("e2", "q"), ("e3", "p"), ("e4", "q"))
    out = log.apply(Dedupe(by=["activity"]))
    assert kept(out) == [("e1", "p"), ("e2", "q")]
    assert out.steps[0].to_dict()["dropped"] == {"duplicate": {"count": 2, "ids": ["e3", "e4"]}}
    out = log.apply(Dedupe(by=["activity"], on_conflict="keep_last"))
    assert kept(out) == [("e3", "p"), ("e4", "q")]


@pytest.mark.parametrize("params", [
    {"by": []}, {"by": ["activity"], "on_conflict": "suffix"}, {"by": "activity"},
    {"on_conflict": "overwrite"},
])  # fmt: skip
def test_dedupe_refuses_what_makes_no_sense(params):
    """No columns, suffixes where ids do not decide and unknown words are errors."""
    with pytest.raises(SpecError):
        Dedupe(**params)
