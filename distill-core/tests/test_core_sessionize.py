"""sessionize beside a slow oracle, and the laws of transforms."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill_core.batch import Codes, Masked
from distill_core.builtin._runs import reach
from distill_core.builtin.sessionize import Sessionize
from distill_core.columns import Column
from distill_core.log import EventLog
from distill_core.params import MICROSECOND
from distill_core.prepare import prepare
from distill_core.testing.logs import build

CHECKED = settings(max_examples=200, deadline=None)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


FIRST = "a@1970-01-01T00:00:00.002000Z"
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "case": st.sampled_from(
                ["a", "a ", "a1", "a@", FIRST, FIRST + "@x", "A", "é", "🖱", "user:1", "user:10"]
            ),
            "activity": st.sampled_from("xy"),
            "time": st.integers(0, 30),
        },
        optional={"end": st.integers(0, 40), "order": st.integers(0, 2)},
    ),
    max_size=25,
)


def micros(text):
    return (datetime.fromisoformat(text) - EPOCH) // MICROSECOND


def sessions(log, gap):
    """(name, events) of each session: one pass over each case, as the semantics say."""
    found = []
    for case, events in groupby(log.to_dicts(), key=lambda e: e["case"]):
        far = None
        for event in events:
            time = micros(event["time"])
            if far is None or time - far > gap // MICROSECOND:
                found.append((f"{case}@{event['time']}", []))
                far = time
            found[-1][1].append(event)
            far = max(far, time if event["end"] is None else micros(event["end"]))
    return found


@CHECKED
@given(rows=ROWS, gap=st.sampled_from([0, 1, 3, 10]))
def test_as_case_like_the_oracle(rows, gap):
    """Sessions, their names and the order of all rows are as a loop over events has them."""
    log = build(rows)
    gap = timedelta(milliseconds=gap)
    out = log.apply(Sessionize(gap=gap))
    expected = [
        event | {"case": name, "parent_case": event["case"]}
        for name, events in sorted(sessions(log, gap), key=lambda s: s[0])
        for event in events
    ]
    assert out.to_dicts() == expected
    assert out.cases.tolist() == sorted(name for name, _ in sessions(log, gap))


@CHECKED
@given(rows=ROWS, gap=st.sampled_from([0, 1, 3, 10]))
def test_as_label_like_the_oracle(rows, gap):
    """A label changes neither cases nor order, and its dictionary is sorted."""
    log = build(rows)
    gap = timedelta(milliseconds=gap)
    out = log.apply(Sessionize(gap=gap, as_case=False))
    expected = [e | {"session": name} for name, events in sessions(log, gap) for e in events]
    assert out.to_dicts() == expected
    labels = out.labels("session").tolist()
    assert labels == sorted(set(labels))


@CHECKED
@given(rows=ROWS)
def test_what_comes_after_works_on_sorted_sessions(rows):
    """A log of sessions is a log like any other: cut again, pickled, sliced, asked."""
    out = build(rows).apply(Sessionize(gap="3ms"))
    again = out.apply(Sessionize(gap="3ms"))
    assert again.n_cases == out.n_cases
    assert [e["parent_case"] for e in again] == [f"{e['case'].rpartition('@')[0]}" for e in again]
    assert pickle.loads(pickle.dumps(out)).to_dicts() == out.to_dicts()
    for case in out.cases.tolist():
        part = out.take(out.data["case"].codes == out.cases.tolist().index(case))
        assert part.cases.tolist() == [case]


@pytest.mark.parametrize("end", [False, True])
def test_one_giant_case(end):
    """300,000 events of one case, each its own session or all of one, are one pass."""
    n = 300_000
    time = np.arange(n, dtype=np.int64) * 10
    one = Codes(np.zeros(n, dtype=np.int32), ["x"], ordered=True)
    columns = {"id": Column("id", type="ids"), "case": Column("case"),
               "activity": Column("activity"), "time": Column("time", type="time"),
               "end": Column("end", type="time")}  # fmt: skip
    data = {"case": one, "activity": one, "time": Masked.full(time)}
    if end:
        data["end"] = Masked.full(time + 3)
    log = EventLog.of(prepare({n: columns[n] for n in ("id", *data)}, data))
    gap = 7 if end else 10
    assert log.apply(Sessionize(gap=timedelta(microseconds=gap))).n_cases == 1
    assert log.apply(Sessionize(gap=timedelta(microseconds=gap - 1))).n_cases == n


def test_the_longest_gap_there_is():
    """A gap longer than all time is one session, not an overflow."""
    log = build([{"case": "a", "activity": "x", "time": t} for t in (0, 10**14)])
    assert log.apply(Sessionize(gap=timedelta.max)).n_cases == 1


@given(rows=ROWS)
def test_reach_is_a_running_maximum(rows):
    """reach is the greatest end so far inside each run, wherever the runs begin."""
    log = build(rows)
    starts = sorted({*log.offsets[:-1].tolist(), *range(0, len(log), 3)})
    edges = [*starts, len(log)]
    expected = [max(log.last[a : row + 1].tolist()) for a, b in zip(edges, edges[1:], strict=False)
                for row in range(a, b)]  # fmt: skip
    assert reach(log, np.array(starts, dtype=np.int64)).tolist() == expected
