"""G1–G4: the directly-follows graph."""

from __future__ import annotations

from typing import Any

import distill_core as dl
from distill_core.testing import build
from distill_graph import Transitions


def graph(*events: tuple[Any, ...], **params: Any) -> dl.Result:
    """The graph of events (activity, time in ms, end or None, case)."""
    rows = []
    for activity, time, *more in events:
        end, case = (*more, None, None)[:2]
        row = {"case": case or "c", "activity": activity, "time": time, "target": activity}
        rows.append(row if end is None else {**row, "end": end})
    return Transitions(**params).compute(build(rows))


def nodes_of(result: dl.Result, *names: str) -> dict[str, tuple[Any, ...]]:
    return {node["id"]: tuple(node[name] for name in names) for node in result.nodes}


def edges_of(result: dl.Result, *names: str) -> dict[str, tuple[Any, ...]]:
    return {
        f"{edge['source']}→{edge['target']}": tuple(edge[name] for name in names)
        for edge in result.edges
    }


def test_g1_columns_and_order() -> None:
    """G1: nodes and edges have these figures, sorted by id and by (source, target)."""
    result = graph(("b", 0), ("a", 1), ("b", 2), ("Z", 3), ("ä", 4))
    assert [n["id"] for n in result.nodes] == ["Z", "a", "b", "ä"]
    assert list(result.nodes[0]) == ["id", "count", "cases", "start", "end", "duration"]
    assert list(edges_of(result)) == ["Z→ä", "a→b", "b→Z", "b→a"]
    assert list(result.edges[0]) == [
        "source", "target", "count", "cases", "total", "mean", "median", "overlaps",
    ]  # fmt: skip


def test_g1_cases_start_and_end() -> None:
    """G1: cases are distinct ones; start and end are cases that begin and end there."""
    result = graph(
        ("a", 0, None, "1"), ("b", 1, None, "1"), ("a", 2, None, "1"), ("b", 3, None, "1"),
        ("a", 0, None, "2"), ("b", 7, None, "2"), ("b", 0, None, "3"),
    )  # fmt: skip
    names = ("count", "cases", "start", "end")
    assert nodes_of(result, *names) == {"a": (3, 2, 2, 0), "b": (4, 3, 1, 3)}
    assert edges_of(result, "count", "cases") == {"a→b": (3, 2), "b→a": (1, 1)}


def test_g1_durations_are_sums() -> None:
    """G1: a node's duration is the sum of end − time, nothing for an event without end."""
    result = graph(("a", 0, 10), ("a", 20, 25), ("b", 30))
    assert nodes_of(result, "duration") == {"a": (15_000,), "b": (0,)}


def test_g2_times() -> None:
    """G2: a@0 b@4 a@9 b@10."""
    result = graph(("a", 0), ("b", 4), ("a", 9), ("b", 10))
    names = ("count", "cases", "total", "median")
    assert edges_of(result, *names) == {"a→b": (2, 1, 5000, 2500), "b→a": (1, 1, 5000, 5000)}
    assert nodes_of(result, "start", "end") == {"a": (1, 0), "b": (0, 1)}


def test_g2_overlap() -> None:
    """G2: a[0,10] b@4 → no time, one overlap; b@10 touches and does not overlap."""
    assert edges_of(graph(("a", 0, 10), ("b", 4)), "total", "overlaps") == {"a→b": (0, 1)}
    assert edges_of(graph(("a", 0, 10), ("b", 10)), "total", "overlaps") == {"a→b": (0, 0)}
    assert edges_of(graph(("a", 0, 10), ("b", 13)), "total", "overlaps") == {"a→b": (3000, 0)}


def micros(*waits: int) -> dl.Result:
    """a→b with these times in µs, a case each."""
    rows = [
        {"c": case, "a": activity, "t": time}
        for case, wait in enumerate(waits)
        for activity, time in (("a", 0), ("b", wait))
    ]
    log = dl.EventLog.from_frame(rows, case="c", activity="a", time="t", unit="us")
    return Transitions().compute(log)


def test_g3_even_median() -> None:
    """G3: the median of an even number is the mean of the middle two, not one of them."""
    assert edges_of(micros(1, 100, 4, 8), "median") == {"a→b": (6,)}
    assert edges_of(micros(1, 100, 4), "median") == {"a→b": (4,)}


def test_g3_halves_round_to_even() -> None:
    """G3: means and the mean of the middle two round halves to the even µs."""
    assert edges_of(micros(2, 3), "mean", "median") == {"a→b": (2, 2)}
    assert edges_of(micros(3, 4), "mean", "median") == {"a→b": (4, 4)}
    assert edges_of(micros(0, 0, 5), "mean", "median") == {"a→b": (2, 0)}
    assert edges_of(micros(0, 0, 4), "mean", "median") == {"a→b": (1, 0)}


def test_g4_null_nodes_are_left_out_before_pairing() -> None:
    """G4: what lies around a null becomes neighbours; the null is counted."""
    rows = [
        {"case": "c", "activity": "x", "time": time, "target": target}
        for time, target in enumerate([None, "p", None, None, "q", None])
    ]
    result = Transitions(node="target").compute(build(rows))
    assert edges_of(result, "count", "total") == {"p→q": (1, 3000)}
    assert nodes_of(result, "start", "end") == {"p": (1, 0), "q": (0, 1)}
    assert result.meta["counts"]["null_node"] == 4


def test_g4_self_loops() -> None:
    """G4: self_loops=False removes a→a and merges nothing."""
    events = (("a", 0), ("a", 1), ("b", 5), ("b", 6), ("a", 7))
    result = graph(*events, self_loops=False)
    assert edges_of(result, "count", "total") == {"a→b": (1, 4000), "b→a": (1, 1000)}
    assert result.nodes == graph(*events).nodes
