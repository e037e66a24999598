"""Logs recorded in a browser with five builds: what is accepted, and that nothing else is lost."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from distill_userale import UserALE

SHOP = ("2.0.2", "2.1.1", "2.3.0", "2.4.0", "head", "sample")
FLAGON = ("flagon-sample", "flagon-task")
KNOWN = {"2.3.0": 2778, "2.4.0": 8388, "head": 4704, "flagon-sample": 19, "flagon-task": 1336}


def _fate(record: Any) -> str:
    """What becomes of a record, by plain code: accepted, or why not."""
    if not isinstance(record, dict):
        return "not_object"
    if record.get("clientTime") is None and record.get("startTime") is None:
        return "no_time"
    if not record.get("sessionId") and not record.get("sessionID") and not record.get("userId"):
        return "no_case"
    return "accepted"


@pytest.mark.parametrize("case", ["session", "tab", "user"])
@pytest.mark.parametrize("name", [*SHOP, *FLAGON])
def test_accepted(read, recorded, name, case) -> None:
    """Every record is an event but nulls, objects without a time, and those of nobody."""
    records = recorded(name)
    fates = [_fate(record) for record in records]
    log = read(records, UserALE(case=case))
    assert len(log) == fates.count("accepted") == KNOWN.get(name, len(log))
    rejected = {reason: counted.count for reason, counted in log.reading.rejected.items()}
    assert rejected == {k: v for k, v in Counter(fates).items() if k != "accepted"}
    for reason, counted in log.reading.rejected.items():
        places = [str(i) for i, fate in enumerate(fates) if fate == reason]
        assert list(counted.samples) == places[:100]
    assert not log.reading.nulled


@pytest.mark.parametrize("name", [*SHOP, *FLAGON])
def test_events_are_the_records(read, recorded, name) -> None:
    """As multisets, the events say what the records say: case, type, time, end, user, target."""

    def key(record: dict[str, Any]) -> tuple[Any, ...]:
        session = record.get("sessionId") or record.get("sessionID")
        time = record["clientTime"] if "clientTime" in record else record["startTime"]
        end = record.get("endTime")
        return (
            session or f"user:{record['userId']}", record["type"], time,
            None if end is None else max(end, time), record.get("userId"), record.get("target"),
            record.get("count"),
            round(record["microTime"] * 1000) if "microTime" in record else None,
        )  # fmt: skip

    log = read(recorded(name))
    names = ("case", "activity", "user", "target", "run_count", "order")
    case, activity, user, target, count, order = (log.get(n).to_list() for n in names)
    time = (log.time // 1000).tolist()
    ends = log.get("end").to_list()
    end = [None if e is None else e // 1000 for e in ends]
    events = Counter(zip(case, activity, time, end, user, target, count, order, strict=True))
    assert events == Counter(key(r) for r in recorded(name) if _fate(r) == "accepted")


@pytest.mark.parametrize(("name", "mended"), [("2.0.2", 4), ("2.4.0", 11), ("head", 6)])
def test_negative_intervals_are_mended(read, recorded, name, mended) -> None:
    """Each interval that ends before it starts is counted."""
    assert read(recorded(name)).reading.counts["end_before_time"] == mended


@pytest.mark.parametrize(
    ("name", "with_order"), [("2.0.2", 1886), ("2.3.0", 1778), ("2.4.0", 5395), ("head", 2993)]
)
def test_order_is_on_raw_records(read, recorded, name, with_order) -> None:
    """Raw records have a fraction of their millisecond, page loads, intervals and custom none."""
    order = read(recorded(name)).get("order")
    assert int((~order.null).sum()) == with_order
    assert set(order.values[~order.null].tolist()) == set(range(0, 1000, 100))


def test_runs_of_one_stamp(read, recorded) -> None:
    """Order and time as this schema reads them leave 1217 runs of equal neighbours of 1336."""
    log = read(recorded("flagon-task"))
    keys = [log.get(n).to_list() for n in ("case", "activity", "target", "path")]
    rows = list(zip(*keys, log.time.tolist(), strict=True))
    assert 1 + sum(a != b for a, b in pairwise(rows)) == 1217


@pytest.mark.parametrize("name", [*SHOP, *FLAGON])
def test_detected(recorded, name) -> None:
    """Each recording is known as UserALE.js."""
    assert UserALE.detect(recorded(name)) > 0.95


def test_cases_of_each_kind(read, recorded) -> None:
    """Sessions, tabs and users of the 2.4.0 log: no two session ids collide in it."""
    kinds = ("session", "tab", "user")
    cases = {kind: read(recorded("2.4.0"), UserALE(case=kind)).n_cases for kind in kinds}
    assert cases["session"] == cases["tab"] == 43
    assert cases["user"] == 36 + 4  # four sessions have pages without a user
