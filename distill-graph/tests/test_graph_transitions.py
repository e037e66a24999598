"""The model ``transitions`` against the kit and against a slow and obvious count."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from statistics import median
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import distill_core as dl
from distill_core.testing import ModelTests, build, documents, logs
from distill_graph import Transitions, _tally


class TestTransitions(ModelTests):
    def component(self):
        return Transitions()


class TestTransitionsOfTargets(ModelTests):
    def component(self):
        return Transitions(node="target", self_loops=False, min_count=2, top=3)


def slow(log: dl.EventLog, node: str) -> tuple[dict[str, Any], dict[tuple[str, str], Any], int]:
    """Nodes, edges and the number of nulls, event by event in exact arithmetic."""
    nodes: dict[str, Any] = defaultdict(lambda: {"count": 0, "cases": set(), "start": 0, "end": 0,
                                                 "duration": 0})  # fmt: skip
    edges: dict[tuple[str, str], Any] = defaultdict(lambda: {"waits": [], "cases": set(),
                                                             "overlaps": 0})  # fmt: skip
    labels = [event[node] for event in log]
    ends = log.last.tolist()
    rows = [row for row, label in enumerate(labels) if label is not None]
    of_case = defaultdict(list)
    for row in rows:
        of_case[int(log.case_of[row])].append(row)
    for case, members in of_case.items():
        nodes[labels[members[0]]]["start"] += 1
        nodes[labels[members[-1]]]["end"] += 1
        for row in members:
            found = nodes[labels[row]]
            found["count"] += 1
            found["cases"].add(case)
            found["duration"] += ends[row] - int(log.time[row])
        for one, two in zip(members, members[1:], strict=False):
            edge, gap = edges[labels[one], labels[two]], int(log.time[two]) - ends[one]
            edge["waits"].append(max(0, gap))
            edge["overlaps"] += gap < 0
            edge["cases"].add(case)
    return nodes, edges, len(labels) - len(rows)


def expected(log: dl.EventLog, node: str) -> dict[str, Any]:
    nodes, edges, nulls = slow(log, node)
    return {
        "nodes": [
            {"id": name, **found, "cases": len(found["cases"])}
            for name, found in sorted(nodes.items())
        ],
        "edges": [
            {
                "source": source,
                "target": target,
                "count": len(found["waits"]),
                "cases": len(found["cases"]),
                "total": sum(found["waits"]),
                "mean": round(Fraction(sum(found["waits"]), len(found["waits"]))),
                "median": round(median(map(Fraction, found["waits"]))),
                "overlaps": found["overlaps"],
            }
            for (source, target), found in sorted(edges.items())
        ],
        "counts": {"null_node": nulls, "hidden_edges": 0, "hidden_transitions": 0},
    }


def got(log: dl.EventLog, node: str) -> dict[str, Any]:
    result = Transitions(node=node).compute(log)
    return {"nodes": result.nodes, "edges": result.edges, "counts": result.meta["counts"]}


@given(log=logs(max_size=60), node=st.sampled_from(["activity", "target", "user", "case"]))
def test_counts_as_one_would_by_hand(log, node):
    """Nodes, edges, times and nulls are those of a plain loop in exact arithmetic."""
    assert got(log, node) == expected(log, node)


@given(rows=documents(max_size=40), block=st.integers(1, 9))
def test_blocks_change_nothing(rows, block):
    """However few rows a block has, the graph is the same."""
    whole = got(build(rows), "target")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_tally, "BLOCK", block)
        assert got(build(rows), "target") == whole


@pytest.mark.parametrize(("events", "names", "cases"), [(20_000, 40, 90), (30_000, 9_000, 700)])
def test_counts_of_many_events(events, names, cases):
    """Long groups, many edges and cases that lack most nodes count as by hand, too."""
    draw = np.random.default_rng(7)
    rows = [
        {"case": f"c{case}", "activity": f"a{int(name)}", "time": int(time), "end": int(time) + 3}
        for case, name, time in zip(
            draw.integers(0, cases, events),
            draw.zipf(1.3, events) % names,
            draw.integers(0, 90_000, events),
            strict=True,
        )
    ]
    log = build(rows)
    assert got(log, "activity") == expected(log, "activity")


def test_keys_beyond_32_bits_keep_edges_apart():
    """With more nodes than 32 bits of edge keys can tell apart, each edge stays its own."""
    names = 1 << 17
    rows = [{"case": "c", "activity": f"{n:06d}", "time": n} for n in range(names)]
    result = Transitions().compute(build(rows))
    assert [(e["source"], e["target"], e["count"]) for e in result.edges] == [
        (f"{n:06d}", f"{n + 1:06d}", 1) for n in range(names - 1)
    ]


def test_sums_beyond_64_bits_are_exact():
    """Clocks that are wrong by thousands of years do not wrap a sum around."""
    span = 253_000_000_000_000  # ms: about 8000 years, of which 40 exceed int64 in µs
    rows = [
        {"case": f"c{n}", "activity": activity, "time": time, "end": time + span}
        for n in range(40)
        for activity, time in (("a", 0), ("b", span + span // 1000))
    ]
    for row in rows:
        if row["activity"] == "b":
            row["end"] = row["time"]
    log = build([{**row, "end": row["time"]} if row["activity"] == "a" else row for row in rows])
    (edge,) = Transitions().compute(log).edges
    assert edge["total"] == 40 * (span + span // 1000) * 1000
    assert edge["mean"] == edge["median"] == (span + span // 1000) * 1000
    held = Transitions().compute(build(rows))
    assert held.nodes[0]["duration"] == 40 * span * 1000


def test_parts_with_sums_beyond_64_bits_merge_exactly():
    """Merging parts is exact where their sums fit, and that of all does not."""
    span = 200_000_000_000_000
    rows = [
        {"case": f"c{n:02d}", "activity": "a", "time": 0, "end": span} for n in range(80)
    ]
    log, model = build(rows), Transitions()
    one, two = model.partial(log.take(slice(0, 40))), model.partial(log.take(slice(40, 80)))
    assert model.finish(model.combine(one, two)).nodes[0]["duration"] == 80 * span * 1000


def sample() -> dl.EventLog:
    times = enumerate("aabababcacbb")
    return build([{"case": "c", "activity": a, "time": t} for t, a in times])


def edges_of(result: dl.Result) -> dict[str, int]:
    return {edge["source"] + edge["target"]: edge["count"] for edge in result.edges}


ALL = {"aa": 1, "ab": 3, "ac": 1, "ba": 2, "bb": 1, "bc": 1, "ca": 1, "cb": 1}


@pytest.mark.parametrize(
    ("params", "left"),
    [
        ({}, ALL),
        ({"self_loops": False}, {k: n for k, n in ALL.items() if k[0] != k[1]}),
        ({"min_count": 2}, {"ab": 3, "ba": 2}),
        ({"top": 3}, {"ab": 3, "ba": 2, "aa": 1}),
        ({"top": 3, "self_loops": False}, {"ab": 3, "ba": 2, "ac": 1}),
        ({"top": 0}, {}),
    ],
)
def test_what_is_hidden_is_counted(params, left):
    """Parameters leave out edges, the rarest first, and say how many; nodes count everything."""
    log = sample()
    result = Transitions(**params).compute(log)
    assert edges_of(result) == left
    assert result.nodes == Transitions().compute(log).nodes
    assert result.meta["counts"] == {
        "null_node": 0,
        "hidden_edges": len(ALL) - len(left),
        "hidden_transitions": sum(ALL.values()) - sum(left.values()),
    }


@pytest.mark.parametrize(
    ("node", "ids"),
    [
        ("number", ["-7", "0", "10"]),
        ("score", ["-0.5", "1.0"]),
        ("flag", ["false", "true"]),
        ("end", ["1970-01-01T00:00:00.005000Z", "1970-01-01T00:00:00.009000Z"]),
        ("details", ['{"a":1}', '{"b":[2]}']),
    ],
)
def test_nodes_of_any_plain_column(node, ids):
    """Values that are no text become nodes by their JSON form, sorted as text."""
    values = {
        "number": [10, -7, 0],
        "score": [1.0, -0.5],
        "flag": [True, False],
        "end": [9, 5],
        "details": [{"b": [2]}, {"a": 1}],
    }[node]
    rows = [{"case": "c", "activity": "x", "time": n, node: v} for n, v in enumerate(values)]
    result = Transitions(node=node).compute(build(rows))
    assert [found["id"] for found in result.nodes] == ids
    assert sum(edge["count"] for edge in result.edges) == len(values) - 1


def test_networkx_has_the_same_graph():
    """``to_networkx`` gives a DiGraph with every figure at its node and edge."""
    result = Transitions().compute(sample())
    graph = result.to_networkx()
    assert graph.is_directed()
    assert dict(graph.nodes(data="count")) == {n["id"]: n["count"] for n in result.nodes}
    assert {a + b: n for a, b, n in graph.edges(data="count")} == edges_of(result)


def test_unknown_column_names_the_nearest():
    """A misspelt node is refused before anything is computed."""
    with pytest.raises(dl.TransformError, match="activity"):
        Transitions(node="activty").check(sample().columns)


def test_the_registry_finds_it():
    """The plugin offers it under its name."""
    assert dl.find("model", "transitions") is Transitions
