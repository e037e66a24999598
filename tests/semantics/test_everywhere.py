"""What holds everywhere: order, times, equality, ids, reports, cuts (the first codes)."""

from __future__ import annotations

import json
import os
import pickle
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import reduce
from hashlib import blake2b
from operator import add

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill_core.batch import Codes, Lists, Masked
from distill_core.builtin.collapse import Collapse
from distill_core.builtin.dedupe import Dedupe
from distill_core.builtin.drop import Drop
from distill_core.builtin.elapsed import Elapsed
from distill_core.builtin.fields import Fields
from distill_core.builtin.label import Label
from distill_core.builtin.sample import Sample
from distill_core.builtin.select import Select
from distill_core.builtin.sessionize import Sessionize
from distill_core.builtin.where import Where
from distill_core.columns import Column
from distill_core.component import Source
from distill_core.errors import DistillError, SchemaError, SpecError
from distill_core.log import EventLog, concat
from distill_core.params import parse_duration
from distill_core.pipeline import Pipeline
from distill_core.testing.logs import COLUMNS, build, documents

CHECKED = settings(max_examples=80, deadline=None)
WITH_ID = (Column("id", paths=("id",)), *COLUMNS)
CASEWISE = [
    Where(condition="NOT target = 'x' OR number > 0"),
    Elapsed(),
    Label(column="kind", rules=[{"when": "score > 0", "value": "good"}], default="none"),
    Collapse(same=["activity"], max_gap="2ms", into="interval", keep="coalesce"),
    Sessionize(gap="5ms"),
    Drop(condition="kind = 'good' AND flag"),
    Sample(fraction=0.8),
    Collapse(same=["target"], anchor="first", max_gap="3ms"),
    Select(columns=["count", "target", "source_ids", "kind"]),
]


def run(log, steps):
    return reduce(EventLog.apply, steps, log)


# -- O: order ------------------------------------------------------------------------------------


def test_o_case_time_order_arrival():
    """(case, time, order, arrival) ascending, stable; a null order comes first."""
    rows = [{"case": c, "activity": a, "time": t, "order": o} for a, c, t, o in [
        ("7", "b", 0, None), ("6", "a", 2, 0), ("4", "a", 1, 2), ("2", "a", 1, None),
        ("5", "a", 1, 2), ("3", "a", 1, 1), ("1", "a", 0, 9),
    ]]  # fmt: skip
    assert [e["activity"] for e in build(rows)] == list("1234567")


def test_o_text_goes_by_code_point():
    """Cases sort by code point: not by locale, letter case or UTF-16 unit."""
    cases = ["B", "a", "aa", "z", "é", "\uffff", "🖱"]
    rows = [{"case": c, "activity": "x", "time": 0} for c in reversed(cases)]
    assert build(rows).cases.tolist() == cases


@CHECKED
@given(rows=documents(distinct=True), seed=st.integers(0, 99))
def test_o_shuffling_changes_nothing(rows, seed):
    """Shuffling rows that differ in (case, time, order) changes nothing, steps and reports too."""
    shuffled = random.Random(seed).sample(rows, len(rows))
    one, two = (run(build(r), CASEWISE) for r in (rows, shuffled))
    assert one.to_dicts() == two.to_dicts()
    assert one.steps == two.steps


# -- AT, PL: times and places --------------------------------------------------------------------


def test_at_last_is_the_end_else_the_time():
    """An event acts at its time; `last` is its end, else its time."""
    rows = [{"case": "a", "activity": "x", "time": t, "end": e} for t, e in ((5, 9), (6, None))]
    log = build(rows)
    assert log.time.tolist() == [5000, 6000]
    assert log.last.tolist() == [9000, 6000]


def test_at_ends_decide_no_order():
    """Order goes by times; an end moves nothing."""
    rows = [{"case": "a", "activity": a, "time": t, "end": e}
            for a, t, e in (("late", 2, 3), ("long", 1, 99))]  # fmt: skip
    assert [e["activity"] for e in build(rows)] == ["long", "late"]


class Merge(Where, name="merge"):
    """Makes one event of the first two of each case."""

    def apply(self, log):
        at = log.offsets[:-1]
        drop = np.zeros(len(log), dtype=bool)
        drop[at + 1] = True
        sources = Lists(np.arange(len(at) + 1) * 2, np.stack([at, at + 1], axis=1).ravel())
        columns = {"activity": Codes(np.zeros(len(at), np.int32), ["made"])}
        return log.derive(self, at=at, sources=sources, columns=columns, drop=drop)


MERGE = Merge(condition="activity = 'a'")
PAIR = [{"case": "c", "activity": a, "time": 7, "order": o, "target": v}
        for a, o, v in (("a", 1, "p"), ("b", 2, "q"), ("d", 3, "r"))]  # fmt: skip


def test_pl_a_made_event_is_at_its_first_source():
    """A made event has its first source's time, order, position and columns; it follows it."""
    log = build(PAIR)
    out = log.apply(MERGE).to_dicts()
    assert [e["activity"] for e in out] == ["a", "made", "d"]
    names = ("case", "time", "order", "target", "user")
    assert [out[1][n] for n in names] == [log.to_dicts()[0][n] for n in names]


# -- Q: what is equal ----------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "values", "groups"), [
    ("target", [None, None, "x", "x", ""], 3),
    ("details", [{"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 1, "b": "2"}, [1], [1]], 3),
    ("details", [1, "1", None, None, True], 4),
    ("score", [0.0, -0.0, None, 1.0, 1], 3),
    ("flag", [True, True, False, None, None], 3),
])  # fmt: skip
def test_q_same_and_by_compare_like_group_by(name, values, groups):
    """null is null, text never a number, lists and objects by value; in same and in by alike."""
    rows = [{"case": "c", "activity": "a", "time": t, name: v} for t, v in enumerate(values)]
    log = build(rows)
    assert len(log.apply(Collapse(same=[name]))) == groups
    assert len(log.apply(Dedupe(by=[name]))) == groups


def test_q_nan_is_null():
    """NaN in a frame is null, and null is null."""
    rows = [{"c": 1, "a": "x", "t": t, "v": v} for t, v in enumerate([float("nan"), None, 1.0])]
    log = EventLog.from_frame(rows, case="c", activity="a", time="t", unit="s")
    assert [e["v"] for e in log] == [None, None, 1.0]
    assert len(log.apply(Collapse(same=["v"]))) == 2


def test_q_conditions_see_text_and_unknown_is_not_true():
    """A condition compares text, whatever codes stand for it; unknown is not true."""
    rows = [
        {"case": "c", "activity": "x", "time": t, "target": v}
        for t, v in enumerate(["10", "9", "b"])
    ]
    log = build([*rows, {"case": "c", "activity": "x", "time": 9}])
    assert [e["target"] for e in log.apply(Where(condition="target < '9'"))] == ["10"]
    assert len(log.apply(Where(condition="target = 'b' OR NOT target = 'b'"))) == 3


# -- M: what is rejected -------------------------------------------------------------------------


def test_m_no_time_or_activity():
    """No time or activity → rejected, with its place."""
    rows = [{"case": "c", "activity": "x", "time": 0}, {"case": "c", "activity": "x"},
            {"case": "c", "time": 0}, {"case": "c", "activity": "", "time": 0}]  # fmt: skip
    reading = build(rows).reading
    assert {r: c.samples for r, c in reading.rejected.items()} == {
        "no_activity": ("2", "3"), "no_time": ("1",)
    }  # fmt: skip
    assert (reading.read, reading.kept) == (4, 1)


def test_m_cases_of_users():
    """Null case → user:<user>, counted; user null too → rejected; "" is null."""
    rows = [{"case": c, "user": u, "activity": "x", "time": 0}
            for c, u in ((None, "u"), ("", "v"), (None, ""), ("c", None))]  # fmt: skip
    log = build(rows)
    assert log.cases.tolist() == ["c", "user:u", "user:v"]
    assert log.reading.counts == {"case_from_user": 2}
    assert log.reading.rejected["no_case"].samples == ("2",)


def test_m_integers_are_decimal_text():
    """An integer in id, case, activity, user is its decimal text."""
    rows = [{"id": 1, "case": 7, "activity": 2, "user": 2**60, "time": 0}]
    (event,) = build(rows, WITH_ID)
    assert [event[n] for n in ("id", "case", "activity", "user")] == ["1", "7", "2", str(2**60)]


# -- ID: ids -------------------------------------------------------------------------------------

GOLDEN, MASK = 0x9E3779B97F4A7C15, 2**64 - 1


def mix(x):
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & MASK
    x = (x ^ x >> 27) * 0x94D049BB133111EB & MASK
    return x ^ x >> 31


def word(value):
    if value is None:
        return GOLDEN
    if isinstance(value, int):
        return value & MASK
    if len(value) == 16 and set(value) <= set("0123456789abcdef"):
        return int(value, 16)
    return int.from_bytes(blake2b(value.encode(), digest_size=8).digest(), "little")


def hashed(*parts):
    total = sum(mix(word(part) + i * GOLDEN & MASK) for i, part in enumerate(parts, 1))
    return f"{mix(len(parts) * GOLDEN + total & MASK):016x}"


def test_id_the_example_of_the_semantics():
    """U("intervals", "{}", "e1", "e3") = 62fe04fafb5c858b."""
    assert hashed("intervals", "{}", "e1", "e3") == "62fe04fafb5c858b"


@CHECKED
@given(rows=documents(max_size=12))
def test_id_of_events_without_one(rows):
    """U("event", stream, case, time, order, activity, n), n = earlier events equal in these."""
    log, seen = build(rows), {}
    for event, time in zip(log, log.time.tolist(), strict=True):
        parts = ("event", None, event["case"], time, event["order"], event["activity"])
        seen[parts] = seen.get(parts, -1) + 1
        assert event["id"] == hashed(*parts, seen[parts])


def test_id_of_made_events():
    """U(transform, params, ids made from, in order); defaults left out, conditions as trees."""
    log = build(PAIR)
    made = log.apply(MERGE).to_dicts()[1]
    params = '{"condition":{"column":"activity","op":"eq","value":"a"}}'
    ids = [e["id"] for e in log][:2]
    assert made["id"] == hashed("merge", params, *ids)
    assert made["source_ids"] == ids
    step = Collapse(same=["activity"], max_gap="2s", anchor="chain")
    assert step.params_key() == '{"max_gap":2000000,"same":["activity"]}'


def test_id_the_sources_own_stays():
    """The source's id is the event's; collapse keeps the first's; source_ids name them all."""
    rows = [{"id": i, "case": "c", "activity": "x", "time": t} for t, i in enumerate(("e2", "e1"))]
    (event,) = build(rows, WITH_ID).apply(Collapse(same=["activity"]))
    assert (event["id"], event["source_ids"]) == ("e2", ["e2", "e1"])


PROGRAM = """
import json
from distill_core.testing.logs import build
from distill_core.builtin.collapse import Collapse
from distill_core.builtin.sessionize import Sessionize
rows = [{"case": c, "activity": a, "time": t} for c in ("a", "é") for t, a in enumerate("xxyx")]
log = build(rows).apply(Collapse(same=["activity"])).apply(Sessionize(gap="1ms"))
print(json.dumps([log.to_dicts(), [s.to_dict() for s in log.steps]]))
"""


def test_id_no_python_hash():
    """Two processes with different hash seeds make the same ids, columns and reports (V1 too)."""
    out = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM], env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True, check=True,
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert out[0] == out[1]
    assert len(json.loads(out[0])[0]) == 6


# -- IM: inputs ----------------------------------------------------------------------------------


def frozen(log):
    """The same log over arrays that raise when they are written into."""
    for column in log.data.values():
        for name in ("codes", "values", "null", "offsets"):
            array = column.__dict__.get(name)
            if isinstance(array, np.ndarray):
                array.flags.writeable = False
    log.offsets.flags.writeable = False
    return log


@CHECKED
@given(rows=documents())
def test_im_no_step_writes_into_its_input(rows):
    """Inputs are never changed: every step works on a log whose memory cannot be written."""
    log = build(rows)
    for step in [*CASEWISE, Dedupe(by=["target"]), Sessionize(gap="1ms", as_case=False)]:
        before = log.to_dicts()
        out = frozen(log).apply(step)
        assert log.to_dicts() == before
        log = out


def test_im_documents_stay():
    """Documents are as they were after a reading."""
    rows = [{"case": "c", "activity": "x", "time": 0, "details": {"b": [1]}, "more": [None]}]
    before = json.dumps(rows)
    build(rows).apply(Collapse(same=["details"]))
    assert json.dumps(rows) == before


# -- R, N: reports and nothing -------------------------------------------------------------------


@CHECKED
@given(rows=documents())
def test_r_every_step_accounts_for_every_event(rows):
    """out = in − used − dropped + made; one step's out is the next one's in; ids are in order."""
    log = build(rows)
    out = log
    for number, step in enumerate([*CASEWISE, Dedupe(by=["activity"])]):
        before = [e["id"] for e in out]
        out = out.apply(step)
        report = out.steps[-1].to_dict()
        gone = sum(told["count"] for told in report["dropped"].values())
        assert report["out"] == report["in"] - report["used"] - gone + report["made"] == len(out)
        assert (report["in"], report["step"]) == (len(before), number)
        assert report["transform"] == type(step).__component__
        for told in report["dropped"].values():
            assert told["ids"] == sorted(told["ids"], key=before.index)


def test_r_the_shape_of_a_report():
    """Keys and their order are as the semantics show; it is plain JSON."""
    out = build(PAIR).apply(Where(condition="activity = 'a'"))
    report = out.steps[0].to_dict()
    assert list(report) == [
        "step", "transform", "in", "out", "made", "used", "dropped", "dangling", "counts"
    ]  # fmt: skip
    assert json.loads(json.dumps(report)) == report


def test_r_the_first_hundred_ids():
    """A reason's count is exact, its ids are the first 100 in order."""
    log = build([{"case": f"{n % 9}", "activity": "x", "time": n} for n in range(333)])
    told = log.apply(Drop(condition="activity = 'x'")).steps[0].dropped["drop"]
    assert (told.count, list(told.ids)) == (333, [e["id"] for e in log][:100])


STEPS = [*CASEWISE[:5], Sample(fraction=0.5), Dedupe(), Dedupe(by=["target"])]


@pytest.mark.parametrize("step", STEPS, ids=lambda s: type(s).__component__)
def test_n_empty_in_empty_out(step):
    """Empty log in → empty log out, with the columns that events would have."""
    empty = build([]).apply(step)
    assert (len(empty), empty.n_cases, empty.to_dicts()) == (0, 0, [])
    full = build([{"case": "c", "activity": "x", "time": 0, "score": 1.0}]).apply(step)
    assert list(empty.columns) == list(full.columns)
    assert {n: c.type for n, c in empty.columns.items()} == {
        n: c.type for n, c in full.columns.items()
    }


@pytest.mark.parametrize(("step", "params"), [
    (Where, {"condition": "activity = 'x'", "reason": "r"}), (Sample, {"fraction": 1, "sed": 2}),
    (Collapse, {"same": ["activity"], "gap": "1s"}), (Sessionize, {"gap": "1s", "case": True}),
    (Collapse, {"same": ["activity"], "keep": "best"}), (Collapse, {"same": []}), (Sample, {}),
])  # fmt: skip
def test_n_unknown_parameters(step, params):
    """An unknown, missing or impossible parameter is an error that names it."""
    with pytest.raises(SpecError) as caught:
        step(**params)
    assert caught.value.path


@pytest.mark.parametrize("step", [
    Collapse(same=["targte"]), Dedupe(by=["targte"]),
    Collapse(same=["activity"], where="targte = 'x'"),
])  # fmt: skip
def test_n_unknown_columns(step):
    """An unknown column is an error with the nearest name and the parameter's path."""
    with pytest.raises(DistillError, match="'target'") as caught:
        build([]).apply(step)
    assert caught.value.path


# -- L: cuts -------------------------------------------------------------------------------------


@CHECKED
@given(rows=documents(), data=st.data())
def test_l_parts_cut_between_cases(rows, data):
    """apply(whole) = concat(apply(parts)) for a chain of steps; reports add up."""
    log = build(rows)
    cuts = data.draw(st.sets(st.sampled_from(log.offsets.tolist())))
    edges = sorted({0, len(log), *cuts})
    parts = [log.take(slice(a, b)) for a, b in zip(edges, edges[1:], strict=False)] or [log]
    done = [run(pickle.loads(pickle.dumps(part)), CASEWISE) for part in parts]
    whole = run(log, CASEWISE)
    assert concat(done).to_dicts() == whole.to_dicts()
    for number, report in enumerate(whole.steps):
        total = reduce(add, (part.steps[number] for part in done))
        assert total.to_dict()["counts"] == report.to_dict()["counts"]
        assert (total.entered, total.out, total.used) == (report.entered, report.out, report.used)
        assert {r: t.count for r, t in total.dropped.items()} == {
            r: t.count for r, t in report.dropped.items()
        }


# -- T: time and input ---------------------------------------------------------------------------


def test_t1_one_instant():
    """A declared number of ms, text with a zone and an aware datetime are one instant."""
    aware = datetime(2024, 6, 27, 23, 15, 11, 79000, tzinfo=UTC)
    for value in (1719530111079, "2024-06-28T01:15:11.079+02:00", aware):
        rows = [{"c": 1, "a": "x", "t": value}]
        (event,) = EventLog.from_frame(rows, case="c", activity="a", time="t", unit="ms")
        assert event["time"] == "2024-06-27T23:15:11.079000Z"


@pytest.mark.parametrize("value", ["2024-06-28T01:15:11", datetime(2024, 6, 28), 1719530111])  # noqa: DTZ001
def test_t1_zones_and_units_are_never_guessed(value):
    """A naive time without a zone and a number without a unit are no times; only such: an error."""
    row, other = ({"c": 1, "a": "x", "t": t} for t in (value, "2024-06-28T01:15:11Z"))
    for rows, strict in (([row], False), ([row], True), ([row, other], True)):
        with pytest.raises(SchemaError):
            EventLog.from_frame(rows, case="c", activity="a", time="t", strict=strict)
    log = EventLog.from_frame([row, other], case="c", activity="a", time="t")
    assert (len(log), log.reading.rejected["bad_time"].count) == (1, 1)


class Records(Source):
    """Records in memory."""

    records: list

    def read(self, request, scan):
        yield self.records


def test_t3_records_that_are_no_objects():
    """null or non-object records → rejected, with their place."""
    schema = Fields(case="c", activity="a", time="t", unit="s")
    record = {"c": "x", "a": "y", "t": 0}
    log = Pipeline(Records(records=[record, None, 7, [record], "x", record]), schema).log()
    assert len(log) == 2
    places = [p for counted in log.reading.rejected.values() for p in counted.samples]
    assert sorted(places) == ["1", "2", "3", "4"]


@pytest.mark.parametrize(("text", "micros"), [
    ("500us", 500), ("500ms", 500_000), ("2s", 2_000_000), ("30m", 1_800_000_000),
    ("1h", 3_600_000_000), ("1d", 86_400_000_000), ("1w", 604_800_000_000),
    ("PT30M", 1_800_000_000), (timedelta(minutes=30), 1_800_000_000),
])  # fmt: skip
def test_t4_durations(text, micros):
    """500us 500ms 2s 30m 1h 1d 1w, PT30M or timedelta."""
    assert parse_duration(text) == timedelta(microseconds=micros)
    assert Sessionize(gap=text).gap == timedelta(microseconds=micros)


@pytest.mark.parametrize("value", [30, 30.0, "30", "", "m", "30 parsecs", None, True])
def test_t4_a_bare_number_is_no_duration(value):
    """Seconds are never guessed."""
    with pytest.raises(SpecError, match="gap"):
        Sessionize(gap=value)


# -- columns -------------------------------------------------------------------------------------


def test_columns_in_the_order_of_every_output():
    """Reserved columns, attributes, then those of steps; null, but count 1, source_ids [id]."""
    rows = [{"case": "c", "activity": a, "time": t} for t, a in enumerate("xxy")]
    log = build(rows)
    out = log.apply(Elapsed()).apply(Collapse(same=["activity"], where="activity = 'x'"))
    assert list(out.columns) == [
        "id", "case", "activity", "time", "end", "order", "user", "target", "number", "score",
        "flag", "details", "duration", "since_start", "since_previous", "count", "source_ids",
    ]  # fmt: skip
    other = out.to_dicts()[1]
    assert (other["count"], other["source_ids"]) == (1, [other["id"]])
    assert out.columns["since_start"].unit == "us"


def test_types_in_json():
    """Times with µs and Z, lengths as whole µs, counts whole, lists of text."""
    rows = [{"case": "c", "activity": "x", "time": t, "end": 8} for t in (0, 5)]
    out = build(rows).apply(Collapse(same=["activity"], into="interval")).apply(Elapsed())
    (event,) = json.loads(json.dumps(out.to_dicts()))
    assert (event["time"], event["end"]) == (
        "1970-01-01T00:00:00.000000Z", "1970-01-01T00:00:00.008000Z"
    )  # fmt: skip
    assert (event["duration"], event["since_start"], event["count"]) == (8000, 0, 2)
    assert all(isinstance(i, str) for i in event["source_ids"])
    assert isinstance(out.data["count"], Masked)
