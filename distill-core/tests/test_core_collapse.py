"""collapse beside a slow oracle, and the laws of transforms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from distill_core.batch import Codes, Masked
from distill_core.builtin.collapse import Collapse
from distill_core.columns import Column
from distill_core.conditions import evaluate, parse
from distill_core.conditions.bind import bind
from distill_core.errors import TransformError
from distill_core.log import EventLog, concat
from distill_core.params import MICROSECOND
from distill_core.prepare import prepare
from distill_core.testing.logs import COLUMNS, build, documents
from distill_core.testing.transforms import TransformTests

COUNTED = (*COLUMNS, Column("count", paths=("count",), type="integer"))
OWN = ("id", "case", "time", "end", "order", "count", "source_ids", "duration")


class TestCollapseByGap(TransformTests):
    def component(self):
        return Collapse(
            same=["activity"], where="number >= 0 OR flag", max_gap="3ms", anchor="first",
            keep="coalesce", into="interval",
        )  # fmt: skip


class TestCollapseLast(TransformTests):
    def component(self):
        return Collapse(same=["details", "score"], max_gap="0s", keep="last")


def plain(log):
    """Events as dicts, times and ends in µs."""
    ends = log.data["end"].to_list() if "end" in log.data else [None] * len(log)
    times = zip(log.time.tolist(), ends, strict=True)
    return [e | {"time": t, "end": end} for e, (t, end) in zip(log, times, strict=True)]


def last(event):
    return event["time"] if event["end"] is None else event["end"]


def runs(events, chosen, step):
    """Lists of (event, chosen): the text of the semantics, word by word."""
    found = []
    for event, member in zip(events, chosen, strict=True):
        if found and member and found[-1][0] and joins(found[-1][1], event, step):
            found[-1][1].append(event)
        else:
            found.append((member, [event]))
    return found


def joins(run, event, step):
    if run[-1]["case"] != event["case"]:
        return False
    if any(run[-1][name] != event[name] for name in step.same):
        return False
    if step.max_gap is None:
        return True
    start = run[0]["time"] if step.anchor == "first" else max(map(last, run))
    return event["time"] - start <= step.max_gap // MICROSECOND


def longest(run):
    """(those that count, those superseded)."""
    counts = []
    for event in run:
        rivals = [e for e in run if e["end"] is not None and e["time"] == event["time"]]
        best = max((e["end"] for e in rivals), default=None)
        wins = next((e for e in rivals if e["end"] == best), None)
        counts.append(event["end"] is None or event is wins)
    return [e for e, c in zip(run, counts, strict=True) if c], [
        e for e, c in zip(run, counts, strict=True) if not c
    ]


def merged(run, member, step):
    event = dict(run[0])
    if step.keep != "first":
        for name in event:
            if name not in OWN:
                values = [e[name] for e in run]
                known = [v for v in values if v is not None] or [None]
                event[name] = values[-1] if step.keep == "last" else known[0]
    event["count"] = sum(1 if e.get("count") is None else e["count"] for e in run)
    event["source_ids"] = list(
        dict.fromkeys(i for e in run for i in e.get("source_ids") or [e["id"]])
    )
    had = any(e["end"] is not None for e in run)
    if had or (member and step.into == "interval"):
        event["end"] = max(map(last, run))
    event["duration"] = None if event["end"] is None else event["end"] - event["time"]
    return event


def expected(log, step):
    chosen = [True] * len(log)
    if step.where is not None:
        chosen = evaluate(bind(step.where, log.columns), log)[0].tolist()
    out, gone, used = [], [], 0
    for member, run in runs(plain(log), chosen, step):
        stay, lost = longest(run) if member else (run, [])
        gone += [e["id"] for e in lost]
        used += len(stay) - 1
        out.append(merged(stay, member, step))
    return out, gone, used


STEPS = st.builds(
    Collapse,
    same=st.lists(
        st.sampled_from(["activity", "target", "details", "score", "time", "case", "flag"]),
        min_size=1, max_size=3,
    ),
    where=st.sampled_from([None, None, "target = 'x'", "number > 0", "NOT flag"]),
    max_gap=st.sampled_from([None, "0s", "1ms", "5ms", "20ms"]),
    anchor=st.sampled_from(["chain", "first"]),
    keep=st.sampled_from(["first", "last", "coalesce"]),
    into=st.sampled_from(["event", "interval"]),
)  # fmt: skip
ROWS = documents(max_size=20).flatmap(
    lambda rows: st.lists(
        st.sampled_from([None, 0, 1, 2, 9]), min_size=len(rows), max_size=len(rows)
    ).map(lambda counts: [r | {"count": c} for r, c in zip(rows, counts, strict=True)])
)
FEW = ROWS.map(lambda rows: [r | {"case": "a", "activity": "x", "target": "x"} for r in rows])
CHECKED = settings(max_examples=150, deadline=None)


@CHECKED
@given(rows=ROWS | FEW, step=STEPS, counted=st.booleans())
def test_like_the_oracle(rows, step, counted):
    """Runs, ends, counts, sources, columns and the report are as a loop over events has them."""
    log = build(rows, COUNTED if counted else COLUMNS)
    out = log.apply(step)
    events, gone, used = expected(log, step)
    assert plain(out) == events
    report = out.steps[0].to_dict()
    told = {"superseded": {"count": len(gone), "ids": gone}} if gone else {}
    assert (report["dropped"], report["used"], report["made"]) == (told, used, 0)


@CHECKED
@given(rows=ROWS | FEW, step=STEPS)
def test_twice_is_once(rows, step):
    """collapse twice = once (D5)."""
    once = build(rows, COUNTED).apply(step)
    assert once.apply(step).to_dicts() == once.to_dicts()


@CHECKED
@given(rows=ROWS | FEW, steps=st.lists(STEPS, min_size=2, max_size=3))
def test_no_event_is_lost(rows, steps):
    """Step after step, sources and what was superseded are together all events, each once."""
    log = build(rows)
    out, gone = log, 0
    for step in steps:
        lost = out.apply(step).steps[-1].dropped
        gone += bool(lost)
        out = out.apply(step)
    sources = [i for e in out for i in e["source_ids"]]
    assert len(sources) == len(set(sources))
    assert set(sources) <= {e["id"] for e in log}
    if not gone:
        assert sorted(sources) == sorted(e["id"] for e in log)


@pytest.mark.parametrize("anchor", ["chain", "first"])
@pytest.mark.parametrize("apart", [0, 1])
def test_one_giant_case(anchor, apart):
    """A case of 300,000 equal events is one pass: by twos, and all in one."""
    n = 300_000
    log = giant(n, apart)
    gap = {0: "0s", 1: "1us"}[apart]
    out = log.apply(Collapse(same=["activity"], max_gap=gap, anchor=anchor))
    halved = apart == 1 and anchor == "first"
    assert len(out) == (n // 2 if halved else 1)
    assert int(out.data["count"].values.sum()) == n


def giant(n, apart, end=None):
    one = Codes(np.zeros(n, dtype=np.int32), ["x"], ordered=True)
    data = {"case": one, "activity": one, "time": Masked.full(np.arange(n, dtype=np.int64) * apart)}
    columns = {n: Column(n) for n in ("id", "case", "activity")} | {
        "time": Column("time", type="time")
    }
    if end is not None:
        data["end"] = Masked.full(np.full(n, end, dtype=np.int64))
        columns["end"] = Column("end", type="time")
    columns["id"] = Column("id", type="ids")
    return EventLog.of(prepare(columns, data))


def test_one_giant_tie():
    """300,000 intervals of one time and one end are one interval, the others superseded."""
    out = giant(300_000, 0, end=7).apply(Collapse(same=["activity"], max_gap="0s"))
    assert (len(out), out.steps[0].dropped["superseded"].count) == (1, 299_999)


def test_ends_far_beyond_every_clock():
    """Ends in the year 9999 neither overflow nor leak from case to case."""
    late = 253_402_300_000_000
    rows = [{"case": str(c), "activity": "x", "time": t, "end": e} for c in range(40)
            for t, e in ((0, late), (5, 6), (late + 1, None))]  # fmt: skip
    out = build(rows).apply(Collapse(same=["activity"], max_gap="1s"))
    assert [e["count"] for e in out] == [3] * 40


@pytest.mark.parametrize("kind", ["string", "boolean"])
def test_a_count_that_counts_nothing(kind):
    """A column `count` of another type is an error that says what to do."""
    columns = (*COLUMNS, Column("count", paths=("count",), type=kind))
    log = build([{"case": "c", "activity": "a", "time": 0, "count": "true"}], columns)
    with pytest.raises(TransformError, match="another name") as caught:
        log.apply(Collapse(same=["activity"]))
    assert caught.value.code == "column-type"


def test_counts_that_came_as_floats():
    """Whole numbers read as floats (pandas, with nulls) count; others are an error."""
    columns = (*COLUMNS, Column("count", paths=("count",), type="number"))
    rows = [
        {"case": "c", "activity": "a", "time": t, "count": n} for t, n in enumerate([2.0, None])
    ]
    (event,) = build(rows, columns).apply(Collapse(same=["activity"]))
    assert event["count"] == 3
    assert isinstance(event["count"], int)
    rows[0]["count"] = 0.5
    with pytest.raises(TransformError, match="whole"):
        build(rows, columns).apply(Collapse(same=["activity"]))


def test_same_by_lists_and_ids():
    """Lists are equal by what is in them; ids are never equal to others."""
    rows = [{"case": "c", "activity": "a", "time": t, "target": "x"} for t in range(4)]
    log = build(rows).apply(Collapse(same=["activity"], max_gap="0s"))
    assert len(log.apply(Collapse(same=["source_ids"]))) == 4
    assert len(log.apply(Collapse(same=["id"]))) == 4
    assert len(log.apply(Collapse(same=["duration"]))) == 1


def test_parts_with_columns_of_steps():
    """Logs collapsed apart and joined are the log collapsed whole, sources included."""
    rows = [{"case": c, "activity": "a", "time": t} for c in "ab" for t in range(3)]
    log = build(rows).apply(Collapse(same=["time"]))
    step = Collapse(same=["activity"])
    parts = [log.take(slice(a, b)).apply(step) for a, b in ((0, 3), (3, 6))]
    assert concat(parts).to_dicts() == log.apply(step).to_dicts()


@example(text="number > 1 AND (target = 'x' OR score < 0)")
@given(text=st.sampled_from(["target IS NULL", "duration >= '1ms'"]))
def test_where_is_part_of_the_written_form(text):
    """The condition survives being written down."""
    step = Collapse(same=["activity"], where=text)
    assert Collapse.model_validate(step.params()).where == parse(text)
