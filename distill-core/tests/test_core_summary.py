"""Summaries beside a slow oracle over the events of the log; cuts, limits and every error."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import product
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from distill_core import tally
from distill_core.batch import Batch, Codes, Masked
from distill_core.builtin.elapsed import Elapsed
from distill_core.builtin.fields import Fields
from distill_core.component import Query, Schema, Selection
from distill_core.conditions import col, mask, parse
from distill_core.errors import ConditionError, DistillError, SchemaError, SourceError, SpecError
from distill_core.params import MICROSECOND, Calendar
from distill_core.pipeline import Pipeline
from distill_core.summary import Group, Measure, Summarized, Summary
from distill_core.tabulate import wilson
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


def test_the_places_of_rejected_records_are_told():
    """A summary's report is that of the log: reasons, counts, places, the notes too."""
    rows = [{"case": "a", "activity": "x"}, 7, {"case": "a", "activity": "x", "time": "soon"}]
    found = answer(rows, Summary()).meta
    assert found["reading"] == pipeline(rows, Selection()).log().reading.to_dict()
    assert found["reading"]["rejected"]["bad_time"] == {"count": 1, "samples": ["2"]}
    assert found["summarized"] == "core"
    with pytest.raises(SchemaError, match="strict reading: record at 0 is rejected as 'no_time'"):
        pipeline(rows, Selection(summary=Summary())).run(strict=True)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=64), max_size=30),
       st.integers(1, 30))
@example([1e308, 1e308, -1e308], 1)
@example([5e-324, 1e300, -1e300], 2)
@settings(deadline=None)
def test_sums_of_numbers_are_rounded_once(values, chunk):
    """The sum of floats is the exact one, rounded, in any order and however it is cut."""
    rows = [{"case": "a", "activity": "x", "time": 1, "score": v} for v in values]
    summary = Summary((), (Measure("s", "sum", "score"),))
    try:
        wanted = float(sum(map(Fraction, values)))
    except OverflowError:
        with pytest.raises(DistillError, match="the sum 's' is greater than its type can hold"):
            answer(rows, summary, chunk=chunk)
        return
    for given_ in (rows, rows[::-1]):
        (row,) = answer(given_, summary, chunk=chunk).rows
        assert row["s"] == (wanted if values else None)


def test_sums_of_integers_are_exact():
    """No sum overflows on the way; one that no 64 bits hold is an error, never another number."""
    most = 2**63 - 1
    summary = Summary((), (Measure("s", "sum", "number"),))

    def total(*numbers):
        rows = [{"case": "a", "activity": "x", "time": 1, "number": n} for n in numbers]
        return answer(rows, summary, chunk=1).rows[0]["s"]

    assert total(most, most, -most) == most
    assert total(-most - 1) == -most - 1
    with pytest.raises(DistillError, match="greater than its type can hold") as caught:
        total(most, 1)
    assert caught.value.code == "summary-limit"


@pytest.mark.parametrize(("count", "total", "low", "high"), [
    (1, 10, 0.017876213, 0.404150027), (0, 7, 0.0, 0.354330435), (7, 7, 0.645669565, 1.0),
    (420, 1000, 0.389772682, 0.450839599), (3, 4, 0.300641843, 0.954412739),
])  # fmt: skip
def test_intervals_are_wilsons(count, total, low, high):
    """The numbers of scipy.stats.binomtest(count, total).proportion_ci(method="wilson")."""
    assert wilson(count, total) == (low, high)


def test_shares_are_of_all_groups():
    """A share is of the total, whatever top leaves; of nothing there is none."""
    rows = [{"case": "a", "activity": a, "time": 1} for a in "aabc"]
    by, counted = (Group("activity"),), (Measure("n", "count"),)
    (row,) = answer(rows, Summary(by, counted, 1, ("n",))).rows
    assert row == {"activity": "a", "n": 2, "n_share": 0.5, "n_low": 0.150038989,
                   "n_high": 0.849961011}  # fmt: skip
    (row,) = answer([], Summary((), counted, shares=("n",))).rows
    assert row == {"n": 0, "n_share": None, "n_low": None, "n_high": None}


def test_memory_is_for_groups_alone():
    """A tally of few groups stays small, whatever comes."""
    found = tally.Tally(1, [tally.added])
    for _ in range(50):
        found.add([np.arange(10_000) % 7], [np.ones(10_000, dtype=np.int64)], 10_000)
    assert found._waiting + found._merged <= 7 * 50
    assert found.finish()[1][0].tolist() == [71450, 71450, 71450, 71450, 71400, 71400, 71400]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Summary(measures=()), "has no measure"),
        (lambda: Summary(measures=(Measure("m", "mean", "x"),)), "the measure 'mean': there are:"),
        (lambda: Summary(measures=(Measure("m", "max"),)), "'m', a max of no column"),
        (lambda: Summary((Group("events"),)), "has two columns 'events'"),
        (lambda: Summary(top=0), "has a top of 0"),
        (lambda: Summary(shares=("x",)), "share of 'x', which is none of its counts"),
        (lambda: Summary((Group("time", timedelta(1), empty="keep"),
                          Group("end", timedelta(1), empty="keep"))), "of more than one group"),
        (lambda: Selection(limit=1, summary=Summary()), "columns, sort and limit have no meaning"),
    ],
)  # fmt: skip
def test_what_is_no_summary(make, message):
    """A summary that makes no sense is an error where it is made."""
    with pytest.raises(SpecError, match=message) as caught:
        make()
    assert caught.value.code == "spec-invalid"


@pytest.mark.parametrize(
    ("summary", "code", "message"),
    [
        (Summary((Group("activty"),)), "column-unknown", "did you mean 'activity'"),
        (Summary((Group("id"),)), "column-unknown", "there is no column 'id' to summarise"),
        (Summary((), (Measure("m", "distinct", "usr"),)), "column-unknown", "no column 'usr'"),
        (Summary((), (Measure("m", "sum", "target"),)), "column-type", "no sum of 'target'"),
        (Summary((), (Measure("m", "min", "details"),)), "column-type", "no min of 'details'"),
        (Summary((Group("number", timedelta(1)),)), "column-type", "no windows of 'number'"),
        (Summary((), (Measure("m", "count", None, col("x") == 1),)), "condition-column", "'x'"),
    ],
)
def test_columns_are_checked_before_anything_is_read(summary, code, message):
    """A column that is not there, or of a type that cannot be, is told with its place."""
    query = Selection(summary=summary)
    with pytest.raises((SpecError, ConditionError), match=message) as caught:
        pipeline([], query).check()
    assert (caught.value.code, caught.value.path) == (code, "query")


def test_a_summary_ends_a_pipeline():
    """Steps, models and logs have no place behind it."""
    found = pipeline([], Selection(summary=Summary()))
    with pytest.raises(SpecError, match="no steps and no model follow it") as caught:
        Pipeline(found.source, found.schema, found.query, [Elapsed()]).run()
    assert (caught.value.code, caught.value.path) == ("spec-invalid", "query")
    for call in (found.log, found.empty):
        with pytest.raises(SpecError, match="a summary has no events"):
            call()


def test_too_many_empty_windows_are_refused():
    """Before they are made: a window of a microsecond over years would fill the memory."""
    rows = [{"case": "a", "activity": "x", "time": t} for t in (0, 10**12)]
    summary = Summary((Group("time", MICROSECOND, empty="keep"),))
    with pytest.raises(DistillError, match="rows, most of them empty") as caught:
        answer(rows, summary)
    assert caught.value.code == "summary-limit"


def stored(answer, summary, schema=None, where=None):
    """A pipeline whose source answers summaries so."""

    class Store(Documents):
        def summarize(self, request, summary):
            return answer(request, summary)

    query = Asked(selection=Selection(where=where, summary=summary))
    return Pipeline(Store(documents=()), schema or Kit(), query)


def test_a_source_may_answer():
    """Its groups become the table: order, top, shares are added here; its report is told."""
    asked = []

    def found(request, summary):
        asked.append((request, summary))
        groups = {"activity": Codes(np.array([1, 0, -1]), ["b", "a"]),
                  "n": Masked.full(np.array([3, 1, 4]))}  # fmt: skip
        return Summarized(Batch(groups, np.arange(3)), read=20, kept=8, foreign=2,
                          rejected={"no_time": (1, np.array([5]))},
                          counts={"case_from_user": 4})  # fmt: skip

    summary = Summary((Group("activity"),), (Measure("n", "count"),), 2, ("n",))
    result = stored(found, summary, where=parse("number > 0")).run()
    assert [(r["activity"], r["n"], r["n_share"]) for r in result.rows] == [
        (None, 4, 0.5), ("a", 3, 0.375),
    ]  # fmt: skip
    reading = result.meta["reading"]
    assert (reading["read"], reading["kept"], reading["filtered"]) == (20, 8, 9)
    assert reading["rejected"] == {"no_time": {"count": 1, "samples": ["5"]}}
    assert reading["counts"] == {"case_from_user": 4}
    assert result.meta["summarized"] == "source"
    ((request, summary),) = asked
    assert (summary.top, summary.shares) == (None, ())  # shares need all groups
    assert str(request.where) == "number > 0"
    assert {column.name for column in request.columns} == {
        "case", "activity", "time", "user", "number",
    }  # fmt: skip


def test_a_source_is_not_asked_for_what_is_done_here():
    """The end of an event, made columns and strict reading are the core's."""

    def never(request, summary):
        raise ValueError("asked")

    for column in ("end", "duration"):
        assert stored(never, Summary((Group(column),))).run().rows == []
    assert stored(never, Summary()).run(strict=True).rows == [{"events": 0}]
    plain = {"activity": "a", "time": "t", "unit": "s"}
    lacking = Summary((), (Measure("u", "distinct", "user"),))
    whole = Fields(case="c", **plain)
    assert stored(never, lacking, whole).run().rows == [{"u": 0}]
    assert stored(never, lacking, whole).explain()["summarized"] == (
        "here: there is no column 'user'"
    )
    asked = stored(never, Summary(), Fields(user="u", **plain))
    assert asked.explain()["summarized"] == "by the source if it can, else here"
    with pytest.raises(SourceError, match=r"source 'store' .* failed: ValueError: asked"):
        asked.run()
