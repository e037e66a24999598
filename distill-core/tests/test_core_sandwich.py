"""sandwich beside a slow oracle, and that its cost is that of its output."""

from __future__ import annotations

import time as clock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill_core.builtin.intervals import Intervals
from distill_core.builtin.sandwich import Sandwich
from distill_core.log import EventLog

ROLES = ["S", "E", "S", "E", "SE", "R", "SR", "x", "x"]
ENDS = {"start": "activity LIKE '%S%'", "stop": "activity LIKE '%E%'"}


def log_of(events):
    some = [*events, {"c": "z", "a": "z", "t": 0, "u": None, "k": "z"}]
    rows = [{"id": f"e{number}", **event} for number, event in enumerate(some)]
    log = EventLog.from_frame(rows, case="c", activity="a", time="t", end="u", unit="s")
    return log.take(slice(0, len(events)))  # a list without rows would have no columns


def acting(log, step):
    """The events in the order in which they act, the case and the place of each."""
    events = log.to_dicts()

    def late(event):
        roles = set(event["activity"]) & {"S", "E", *(["R"] if step.until is not None else [])}
        if event["k"] is None and step.key and step.null_key != "group":
            roles -= {"S", "E"} | ({"R"} if step.until_key else set())
        return step.ties == "start_first" and roles != {"S"}

    return sorted(events, key=lambda e: (e["case"], e["time"], late(e)))


def expected(log, step):
    """(start, stop, members, size, depth, start of the parent) as the text says it, and hidden."""
    params = {name: getattr(step, name) for name in Intervals.model_fields}
    out = log.apply(Intervals(**params | {"keep": "all"}))
    made = {row["id"]: row for row in out if row["start_id"] is not None}
    order = acting(log, step)
    place = {event["id"]: n for n, event in enumerate(order)}
    ends = {event["case"]: n for n, event in enumerate(order)}

    def span(row):
        stop = place[row["end_id"]] if row["end_id"] else ends[row["case"]] + 1
        return place[row["start_id"]], stop

    def between(row):
        start, stop = span(row)
        inside = set(range(start + 1, stop))
        for child in made.values():
            if child["parent"] == row["id"]:
                inside -= set(range(span(child)[0], span(child)[1] + 1))
        return inside

    def own(row, include):
        edges = {"left": [row["start_id"]], "right": [row["end_id"]], "none": []}
        found = edges.get(include, [row["start_id"], row["end_id"]])
        return between(row) | {place[name] for name in found if name}

    def every(row, include):
        found = own(row, include)
        if step.members == "all":
            for child in made.values():
                if child["parent"] == row["id"]:
                    found |= every(child, include)
        return found

    found, by_level, by_size = [], 0, 0
    for row in made.values():
        children = any(other["parent"] == row["id"] for other in made.values())
        size = len(every(row, "none"))
        if (step.level == "outer" and row["depth"] > 0) or (step.level == "inner" and children):
            by_level += 1
        elif size < step.min_size:
            by_size += 1
        else:
            members = [order[n]["id"] for n in sorted(every(row, step.include))]
            found.append((row, members, size))
    shown = {row["id"] for row, _, _ in found}
    lines = [
        (row["start_id"], row["end_id"], members, size, row["depth"],
         made[row["parent"]]["start_id"] if row["parent"] in shown else None)
        for row, members, size in found
    ]  # fmt: skip
    counts = {"hidden_by_level": by_level} if step.level != "all" else {}
    return lines, counts | ({"hidden_by_min_size": by_size} if step.min_size else {})


EVENTS = st.lists(
    st.fixed_dictionaries({
        "c": st.sampled_from("ab"),
        "a": st.sampled_from(ROLES),
        "t": st.integers(0, 6),
        "u": st.none(),
        "k": st.sampled_from(["p", "p", "q", None]),
    }),
    max_size=16,
)  # fmt: skip
STEPS = st.fixed_dictionaries(
    {},
    optional={
        "key": st.sampled_from([(), ("k",)]),
        "pairing": st.sampled_from(["nested", "nested", "fifo", "latest", "first"]),
        "until": st.just("activity LIKE '%R%'"),
        "open": st.sampled_from(["report", "censor", "keep"]),
        "toggle": st.sampled_from(["alternate", "chain"]),
        "ties": st.sampled_from(["listed", "start_first"]),
        "null_key": st.sampled_from(["separate", "drop", "group"]),
        "keep": st.sampled_from(["others", "intervals", "all"]),
        "include": st.sampled_from(["none", "both", "left", "right"]),
        "members": st.sampled_from(["all", "own"]),
        "level": st.sampled_from(["all", "all", "outer", "inner"]),
        "min_size": st.integers(0, 3),
    },
).map(lambda params: Sandwich(**ENDS, **params))


@settings(max_examples=300, deadline=None)
@given(events=EVENTS, step=STEPS)
def test_like_the_oracle(events, step):
    """Members, sizes, levels and what is hidden are as sets of positions have them."""
    log = log_of(events)
    out = log.apply(step)
    rows = [row for row in out if row["start_id"] is not None]
    parents = {row["id"]: row["start_id"] for row in rows}
    told = [
        (r["start_id"], r["end_id"], r["members"], r["size"], r["depth"], parents.get(r["parent"]))
        for r in rows
    ]
    lines, counts = expected(log, step)
    assert told == lines
    assert out.steps[0].counts == counts
    assert all(row["parent"] is None or row["parent"] in parents for row in rows)
    gone = {name for line in lines for name in line[:2]} if step.keep != "all" else set()
    stay = [event["id"] for event in log if event["id"] not in gone]
    others = [row["id"] for row in out if row["start_id"] is None]
    if step.keep != "intervals" and step.null_key != "drop":
        assert others == stay


def nested(depth, between=0):
    """Starts in each other, events in the innermost, stops."""
    kinds = np.array(["S", "x", "E"], dtype=object)
    kinds = np.repeat(kinds, [depth, between, depth])
    rows = {"c": np.zeros(len(kinds), dtype=int), "a": kinds, "t": np.arange(len(kinds))}
    import pandas as pd

    return EventLog.from_frame(pd.DataFrame(rows), case="c", activity="a", time="t", unit="ms")


@pytest.mark.parametrize("members", ["all", "own"])
def test_deep_nesting_costs_what_comes_out(members):
    """100,000 intervals in each other with one event: one member each, at once."""
    log = nested(100_000, 1)
    step = Sandwich(start="activity = 'S'", stop="activity = 'E'", members=members)
    begin = clock.perf_counter()
    out = log.apply(step)
    assert clock.perf_counter() - begin < 10
    sizes = out.data["size"].values[~out.data["size"].null]
    assert sizes.sum() == (100_000 if members == "all" else 1)
    assert len(out.data["members"].values) == sizes.sum()
    assert out.data["depth"].values.max() == 99_999


def test_all_members_of_a_deep_nest():
    """What comes out is every pair of ends inside, listed in order."""
    depth = 300
    out = nested(depth).apply(
        Sandwich(start="activity = 'S'", stop="activity = 'E'", include="both")
    )
    ids = [event["id"] for event in nested(depth)]
    lists = [row["members"] for row in out]
    assert lists == [ids[n : 2 * depth - n] for n in range(depth)]


def test_giant_case_of_side_by_side():
    """Half a million pairs in one case take one pass."""
    count = 500_000
    rows = {"c": np.zeros(2 * count, dtype=int), "a": np.tile(["S", "E"], count),
            "t": np.arange(2 * count)}  # fmt: skip
    import pandas as pd

    log = EventLog.from_frame(pd.DataFrame(rows), case="c", activity="a", time="t", unit="ms")
    begin = clock.perf_counter()
    out = log.apply(Sandwich(start="activity = 'S'", stop="activity = 'E'"))
    assert clock.perf_counter() - begin < 10
    assert (len(out), out.data["size"].values.sum()) == (count, 0)
