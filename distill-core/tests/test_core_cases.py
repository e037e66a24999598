"""truncate, filter_cases, filter_variants and edges beside slow oracles."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from fractions import Fraction
from itertools import groupby

from hypothesis import given, settings
from hypothesis import strategies as st

from distill_core.builtin.edges import Edges
from distill_core.builtin.filter_cases import FilterCases
from distill_core.builtin.filter_variants import FilterVariants
from distill_core.builtin.match import Match
from distill_core.builtin.truncate import Truncate
from distill_core.params import MICROSECOND
from distill_core.testing.logs import logs

CHECKED = settings(max_examples=150, deadline=None)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(text):
    return (datetime.fromisoformat(text) - EPOCH) // MICROSECOND


def cases_of(log):
    """(case, events) in order."""
    return [(case, [*events]) for case, events in groupby(log.to_dicts(), lambda e: e["case"])]


def is_click(event):
    return event["activity"] == "click"


def is_flagged(event):
    return event["flag"] is True


def long_enough(events, low, high):
    last = max(micros(e["end"] or e["time"]) for e in events)
    return low <= last - micros(events[0]["time"]) <= high


KEEP = st.sampled_from(["before", "after"])
OCCURRENCE = st.sampled_from(["first", "last"])


def cut(events, spans, keep, occurrence, inclusive, missing):
    """What stays of a case; spans are (first, last) places of its matches."""
    if not spans:
        return [] if missing == "drop" else events
    start, end = spans[0] if occurrence == "first" else spans[-1]
    if keep == "before":
        return events[: end + 1] if inclusive else events[:start]
    return events[start:] if inclusive else events[end + 1 :]


@CHECKED
@given(logs(), KEEP, OCCURRENCE, st.booleans(), st.sampled_from(["keep", "drop"]))
def test_truncate_like_the_oracle(log, keep, occurrence, inclusive, missing):
    """By condition: what stays of each case is a slice."""
    params = {"keep": keep, "occurrence": occurrence, "inclusive": inclusive, "missing": missing}
    expected, without = [], 0
    for _, events in cases_of(log):
        spans = [(place, place) for place, event in enumerate(events) if is_click(event)]
        without += not spans
        expected += cut(events, spans, **params)
    out = log.apply(Truncate(where="activity = 'click'", **params))
    assert out.to_dicts() == expected
    assert out.steps[0].counts == {"cases_without_match": without}


@CHECKED
@given(logs(), KEEP, OCCURRENCE, st.booleans())
def test_truncate_cuts_at_what_match_finds(log, keep, occurrence, inclusive):
    """By pattern: a match is what the transform match makes an interval of."""
    params = {"keep": keep, "occurrence": occurrence, "inclusive": inclusive}
    pattern = "start (click | reset)* stop"
    made = log.apply(Match(pattern=pattern, keep="intervals")).to_dicts()
    expected = []
    for case, events in cases_of(log):
        place = {event["id"]: number for number, event in enumerate(events)}
        spans = [
            (place[m["members"][0]], place[m["members"][-1]]) for m in made if m["case"] == case
        ]
        expected += cut(events, spans, missing="keep", **params)
    assert log.apply(Truncate(pattern=pattern, **params)).to_dicts() == expected


ASKED = {
    "contains": lambda events: any(map(is_click, events)),
    "lacks": lambda events: not any(map(is_flagged, events)),
    "starts_with": lambda events: is_click(events[0]),
    "ends_with": lambda events: is_flagged(events[-1]),
    "min_events": lambda events: len(events) >= 2,
    "max_events": lambda events: len(events) <= 4,
    "min_duration": lambda events: long_enough(events, 5000, 10**9),
    "max_duration": lambda events: long_enough(events, 0, 20_000),
}
VALUES = {
    "contains": "activity = 'click'", "lacks": "flag", "starts_with": "activity = 'click'",
    "ends_with": "flag", "min_events": 2, "max_events": 4, "min_duration": "5ms",
    "max_duration": "20ms",
}  # fmt: skip


@CHECKED
@given(logs(), st.sets(st.sampled_from(sorted(ASKED)), min_size=1), st.booleans())
def test_filter_cases_like_the_oracle(log, asked, others):
    """All that is asked must be true of a case, or with others not all."""
    step = FilterCases(**{n: VALUES[n] for n in asked}, keep="others" if others else "matching")
    stays = [events for _, events in cases_of(log)
             if all(ASKED[name](events) for name in asked) is not others]  # fmt: skip
    out = log.apply(step)
    assert out.to_dicts() == [event for events in stays for event in events]
    kept = len(stays)
    assert out.steps[0].counts == {"cases_kept": kept, "cases_dropped": log.n_cases - kept}


@CHECKED
@given(logs(), st.integers(0, 100), st.one_of(st.none(), st.integers(0, 4)))
def test_filter_variants_like_the_oracle(log, percent, top):
    """Variants are taken, the most frequent first, until the share is covered."""
    spans = cases_of(log)
    variant = {case: tuple(e["target"] or "" for e in events) for case, events in spans}
    nulls = {case: tuple(e["target"] is not None for e in events) for case, events in spans}
    found = Counter(tuple(zip(nulls[c], variant[c], strict=True)) for c in variant)
    kept, covered = set(), 0
    for key, count in sorted(found.items(), key=lambda entry: (-entry[1], entry[0])):
        if covered >= Fraction(percent, 100) * len(spans) or len(kept) == top:
            break
        kept.add(key)
        covered += count
    out = log.apply(FilterVariants(coverage=percent / 100, top=top, column="target"))
    assert out.to_dicts() == [
        event for case, events in spans
        if tuple(zip(nulls[case], variant[case], strict=True)) in kept for event in events
    ]  # fmt: skip
    assert out.steps[0].counts["variants"] == len(found)
    assert out.steps[0].counts["variants_kept"] == len(kept)


@CHECKED
@given(
    log=logs(),
    side=st.sampled_from(["first", "last", "both"]),
    by=st.sampled_from([("case",), ("user",), ("target", "user"), ("case", "user"), ("details",)]),
    n=st.integers(1, 3),
)
def test_edges_like_the_oracle(log, side, by, n):
    """Groups by value, each sorted by time, order, position, and its edges taken."""
    groups = {}
    for place, event in enumerate(log.to_dicts()):
        if event["activity"] != "reset":
            order = (event["order"] is not None, event["order"] or 0)
            key = tuple(repr(event[name]) for name in by)
            groups.setdefault(key, []).append((event["time"], order, place, event["id"]))
    stays = set()
    for events in groups.values():
        ids = [entry[-1] for entry in sorted(events)]
        stays |= {*(ids[:n] if side != "last" else []), *(ids[-n:] if side != "first" else [])}
    out = log.apply(Edges(side=side, by=by, n=n, where="activity <> 'reset'"))
    assert [e["id"] for e in out] == [e["id"] for e in log if e["id"] in stays]
