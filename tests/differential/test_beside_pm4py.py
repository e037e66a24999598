"""Directly-follows graphs and stretches of cases beside pm4py (AGPL: `nox -s peers` alone)."""

from __future__ import annotations

import pandas as pd
import pytest
from random_rows import log_of, random_rows

import distill_core as dl
from distill_graph import Transitions

pytestmark = [
    pytest.mark.peers,
    pytest.mark.filterwarnings("default"),  # how pm4py uses pandas is its own affair
]
SIZE = 2_000
SECOND = 1_000_000
SEEDS = pytest.mark.parametrize("seed", [1, 2])


@pytest.fixture(scope="module")
def pm4py():
    import pm4py

    return pm4py


def frame(log):
    """The log as pm4py's users have it: the end is the event's time, the begin start_timestamp."""
    return pd.DataFrame({
        "id": [event["id"] for event in log],
        "case:concept:name": [event["case"] for event in log],
        "concept:name": [event["activity"] for event in log],
        "start_timestamp": pd.to_datetime(log.time, unit="us", utc=True),
        "time:timestamp": pd.to_datetime(log.last, unit="us", utc=True),
    })  # fmt: skip


@SEEDS
@pytest.mark.parametrize("ends", [False, True])
def test_counts(pm4py, seed, ends):
    """Counts of edges, of first and of last activities; pm4py's order needs distinct times."""
    log = log_of(random_rows(seed, SIZE, ends=ends, distinct=True))
    edges, starts, lasts = pm4py.discover_dfg(frame(log))
    result = Transitions().compute(log)
    assert {(e["source"], e["target"]): e["count"] for e in result.edges} == edges
    assert {n["id"]: n["start"] for n in result.nodes if n["start"]} == starts
    assert {n["id"]: n["end"] for n in result.nodes if n["end"]} == lasts


def assert_times(edges, times):
    """The times of edges, ours in whole µs, pm4py's in float seconds."""
    assert len(edges) == len(times) > 10
    for edge in edges:
        found = times[edge["source"], edge["target"]]
        for name, theirs in (("total", "sum"), ("mean", "mean"), ("median", "median")):
            assert edge[name] == pytest.approx(found[theirs] * SECOND, abs=1)


@SEEDS
def test_performance(pm4py, seed):
    """Total, mean and median time of edges between events without an end."""
    log = log_of(random_rows(seed, SIZE, distinct=True))
    times, _, _ = pm4py.discover_performance_dfg(frame(log))
    assert_times(Transitions().compute(log).edges, times)


@SEEDS
def test_performance_of_intervals(pm4py, seed):
    """Between intervals that overlap no time lies: as in pm4py, if it is told of the begins."""
    from pm4py.algo.discovery.dfg.adapters.pandas.df_statistics import get_dfg_graph

    log = log_of(random_rows(seed, SIZE, ends=True, distinct=True))
    edges = Transitions().compute(log).edges
    times = get_dfg_graph(
        frame(log), measure="performance", perf_aggregation_key="all",
        start_timestamp_key="start_timestamp",
    )  # fmt: skip
    assert_times(edges, times)
    assert all(edge["overlaps"] for edge in edges)


@SEEDS
def test_performance_of_overlaps_differs(pm4py, seed):
    """By design no time is negative: pm4py's short form subtracts what overlaps."""
    log = log_of(random_rows(seed, SIZE, ends=True, distinct=True))
    times, _, _ = pm4py.discover_performance_dfg(frame(log))
    for edge in Transitions().compute(log).edges:
        assert edge["total"] >= 0 > times[edge["source"], edge["target"]]["min"]


def between(pm4py, log, one, two):
    """The ids of each stretch that pm4py cuts out."""
    found = pm4py.filter_between(frame(log), one, two)
    return [list(group["id"]) for _, group in found.groupby("case:concept:name", sort=False)]


@SEEDS
def test_between_is_sandwich(pm4py, seed):
    """filter_between(open, close): the first open start counts, what lies between goes along."""
    log = log_of(random_rows(seed, SIZE, grain=SECOND))
    step = dl.Sandwich(
        start="activity = 'open'", stop="activity = 'close'", pairing="first", include="both",
        keep="intervals",
    )  # fmt: skip
    found = [event["members"] for event in log.apply(step).to_dicts()]
    assert found == between(pm4py, log, "open", "close")
    assert len(found) > 100


@SEEDS
def test_between_is_match(pm4py, seed):
    """The same stretches are the matches of `open close`, whose members are the two ends alone."""
    log = log_of(random_rows(seed, SIZE, grain=SECOND))
    out = log.apply(dl.Match(pattern="open close", keep="intervals"))
    wanted = between(pm4py, log, "open", "close")
    assert [event["members"] for event in out.to_dicts()] == [[s[0], s[-1]] for s in wanted]


@SEEDS
def test_between_several(pm4py, seed):
    """Activities may be several: a condition with IN, or alternatives of a pattern."""
    log = log_of(random_rows(seed, SIZE, grain=SECOND))
    out = log.apply(dl.Match(pattern="(open | click) (close | move)", keep="intervals"))
    wanted = between(pm4py, log, ["open", "click"], ["close", "move"])
    assert [event["members"] for event in out.to_dicts()] == [[s[0], s[-1]] for s in wanted]


@SEEDS
def test_between_the_same_differs(pm4py, seed):
    """By design an event may end one interval and open the next; pm4py gives it to the later."""
    log = log_of(random_rows(seed, SIZE, grain=SECOND))
    step = dl.Sandwich(
        start="activity = 'open'", stop="activity = 'open'", toggle="chain", include="both",
        keep="intervals",
    )  # fmt: skip
    events = log.apply(step).to_dicts()
    stops = {event["start_id"] for event in events}
    ours = [
        event["members"][:-1] if event["end_id"] in stops else event["members"] for event in events
    ]
    assert ours == between(pm4py, log, "open", "open")


@SEEDS
def test_truncate_gives_the_first_stretch(pm4py, seed):
    """Cut to after the first open, then to before the first close: a case's first stretch."""
    rows = random_rows(seed, 60, grain=SECOND)
    log = log_of(rows)
    cut = log.apply(
        dl.Truncate(where="activity = 'open'", keep="after", missing="drop")
    ).apply(dl.Truncate(where="activity = 'close'", keep="before", missing="drop"))
    case = {row["id"]: row["case"] for row in rows}
    first = {}
    for stretch in between(pm4py, log, "open", "close"):
        first.setdefault(case[stretch[0]], stretch)
    assert [event["id"] for event in cut] == [name for ids in first.values() for name in ids]
    assert first
