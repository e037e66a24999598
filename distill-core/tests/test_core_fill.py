"""fill beside a slow oracle, and beside collapse."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from distill_core.builtin.collapse import Collapse
from distill_core.builtin.fill import Fill
from distill_core.params import MICROSECOND
from distill_core.testing.logs import build, documents, logs

CHECKED = settings(max_examples=200, deadline=None)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
GAPS = st.sampled_from([0, 1, 3, 10])


def micros(text):
    return (datetime.fromisoformat(text) - EPOCH) // MICROSECOND


def filled(events, same, gap, chosen):
    """The events' ends in µs, one pass over the log as the semantics say; and the time filled."""
    ends = [None if e["end"] is None else micros(e["end"]) for e in events]
    lasts = [micros(e["time"]) if end is None else end for e, end in zip(events, ends, strict=True)]
    run, total = [], 0
    for row, event in enumerate(events):
        before = events[row - 1] if row else None
        goes_on = (
            before is not None
            and before["case"] == event["case"]
            and chosen(before)
            and chosen(event)
            and all(before[name] == event[name] for name in same)
        )
        run = run if goes_on else []
        if run:
            far = max(lasts[r] for r in run)
            holds = max(r for r in run if lasts[r] == far)
            time = micros(event["time"])
            if 0 < time - far <= gap * 1000:
                ends[holds] = time
                total += time - far
        run.append(row)
    return ends, total


@CHECKED
@given(log=logs(), gap=GAPS, same=st.sampled_from([("user",), ("activity", "target")]))
def test_like_the_oracle(log, gap, same):
    """Ends, and the report, are as a loop over events has them."""
    out = log.apply(Fill(same=same, max_gap=f"{gap}ms", where="activity <> 'reset'"))
    ends, total = filled(log.to_dicts(), same, gap, lambda e: e["activity"] != "reset")
    assert out.get("end").to_list() == ends
    changed = sum(a != b for a, b in zip(ends, log.get("end").to_list(), strict=True))
    assert out.steps[0].counts == {"filled": changed, "filled_time": total}
    kept = [name for name in log.columns if name not in ("end", "duration")]
    assert [[e[n] for n in kept] for e in out] == [[e[n] for n in kept] for e in log]


@CHECKED
@given(log=logs(), gap=GAPS)
def test_twice_is_once(log, gap):
    """A gap that is closed is no gap."""
    step = Fill(same=["user"], max_gap=f"{gap}ms")
    once = log.apply(step)
    assert once.apply(step).to_dicts() == once.to_dicts()


@CHECKED
@given(rows=documents(distinct=True), gap=GAPS)
def test_runs_are_those_of_collapse(rows, gap):
    """Filled, then collapsed without a gap: what collapse makes of this gap."""
    # Of members with one time and an end collapse keeps the longest only: here times differ.
    log = build([*{(row["case"], row["time"]): row for row in rows}.values()])
    found = {"same": ["user"], "into": "interval"}
    one = log.apply(Fill(same=["user"], max_gap=f"{gap}ms")).apply(Collapse(**found, max_gap="0s"))
    assert one.to_dicts() == log.apply(Collapse(**found, max_gap=f"{gap}ms")).to_dicts()
