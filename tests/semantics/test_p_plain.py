"""The plain steps: where, drop, select, label, elapsed, sample (codes P1 to P5)."""

from __future__ import annotations

from fractions import Fraction
from hashlib import blake2b

import pytest

from distill_core.builtin.collapse import Collapse
from distill_core.builtin.drop import Drop
from distill_core.builtin.elapsed import Elapsed
from distill_core.builtin.label import Label
from distill_core.builtin.sample import Sample
from distill_core.builtin.select import Select
from distill_core.builtin.where import Where
from distill_core.errors import SpecError, TransformError
from distill_core.testing.logs import build

TARGETS = [
    {"case": "c", "activity": a, "time": t, "target": v}
    for t, (a, v) in enumerate([("p", "a"), ("q", "b"), ("r", None), ("s", "a")])
]


def activities(log):
    return [event["activity"] for event in log]


def test_p1_where_keeps_what_is_true():
    """where(c) keeps what is true; unknown goes."""
    out = build(TARGETS).apply(Where(condition="target = 'a'"))
    assert activities(out) == ["p", "s"]
    assert activities(build(TARGETS).apply(Where(condition="target <> 'a'"))) == ["q"]


def test_p1_drop_removes_what_is_true():
    """drop(c) removes what is true; unknown stays."""
    out = build(TARGETS).apply(Drop(condition="target = 'a'"))
    assert activities(out) == ["q", "r"]
    assert activities(build(TARGETS).apply(Drop(condition="target <> 'a'"))) == ["p", "r", "s"]


@pytest.mark.parametrize(("step", "gone"), [(Where, ["q", "r"]), (Drop, ["p", "s"])])
def test_p1_reports_what_is_dropped(step, gone):
    """What goes is told with ids, under the transform's name."""
    log = build(TARGETS)
    ids = {event["activity"]: event["id"] for event in log}
    report = log.apply(step(condition="target = 'a'")).steps[0].to_dict()
    reason = step.__component__
    assert report["dropped"] == {reason: {"count": 2, "ids": [ids[a] for a in gone]}}
    assert (report["in"], report["out"], report["made"], report["used"]) == (4, 2, 0, 0)


def test_p2_select_keeps_the_core():
    """select(columns) keeps case, activity, time, end, id, order too."""
    rows = [{"case": "c", "activity": "a", "time": 0, "end": 1, "order": 2, "score": 0.5}]
    out = build(rows).apply(Select(columns=["score"]))
    assert list(out.columns) == [
        "id", "case", "activity", "time", "end", "order", "score", "duration"
    ]  # fmt: skip
    assert list(build(rows).apply(Select(columns=[])).columns)[:2] == ["id", "case"]


def test_p2_select_leaves_events_alone():
    """select changes no event: the columns that stay are as they were, nothing is dropped."""
    log = build(TARGETS)
    out = log.apply(Select(columns=["target"]))
    assert out.to_dicts() == [{n: e[n] for n in out.columns} for e in log]
    assert out.steps[0].to_dict()["dropped"] == {}


def test_p2_select_after_collapse_keeps_ids():
    """A selected away source_ids is the event's own id again, and ids stay what they were."""
    log = build(TARGETS).apply(Collapse(same=["target"]))
    out = log.apply(Select(columns=["target"]))
    assert "source_ids" not in out.columns
    assert [e["id"] for e in out] == [e["id"] for e in log]


def test_p3_label_first_true_rule_decides():
    """label(column, rules, default?): first true rule; unknown is not true; else the default."""
    rules = [
        {"when": "target = 'a'", "value": "first"},
        {"when": "activity IN ('p', 'q')", "value": "second"},
    ]
    out = build(TARGETS).apply(Label(column="kind", rules=rules, default="none"))
    assert [e["kind"] for e in out] == ["first", "second", "none", "first"]
    out = build(TARGETS).apply(Label(column="kind", rules=rules))
    assert [e["kind"] for e in out] == ["first", "second", None, "first"]


def test_p3_label_replaces_attributes_and_activity():
    """A label may replace an attribute, and the activity if there is a default."""
    rules = [{"when": "target = 'a'", "value": "choose"}]
    out = build(TARGETS).apply(Label(column="target", rules=rules))
    assert [e["target"] for e in out] == ["choose", None, None, "choose"]
    out = build(TARGETS).apply(Label(column="activity", rules=rules, default="other"))
    assert activities(out) == ["choose", "other", "other", "choose"]


@pytest.mark.parametrize("params", [
    {"column": "time", "default": "x"},
    {"column": "case", "default": "x"},
    {"column": "duration"},
    {"column": "count"},
    {"column": "source_ids"},
    {"column": "activity"},
    {"column": "activity", "default": ""},
    {"column": ""},
])  # fmt: skip
def test_p3_label_refuses_columns_with_a_meaning(params):
    """A reserved column, one that steps write, and an activity that may be null are errors."""
    with pytest.raises(SpecError):
        Label(**params, rules=[{"when": "target = 'a'", "value": "v"}])


def test_p4_elapsed_counts_from_times():
    """elapsed(): since_start and since_previous of times; null at the first; ends do not count."""
    rows = [{"case": c, "activity": "x", "time": t, "end": t + 100}
            for c, t in [("a", 5), ("a", 5), ("a", 9), ("b", 3)]]  # fmt: skip
    out = build(rows).apply(Elapsed())
    assert [e["since_start"] for e in out] == [0, 0, 4000, 0]
    assert [e["since_previous"] for e in out] == [None, 0, 4000, None]
    assert [out.columns[n].type for n in ("since_start", "since_previous")] == ["duration"] * 2


def mix(x):
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    x = (x ^ x >> 27) * 0x94D049BB133111EB % 2**64
    return x ^ x >> 31


def hashed(*parts):
    """U of whole numbers and of texts other than 16 hex digits, as the semantics have it."""
    golden = 0x9E3779B97F4A7C15
    total = len(parts) * golden
    for i, value in enumerate(parts, 1):
        data = value.encode() if isinstance(value, str) else None
        word = value if data is None else int.from_bytes(
            blake2b(data, digest_size=8).digest(), "little"
        )  # fmt: skip
        total += mix((word + i * golden) % 2**64)
    return mix(total % 2**64)


@pytest.mark.parametrize("fraction", [0.0, 0.1, 1 / 3, 0.5, 1 - 2**-53])
@pytest.mark.parametrize("seed", [0, 7, -1])
def test_p5_sample_by_hash_of_the_case(fraction, seed):
    """A case stays if U("sample", seed, case) < fraction · 2^64, computed exactly."""
    cases = [f"case {n}" for n in range(200)]
    log = build([{"case": c, "activity": "x", "time": t} for c in cases for t in (0, 1)])
    out = log.apply(Sample(fraction=fraction, seed=seed))
    bound = Fraction(fraction) * 2**64
    stays = sorted(c for c in cases if hashed("sample", seed % 2**64, c) < bound)
    assert out.cases.tolist() == stays
    assert len(out) == 2 * len(stays)
    dropped = out.steps[0].dropped
    assert (dropped["sample"].count if dropped else 0) == 400 - len(out)


def test_p5_sample_of_everything():
    """Fraction 1 keeps all, 0 nothing, and a larger fraction keeps what a smaller one keeps."""
    log = build([{"case": str(n), "activity": "x", "time": 0} for n in range(300)])
    kept = [set(log.apply(Sample(fraction=f)).cases.tolist()) for f in (0, 0.2, 0.6, 1)]
    assert [len(kept[0]), len(kept[3])] == [0, 300]
    assert kept[0] <= kept[1] <= kept[2] <= kept[3]
    assert 0.4 * 300 < len(kept[2]) < 0.8 * 300


@pytest.mark.parametrize("fraction", [-0.1, 1.1, float("nan")])
def test_p5_sample_takes_a_share(fraction):
    """A fraction outside of 0 to 1 is an error."""
    with pytest.raises(SpecError):
        Sample(fraction=fraction)


@pytest.mark.parametrize("step", [
    Where(condition="tarket = 'a'"),
    Drop(condition="tarket = 'a'"),
    Select(columns=["tarket"]),
    Label(column="k", rules=[{"when": "tarket = 'a'", "value": "v"}]),
])  # fmt: skip
def test_n_unknown_column_names_the_choices(step):
    """An unknown column is an error that names the nearest one."""
    with pytest.raises(Exception, match="target") as caught:
        build(TARGETS).apply(step)
    assert caught.value.code in ("column-unknown", "condition-column")
    assert isinstance(caught.value, TransformError) or caught.value.code == "condition-column"
