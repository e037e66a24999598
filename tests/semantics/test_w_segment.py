"""W1 to W4: windows over cases."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from timelines import dropped, timeline

import distill_core as dl
from distill_core.builtin.segment import Segment
from distill_core.errors import SpecError
from distill_core.testing.logs import build

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def run(text: str, **params: Any) -> dl.EventLog:
    return timeline(text).apply(Segment(**params))


def windows(log: dl.EventLog, *names: str) -> list[tuple[Any, ...]]:
    """(time, end) in ms, size and further columns of each window."""
    rows = [row for row in log if row["activity"] == "window"]

    def ms(text: str) -> int:
        return (datetime.fromisoformat(text) - EPOCH) // timedelta(milliseconds=1)

    return [
        (ms(row["time"]), ms(row["end"]), row["size"], *(row[n] for n in names)) for row in rows
    ]


def local(zone: str, *times: str, **params: Any) -> list[tuple[str, str, int]]:
    """Windows over events at these times, as (time, end, size)."""
    log = dl.EventLog.from_frame(
        [{"c": 1, "a": "x", "t": t} for t in times], case="c", activity="a", time="t"
    )
    out = log.apply(Segment(zone=zone, **params))
    return [(row["time"][:16], row["end"][:16], row["size"]) for row in out]


def test_w1_fixed_windows() -> None:
    """W1: 5 s on 0,5000,10000 → [0,5000):1 [5000,10000):1 [10000,15000):1."""
    out = run("a@0 a@5000 a@10000", every="5s")
    assert windows(out, "members") == [
        (0, 5000, 1, ["e1"]), (5000, 10000, 1, ["e2"]), (10000, 15000, 1, ["e3"]),
    ]  # fmt: skip
    report = out.steps[0]
    assert (report.made, report.used, dropped(out)) == (3, 0, {"other": ["e1", "e2", "e3"]})


def test_w1_one_event_one_window() -> None:
    """W1: one event → one window, by its time, whatever its end."""
    assert windows(run("a@4999-60000", every="5s")) == [(0, 5000, 1)]


def test_w1_per_case() -> None:
    """W1: each case has its own windows."""
    log = dl.concat([timeline("a@0 a@1", "p"), timeline("a@2", "q")])
    out = log.apply(Segment(every="5s"))
    assert [(row["case"], row["size"]) for row in out] == [("p", 2), ("q", 1)]


def test_w1_align() -> None:
    """W1: align epoch counts from 1970, first from the first event of the case."""
    assert windows(run("a@3000 a@7999 a@8000", every="5s")) == [(0, 5000, 1), (5000, 10000, 2)]
    first = run("a@3000 a@7999 a@8000", every="5s", align="first")
    assert windows(first) == [(3000, 8000, 2), (8000, 13000, 1)]


def test_w1_empty() -> None:
    """W1: empty = keep: all windows from the first to the last event, members []."""
    assert windows(run("a@0 a@11000", every="5s")) == [(0, 5000, 1), (10000, 15000, 1)]
    kept = run("a@0 a@11000", every="5s", empty="keep")
    assert windows(kept, "members", "source_ids") == [
        (0, 5000, 1, ["e1"], ["e1"]), (5000, 10000, 0, [], []), (10000, 15000, 1, ["e2"], ["e2"]),
    ]  # fmt: skip


def test_w1_windows_precede_events_of_their_time() -> None:
    """PL: with keep all the events stay, each window before the events of its time."""
    out = run("a@1000 a@5000 b@5000 c@7000", every="5s", keep="all", name="w")
    assert [(row["activity"], row["size"]) for row in out] == [
        ("w", 1), ("a", None), ("w", 3), ("a", None), ("b", None), ("c", None)
    ]  # fmt: skip
    assert [row["source_ids"] for row in out][:2] == [["e1"], ["e1"]]
    assert (out.steps[0].used, out.steps[0].dropped) == (0, {})


def test_w2_fixed_spans_count_from_the_epoch_in_utc() -> None:
    """W2: 36 h and 24 h count from the epoch in UTC."""
    day = 24 * 3_600_000
    assert windows(run(f"a@{day} a@{2 * day}", every="36h")) == [
        (0, 3 * day // 2, 1), (3 * day // 2, 3 * day, 1)
    ]  # fmt: skip
    assert windows(run(f"a@{day - 1} a@{day}", every=timedelta(days=1))) == [
        (0, day, 1), (day, 2 * day, 1)
    ]  # fmt: skip


def test_w2_days_begin_at_local_midnight() -> None:
    """W2: 1d begins at local midnight: 23 h in spring, 25 h in autumn."""
    assert local("Europe/Berlin", "2024-03-30T22:59:59Z", "2024-03-31T10:00:00Z", every="1d") == [
        ("2024-03-29T23:00", "2024-03-30T23:00", 1), ("2024-03-30T23:00", "2024-03-31T22:00", 1)
    ]  # fmt: skip
    assert local("Europe/Berlin", "2024-10-27T22:59:59Z", every="1d") == [
        ("2024-10-26T22:00", "2024-10-27T23:00", 1)
    ]


def test_w2_midnights_that_no_clock_shows() -> None:
    """W2: where clocks jump over midnight the day begins at the jump; a skipped day has none."""
    assert local("America/Sao_Paulo", "2018-11-04T12:00:00Z", every="1d") == [
        ("2018-11-04T03:00", "2018-11-05T02:00", 1)
    ]
    apia = local(
        "Pacific/Apia", "2011-12-30T00:00:00Z", "2011-12-31T00:00:00Z", every="1d", empty="keep"
    )
    assert apia == [
        ("2011-12-29T10:00", "2011-12-30T10:00", 1), ("2011-12-30T10:00", "2011-12-31T10:00", 1)
    ]  # fmt: skip


def test_w2_weeks_and_months() -> None:
    """W2: weeks begin on Monday, months on the first, in the zone."""
    assert local("Europe/Berlin", "2024-03-31T10:00:00Z", every="1w") == [
        ("2024-03-24T23:00", "2024-03-31T22:00", 1)
    ]
    assert local("America/New_York", "2024-02-29T23:00:00Z", every="1mo") == [
        ("2024-02-01T05:00", "2024-03-01T05:00", 1)
    ]
    assert local("UTC", "2024-05-31T23:00:00Z", every="3mo") == [
        ("2024-04-01T00:00", "2024-07-01T00:00", 1)
    ]
    assert local("UTC", "1970-01-04T12:00:00Z", "1970-01-05T00:00:00Z", every="P1W") == [
        ("1969-12-29T00:00", "1970-01-05T00:00", 1), ("1970-01-05T00:00", "1970-01-12T00:00", 1)
    ]  # fmt: skip


def test_w3_deadspace() -> None:
    """W3: [greatest last so far, next.time) if strictly longer than the limit."""
    assert windows(run("a@0-50 b@10 c@80 d@111", kind="deadspace", limit="30ms"), "members") == [
        (80, 111, 0, [])
    ]
    out = run("a@0-50 b@10 c@80 d@111", kind="deadspace", limit="29ms", keep="all")
    assert windows(out) == [(50, 80, 0), (80, 111, 0)]
    assert [row["activity"] for row in out] == ["a", "b", "window", "window", "c", "d"]


def test_w3_no_deadspace_between_cases() -> None:
    """W3: what lies between two cases is none."""
    log = dl.concat([timeline("a@0", "p"), timeline("a@900", "q")])
    out = log.apply(Segment(kind="deadspace", limit="1ms"))
    assert (len(out), out.n_cases) == (0, 0)


def test_w4_sliding() -> None:
    """W4: [k·step, k·step+every) with events."""
    out = run("a@7 b@12 c@40", kind="sliding", every="10ms", step="5ms")
    assert windows(out, "members") == [
        (0, 10, 1, ["e1"]), (5, 15, 2, ["e1", "e2"]), (10, 20, 1, ["e2"]),
        (35, 45, 1, ["e3"]), (40, 50, 1, ["e3"]),
    ]  # fmt: skip
    gaps = run("a@0 b@7 c@12", kind="sliding", every="5ms", step="10ms")
    assert windows(gaps, "members") == [(0, 5, 1, ["e1"]), (10, 15, 1, ["e3"])]


def test_w4_sliding_by_the_calendar() -> None:
    """W2, W4: seven days from each midnight."""
    out = local("Europe/Berlin", "2024-03-31T10:00:00Z", kind="sliding", every="1w", step="1d")
    assert (len(out), out[0], out[-1]) == (
        7, ("2024-03-24T23:00", "2024-03-31T22:00", 1), ("2024-03-30T23:00", "2024-04-06T22:00", 1)
    )  # fmt: skip


def test_w4_change() -> None:
    """W4: runs of one same: [first.time, greatest last], with what they are equal in."""
    out = run("a@0(p)  a@3-20(p) a@9(q) b@10() c@11() d@12(p)", kind="change", same=["k"])
    assert windows(out, "members", "k") == [
        (0, 20, 2, ["e1", "e2"], "p"), (9, 9, 1, ["e3"], "q"),
        (10, 11, 2, ["e4", "e5"], None), (12, 12, 1, ["e6"], "p"),
    ]  # fmt: skip


def test_w4_count() -> None:
    """W4: n events a window: [first.time, greatest last]; the last may have fewer."""
    out = run("a@0-9 b@3 c@4", kind="count", n=2)
    assert windows(out, "members") == [(0, 9, 2, ["e1", "e2"]), (4, 4, 1, ["e3"])]


def mix(x: int) -> int:
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    x = (x ^ x >> 27) * 0x94D049BB133111EB % 2**64
    return x ^ x >> 31


def hashed(*parts: str | int) -> str:
    golden, total = 0x9E3779B97F4A7C15, 0
    for index, part in enumerate(parts, 1):
        word = part
        if isinstance(part, str):
            word = int.from_bytes(hashlib.blake2b(part.encode(), digest_size=8).digest(), "little")
        total += mix((int(word) + index * golden) % 2**64)
    return f"{mix((len(parts) * golden + total) % 2**64):016x}"


def test_id_of_windows() -> None:
    """ID: U(transform, params, case, time); more windows of that time have their number too."""
    out = run("a@0 a@7000", every="5s")
    params = '{"every":5000000}'
    assert [row["id"] for row in out] == [
        hashed("segment", params, "c", time) for time in (0, 5_000_000)
    ]
    tied = run("a@7(p) a@7(q) a@7(p)", kind="change", same=["k"])
    key = ("segment", '{"kind":"change","same":["k"]}', "c", 7000)
    assert [row["id"] for row in tied] == [hashed(*key), hashed(*key, 1), hashed(*key, 2)]


def test_w_ids_do_not_change_with_other_events() -> None:
    """ID: a window keeps its id when other windows come."""
    one, two = run("a@0", every="5s"), run("a@1 b@9000", every="5s")
    assert one.to_dicts()[0]["id"] == two.to_dicts()[0]["id"]


def test_w_empty_log_has_the_columns() -> None:
    """N: nothing in, nothing out, but the columns are there."""
    for params in ({"every": "5s"}, {"every": "1d"}, {"kind": "deadspace", "limit": "1s"},
                   {"kind": "count", "n": 2}, {"kind": "change", "same": ["target"]}):  # fmt: skip
        out = build([]).apply(Segment(**params))
        assert (len(out), out.n_cases) == (0, 0)
        assert {"members", "size", "end", "source_ids"} <= set(out.columns)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"every": 5},
        {"every": "0s"},
        {"every": "0d"},
        {"every": "soon"},
        {"every": "5s", "step": "1s"},
        {"every": "5s", "limit": "1s"},
        {"every": "5s", "zone": "Europe/Berlin"},
        {"every": "1d", "zone": "Europe/Nowhere"},
        {"every": "1d", "zone": "../etc/passwd"},
        {"every": "1d", "align": "first"},
        {"kind": "sliding", "every": "5s"},
        {"kind": "sliding", "every": "1d", "step": "1h"},
        {"kind": "sliding", "every": "1mo", "step": "1d"},
        {"kind": "deadspace"},
        {"kind": "deadspace", "limit": "1s", "empty": "keep"},
        {"kind": "change"},
        {"kind": "count", "n": 0},
        {"kind": "count", "n": 2, "align": "first"},
    ],
)
def test_w_parameters_that_contradict(params: dict[str, Any]) -> None:
    """N: what has no meaning is an error."""
    with pytest.raises(SpecError):
        Segment(**params)


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("a@0 a@100000000", {"every": "1ms", "empty": "keep"}),
        ("a@0", {"every": "999999999h"}),
        ("a@0", {"kind": "sliding", "every": "24h", "step": "1us"}),
    ],
)
def test_w_too_many_windows_are_refused(text: str, params: dict[str, Any]) -> None:
    """N: windows beyond the limits are an error, not a full memory."""
    with pytest.raises(dl.TransformError) as error:
        run(text, **params)
    assert error.value.code == "window-limit"


@pytest.mark.parametrize("every", ["5s", "24h", "1d", "2w", "1mo", "1500ms", "1us"])
def test_w_written_and_read_back(every: str) -> None:
    """V1: a length is read back from what it is written as, 24 hours as 24 hours."""
    step = Segment(every=every)
    assert step.params()["every"] == every
    assert Segment.model_validate(step.params()) == step
    assert Segment(every=timedelta(days=1)).params()["every"] == "24h"
