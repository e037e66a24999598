"""Summaries beside a slow oracle over the events of the log; cuts, limits and every error."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from distill_core import tally
from distill_core.component import Query, Schema, Selection
from distill_core.conditions import col, mask, parse
from distill_core.params import MICROSECOND, Calendar
from distill_core.pipeline import Pipeline
from distill_core.summary import Group, Measure, Summary
from distill_core.testing import COLUMNS, Documents, documents

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


class Kit(Schema):
    """The columns that the kit's documents have."""

    def columns(self):
        return COLUMNS


class Asked(Query):
    """Any selection."""

    selection: Selection

    def select(self, now):
        return self.selection


def pipeline(rows, selection, chunk=1000, schema=None, stream=None):
    source = Documents(documents=tuple(rows), chunk=chunk)
    query = Asked(selection=selection)
    return Pipeline(source=source, schema=schema or Kit(), query=query, stream=stream)


def answer(rows, summary, where=None, chunk=1000):
    """The rows that the summary of these documents has."""
    return pipeline(rows, Selection(where=where, summary=summary), chunk).run()


def micros(moment):
    return (moment - EPOCH) // MICROSECOND


def plain(event, name):
    """A value of an event as groups compare it: JSON as text, floats without −0.0."""
    value = event.get(name)
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return value + 0.0 if isinstance(value, float) else value


def shown(value, name):
    """As the table shows it."""
    return json.loads(value) if name == "details" and value is not None else value


def text(micros_):
    moment = EPOCH + micros_ * MICROSECOND
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def begin(group, value):
    """The begin of a window, by walking through dates."""
    if group.every is None or value is None:
        return value
    moment = datetime.fromisoformat(value)
    if isinstance(group.every, timedelta):
        step = group.every // MICROSECOND
        return text(micros(moment) // step * step)
    assert group.every == Calendar(1, "d")
    day = moment.astimezone(ZoneInfo(group.zone)).date()
    return text(micros(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(group.zone))))


def figure(measure, events, true):
    """A measure of events, which come with whether its condition is true."""
    chosen = [event for event, fits in zip(events, true, strict=True) if fits]
    if measure.column is None:
        return len(chosen)
    values = [v for v in (plain(event, measure.column) for event in chosen) if v is not None]
    match measure.op:
        case "count":
            return len(values)
        case "distinct":
            return len(set(values))
        case "min" | "max":
            return {"min": min, "max": max}[measure.op](values) if values else None
        case _:
            if not values:
                return None
            return math.fsum(values) if isinstance(values[0], float) else sum(values)


def oracle(log, summary):
    """The summary's rows from the log's events, in plain Python."""
    events = log.to_dicts()
    true = {
        m.name: mask(m.where, log).tolist() if m.where is not None else [True] * len(events)
        for m in summary.measures
    }
    groups = {} if summary.by else {(): []}
    for place, event in enumerate(events):
        key = tuple(begin(group, plain(event, group.column)) for group in summary.by)
        groups.setdefault(key, []).append(place)
    for at, group in enumerate(summary.by):
        if group.empty == "keep" and groups:
            times = sorted({key[at] for key in groups} - {None})
            others = {(key[:at], key[at + 1 :]) for key in groups}
            for (before, after), time in product(others, every_window(group, times)):
                groups.setdefault((*before, time, *after), [])
    rows = []
    for key in sorted(groups, key=lambda key: [(p is None, 0 if p is None else p) for p in key]):
        row = {g.column: shown(part, g.column) for g, part in zip(summary.by, key, strict=True)}
        for measure in summary.measures:
            places = groups[key]
            flags = [true[measure.name][p] for p in places]
            row[measure.name] = figure(measure, [events[p] for p in places], flags)
        rows.append(row)
    if summary.top is not None:
        name = summary.measures[0].name
        ranks = {}
        for row in rows:
            ranks.setdefault(row[name], None)
        order = sorted(value for value in ranks if value is not None)[::-1]
        place = {value: index for index, value in enumerate(order)} | {None: len(order)}
        rows = sorted(rows, key=lambda row: place[row[name]])[: summary.top]
    return rows


def every_window(group, times):
    if not times:
        return []
    found, moment = [], datetime.fromisoformat(times[0])
    while text(micros(moment)) <= times[-1]:
        found.append(begin(group, text(micros(moment))))
        moment += group.every if isinstance(group.every, timedelta) else timedelta(hours=6)
    return sorted(set(found))


GROUPS = st.sampled_from(
    [
        *(Group(name) for name in ("activity", "case", "user", "target", "number", "score", "flag",
                                   "details", "time", "end", "duration", "order")),
        Group("time", timedelta(milliseconds=7)),
        Group("time", timedelta(milliseconds=7), empty="keep"),
        Group("end", timedelta(milliseconds=10), empty="keep"),
        Group("time", Calendar(1, "d"), "Europe/Berlin"),
    ]
)  # fmt: skip
SIMPLE = ("activity", "case", "user", "target", "number", "score", "flag", "time", "end",
          "duration", "order")  # fmt: skip
WHERE = st.sampled_from([None, col("flag") == True, col("duration") > timedelta(0),  # noqa: E712
                         parse("activity LIKE '%c%' OR number IS NULL")])  # fmt: skip


@st.composite
def measures(draw):
    op = draw(st.sampled_from(["count", "distinct", "min", "max", "sum"]))
    names = {"sum": ("number", "score", "duration", "order")}.get(op, SIMPLE)
    names = (*names, "details") if op in ("count", "distinct") else names
    column = draw(st.sampled_from([None, *names] if op == "count" else names))
    return Measure("", op, column, draw(WHERE))


@st.composite
def summaries(draw):
    by = draw(st.lists(GROUPS, max_size=3, unique_by=lambda group: group.column))
    keeps = [group for group in by if group.empty == "keep"]
    by = [group for group in by if group not in keeps[1:]]
    found = draw(st.lists(measures(), min_size=1, max_size=3))
    named = [Measure(f"m{n}", m.op, m.column, m.where) for n, m in enumerate(found)]
    return Summary(tuple(by), tuple(named), draw(st.none() | st.integers(1, 3)))


@st.composite
def raw(draw):
    """The kit's documents, some of which lack what an event must have, or are none."""
    rows = []
    for row in draw(documents()):
        change = draw(st.sampled_from([None] * 6 + [
            {"case": None}, {"case": ""}, {"activity": ""}, {"time": "soon"}, {"time": None},
            {"number": "many"}, {"score": -0.0},
        ]))  # fmt: skip
        rows.append({**row, **(change or {})})
    return [*rows, *draw(st.sampled_from([[], [7]]))]


@given(
    rows=raw(),
    summary=summaries(),
    where=st.sampled_from([None, parse("activity <> 'click'"), col("number") > 0,
                           parse("target IS NULL AND time >= '1970-01-01T00:00:00.005Z'")]),
    chunk=st.sampled_from([1, 3, 1000]),
)  # fmt: skip
@example(rows=[], summary=Summary(), where=None, chunk=1)
@example(rows=[], summary=Summary((Group("user"),)), where=None, chunk=1)
@example(rows=[{"case": "a", "activity": "x", "time": 1}],
         summary=Summary((Group("target"),), (Measure("m", "min", "target"),)),
         where=None, chunk=1)  # fmt: skip
@settings(deadline=None, max_examples=300)
def test_a_summary_is_one_of_the_log(rows, summary, where, chunk):
    """Any groups, measures and conditions come to what the events of the log come to."""
    selection = Selection(where=where)
    log = pipeline(rows, selection).log()
    found = answer(rows, summary, where, chunk)
    assert found.rows == oracle(log, summary)
    assert not rows or found.meta["reading"]["rejected"] == log.reading.to_dict()["rejected"]
    same = ("read", "kept", "foreign", "filtered")
    assert {n: found.meta["reading"][n] for n in same} == {
        n: log.reading.to_dict()[n] for n in same
    }
    assert found.columns == tuple(
        column for column in pipeline(rows, Selection(summary=summary)).check().values()
    )


@given(rows=raw(), summary=summaries(), data=st.data(), small=st.booleans())
@settings(deadline=None, max_examples=100)
def test_cuts_do_not_matter(rows, summary, data, small):
    """The same bytes, report included, however the source cuts its batches and tallies merge."""
    chunks = data.draw(st.lists(st.integers(1, 10), min_size=2, max_size=2))
    keep, tally._LEAST = tally._LEAST, 2 if small else tally._LEAST
    try:
        one, other = (answer(rows, summary, chunk=chunk) for chunk in chunks)
    finally:
        tally._LEAST = keep
    same = [{**found.to_dict(), "meta": {**found.meta, "pipeline": 0}} for found in (one, other)]
    assert json.dumps(same[0]) == json.dumps(same[1])
