"""drop_near beside a slow oracle, and that it is linear."""

from __future__ import annotations

import time as clock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill_core.builtin.drop_near import DropNear
from distill_core.conditions import mask
from distill_core.log import EventLog
from distill_core.params import MICROSECOND
from distill_core.testing.logs import build, documents

CONDITIONS = ["activity = 'click'", "activity <> 'start'", "target = 'x'", "number > 0 OR flag"]


def leaves(log, rule):
    """Rows that go by this rule: each event beside each other, as the text says it."""
    events = log.to_dicts()
    where, cases = mask(rule.where, log), [event["case"] for event in events]
    near = None if rule.near == "absent" else mask(rule.near, log)
    skip = [False] * len(log) if rule.skip is None else mask(rule.skip, log)

    def fits(i, j):
        return (
            near[j]
            and all(events[i][name] == events[j][name] for name in rule.same)
            and (
                rule.within is None
                or abs(int(log.time[i] - log.time[j])) * MICROSECOND <= rule.within
            )
        )

    def goes(i, side):
        rows = range(i + 1, len(log)) if side == "next" else range(i - 1, -1, -1)
        others = [j for j in rows if cases[j] == cases[i]]
        if rule.reach == "any":
            return any(fits(i, j) for j in others)
        shown = [j for j in others if not skip[j]]
        if near is None:
            return not shown
        return bool(shown) and fits(i, shown[0])

    sides = ["next", "previous"] if rule.side == "either" else [rule.side]
    return {i for i in range(len(log)) if where[i] and any(goes(i, side) for side in sides)}


def expected(log, step):
    """What stays, and reason → what goes."""
    told = {}
    ids = [event["id"] for event in log]
    gone = set()
    for number, rule in enumerate(step.rules):
        left = np.array([i not in gone for i in range(len(log))], dtype=bool)
        seen = log.take(left) if step.cascade else log
        names = [event["id"] for event in seen]
        found = {ids.index(names[i]) for i in leaves(seen, rule)} - gone
        if found:
            told[f"drop_near.{number}"] = [ids[i] for i in sorted(found)]
        gone |= found
    return [name for i, name in enumerate(ids) if i not in gone], told


BOTH = {
    "where": st.sampled_from(CONDITIONS),
    "side": st.sampled_from(["next", "previous", "either"]),
}
SAME = st.lists(
    st.sampled_from(["target", "user", "number", "score", "flag", "details", "end", "duration"]),
    max_size=2,
)
WITHIN = st.sampled_from([None, None, "0s", "1ms", "5ms", "20ms"])
RULES = st.one_of(
    st.fixed_dictionaries(
        BOTH | {"near": st.sampled_from(CONDITIONS), "same": SAME, "within": WITHIN,
                "skip": st.sampled_from([None, *CONDITIONS])}),
    st.fixed_dictionaries(
        BOTH | {"near": st.sampled_from(CONDITIONS), "same": SAME, "within": WITHIN,
                "reach": st.just("any")}),
    st.fixed_dictionaries(
        BOTH | {"near": st.just("absent"), "skip": st.sampled_from([None, *CONDITIONS])}),
)  # fmt: skip
STEPS = st.builds(
    DropNear, rules=st.lists(RULES, min_size=1, max_size=3), cascade=st.booleans()
)
ROWS = documents(max_size=14)
FEW = ROWS.map(lambda rows: [row | {"case": "a", "target": "x"} for row in rows])


@settings(max_examples=200, deadline=None)
@given(rows=ROWS | FEW, step=STEPS)
def test_like_the_oracle(rows, step):
    """What stays and what is told are as a look at each pair of events has them."""
    log = build(rows)
    out = log.apply(step)
    stay, told = expected(log, step)
    assert [event["id"] for event in out] == stay
    assert {reason: list(t.ids) for reason, t in out.steps[0].dropped.items()} == told


@given(rows=ROWS)
@settings(max_examples=50, deadline=None)
def test_one_rule_is_the_short_form(rows):
    """A rule alone does what its parameters do beside each other."""
    rule = {"where": CONDITIONS[1], "near": CONDITIONS[0], "same": ["target"], "within": "9ms"}
    one, other = (build(rows).apply(DropNear(**p)) for p in (rule, {"rules": [rule]}))
    assert one.to_dicts() == other.to_dicts()


def test_lists_are_compared_by_value():
    """source_ids in same: lists with the same ids are equal."""
    log = build([{"case": "a", "activity": "x", "time": t} for t in range(3)])
    from distill_core.builtin.collapse import Collapse

    log = log.apply(Collapse(same=["number"], max_gap="0s"))
    step = DropNear(where="activity = 'x'", near="activity = 'x'", same=["source_ids"])
    assert len(log.apply(step)) == 3


@pytest.mark.parametrize("reach", ["adjacent", "any"])
@pytest.mark.parametrize("near", ["a = 'x'", "a = 'none'"])
def test_one_giant_case_is_one_pass(reach, near):
    """A million equal events of one case: all match, or none does."""
    import pandas as pd

    count = 1_000_000
    frame = pd.DataFrame({"c": np.zeros(count, int), "a": "x", "t": np.arange(count) // 2})
    log = EventLog.from_frame(frame, case="c", activity="a", time="t", unit="ms")
    near = near.replace("a =", "activity =")
    step = DropNear(where="activity = 'x'", near=near, reach=reach, same=["activity"], within="1s")
    begin = clock.perf_counter()
    out = log.apply(step)
    assert clock.perf_counter() - begin < 10
    assert len(out) == (1 if "'x'" in near else count)
