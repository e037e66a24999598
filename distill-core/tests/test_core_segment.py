"""segment beside a slow oracle, midnights beside a scan, and that all is linear."""

from __future__ import annotations

import time as clock
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from distill_core.batch import Lists, Masked
from distill_core.builtin.collapse import Collapse
from distill_core.builtin.segment import Segment
from distill_core.columns import Column
from distill_core.errors import TransformError
from distill_core.grids import midnight
from distill_core.log import EventLog
from distill_core.params import MICROSECOND, Calendar
from distill_core.testing.logs import build, documents

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR_MS = 3_600_000
SPRING = 1711756800000  # 2024-03-30T00:00Z: the night after, clocks in Berlin go forward


def micros(moment):
    return (moment - EPOCH) // MICROSECOND


def began(day, zone):
    """When a local date begins, in zones whose clocks all show midnight."""
    return micros(datetime(day.year, day.month, day.day, tzinfo=zone))


def months(count):
    return date(1970 + count // 12, count % 12 + 1, 1)


def calendar_windows(step, low, high):
    """(begin, end) of all windows around these times, by walking through dates."""
    zone = ZoneInfo(step.zone)
    each, every = step.step or step.every, step.every
    found = []
    if each.unit == "mo":
        first = (EPOCH + low * MICROSECOND).year * 12 - 1970 * 12 - every.count - 12
        for number in range(first // each.count, first // each.count + 60 + 2 * every.count):
            begin = number * each.count
            found.append((months(begin), months(begin + every.count)))
    else:
        sizes = {"d": 1, "w": 7}
        origin = date(1970, 1, 1) if each.unit == "d" else date(1969, 12, 29)
        width, length = each.count * sizes[each.unit], every.count * sizes[every.unit]
        first = ((EPOCH + low * MICROSECOND).date() - origin).days - length - 2
        last = ((EPOCH + high * MICROSECOND).date() - origin).days + 2
        for number in range(first // width, last // width + 1):
            begin = origin + timedelta(days=number * width)
            found.append((begin, begin + timedelta(days=length)))
    return [(began(a, zone), began(b, zone)) for a, b in found]


def fixed_windows(step, times):
    every = step.every // MICROSECOND
    each = every if step.step is None else step.step // MICROSECOND
    origin = times[0] if step.align == "first" else 0
    numbers = range((times[0] - origin - every) // each - 1, (times[-1] - origin) // each + 2)
    return [(origin + n * each, origin + n * each + every) for n in numbers]


def grid(step, events):
    """Windows of one case: (time, end, members)."""
    times = [event["time"] for event in events]
    if isinstance(step.every, Calendar):
        spans = calendar_windows(step, times[0], times[-1])
    else:
        spans = fixed_windows(step, times)
    found = [(a, b, [e["id"] for e in events if a <= e["time"] < b]) for a, b in spans]
    if step.empty == "drop":
        return [window for window in found if window[2]]
    return [(a, b, names) for a, b, names in found if b > times[0] and a <= times[-1]]


def last(event):
    return event["time"] if event["end"] is None else event["end"]


def by_events(step, events):
    if step.kind == "deadspace":
        found = []
        for n, event in enumerate(events[1:], 1):
            so_far = max(map(last, events[:n]))
            if event["time"] - so_far > step.limit // MICROSECOND:
                found.append((so_far, event["time"], []))
        return found
    if step.kind == "count":
        runs = [events[n : n + step.n] for n in range(0, len(events), step.n)]
    else:
        runs = [list(run) for _, run in groupby(events, lambda e: [e[n] for n in step.same])]
    return [(run[0]["time"], max(map(last, run)), [e["id"] for e in run]) for run in runs]


def plain(log):
    """Events as dicts, times and ends in µs."""
    ends = log.data["end"].to_list() if "end" in log.data else [None] * len(log)
    rows = zip(log, log.time.tolist(), ends, strict=True)
    return [event | {"time": time, "end": end} for event, time, end in rows]


def expected(log, step):
    """(case, activity, time, end, members or None) of what comes out, in its order."""
    found = []
    for case, group in groupby(plain(log), lambda event: event["case"]):
        events = list(group)
        made = grid(step, events) if step.every else by_events(step, events)
        rows = [(case, "window", time, end, members) for time, end, members in made]
        if step.keep == "all":
            rows += [(case, e["activity"], e["time"], e["end"], None) for e in events]
        found += sorted(rows, key=lambda row: (row[2], row[4] is None))
    return found


FIXED = st.sampled_from(["1ms", "3ms", "5ms", "7ms", "40ms"])
GRID = {"empty": st.sampled_from(["drop", "keep"]), "keep": st.sampled_from(["intervals", "all"])}
STEPS = st.one_of(
    st.fixed_dictionaries(
        GRID | {"every": FIXED, "align": st.sampled_from(["epoch", "first"])}
    ),
    st.fixed_dictionaries(
        GRID | {"kind": st.just("sliding"), "every": FIXED, "step": FIXED,
                "align": st.sampled_from(["epoch", "first"])}),
    st.fixed_dictionaries(
        {"kind": st.just("deadspace"), "limit": st.sampled_from(["0s", "1ms", "4ms"]),
         "keep": GRID["keep"]}),
    st.fixed_dictionaries(
        {"kind": st.just("change"), "keep": GRID["keep"], "same": st.lists(
            st.sampled_from(["activity", "target", "details", "time", "end", "user"]), min_size=1,
            max_size=2)}),
    st.fixed_dictionaries(
        {"kind": st.just("count"), "n": st.integers(1, 4), "keep": GRID["keep"]}),
).map(lambda params: Segment(**params))  # fmt: skip
CALENDAR = st.one_of(
    st.fixed_dictionaries(
        GRID | {"every": st.sampled_from(["1d", "2d", "1w", "1mo", "3mo"]), "zone": st.sampled_from(
            ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"])}),
    st.fixed_dictionaries(
        GRID | {"kind": st.just("sliding"), "zone": st.just("Europe/Berlin"),
                "every": st.sampled_from(["1d", "3d", "1w"]),
                "step": st.sampled_from(["1d", "2d", "1w"])}),
    st.fixed_dictionaries(
        GRID | {"kind": st.just("sliding"), "zone": st.just("Europe/Berlin"),
                "every": st.sampled_from(["1mo", "2mo"]), "step": st.sampled_from(["1mo", "3mo"])}),
).map(lambda params: Segment(**params))  # fmt: skip
ROWS = documents(max_size=18)
FEW = ROWS.map(lambda rows: [row | {"case": "a"} for row in rows])
HOURS = ROWS.map(
    lambda rows: [
        row | {"time": SPRING + (row["time"] - 12) * 9 * HOUR_MS, "end": None} for row in rows
    ]
)


def check(log, step):
    out = log.apply(step)
    ends = out.data["end"].to_list()
    told = [
        (row["case"], row["activity"], time, end, row["members"])
        for row, time, end in zip(out, out.time.tolist(), ends, strict=True)
    ]
    assert told == expected(log, step)
    made = [row for row in out if row["members"] is not None]
    assert all(row["size"] == len(row["members"]) for row in made)
    assert len({row["id"] for row in out}) == len(out)
    assert out.steps[0].made == len(made)
    assert len(out.offsets) == len({row["case"] for row in out}) + 1


@settings(max_examples=150, deadline=None)
@given(rows=ROWS | FEW, step=STEPS)
def test_like_the_oracle(rows, step):
    """Windows, their members and their places are as a walk over all windows has them."""
    check(build(rows), step)


@settings(max_examples=150, deadline=None)
@given(rows=HOURS, step=CALENDAR)
@example(
    rows=[{"case": "a", "activity": "x", "time": SPRING - 4 * 24 * HOUR_MS}],
    step=Segment(kind="sliding", every="1d", step="1w", zone="Europe/Berlin"),
)
def test_like_the_oracle_by_the_calendar(rows, step):
    """Days, weeks and months around a change of clocks are as a walk through dates has them."""
    check(build(rows), step)


ZONES = ("UTC", "Europe/Berlin", "America/Sao_Paulo", "America/Havana", "Africa/Cairo",
         "Asia/Beirut", "Pacific/Apia", "Pacific/Kwajalein", "Australia/Lord_Howe",
         "America/Asuncion", "Asia/Tehran", "Asia/Gaza", "America/Scoresbysund")  # fmt: skip


def scanned(day, zone):
    """The first instant whose local date is this day or later, found quarter hour by quarter."""
    wanted = date(1970, 1, 1) + timedelta(days=day)
    moment = EPOCH + timedelta(days=day - 2)
    while moment.astimezone(zone).date() < wanted:
        moment += timedelta(minutes=15)
    return micros(moment)


@settings(max_examples=150, deadline=None)
@given(day=st.integers(0, 25_000), zone=st.sampled_from(ZONES))
@example(day=(date(2011, 12, 30) - date(1970, 1, 1)).days, zone="Pacific/Apia")
@example(day=(date(1993, 8, 21) - date(1970, 1, 1)).days, zone="Pacific/Kwajalein")
@example(day=(date(2018, 11, 4) - date(1970, 1, 1)).days, zone="America/Sao_Paulo")
@example(day=(date(2018, 2, 18) - date(1970, 1, 1)).days, zone="America/Sao_Paulo")
@example(day=(date(2023, 11, 5) - date(1970, 1, 1)).days, zone="America/Havana")
def testmidnights_like_a_scan(day, zone):
    """A day begins with the first instant that has its date, also where no clock shows 00:00."""
    assert midnight(day, ZoneInfo(zone)) == scanned(day, ZoneInfo(zone))


def test_windows_of_windows():
    """Windows after a step that wrote sources, counts and members: nothing of these is mixed up."""
    log = build([{"case": "a", "activity": "x", "time": t, "number": t % 2} for t in (0, 1, 4, 9)])
    once = log.apply(Collapse(same=["activity"], max_gap="1ms"))
    twice = once.apply(Segment(every="5ms", keep="all")).apply(Segment(kind="count", n=9))
    ids = [event["id"] for event in log]
    assert [(row["size"], row["source_ids"], row["count"]) for row in twice] == [(5, ids, 1)]
    assert twice.to_dicts()[0]["number"] is None


class At(Segment):
    """Windows at these times, µs, whatever their order."""

    at: tuple[tuple[int, int], ...] = ()

    def apply(self, log):
        case, time = np.array(self.at, dtype=np.int64).T
        columns = {
            "case": (Column("case"), Masked.full(case)),
            "time": (log.columns["time"], Masked.full(time)),
        }
        sources = Lists(np.zeros(len(case) + 1), log.time[:0])
        return log.derive(self, at=None, sources=sources, columns=columns)


def test_derive_puts_windows_where_their_time_is():
    """Before, between and after the events of their case, before those of their time."""
    log = build([{"case": c, "activity": c, "time": t} for c in "ab" for t in (2, 2, 5)])
    at = [(0, 1000), (0, 2000), (0, 2000), (0, 9000), (1, 0), (1, 3000), (1, 5000), (1, 5001)]
    out = log.apply(At(every="1s", at=at))
    rows = [(row["case"], time // 1000, row["activity"] is None)
            for row, time in zip(out, out.time.tolist(), strict=True)]  # fmt: skip
    assert rows == [
        ("a", 1, True), ("a", 2, True), ("a", 2, True), ("a", 2, False), ("a", 2, False),
        ("a", 5, False), ("a", 9, True), ("b", 0, True), ("b", 2, False), ("b", 2, False),
        ("b", 3, True), ("b", 5, True), ("b", 5, False), ("b", 5, True),
    ]  # fmt: skip
    assert out.offsets.tolist() == [0, 7, 14]


def test_derive_wants_windows_in_order():
    """Windows that a transform gives in a wrong order are an error."""
    log = build([{"case": "a", "activity": "x", "time": 0}])
    with pytest.raises(TransformError, match="order of their cases"):
        log.apply(At(every="1s", at=[(0, 5), (0, 4)]))
    with pytest.raises(TransformError, match="order of their cases"):
        log.apply(At(every="1s", at=[(1, 4), (0, 5)]))


def test_times_far_apart():
    """Cases over thousands of years: windows still find their places."""
    rows = [{"case": f"{case:02}", "activity": "x", "time": time}
            for case in range(30) for time in (0, 200_000_000_000_000)]  # fmt: skip
    out = build(rows).apply(Segment(every="5s", keep="all"))
    assert [row["activity"] for row in out] == ["window", "x", "window", "x"] * 30


@pytest.fixture(scope="module")
def giant():
    """300,000 events of one case, two at each millisecond."""
    import pandas as pd

    count = 300_000
    frame = pd.DataFrame({"c": np.zeros(count, int), "a": "x", "t": np.arange(count) // 2})
    return EventLog.from_frame(frame, case="c", activity="a", time="t", unit="ms")


@pytest.mark.parametrize(
    "params",
    [
        {"every": "1s"},
        {"every": "1d", "zone": "Europe/Berlin"},
        {"kind": "sliding", "every": "10s", "step": "5s"},
        {"kind": "deadspace", "limit": "0s"},
        {"kind": "change", "same": ["time"]},
        {"kind": "count", "n": 1},
        {"every": "1us", "keep": "all"},
    ],
)
def test_one_giant_case_is_one_pass(giant, params):
    """One case of many events takes no longer than its length: a square would take minutes."""
    begin = clock.perf_counter()
    out = giant.apply(Segment(**params))
    assert clock.perf_counter() - begin < 10
    assert len(out) == out.steps[0].out > 0
