"""Starts and stops become pairs: against a slow oracle written from the text of the semantics."""

from __future__ import annotations

import hashlib
import pickle
import time as clock
from collections import defaultdict
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import distill_core as dl
from distill_core.builtin import _pair
from distill_core.builtin.drop_dangling import DropDangling
from distill_core.builtin.intervals import Intervals

SECOND = timedelta(seconds=1)
ROLES = ["S", "E", "S", "E", "SE", "R", "SR", "ER", "SER", "x"]


def log_of(events: list[dict[str, Any]]) -> dl.EventLog:
    some = [*events, {"c": "z", "a": "z", "t": 0, "u": None, "k": "z", "m": "z"}]
    rows = [{"id": f"e{number}", **event} for number, event in enumerate(some)]
    log = dl.EventLog.from_frame(rows, case="c", activity="a", time="t", end="u", unit="s")
    return log.take(slice(0, len(events)))  # a list without rows would have no columns


# -- the oracle ----------------------------------------------------------------------------------


def mix(x: int) -> int:
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    x = (x ^ x >> 27) * 0x94D049BB133111EB % 2**64
    return x ^ x >> 31


def made_id(*parts: str) -> str:
    golden, total = 0x9E3779B97F4A7C15, 0
    for index, text in enumerate(parts, 1):
        word = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
        total += mix((word + index * golden) % 2**64)
    return f"{mix((len(parts) * golden + total) % 2**64):016x}"


class Machine:
    """One case, event by event, as the text says it."""

    def __init__(self, step: Any, events: list[dict[str, Any]]) -> None:
        self.step, self.span = step, step.max_span
        self.open: list[tuple[dict[str, Any], Any]] = []
        self.pairs: list[tuple[dict[str, Any], dict[str, Any] | None, Any]] = []
        self.reason: dict[str, str] = {}
        self.lost: list[str] = []
        self.acting = [(event, self.roles(event)) for event in events]
        if step.ties == "start_first":
            self.acting.sort(key=lambda pair: (pair[0]["t"], set(pair[1]) != {"S"}))
        for event, roles in self.acting:
            self.act(event, roles)
        end = max(max(e["t"], e["u"] or e["t"]) for e in events)
        for start, _ in self.open:
            self.reason[start["id"]] = "expired" if self.old(start, end) else "open"

    def roles(self, event: dict[str, Any]) -> dict[str, Any]:
        step = self.step
        names = {"S": step.start_key or step.key, "E": step.stop_key or step.key,
                 "R": step.until_key if step.until is not None else None}  # fmt: skip
        found = {}
        for role in event["a"]:
            if role == "x" or (role == "R" and step.until is None):
                continue
            key = None if names[role] is None else tuple(event[n] for n in names[role])
            if key and None in key and step.null_key != "group":
                self.lost.append(event["id"])
            else:
                found[role] = key
        return found

    def old(self, start: dict[str, Any], now: int) -> bool:
        return self.span is not None and now * SECOND > start["t"] * SECOND + self.span

    def leave(self, chosen: list[tuple[dict[str, Any], Any]], reason: str) -> None:
        for pair in chosen:
            self.reason[pair[0]["id"]] = reason
            self.open.remove(pair)

    def act(self, event: dict[str, Any], roles: dict[str, Any]) -> None:
        step = self.step
        self.leave([pair for pair in self.open if self.old(pair[0], event["t"])], "expired")
        stopped = False
        if "E" in roles:
            mine = [pair for pair in self.open if pair[1] == roles["E"]]
            if mine:
                pair = mine[0 if step.pairing == "fifo" else -1]
                self.open.remove(pair)
                self.pairs.append((pair[0], event, pair[1]))
                stopped = True
            elif "S" not in roles:
                self.reason[event["id"]] = "unmatched"
        if "R" in roles:
            key = roles["R"]
            self.leave([pair for pair in self.open if key is None or pair[1] == key], "reset")
        if "S" in roles and not (stopped and step.toggle == "alternate"):
            mine = [pair for pair in self.open if pair[1] == roles["S"]]
            if mine and step.pairing == "first":
                self.reason[event["id"]] = "ignored"
                return
            if mine and step.pairing == "latest":
                self.leave(mine, "superseded")
            self.open.append((event, roles["S"]))

    def intervals(self, mode: str) -> list[dict[str, Any]]:
        pairs = list(self.pairs)
        if mode != "report":
            for start, key in self.open:
                if self.reason[start["id"]] == "open":
                    pairs.append((start, None, key))
                    del self.reason[start["id"]]
        place = {event["id"]: n for n, (event, _) in enumerate(self.acting)}
        spans = {
            start["id"]: (key, place[start["id"]],
                          (0, place[stop["id"]]) if stop else (1, -place[start["id"]]))
            for start, stop, key in pairs
        }  # fmt: skip
        last = max(max(e["t"], e["u"] or e["t"]) for e, _ in self.acting)
        found = []
        for start, stop, _ in pairs:
            key, begin, end = spans[start["id"]]
            around = [(b, name) for name, (k, b, e) in spans.items()
                      if k == key and b < begin and e > end]  # fmt: skip
            close = None if stop is None else stop["t"]
            found.append({
                "start": start, "stop": stop, "depth": len(around), "censored": stop is None,
                "parent": max(around)[1] if around else None,
                "end": last if mode == "censor" and stop is None else close,
            })  # fmt: skip
        return found


def oracle(step: Intervals, events: list[dict[str, Any]]) -> dict[str, Any]:
    """Rows, and the reasons, of all cases; ``events`` have ids and are in order."""
    cases = defaultdict(list)
    for event in events:
        cases[event["c"]].append(event)
    rows: list[Any] = []
    dangling, dropped = defaultdict(list), defaultdict(list)
    used = 0
    params = step.params_key()
    for case in sorted(cases):
        machine = Machine(step, cases[case])
        made = {one["start"]["id"]: one for one in machine.intervals(step.open)}
        ids = {start: made_id("intervals", params, start, *([o["stop"]["id"]] if o["stop"] else []))
               for start, o in made.items()}  # fmt: skip
        busy = {*made, *(one["stop"]["id"] for one in made.values() if one["stop"])}
        for event in cases[case]:
            name = event["id"]
            if name in machine.lost:
                machine.reason[name] = "missing_key"
            if name in machine.reason:
                dangling[machine.reason[name]].append(name)
            if step.null_key == "drop" and name in machine.lost and name not in busy:
                dropped["missing_key"].append(name)
            elif step.keep == "intervals" and name not in busy:
                dropped["other"].append(name)
            elif step.keep == "all" or name not in busy:
                rows.append(name)
            else:
                used += 1
            if name in made:
                one = made[name]
                rows.append({
                    "id": ids[name], "case": case, "activity": step.name or event["a"],
                    "time": event["t"], "end": one["end"], "depth": one["depth"],
                    "censored": one["censored"], "start_id": name, "k": event["k"],
                    "end_id": one["stop"]["id"] if one["stop"] else None,
                    "parent": ids[one["parent"]] if one["parent"] else None,
                    "source_ids": [name, *([one["stop"]["id"]] if one["stop"] else [])],
                })  # fmt: skip
    return {"rows": rows, "dangling": dict(dangling), "dropped": dict(dropped), "used": used}


def seconds(text: str | None) -> int | None:
    from distill_core.params import instant_micros, parse_instant

    return None if text is None else instant_micros(parse_instant(text)) // 1_000_000


def seen(out: dl.EventLog) -> dict[str, Any]:
    """What the transform made, in the oracle's words."""
    report = out.steps[-1]
    rows: list[Any] = []
    for row in out.to_dicts():
        if row["start_id"] is None:
            rows.append(row["id"])
            assert row["depth"] is row["censored"] is row["end_id"] is row["parent"] is None
            assert row["source_ids"] == [row["id"]]
            continue
        made = {name: row[name] for name in ("id", "case", "activity", "depth", "censored",
                "start_id", "end_id", "parent", "source_ids", "k")}  # fmt: skip
        rows.append(made | {"time": seconds(row["time"]), "end": seconds(row["end"])})
    assert report.out == report.entered + report.made - report.used - sum(
        told.count for told in report.dropped.values()
    )
    return {
        "rows": rows,
        "dangling": {reason: list(told.ids) for reason, told in report.dangling.items()},
        "dropped": {reason: list(told.ids) for reason, told in report.dropped.items()},
        "used": report.used,
    }


# -- logs and steps ------------------------------------------------------------------------------

words = st.sampled_from(["a", "a", "b", None])


@st.composite
def events(draw: Any, size: int = 12) -> list[dict[str, Any]]:
    """Few cases, times with ties, all roles, nulls; sometimes only plain starts and stops."""
    roles = st.sampled_from(draw(st.sampled_from([ROLES, ["S", "E"], ["S", "E", "R", "x"]])))
    row = st.fixed_dictionaries({
        "c": st.sampled_from("pqr"), "a": roles, "t": st.integers(0, 12), "k": words, "m": words,
    })  # fmt: skip
    rows = draw(st.lists(row, max_size=size))
    for event in rows:
        event["u"] = draw(st.none() | st.integers(0, 9).map(lambda d, t=event["t"]: t + d))
    return sorted(rows, key=lambda event: (event["c"], event["t"]))


KEYS = [{}, {"key": ["k"]}, {"key": ["k", "m"]}, {"start_key": ["k"], "stop_key": ["m"]}]


@st.composite
def rules(draw: Any) -> dict[str, Any]:
    """Parameters that belong to pairing, in all combinations."""
    found = {
        "start": "activity LIKE '%S%'",
        "stop": "activity LIKE '%E%'",
        "pairing": draw(st.sampled_from(["nested", "fifo", "latest", "first"])),
        "max_span": draw(st.none() | st.sampled_from(["0us", "2s", "5s", "8s"])),
        "toggle": draw(st.sampled_from(["alternate", "chain"])),
        "ties": draw(st.sampled_from(["listed", "start_first"])),
        "null_key": draw(st.sampled_from(["separate", "drop", "group"])),
        **draw(st.sampled_from(KEYS)),
    }
    if draw(st.booleans()):
        found["until"] = "activity LIKE '%R%'"
        size = len(found.get("key", found.get("start_key", [])))
        if size and draw(st.booleans()):
            found["until_key"] = ["k", "m"][:size]
    return found


def step_of(draw: Any) -> Intervals:
    return Intervals(
        **draw(rules()),
        open=draw(st.sampled_from(["report", "censor", "keep"])),
        keep=draw(st.sampled_from(["others", "intervals", "all"])),
        name=draw(st.sampled_from([None, "visit"])),
    )


steps = st.composite(step_of)()


@settings(max_examples=400, deadline=None)
@given(events(), steps)
def test_pairs_are_those_of_the_text(rows: list[dict[str, Any]], step: Intervals) -> None:
    """Intervals, ids, depth, parents, order, reasons and counts are what the semantics say."""
    log = log_of(rows)
    named = [{"id": f"e{number}", **row} for number, row in enumerate(rows)]
    assert seen(log.apply(step)) == oracle(step, named)


@settings(max_examples=200, deadline=None)
@given(events(30), steps)
def test_the_loop_equals_the_arrays(rows: list[dict[str, Any]], step: Intervals) -> None:
    """One log paired by arrays where they can and by the plain loop alone gives one answer."""
    log = log_of(rows)
    fast = log.apply(step)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_pair, "_pair_block", _pair.walk)
        slow = log.apply(step)
    assert fast.to_dicts() == slow.to_dicts()
    assert fast.steps == slow.steps


@settings(max_examples=100, deadline=None)
@given(events(30), steps)
def test_blocks_change_nothing(rows: list[dict[str, Any]], step: Intervals) -> None:
    """Where the cases are cut into blocks cannot be seen."""
    log = log_of(rows)
    whole = log.apply(step)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_pair, "BLOCK", 3)
        cut = log.apply(step)
    assert whole.to_dicts() == cut.to_dicts()
    assert whole.steps == cut.steps


@settings(max_examples=100, deadline=None)
@given(events(20), rules(), st.sampled_from([Intervals, DropDangling]), st.data())
def test_cut_between_cases(rows: Any, given_rules: Any, kind: Any, data: Any) -> None:
    """Parts cut between cases give the whole, and their reports add up (partition law)."""
    log, step = log_of(rows), kind(**given_rules)
    cut = data.draw(st.integers(0, log.n_cases))
    edge = int(log.offsets[cut])
    one, two = (log.take(slice(0, edge)).apply(step), log.take(slice(edge, None)).apply(step))
    whole = log.apply(step)
    assert dl.concat([one, two]).to_dicts() == whole.to_dicts()
    assert (one.steps[0] + two.steps[0]).to_dict() == whole.steps[0].to_dict()


@settings(max_examples=100, deadline=None)
@given(events(20), rules())
def test_dropping_twice_is_dropping_once(rows: Any, given_rules: Any) -> None:
    """drop_dangling leaves what it leaves, and the pairs stay the pairs (E4)."""
    log, step = log_of(rows), DropDangling(**given_rules)
    once = log.apply(step)
    assert once.apply(step).to_dicts() == once.to_dicts()
    pairs = Intervals(**given_rules)
    both = [{(row["start_id"], row["end_id"]) for row in one.apply(pairs)} for one in (log, once)]
    assert both[0] - {(None, None)} == both[1] - {(None, None)}


@settings(max_examples=100, deadline=None)
@given(events(20), rules())
def test_dropped_is_what_dangles_alone(rows: Any, given_rules: Any) -> None:
    """drop_dangling drops what dangles in intervals and is in no pair, for the same reasons."""
    log = log_of(rows)
    made = log.apply(Intervals(**given_rules, keep="all"))
    paired = {row[n] for row in made for n in ("start_id", "end_id")}
    dangling = made.steps[0].dangling
    wanted = {r: [i for i in told.ids if i not in paired] for r, told in dangling.items()}
    report = log.apply(DropDangling(**given_rules)).steps[0]
    assert {r: list(told.ids) for r, told in report.dropped.items()} == {
        reason: ids for reason, ids in wanted.items() if ids
    }
    assert report.dangling == dangling


@settings(max_examples=100, deadline=None)
@given(events(15), steps, st.randoms(use_true_random=False))
def test_arrival_does_not_matter(rows: Any, step: Intervals, random: Any) -> None:
    """Shuffled rows that differ in case or time give the same answer (O)."""
    distinct = list({(row["c"], row["t"]): row for row in rows}.values())
    named = [{**row, "id": f"e{number}"} for number, row in enumerate(distinct)]
    shuffled = random.sample(named, len(named))
    frames = [dl.EventLog.from_frame(r, case="c", activity="a", time="t", end="u", unit="s")
              for r in (named, shuffled) if r]  # fmt: skip
    assert [log.apply(step).to_dicts() for log in frames[:1]] == [
        log.apply(step).to_dicts() for log in frames[1:]
    ]


@settings(max_examples=50, deadline=None)
@given(events(15), steps)
def test_inputs_stay_as_they_are(rows: Any, step: Intervals) -> None:
    """A log is the same after a step as before; the step is the same after pickling."""
    log = log_of(rows)
    before = pickle.dumps(log.to_dicts())
    out = log.apply(step)
    assert pickle.dumps(log.to_dicts()) == before
    again = pickle.loads(pickle.dumps(step))
    assert again == step
    assert log.apply(again).to_dicts() == out.to_dicts()


@pytest.mark.parametrize(
    "more",
    [{}, {"open": "keep"}, {"keep": "intervals"}, {"keep": "all", "key": ["k"]},
     {"until": "activity = 'R'", "max_span": "5s"}],
)  # fmt: skip
@pytest.mark.parametrize("kept", ["activity = 'none'", "activity = 'x'"])
def test_columns_are_there_without_any_interval(more: Any, kept: str) -> None:
    """An empty log stays empty, but the step's columns exist, as on one without pairs (N)."""
    log = log_of([{"c": "p", "a": "x", "t": 1, "k": "a", "m": None, "u": None}]).where(kept)
    out = log.apply(Intervals(start="activity = 'S'", stop="activity = 'E'", **more))
    assert len(out) == (len(log) if more.get("keep") != "intervals" else 0)
    wanted = {"end", "duration", "depth", "censored", "start_id", "end_id", "parent", "source_ids"}
    assert wanted | ({"key"} if "key" in more else set()) <= set(out.columns)
    assert out.columns["depth"].type == "integer"


# -- size ----------------------------------------------------------------------------------------


SHAPES = {
    "deep": lambda n: ["S"] * (n // 2) + ["E"] * (n // 2),
    "starts": lambda n: ["S"] * n,
    "stops": lambda n: ["E"] * n,
    "flat": lambda n: ["S", "E"] * (n // 2),
}


@cache
def big(shape: str) -> dl.EventLog:
    import pandas as pd

    activities = SHAPES[shape](200_000)
    frame = pd.DataFrame({"a": pd.Categorical(activities), "t": range(200_000), "c": "one"})
    return dl.EventLog.from_frame(frame, case="c", activity="a", time="t", unit="ms")


def took(log: dl.EventLog, step: Intervals) -> float:
    begun = clock.process_time()
    log.apply(step)
    return clock.process_time() - begun


ENDS = {"start": "activity = 'S'", "stop": "activity = 'E'"}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "more",
    [{}, {"pairing": "fifo", "max_span": "1s"}, {"pairing": "first", "max_span": "1s"},
     {"pairing": "latest"}, {"open": "keep", "keep": "all"},
     {"start": "activity IN ('S', 'E')", "toggle": "chain"},
     {"until": "activity = 'S'", "pairing": "fifo"}],
    ids=lambda more: "-".join(map(str, more.values())).replace(" ", "") or "nested",
)  # fmt: skip
def test_one_giant_case_is_linear(shape: str, more: dict[str, Any]) -> None:
    """200,000 events of one case, 100,000 deep, take seconds at most, whatever the rules."""
    assert took(big(shape), Intervals(**ENDS | more)) < 5


def test_deep_nesting_has_right_depths() -> None:
    """Each of 100,000 intervals lies in the one that opened before it."""
    out = big("deep").apply(Intervals(**ENDS))
    assert out.data["depth"].to_list() == list(range(100_000))
    made = out.positions
    assert out.data["parent"].to_list() == [None, *made[:-1].tolist()]
