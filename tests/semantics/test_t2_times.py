"""T2: what is no time."""

from __future__ import annotations

import pytest

from distill_core import EventLog, Pipeline, SchemaError, Source
from distill_userale import UserALE

MISSING = [None, ...]
UNREADABLE = ["soon", -1, float("nan"), "5", True]


class Records(Source):
    records: list

    def read(self, request, scan):
        yield self.records


def record(time):
    """An event at this time; ``...``: without the field."""
    return {"c": "x", "a": "y"} | ({} if time is ... else {"t": time})


@pytest.mark.parametrize("time", [*MISSING, *UNREADABLE])
def test_t2_an_event_without_a_time_is_rejected_with_its_position(time):
    """A missing or unreadable time, a negative one, NaN, a number in a text: rejected, told."""
    rows = [record(5), record(time), record(6)]
    options = {"case": "c", "activity": "a", "time": "t", "unit": "ms"}
    log = EventLog.from_frame(rows, **options)
    assert [event["time"][-8:] for event in log.to_dicts()] == [".005000Z", ".006000Z"]
    reason = "no_time" if time in MISSING else "bad_time"
    assert log.reading.to_dict()["rejected"] == {reason: {"count": 1, "samples": ["1"]}}
    with pytest.raises(SchemaError) as raised:
        EventLog.from_frame(rows, **options, strict=True)
    assert raised.value.code == "record-rejected"
    assert f"record at 1 is rejected as {reason!r}" in str(raised.value)


def test_t2_userale_has_two_places_for_the_time():
    """In UserALE.js logs the time is clientTime, else startTime."""
    both = {"clientTime": 7, "startTime": 5, "type": "a", "sessionID": "s"}
    start = {"startTime": 9, "type": "b", "sessionID": "s"}
    log = Pipeline(Records(records=[both, start]), UserALE()).log()
    assert [event["time"][-8:] for event in log.to_dicts()] == [".007000Z", ".009000Z"]
