"""The signs of the quality report against slow, plain code that looks at pairs of events."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill_core.component import Selection
from distill_core.pipeline import Pipeline
from distill_core.plan import plan_reading
from distill_core.reading import read as read_plan
from distill_userale import UserALE, UseraleQuality
from distill_userale.quality import _CHECKS

T = 1719530111000
SIGNS = {check.name: check.sign for check in _CHECKS}
Event = dict[str, Any]

stamps = st.integers(0, 12).map(lambda n: T + n * 30)
given_records = st.lists(
    st.fixed_dictionaries(
        {
            "logType": st.sampled_from(["raw", "custom"]),
            "type": st.sampled_from(["click", "focus", "load", "mouseover"]),
            "userAction": st.booleans(),
            "clientTime": stamps,
            "sessionID": st.sampled_from(["s", "t"]),
            "target": st.sampled_from(["a", None]),
            "pageUrl": st.sampled_from(["/a", "/b"]),
            "details": st.sampled_from([None, {"window": True}]),
        },
        optional={"microTime": st.sampled_from([0.0, 0.5])},
    ),
    max_size=14,
)


def _log(source, records):
    plan = plan_reading(UserALE(), Selection(), set(UseraleQuality.reads or ()))
    return read_plan(source(records=records), UserALE(), plan)


def _told(log, name) -> list[int]:
    return [row for row, found in enumerate(SIGNS[name](log)[0].tolist()) if found]


def _twin(events: list[Event], row: int) -> bool:
    this = events[row]
    names = ("session_id", "time", "activity", "target")
    return (
        this["log_type"] == "raw" and this["activity"] == "focus" and this["details"] is None
        and any(e["log_type"] == "raw" and e["details"] == {"window": True}
                and all(e[n] == this[n] for n in names) for e in events)
    )  # fmt: skip


def _duplicate(events: list[Event], row: int) -> bool:
    bare = [{k: v for k, v in event.items() if k != "id"} for event in events]
    return bare[row] in bare[:row]


def _same_stamp(events: list[Event], row: int) -> bool:
    this = events[row]
    names = ("session_id", "time", "order")
    return this["log_type"] == "raw" and this["order"] is not None and any(
        e["log_type"] == "raw" and all(e[n] == this[n] for n in names) for e in events[:row]
    )


def _millis(event: Event) -> int:
    return int(event["time"][20:23])


def _custom_before_click(events: list[Event], row: int) -> bool:
    this = events[row]
    if this["log_type"] != "custom" or this["activity"] == "load":
        return False
    acts = [_millis(e) - _millis(this) for e in events if e["session_id"] == this["session_id"]
            and e["log_type"] == "raw" and e["activity"] == "click"]  # fmt: skip
    return not any(-60 <= gap <= 0 for gap in acts) and any(0 < gap <= 60 for gap in acts)


@pytest.mark.parametrize("oracle", [_twin, _duplicate, _same_stamp, _custom_before_click])
@settings(max_examples=60, deadline=None)
@given(records=given_records)
def test_signs_of_pairs(source, oracle, records) -> None:
    """Each sign is at exactly the events where plain code sees it."""
    log = _log(source, records)
    events = log.to_dicts()
    expected = [row for row in range(len(events)) if oracle(events, row)]
    assert _told(log, oracle.__name__.removeprefix("_")) == expected


@settings(max_examples=60, deadline=None)
@given(records=given_records)
def test_sessions_shared_by_tabs(source, records) -> None:
    """Visits in turns, A B A B, whose last two are not loaded anew, are in the shared sessions."""
    log = _log(source, records)
    expected = []
    for session in ("s", "t"):
        visits: list[tuple[str, bool]] = []
        rows = [(n, e) for n, e in enumerate(log) if e["session_id"] == session]
        for _, event in rows:
            load = event["activity"] == "load" and not event["user_action"]
            if not visits or visits[-1][0] != event["page_url"] or load:
                visits.append((event["page_url"], load))
        fours = (visits[n : n + 4] for n in range(len(visits) - 3))
        if any(
            (a[0], b[0]) == (c[0], d[0]) and a[0] != b[0] and not c[1] and not d[1]
            for a, b, c, d in fours
        ):
            expected.append(rows[0][0])
    assert _told(log, "shared_session") == expected


@settings(max_examples=30, deadline=None)
@given(records=given_records)
def test_sessions_do_not_touch_each_other(source, records) -> None:
    """The counts of a log are the sums of those of its sessions."""

    def counts(some: list[Event]) -> dict[str, int]:
        pipeline = Pipeline(source(records=some), UserALE(), model=UseraleQuality())
        return {row["check"]: row["count"] for row in pipeline.run().rows}

    # Whether there are page-load records at all is a fact of the whole log.
    load = {"logType": "custom", "type": "load", "userAction": False, "clientTime": T - 9999}
    loads = [load | {"sessionID": session} for session in ("s", "t")]
    parts = [[r for r in [*loads, *records] if r["sessionID"] == session] for session in ("s", "t")]
    whole, one, two = counts([*loads, *records]), counts(parts[0]), counts(parts[1])
    assert whole == {check: one[check] + two[check] for check in whole}
