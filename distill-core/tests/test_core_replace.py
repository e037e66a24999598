"""replace beside a slow oracle, and that it is linear."""

from __future__ import annotations

import time as clock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill_core.builtin.match import Match
from distill_core.builtin.replace import Replace
from distill_core.conditions import mask
from distill_core.errors import OverlapError
from distill_core.log import EventLog
from distill_core.testing.logs import build, documents

TO = st.fixed_dictionaries(
    {"activity": st.sampled_from(["A", "click"])},
    optional={
        "target": st.sampled_from(["x", "new", None]),
        "number": st.sampled_from([3, "4", None]),
        "flag": st.booleans(),
        "details": st.sampled_from([[1, 2], {"id": 1}]),
        "hand": st.sampled_from(["left", None]),
        "user": st.sampled_from(["w", ""]),
    },
)
RULES = st.one_of(
    st.fixed_dictionaries(
        {"where": st.sampled_from(["activity = 'click'", "target = 'x'", "number > 0 OR flag"]),
         "to": TO}),
    st.fixed_dictionaries(
        {"pattern": st.sampled_from(["start stop", "click+", "start !reset (click | stop)"]),
         "to": TO, "skip": st.sampled_from(["past_last", "to_next"]),
         "key": st.sampled_from([(), ("target",)])}),
)  # fmt: skip


def last(event):
    return event["time"] if event["end"] is None else event["end"]


def plain(log):
    """Events as dicts, times and ends in µs."""
    ends = log.data["end"].to_list() if "end" in log.data else [None] * len(log)
    rows = zip(log, log.time.tolist(), ends, strict=True)
    return [event | {"time": time, "end": end} for event, time, end in rows]


def found(log, rules):
    """(rule, places of the events) of each replacement that could be."""
    ids = [event["id"] for event in log]
    groups = []
    for number, rule in enumerate(rules):
        if rule.where is not None:
            groups += [(number, [int(row)]) for row in np.flatnonzero(mask(rule.where, log))]
            continue
        made = log.apply(Match(pattern=rule.pattern, key=rule.key, skip=rule.skip, keep="all"))
        lists = [event["members"] for event in made if event["members"] is not None]
        groups += [(number, [ids.index(name) for name in names]) for names in lists]
    return groups


def chosen(groups, resolve):
    """Those that count; None: two share an event and nothing says which counts."""
    def turn(group):
        rule, rows = group
        return (-len(rows) if resolve == "longest" else 0, rows[0], rule)

    taken, left = set(), []
    for rule, rows in sorted(groups, key=turn):
        if not taken & set(rows):
            left.append((rule, rows))
            taken |= set(rows)
        elif resolve is None:
            return None
    return left


def expected(log, rules, left):
    """The events that come out, in order."""
    events = plain(log)
    first = {rows[0]: (rule, rows) for rule, rows in left}
    used = {row for _, rows in left for row in rows}
    names = {name for rule in rules for name in rule.to}
    out = []
    for row, old in enumerate(events):
        event = {"source_ids": [old["id"]], **dict.fromkeys(names - old.keys()), **old}
        if row in first:
            rule, rows = first[row]
            read = {"4": 4, "": None}
            event |= {name: read.get(value, value) if isinstance(value, str) else value
                      for name, value in rules[rule].to.items()}  # fmt: skip
            if rules[rule].pattern is not None:
                event["end"] = max(last(events[r]) for r in rows)
            event["source_ids"] = [events[r]["id"] for r in rows]
            event["id"] = None
        elif row in used:
            continue
        out.append(event)
    return out


@settings(max_examples=200, deadline=None)
@given(
    rows=documents(max_size=16),
    rules=st.lists(RULES, min_size=1, max_size=3),
    resolve=st.sampled_from([None, "first", "longest"]),
)
def test_like_the_oracle(rows, rules, resolve):
    """What is made, of what, where and with which columns, is as one event after the other."""
    log, step = build(rows), Replace(rules=rules, resolve=resolve)
    groups = found(log, step.rules)
    left = chosen(groups, resolve)
    if left is None:
        with pytest.raises(OverlapError):
            log.apply(step)
        return
    out = log.apply(step)
    old = {event["id"] for event in log}
    told = [event | {"id": event["id"] if event["id"] in old else None} for event in plain(out)]
    for event in told:
        event.pop("duration", None)
    wanted = expected(log, step.rules, left)
    for event in wanted:
        event.pop("duration", None)
    assert told == wanted
    assert len({event["id"] for event in out}) == len(out)
    report = out.steps[0]
    assert (report.made, report.used) == (len(left), sum(len(rows) for _, rows in left))
    assert report.counts == ({"overlapping": len(groups) - len(left)} if resolve else {})


@pytest.mark.parametrize("resolve", ["first", "longest"])
def test_a_giant_case_of_clashes_is_one_pass(resolve):
    """Every event of one case is in two replacements: each is looked at once."""
    import pandas as pd

    count = 200_000
    frame = pd.DataFrame({"c": np.zeros(count, int), "a": "x", "t": np.arange(count)})
    log = EventLog.from_frame(frame, case="c", activity="a", time="t", unit="ms")
    step = Replace(pattern="x x", skip="to_next", to={"activity": "two"}, resolve=resolve)
    begin = clock.perf_counter()
    out = log.apply(step)
    assert clock.perf_counter() - begin < 20
    assert (len(out), out.steps[0].made) == (count // 2, count // 2)
