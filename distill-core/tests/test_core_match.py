"""match against a slow matcher that is written straight from the text of the semantics."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import distill_core as dl
from distill_core.builtin.match import Match
from distill_core.patterns import Choice, Forbidden, Repeat, Sequence, Step, parse

FITS = {"A": "A", "B": "B", "C": "C", "AB": "AB", "BC": "BC", "x": "", "ABC": "ABC"}
"""Activity → the steps that such an event fits."""
DEFINE = {step: f"activity IN ({', '.join(repr(a) for a, s in FITS.items() if step in s)})"
          for step in "ABC"}  # fmt: skip


def log_of(events: list[dict[str, Any]]) -> dl.EventLog:
    some = [*events, {"c": "z", "a": "z", "t": 0, "u": None, "k": "z"}]
    rows = [{"id": f"e{number}", **event} for number, event in enumerate(some, 1)]
    log = dl.EventLog.from_frame(rows, case="c", activity="a", time="t", end="u", unit="s")
    return log.take(slice(0, len(events)))  # a list without rows would have no columns


# -- the oracle ----------------------------------------------------------------------------------


def openings(todo):
    """What a rest of the pattern begins with, in order: (step, forbidden before it, what is left).

    ``todo`` is a tuple of nodes still to be gone through; a step of None is the end.
    """
    if not todo:
        return [(None, frozenset(), ())]
    node, rest = todo[0], todo[1:]
    match node:
        case Step():
            return [(node, frozenset(), rest)]
        case Forbidden(name):
            return [(s, names | {name}, left) for s, names, left in openings(rest)]
        case Sequence(parts):
            return openings((*parts, *rest))
        case Choice(parts):
            return [way for part in parts for way in openings((part, *rest))]
        case Repeat(of, low, high):
            found = []
            if low > 0:
                again = Repeat(of, low - 1, None if high is None else high - 1)
                return openings((of, again, *rest))
            if high != 0:
                again = Repeat(of, 0, None if high is None else high - 1)
                marked = ("again", again, rest)
                found += [(s, n, unmark(left)) for s, n, left in openings((of, marked)) if s]
            return found + openings(rest)
    return [(None, frozenset(), ())]  # the body of a repetition is over, without any event


def unmark(left):
    found = []
    for node in left:
        found += [node[1], *node[2]] if isinstance(node, tuple) else [node]
    return tuple(found)


class Oracle:
    """One group of events (of a case and key), looked at as the text says."""

    def __init__(self, step: Match, events: list[dict[str, Any]], over: int) -> None:
        pattern = parse(step.pattern)
        within = pattern.within if step.within is None else step.within
        self.root, self.step, self.events, self.over = pattern.root, step, events, over
        self.within = None if within is None else within // timedelta(seconds=1)
        self.rank: dict[int, int] = {}
        self.number(pattern.root)

    def number(self, node):
        match node:
            case Step():
                self.rank.setdefault(id(node), len(self.rank))
            case Sequence(parts) | Choice(parts):
                for part in parts:
                    self.number(part)
            case Repeat(of):
                self.number(of)

    def fits(self, name: str, at: int) -> bool:
        return name in FITS[self.events[at]["a"]]

    def in_time(self, start: int, at: int) -> bool:
        if at >= len(self.events):
            return False
        return self.within is None or self.events[at]["t"] <= self.events[start]["t"] + self.within

    def find(self, start: int):
        """(members with their steps) or None, and the furthest step of any way."""
        self.start, self.far, self.far_name = start, -1, None
        for node, _, left in openings((self.root,)):
            if self.fits(node.name, start):
                found = self.go([(start, node)], left)
                if found:
                    return found, None
        return None, self.far_name

    def go(self, taken, left):
        """A way from here to a match, the preferred one; None: there is none."""
        node = taken[-1][1]
        if self.rank[id(node)] > self.far:
            self.far, self.far_name = self.rank[id(node)], node.name
        alive = [way for way in openings(left) if way[0] is not None]
        at = taken[-1][0] + 1
        while self.in_time(self.start, at):
            takers = [way for way in alive if self.fits(way[0].name, at)]
            if takers:
                for step, _, after in takers:
                    found = self.go([*taken, (at, step)], after)
                    if found:
                        return found
                break
            if self.step.contiguity == "strict":
                break
            alive = [way for way in alive if not any(self.fits(n, at) for n in way[1])]
            at += 1
        for step, forbidden, _ in openings(left):
            if step is None and (not forbidden or self.over_without(forbidden, taken[-1][0] + 1)):
                return taken
        return None

    def over_without(self, forbidden, at):
        """Nothing forbidden comes in time, and the case goes on for longer."""
        late = self.over > self.events[self.start]["t"] + self.within
        if self.step.contiguity == "strict":
            if not self.in_time(self.start, at):
                return late
            return not any(self.fits(name, at) for name in forbidden)
        while self.in_time(self.start, at):
            if any(self.fits(name, at) for name in forbidden):
                return False
            at += 1
        return late

    def run(self):
        """Matches, starts passed over, starts tried in vain by step."""
        first = {node.name for node, _, _ in openings((self.root,))}
        starts = [i for i in range(len(self.events)) if any(self.fits(n, i) for n in first)]
        tried = {start: self.find(start) for start in starts}
        good = {s: found for s, (found, _) in tried.items() if found}
        if self.step.skip == "to_next":
            return [*good.values()], [], Counter(f for s, (_, f) in tried.items() if s not in good)
        matches, passed, vain, cursor = [], [], Counter(), 0
        while True:
            rest = [s for s in good if s >= cursor]
            chosen = min(rest, default=None)
            if rest and self.step.restart == "latest":
                chosen = min(rest, key=lambda s: (good[s][-1][0], -s))
            before = [s for s in starts if s >= cursor and (chosen is None or s < chosen)]
            passed += [s for s in before if s in good]
            vain += Counter(tried[s][1] for s in before if s not in good)
            if chosen is None:
                return matches, passed, vain
            matches.append(good[chosen])
            cursor = good[chosen][-1][0] + 1


def expected(step: Match, log: dl.EventLog):
    """What the step should make of the log: matches, ids passed over, partial, ids without key."""
    groups = defaultdict(list)
    over: dict[str, int] = {}
    lost = []
    known = set()
    pattern = str(step.pattern)
    for event in log.to_dicts():
        case = event["case"]
        over[case] = max(over.get(case, 0), seconds(event["end"] or event["time"]))
        plain = {"id": event["id"], "a": event["activity"], "t": seconds(event["time"])}
        if step.key and event["k"] is None:
            roles = set(FITS[plain["a"]]) & {c for c in pattern if c in "ABC"}
            lost += [plain["id"]] if roles else []
            continue
        groups[case, event["k"] if step.key else None].append(plain)
    matches, passed, partial = [], [], Counter()
    for (case, _), events in groups.items():
        found, over_it, vain = Oracle(step, events, over[case]).run()
        known |= {events[i]["id"] for m in found for i, _ in m}
        for match in found:
            steps = defaultdict(list)
            for at, node in match:
                steps[node.name].append(events[at]["id"])
            matches.append(([events[at]["id"] for at, _ in match], dict(steps),
                            events[match[-1][0]]["t"]))  # fmt: skip
        passed += [events[i]["id"] for i in over_it]
        partial += vain
    order = {event["id"]: i for i, event in enumerate(log.to_dicts())}
    matches.sort(key=lambda m: order[m[0][0]])
    return matches, sorted(passed, key=order.get), dict(partial), lost


def seconds(text: str) -> int:
    return int(text[11:13]) * 3600 + int(text[14:16]) * 60 + int(text[17:19])


# -- what hypothesis makes -------------------------------------------------------------------------


def text_of(node) -> str:
    match node:
        case Step(name):
            return name
        case Forbidden(name):
            return f"!{name}"
        case Sequence(parts):
            return " ".join(f"({text_of(p)})" if isinstance(p, Sequence | Choice) else text_of(p)
                            for p in parts)  # fmt: skip
        case Choice(parts):
            return " | ".join(f"({text_of(p)})" if isinstance(p, Choice) else text_of(p)
                              for p in parts)  # fmt: skip
        case Repeat(of, low, high):
            sign = {(0, 1): "?", (0, None): "*", (1, None): "+"}.get((low, high))
            sign = sign or (f"{{{low},}}" if high is None else f"{{{low},{high}}}")
            return f"({text_of(of)}){sign}" if not isinstance(of, Step) else f"{text_of(of)}{sign}"
    raise AssertionError(node)


names = st.sampled_from("ABC")


def grown(inner):
    times = st.sampled_from([(0, 1), (0, None), (1, None), (2, 2), (1, 2), (0, 2), (2, None)])
    item = st.one_of(inner, inner, names.map(Forbidden))
    return st.one_of(
        st.lists(item, min_size=2, max_size=4).map(lambda parts: Sequence(tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: Choice(tuple(parts))),
        st.tuples(inner, times).map(lambda pair: Repeat(pair[0], *pair[1])),
    )


patterns = st.recursive(names.map(Step), grown, max_leaves=6).map(text_of)
SEQUENCES = [
    "A", "A B", "A B C", "A !C B", "A !B C", "A B A", "A !A B", "A A", "A B !C", "A+ B", "A B+ C",
    "A (B | C)+ !A B", "A !B C+", "A B? C", "A B*", "A+", "A !B", "(A B)+ C", "A (B C)? B",
    "A{2,3} !C B", "A (B !C | C)+ B", "A (B C | B)", "(A | B)+ C", "A B+", "A (B | B C)", "A* B",
]  # fmt: skip


@st.composite
def steps(draw):
    text = draw(st.one_of(st.sampled_from(SEQUENCES), patterns))
    within = draw(st.sampled_from([None, "0s", "2s", "5s"]))
    options = {
        "define": DEFINE,
        "within": within,
        "key": draw(st.sampled_from([(), ("k",)])),
        "skip": draw(st.sampled_from(["past_last", "past_last", "to_next"])),
        "restart": draw(st.sampled_from(["leftmost", "leftmost", "latest"])),
        "contiguity": draw(st.sampled_from(["relaxed", "relaxed", "strict"])),
        "keep": draw(st.sampled_from(["others", "intervals", "all"])),
    }
    used = {c for c in text if c in "ABC"}
    options["define"] = {name: DEFINE[name] for name in used}
    try:
        return Match(pattern=text, **options)
    except ValueError:  # it may be empty, or forbids where it must not
        return Match(pattern="A B", **options | {"define": {n: DEFINE[n] for n in "AB"}})


activities = st.sampled_from(["A", "B", "C", "A", "B", "x", "AB", "BC", "ABC"])
event = st.fixed_dictionaries({
    "c": st.sampled_from(["a", "a", "b"]), "a": activities, "t": st.integers(0, 12),
    "u": st.sampled_from([None, None, None, 15]), "k": st.sampled_from(["k", "k", "l", None]),
})  # fmt: skip
plain_events = st.lists(activities, max_size=14).map(
    lambda kinds: [{"c": "a", "a": a, "t": t, "u": None, "k": "k"} for t, a in enumerate(kinds)]
)
single_events = st.lists(st.sampled_from("AABBCx"), max_size=18).map(
    lambda kinds: [{"c": "a", "a": a, "t": t // 2, "u": None, "k": "k"}
                   for t, a in enumerate(kinds)]
)  # fmt: skip
"""Events that fit one step each: most patterns are automata on them."""
logs = st.one_of(st.lists(event, max_size=14), plain_events, single_events, single_events)


def compare(step: Match, log: dl.EventLog) -> None:
    matches, passed, partial, lost = expected(step, log)
    out = log.apply(step)
    report = out.steps[-1]
    made = [e for e in out.to_dicts() if e["activity"] == "match"]
    assert [e["members"] for e in made] == [m[0] for m in matches]
    assert [{s: ids for s, ids in e["steps"].items() if ids} for e in made] == [
        m[1] for m in matches
    ]
    assert [seconds(e["end"]) for e in made] == [m[2] for m in matches]
    assert [e["source_ids"] for e in made] == [m[0] for m in matches]
    assert report.extra["partial"] == partial
    dangling = {reason: list(told.ids) for reason, told in report.dangling.items()}
    assert dangling == {r: i for r, i in [("superseded", passed), ("missing_key", lost)] if i}
    members = {i for m in matches for i in m[0]}
    stays = {"others": lambda i: i not in members, "all": lambda _: True,
             "intervals": lambda _: False}[step.keep]  # fmt: skip
    rest = [e["id"] for e in out.to_dicts() if e["activity"] != "match"]
    assert rest == [e["id"] for e in log.to_dicts() if stays(e["id"])]


@settings(max_examples=300, deadline=None)
@given(step=steps(), events=logs)
def test_as_the_text_says(step, events):
    """Matches, steps, ends, what stays, dangles and was tried in vain: as a slow matcher finds."""
    compare(step, log_of(events))
