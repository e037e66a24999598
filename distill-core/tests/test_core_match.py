"""match against a slow matcher that is written straight from the text of the semantics."""

from __future__ import annotations

import pickle
import re
import time as clock
from collections import Counter, defaultdict
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import distill_core as dl
from distill_core.builtin.match import Match
from distill_core.errors import DistillError
from distill_core.ids import combine, part
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

    def __init__(self, step: Match, events: list[dict[str, Any]], over: int, links=None) -> None:
        self.links = links or {}
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

    def fits(self, name: str, at: int, taken=()) -> bool:
        event = self.events[at]
        if name not in FITS[event["a"]]:
            return False
        if name not in self.links:
            return True
        column, sign, other = self.links[name]
        past = [self.events[i] for i, node in taken if node.name == other]
        one, two = event[column], past[-1][column] if past else None
        if one is None or two is None:
            return False
        return one == two if sign == "=" else one != two

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
            takers = [way for way in alive if self.fits(way[0].name, at, taken)]
            if takers:
                for step, _, after in takers:
                    found = self.go([*taken, (at, step)], after)
                    if found:
                        return found
                break
            if self.step.contiguity == "strict":
                break
            alive = [w for w in alive if not any(self.fits(n, at, taken) for n in w[1])]
            at += 1
        for step, forbidden, _ in openings(left):
            if step is None and (not forbidden or self.over_without(forbidden, taken)):
                return taken
        return None

    def over_without(self, forbidden, taken):
        """Nothing forbidden comes in time, and the case goes on for longer."""
        at = taken[-1][0] + 1
        late = self.over > self.events[self.start]["t"] + self.within
        if self.step.contiguity == "strict":
            if not self.in_time(self.start, at):
                return late
            return not any(self.fits(name, at, taken) for name in forbidden)
        while self.in_time(self.start, at):
            if any(self.fits(name, at, taken) for name in forbidden):
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


def expected(step: Match, log: dl.EventLog, links=None):
    """What the step should make of the log: matches, ids passed over, partial, ids without key."""
    groups = defaultdict(list)
    over: dict[str, int] = {}
    lost = []
    known = set()
    pattern = str(step.pattern)
    for event in log.to_dicts():
        case = event["case"]
        over[case] = max(over.get(case, 0), seconds(event["end"] or event["time"]))
        plain = {"id": event["id"], "a": event["activity"], "t": seconds(event["time"]),
                 "k": event["k"]}  # fmt: skip
        if step.key and event["k"] is None:
            roles = set(FITS[plain["a"]]) & {c for c in pattern if c in "ABC"}
            lost += [plain["id"]] if roles else []
            continue
        groups[case, event["k"] if step.key else None].append(plain)
    matches, passed, partial = [], [], Counter()
    for (case, _), events in groups.items():
        found, over_it, vain = Oracle(step, events, over[case], links).run()
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


def compare(step: Match, log: dl.EventLog, links=None) -> None:
    matches, passed, partial, lost = expected(step, log, links)
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


@pytest.mark.parametrize(
    ("pattern", "within", "kinds"),
    [
        ("(A | B)+ C", "2s", ["AB", "A", "A", "A"]),  # the step of the start may be the furthest
        ("(B? | A) A", None, ["A", "A"]),  # an empty left alternative is preferred
        ("(B? | A){0,2} C", None, ["A", "A", "C"]),
        ("A (!B | C) C", None, ["A", "B", "C", "C"]),
        ("A+ !B (B C)? C", None, ["A", "B", "A", "B", "C", "C"]),
        ("(A B)+ C", "3s", ["A", "A", "B", "A", "B", "C", "A", "x", "B", "C"]),
    ],
)
def test_ways_that_are_easily_mistaken(pattern, within, kinds):
    """Patterns and logs on which the preferred way, or how far one came, is not obvious."""
    define = {name: DEFINE[name] for name in "ABC" if name in pattern}
    events = [{"c": "a", "a": a, "t": t, "u": None, "k": "k"} for t, a in enumerate(kinds)]
    for skip in ("past_last", "to_next"):
        step = Match(pattern=pattern, within=within, define=define, skip=skip)
        compare(step, log_of(events))


@st.composite
def looking_back(draw):
    """A step whose B or C looks back at the last A (or B), and what the oracle knows of it."""
    text = draw(st.sampled_from([
        "A B", "A+ B", "A B+ C", "A !B C", "A B C", "A (B | C)+ B", "A+ !B C", "(A B)+ C",
        "A B !C", "A B* C", "A (B C)? B", "A{2} B{1,2}", "(A | C) B",
    ]))  # fmt: skip
    names = [c for c in "ABC" if c in text]
    links = {}
    for name in names[1:]:
        if draw(st.booleans()) or not links:
            earlier = [n for n in names[: names.index(name)] if f"!{n}" not in text]
            if earlier and text.index(name) > text.index(earlier[0]):
                links[name] = ("k", draw(st.sampled_from(["=", "<>"])), earlier[-1])
    define = {name: DEFINE[name] for name in names}
    for name, (column, sign, other) in links.items():
        define[name] = f"{DEFINE[name]} AND {column} {sign} {other}.{column}"
    options = {
        "within": draw(st.sampled_from([None, "5s"])) if not text.endswith("!C") else "5s",
        "skip": draw(st.sampled_from(["past_last", "to_next"])),
        "restart": draw(st.sampled_from(["leftmost", "latest"])),
        "contiguity": draw(st.sampled_from(["relaxed", "relaxed", "strict"])),
    }
    return text, define, options, links


@settings(max_examples=200, deadline=None)
@given(made=looking_back(), events=logs)
def test_looking_back_as_the_text_says(made, events):
    """define may use an earlier step's last event: as a slow matcher finds."""
    text, define, options, links = made
    try:
        step = Match(pattern=text, define=define, **options)
    except ValueError as error:
        assert "no earlier step" in str(error)  # noqa: PT017
        assert text == "(A | C) B"
        return
    compare(step, log_of(events), links)


# -- parameters ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"pattern": "A (B"}, "pattern ends, but .*pattern-syntax"),
        ({"pattern": "A !B"}, "needs a time.*pattern-invalid"),
        ({"pattern": "A B within 1s", "within": "2s"}, "within is given twice"),
        ({"pattern": "A B", "define": {"C": "flag"}}, "no step 'C'; there are: A, B"),
        ({"pattern": "load B", "define": {"laod": "flag"}}, "did you mean 'load'"),
        ({"pattern": "A B", "define": {"A": "k = B.k"}}, "'A' looks at 'B'"),
        ({"pattern": "A B", "define": {"B": "k = B.k"}}, "'B' looks at 'B'"),
        ({"pattern": "A B", "define": {"B": "k ="}}, "condition-syntax"),
        ({"pattern": "A B", "within": 5}, "no duration"),
        ({"pattern": "A B", "name": ""}, "at least 1 character"),
    ],
)
def test_parameters_that_contradict_each_other(params, message):
    """Wrong parameters are told when the step is made."""
    with pytest.raises(DistillError, match=re.compile(message, re.DOTALL)):
        Match(**params)


@pytest.mark.parametrize(
    ("params", "path", "message"),
    [
        ({"define": {"A": "kk = 'x'"}}, "define.A", "did you mean 'k'"),
        ({"define": {"B": "k = A.kk"}}, "define.B", "did you mean 'k'"),
        ({"define": {"B": "k = X.k"}}, "define.B", "no column 'X.k'"),
        ({"define": {"B": "k = A.time"}}, "define.B", "cannot be compared"),
        ({"key": ["kk"]}, "key.0", "did you mean 'k'"),
    ],
)
def test_columns_are_checked(params, path, message):
    """A column that is not there is named with its path, of an earlier step's event too."""
    with pytest.raises(dl.DistillError, match=message) as caught:
        log_of([]).apply(Match(pattern="A B", **params))
    assert caught.value.path == path


def test_named_columns():
    """A reading fetches the columns of earlier steps' events, by their own names."""
    step = Match(pattern="A B", define={"B": "k = A.target AND A.n > 3"}, key=["user"])
    assert step.named_columns() == {"k", "target", "n", "user"}


def test_a_column_of_the_name_steps_must_be_ids():
    """A log's own column that the step would write is an error."""
    log = dl.EventLog.from_frame([{"c": 1, "a": "A", "t": 0, "steps": "x"}], case="c",
                                 activity="a", time="t", unit="s")  # fmt: skip
    with pytest.raises(dl.TransformError, match="'steps' is string"):
        log.apply(Match(pattern="A"))


# -- what earlier steps tell -----------------------------------------------------------------------

ROWS = [{"c": "c", "a": a, "t": t, "u": None, "k": k}
        for t, (a, k) in enumerate([("A", "k"), ("B", "l"), ("B", "k"), ("C", None)])]  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "members"),
    [
        ("activity = 'B' AND k = A.k", ["e1", "e3"]),
        ("activity = 'B' AND A.k = 'l'", None),
        ("activity = 'B' AND A.k LIKE '%k'", ["e1", "e2"]),
        ("activity = 'B' AND NOT (k = A.k)", ["e1", "e2"]),
        ("activity = 'B' AND (k = A.k OR A.k = 'z')", ["e1", "e3"]),
        ("A.k IS NULL", None),
        ("time > A.time AND activity <> A.activity AND k = 'k'", ["e1", "e3"]),
        ("k IS NULL AND A.activity IN ('A', 'x')", ["e1", "e4"]),
    ],
)
def test_conditions_that_look_back(condition, members):
    """Every form of a condition may use an earlier step's columns; unknown is not true."""
    out = log_of(ROWS).apply(Match(pattern="A B", define={"B": condition}))
    assert [e["members"] for e in out if e["activity"] == "match"] == ([members] if members else [])


def test_a_step_that_took_nothing_has_no_columns():
    """What an optional step did not take is null: unknown, and IS NULL is true."""
    params = {"pattern": "A C? B", "keep": "intervals"}
    out = log_of(ROWS).apply(Match(**params, define={"B": "activity = 'B' AND C.k IS NULL"}))
    assert [e["members"] for e in out] == [["e1", "e2"]]
    assert not len(log_of(ROWS).apply(Match(**params, define={"B": "k = C.k"})))


# -- the column steps ------------------------------------------------------------------------------


def test_steps_of_two_patterns():
    """Matches of several patterns keep their own steps, in written order, also when joined."""
    log = log_of(ROWS)
    two = Match(pattern="C? B match?", name="second", keep="all")
    out = log.apply(Match(pattern="A B", keep="all")).apply(two)
    steps = [e["steps"] for e in out if e["steps"] is not None]
    assert [[*found] for found in steps] == [["A", "B"], ["C", "B", "match"], ["C", "B", "match"]]
    assert steps[0] == {"A": ["e1"], "B": ["e2"]}
    assert steps[1] == {"C": [], "B": ["e2"], "match": []}
    halves = [log_of([r for r in ROWS if r["a"] in kinds]) for kinds in ("AB", "C")]
    other = log_of([{**row, "c": "d"} for row in ROWS]).apply(Match(pattern="B C"))
    joined = dl.concat([halves[1], out, other])
    assert [e["steps"] for e in joined if e["steps"] is not None] == [
        *steps, {"B": ["e2"], "C": ["e4"]},
    ]  # fmt: skip


def test_steps_in_frames():
    """steps is a dict of lists in pandas, a map in Arrow."""
    out = log_of(ROWS).apply(Match(pattern="A B"))
    assert out.to_pandas()["steps"][0] == {"A": ["e1"], "B": ["e2"]}
    column = out.to_arrow().column("steps")
    assert str(column.type) == "map<string, list<item: string>>"
    assert column.to_pylist() == [[("A", ["e1"]), ("B", ["e2"])], None, None]
    assert pickle.loads(pickle.dumps(out)).to_dicts() == out.to_dicts()


def test_ids_are_made_of_the_parameters_and_members():
    """U(transform, params, ids made from): the same parameters and members, the same id."""
    one = log_of(ROWS).apply(Match(pattern="A B"))
    params = '{"pattern":"A B"}'
    assert Match(pattern="A B").params_key() == params
    hashed = [part(text, 1) for text in ("match", params, "e1", "e2")]
    assert one.to_dicts()[0]["id"] == f"{int(combine(hashed)[0]):016x}"


# -- growth ----------------------------------------------------------------------------------------

EQUAL = ["A", "A B", "A+", "A+ B", "A B?", "A (A+ B)?", "A !B A", "(A A)+ B", "A !B A+ C"]


def seconds_for(pattern: str, count: int, **params: Any) -> float:
    frame = [{"c": 1, "a": "A", "t": t} for t in range(count)]
    log = dl.EventLog.from_frame(frame, case="c", activity="a", time="t", unit="s")
    begun = clock.process_time()
    log.apply(Match(pattern=pattern, **params))
    return clock.process_time() - begun


@pytest.mark.parametrize("params", [{}, {"within": "1h"}, {"restart": "latest"}])
@pytest.mark.parametrize("pattern", EQUAL)
def test_one_case_of_equal_events_is_linear(pattern, params):
    """All events equal, in one case: 20 000 take far less than quadratic work would."""
    assert seconds_for(pattern, 20_000, **params) < 10
