"""algebra and relate beside slow oracles: moment by moment, event by event, pair by pair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill_core.builtin import _allen
from distill_core.builtin._allen import RELATIONS, joined, related
from distill_core.builtin._sweep import Scale, Spans, pieces, sharing
from distill_core.builtin.algebra import Algebra
from distill_core.builtin.relate import Relate
from distill_core.builtin.segment import Segment
from distill_core.errors import TransformError
from distill_core.log import concat
from distill_core.testing.logs import build, documents

CHECKED = settings(max_examples=80, deadline=None)
LEFT, RIGHT = "activity = 'start'", "activity IN ('stop', 'reset')"
KINDS = ["union", "intersection", "difference", "complement"]


def combined(kind, whole, a, b):
    """The set that a kind means."""
    return {"union": a | b, "intersection": a & b, "difference": a - b,
            "complement": whole - a}[kind]  # fmt: skip


def intervals(log, activities):
    """Case → (start, end, id) in ms of the intervals with one of these activities."""
    found = {}
    for event, time, last in zip(log.to_dicts(), log.time, log.last, strict=True):
        if event.get("end") is not None and event["activity"] in activities:
            span = (int(time) // 1000, int(last) // 1000, event["id"])
            found.setdefault(event["case"], []).append(span)
    return found


def moments(spans):
    """The ms [t, t + 1) that are in one of the spans."""
    return {t for start, end, _ in spans for t in range(start, end)}


def runs(numbers):
    """Neighbouring whole numbers as [first, last + 1)."""
    found = []
    for n in sorted(numbers):
        if found and found[-1][1] == n:
            found[-1][1] = n + 1
        else:
            found.append([n, n + 1])
    return [tuple(pair) for pair in found]


@CHECKED
@given(rows=documents(), others=st.none() | documents(), kind=st.sampled_from(KINDS))
def test_by_time_like_the_oracle(rows, others, kind):
    """The results are the runs of ms that are in the set, with the intervals that touch them."""
    log = build(rows)
    other = None if others is None or kind == "complement" else build(others)
    left = intervals(log, ["start"])
    right = intervals(log if other is None else other, ["stop", "reset"])
    expected = []
    cases = {*left, *right} if kind != "complement" else log.cases.tolist()
    for case in sorted(cases):
        a, b = left.get(case, []), right.get(case, [])
        there = log.where(f"case = '{case}'")
        whole = range(there.time.min(initial=10**9) // 1000, there.last.max(initial=0) // 1000)
        inside = combined(kind, set(whole), moments(a), moments(b))
        sides = {"complement": [], "difference": a}.get(kind, a + b)
        for start, end in runs(inside):
            ids = {i for s, e, i in sides if s < end and e > start and e > s}
            expected.append((case, start, end, ids))
    right_side = None if kind == "complement" else RIGHT
    step = Algebra(kind=kind, left=LEFT, right=right_side, other=other, keep="intervals")
    out = log.apply(step)
    sizes = zip(out.to_dicts(), out.time // 1000, out.last // 1000, strict=True)
    assert [(e["case"], start, end, set(e["source_ids"])) for e, start, end in sizes] == expected
    assert len({e["id"] for e in out}) == len(out)
    report = out.steps[0]
    used = sum(map(len, left.values()))
    if other is None and kind != "complement":
        used += sum(map(len, right.values()))
    dropped = sum(told.count for told in report.dropped.values())
    assert (report.made, report.used, dropped) == (len(out), used, len(log) - used)


@CHECKED
@given(rows=documents(), n=st.integers(1, 4), kind=st.sampled_from(KINDS), far=st.booleans())
def test_by_members_like_the_oracle(rows, n, kind, far):
    """The results are runs of neighbouring events that are in the set of ids."""
    base = build(rows)
    log = base.apply(Segment(kind="change", same=["activity"], name="L", keep="all"))
    counts = base.apply(Segment(kind="count", n=n, name="R")).where("size > 1")
    events = [e for e in log.to_dicts() if e["members"] is None]
    windows = [e for e in log.to_dicts() if e["members"] is not None]
    left = {i for w in windows[::2] for i in w["members"]}
    chosen = {w["id"] for w in windows[::2]}
    mark = np.array([e["id"] in chosen for e in log.to_dicts()], dtype=bool)
    log = log.with_frame(log.frame.assign(mine=mark), "none")
    right = {i for w in counts.to_dicts() for i in w["members"]}
    inside = combined(kind, {e["id"] for e in events}, left, right)
    expected, before = [], None
    for event in events:
        now = (event["case"], True) if event["id"] in inside else None
        if now is not None:
            if now != before:
                expected.append((event["case"], []))
            expected[-1][1].append(event["id"])
        before = now
    params = {"kind": kind, "by": "members", "left": "mine", "name": "X", "keep": "all"}
    if kind == "complement":
        out = log.apply(Algebra(**params))
    elif far:
        out = log.apply(Algebra(**params, other=counts))
    else:
        nobody = np.zeros(len(counts), dtype=bool)
        marked = counts.with_frame(counts.frame.assign(mine=nobody), "none")
        out = concat([log, marked]).apply(Algebra(**params, right="activity = 'R'"))
    found = [e for e in out.to_dicts() if e["activity"] == "X"]
    assert sorted((e["case"], e["members"]) for e in found) == sorted(expected)
    assert all(e["size"] == len(e["members"]) and e["source_ids"] == e["members"] for e in found)
    assert out.steps[-1].counts["members_gone"] == 0


ALLEN = {
    "before": lambda a, b, c, d: a < c and b < d and b < c,
    "meets": lambda a, b, c, d: a < c and b < d and b == c,
    "overlaps": lambda a, b, c, d: a < c < b < d,
    "starts": lambda a, b, c, d: a == c and b < d,
    "during": lambda a, b, c, d: a > c and b < d,
    "finishes": lambda a, b, c, d: a > c and b == d,
    "equals": lambda a, b, c, d: a == c and b == d,
}
INVERSE = {
    "after": "before", "met_by": "meets", "overlapped_by": "overlaps", "started_by": "starts",
    "contains": "during", "finished_by": "finishes",
}  # fmt: skip


def relation(a, b, c, d):
    """The one relation of [a, b] to [c, d], by definition."""
    found = [name for name, holds in ALLEN.items() if holds(a, b, c, d)]
    found += [name for name, other in INVERSE.items() if ALLEN[other](c, d, a, b)]
    (name,) = found
    return name


@given(a=st.integers(0, 5), b=st.integers(0, 5), c=st.integers(0, 5), d=st.integers(0, 5))
def test_one_relation_for_each_pair(a, b, c, d):
    """Exactly one relation holds, and it is that of the definitions, without length too."""
    one, two = (Spans(np.array([0]), np.array([s]), np.array([s + e])) for s, e in ((a, b), (c, d)))
    assert RELATIONS[related(one, two)[0]] == relation(a, a + b, c, c + d)


@CHECKED
@given(
    rows=documents(max_size=16),
    others=st.none() | documents(max_size=10),
    alone=st.booleans(),
    relations=st.sets(st.sampled_from(RELATIONS), min_size=1),
    within=st.none() | st.integers(0, 9),
)
def test_pairs_like_the_oracle(rows, others, alone, relations, within):
    """Pairs are all of one case in one of the relations, in the order of left, then right."""
    log = build(rows)
    other = None if others is None else build(others)
    far = {"before", "after"} & relations
    within = within if far else None
    any_of = ["start", "stop", "reset", "click", "clíck 🖱"]
    alone = alone and other is None
    left = intervals(log, any_of if alone else ["start"])
    right = intervals(log if other is None else other, any_of if alone else ["stop", "reset"])
    expected = []
    for case in log.cases.tolist():
        for a, b, one in left.get(case, []):
            for c, d, two in right.get(case, []):
                name = relation(a, b, c, d)
                gap = max(c - b, a - d)
                if name not in relations or (alone and one == two):
                    continue
                if name in ("before", "after") and within is not None and gap > within:
                    continue
                overlap = max(0, min(b, d) - max(a, c)) * 1000
                expected.append((case, one, two, name, overlap))
    step = Relate(
        relations=sorted(relations), within=None if within is None else f"{within}ms", other=other,
        left=None if alone else LEFT, right=None if alone else RIGHT, keep="intervals",
    )  # fmt: skip
    out = log.apply(step)
    found = []
    for event in out.to_dicts():
        one, two = event["source_ids"], event["other_id"]
        one.remove(two)
        found.append((event["case"], *one, two, event["relation"], event["overlap"]))
    assert sorted(found) == sorted(expected)
    assert out.steps[0].made == len(out) == len(expected)
    assert len({e["id"] for e in out}) == len(out)
    total = sum(out.steps[0].counts[name] for name in relations)
    assert total == len(expected)


@CHECKED
@given(rows=documents(), kind=st.sampled_from(KINDS), data=st.data())
def test_cases_do_not_matter_to_each_other(rows, kind, data):
    """With one log, a cut between cases changes nothing, and reports add up."""
    log = build(rows)
    right = None if kind == "complement" else RIGHT
    cut = data.draw(st.sampled_from(log.offsets.tolist()))
    parts = [log.take(slice(0, cut)), log.take(slice(cut, len(log)))]
    for step in (Algebra(kind=kind, left=LEFT, right=right), Relate(left=LEFT, right=RIGHT)):
        done = [part.apply(step) for part in parts]
        whole = log.apply(step)
        assert concat(done).to_dicts() == whole.to_dicts()
        assert (done[0].steps[0] + done[1].steps[0]).to_dict() == whole.steps[0].to_dict()


def test_difference_is_intersection_with_the_complement():
    """A law of sets, on many intervals in few cases."""
    rng = np.random.default_rng(5)
    start = rng.integers(0, 10_000, 3000)
    rows = [{"case": "ab"[t % 2], "activity": ["start", "stop"][t // 7 % 2], "time": int(t),
             "end": int(t + n)}
            for t, n in zip(start, rng.integers(0, 9, 3000), strict=True)]  # fmt: skip
    log = build(rows)
    keep = {"keep": "all", "left": LEFT}
    gaps = log.apply(Algebra(kind="complement", **{**keep, "left": RIGHT}, name="gap"))
    sides = {"left": LEFT, "keep": "intervals", "name": "x"}
    one = log.apply(Algebra(kind="difference", right=RIGHT, **sides))
    two = gaps.apply(Algebra(kind="intersection", right="activity = 'gap'", **sides))
    spans = [[(e["case"], e["time"], e["end"]) for e in out] for out in (one, two)]
    assert spans[0] == spans[1]
    assert len(spans[0]) > 100


def test_a_sweep_needs_no_pairs():
    """Many intervals that lie in each other are united without looking at them in pairs."""
    n = 200_000
    case = np.zeros(n, dtype=np.int64)
    nested = Spans(case, np.arange(n), 2 * n - np.arange(n))
    none = Spans(case[:0], case[:0], case[:0])
    found = pieces(nested, none, lambda left, right: left | right)
    assert (found.start.tolist(), found.end.tolist()) == ([0], [2 * n])
    one, two, _ = joined(nested, nested, ["before"], None)
    assert (len(one), len(two)) == (0, 0)


def test_too_many_pairs_are_an_error(monkeypatch):
    """What would be too many pairs is an error with a code, before they are made."""
    monkeypatch.setattr(_allen, "LIMIT", 50)
    rows = [{"case": "a", "activity": "start", "time": t, "end": t + 1} for t in range(0, 40, 2)]
    log = build(rows)
    with pytest.raises(TransformError, match="190 pairs") as caught:
        log.apply(Relate(relations=["before"]))
    assert caught.value.code == "join-limit"
    assert len(log.apply(Relate(relations=["before"], within="1ms"))) == 19


def test_columns_that_are_there_already():
    """A column of the log's own with another type is an error; the step's own is written anew."""
    log = build([{"case": "a", "activity": a, "time": 0, "end": 5} for a in ("start", "stop")])
    clash = log.with_frame(log.frame.assign(overlap="much"), "none")
    with pytest.raises(TransformError, match="overlap") as caught:
        clash.apply(Relate())
    assert caught.value.code == "column-clash"
    twice = log.apply(Relate(keep="all")).apply(Relate(left=LEFT, right=RIGHT, keep="intervals"))
    assert {e["relation"] for e in twice} == {"equals"}


def test_cases_of_many_years():
    """Times and cases whose numbers do not fit into one are compared by rank, to the same end."""
    rng = np.random.default_rng(3)
    case = np.sort(rng.integers(0, 50, 400))
    start = rng.integers(0, 30, 400)
    start = start[np.lexsort([start, case])]
    small = Spans(case, start, start + rng.integers(0, 5, 400))
    step = 2**55
    large = Spans(case, small.start * step, small.end * step)
    assert Scale(small).times is None
    assert Scale(large).times is not None
    even, odd = np.arange(0, 400, 2), np.arange(1, 400, 2)
    halves = [(spans.take(even), spans.take(odd)) for spans in (small, large)]
    rule = lambda left, right: left & ~right
    one, two = (pieces(left, right, rule) for left, right in halves)
    assert (one.start * step).tolist() == two.start.tolist()
    assert (one.end * step).tolist() == two.end.tolist()
    for within, far in ((3, 3 * step), (None, None)):
        near, wide = (joined(*halves[0], RELATIONS, within), joined(*halves[1], RELATIONS, far))
        assert [part.tolist() for part in near] == [part.tolist() for part in wide]
    shares = [sharing(found, sides[0], np.arange(200)).to_list()
              for found, sides in zip((one, two), halves, strict=True)]  # fmt: skip
    assert shares[0] == shares[1]
