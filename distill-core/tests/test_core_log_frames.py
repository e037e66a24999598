"""Logs from pandas, polars, pyarrow and dicts, and back."""

from __future__ import annotations

import builtins
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings

from distill_core.builtin.intervals import Intervals
from distill_core.errors import DistillError, SchemaError
from distill_core.frames import read_series
from distill_core.log import EventLog
from distill_core.testing.logs import build, documents, logs

ROLES = {"case": "who", "activity": "what", "time": "at"}
CHECKED = settings(max_examples=80, deadline=None)
ROWS = [
    {"who": "b", "what": "x", "at": 2, "pageUrl": "/a", "n": 1, "f": 0.5, "ok": True},
    {"who": "a", "what": "y", "at": 1, "pageUrl": None, "n": None, "f": None, "ok": None},
]
EXPECTED = [
    {"case": "a", "activity": "y", "time": "1970-01-01T00:00:01.000000Z",
     "page_url": None, "n": None, "f": None, "ok": None},
    {"case": "b", "activity": "x", "time": "1970-01-01T00:00:02.000000Z",
     "page_url": "/a", "n": 1, "f": 0.5, "ok": True},
]  # fmt: skip


def without_ids(log):
    return [{n: v for n, v in event.items() if n != "id"} for event in log]


def pandas_frame():
    frame = pd.DataFrame(ROWS)
    return frame.astype({"n": "Int64", "ok": "boolean"})


@pytest.mark.parametrize("make", [
    lambda: ROWS,
    pandas_frame,
    lambda: pandas_frame().astype({"who": "category", "what": "category", "pageUrl": "category"}),
    lambda: pandas_frame().astype({"who": object, "pageUrl": object}),
    lambda: pandas_frame().set_index(pd.Index([7, 7])),
    lambda: pl.DataFrame(ROWS),
    lambda: pl.DataFrame(ROWS).with_columns(pl.col("who").cast(pl.Categorical)),
    lambda: pa.Table.from_pylist(ROWS),
    lambda: pa.Table.from_pylist(ROWS).to_batches()[0],
], ids=["dicts", "pandas", "categories", "objects", "index", "polars", "polars-categories",
        "arrow", "batch"])  # fmt: skip
def test_any_frame_gives_one_log(make):
    """The same events from dicts, pandas, polars and Arrow are one log, down to the ids."""
    log = EventLog.from_frame(make(), **ROLES, unit="s")
    assert without_ids(log) == EXPECTED
    assert [e["id"] for e in log] == [e["id"] for e in EventLog.from_frame(ROWS, **ROLES, unit="s")]
    assert log.reading.read == log.reading.kept == 2


def test_the_object_is_not_changed():
    """Neither dicts nor frames change when they are read (IM)."""
    rows, frame = json.loads(json.dumps(ROWS)), pandas_frame()
    for obj in (rows, frame):
        EventLog.from_frame(obj, **ROLES, unit="s")
    assert rows == ROWS
    pd.testing.assert_frame_equal(frame, pandas_frame())


INSTANT = "2024-06-27T23:15:11.079000Z"


@pytest.mark.parametrize(("value", "options"), [
    (1719530111079, {"unit": "ms"}),
    (1719530111.079, {"unit": "s"}),
    (1719530111079000000, {"unit": "ns"}),
    ("2024-06-28T01:15:11.079+02:00", {}),
    ("2024-06-28T01:15:11.079", {"zone": "Europe/Berlin"}),
    (datetime(2024, 6, 27, 23, 15, 11, 79000, tzinfo=UTC), {}),
    (pd.Timestamp("2024-06-28T01:15:11.079", tz="Europe/Berlin"), {}),
    (pd.Timestamp("2024-06-28T01:15:11.079"), {"zone": "Europe/Berlin"}),
    (datetime(2024, 6, 28, 1, 15, 11, 79000), {"zone": "Europe/Berlin"}),  # noqa: DTZ001
])  # fmt: skip
@pytest.mark.parametrize("form", ["dicts", "pandas"])
def test_one_instant(value, options, form):
    """Numbers with a unit, text, aware datetimes and local times with a zone are one instant."""
    rows = [{"who": "a", "what": "x", "at": value}]
    obj = rows if form == "dicts" else pd.DataFrame(rows)
    assert [e["time"] for e in EventLog.from_frame(obj, **ROLES, **options)] == [INSTANT]


@pytest.mark.parametrize("value", [
    True, -1, float("nan"), "1719530111079", None, "soon", [], "2024-06-28T01:15:11",
])  # fmt: skip
def test_a_bad_time_is_rejected_with_its_place(value):
    """No time, a negative one, a number in text, nonsense: rejected; strict: an error."""
    rows = [{"who": "a", "what": "x", "at": v} for v in (5, value)]
    log = EventLog.from_frame(rows, **ROLES, unit="s")
    assert len(log) == 1
    ((_, counted),) = log.reading.rejected.items()
    assert (counted.count, counted.samples) == (1, ("1",))
    with pytest.raises(SchemaError, match="at 1"):
        EventLog.from_frame(rows, **ROLES, unit="s", strict=True)


def test_naive_times_of_a_frame_need_a_zone():
    """A frame's times without a zone are an error that says what to give."""
    frame = pd.DataFrame({"who": ["a"], "what": ["x"], "at": pd.to_datetime(["2024-01-01"])})
    with pytest.raises(SchemaError, match="zone='UTC'"):
        EventLog.from_frame(frame, **ROLES)
    with pytest.raises(SchemaError, match="Nowhere"):
        EventLog.from_frame(frame, **ROLES, zone="Nowhere/No")


@pytest.mark.parametrize("text", ["2024-10-27T02:30:00", "2024-03-31T02:30:00"])
def test_times_at_a_change_of_clocks(text):
    """A frame reads times that occur twice or never as their text is read."""
    rows = [{"who": "a", "what": "x", "at": t} for t in (text, "2024-07-01T00:00:00")]
    frame = pd.DataFrame(rows).astype({"at": "datetime64[us]"})
    found = [
        EventLog.from_frame(o, **ROLES, zone="Europe/Berlin").to_dicts() for o in (rows, frame)
    ]
    assert found[0] == found[1]


@pytest.mark.parametrize("nanos", [499, 500, 501, 1500, 2500, -500, -1500, 0])
def test_nanoseconds_round_half_to_even(nanos):
    """Times and lengths finer than a µs round as their text would."""
    times = pd.Series(np.array([nanos], dtype="datetime64[ns]")).dt.tz_localize("UTC")
    spans = pd.Series(np.array([nanos], dtype="timedelta64[ns]"))
    expected = [round(nanos / 1000)]
    assert read_series("t", times)[1].to_list() == expected
    assert read_series("t", spans)[1].to_list() == expected


def test_types_of_columns():
    """Whole numbers, numbers, text, booleans, times, lengths and objects keep their types."""
    rows = [{
        "who": 7, "what": "x", "at": 0, "i": 2**53 + 1, "d": Decimal("1.5"), "s": "t", "b": False,
        "day": date(2024, 1, 2), "span": timedelta(milliseconds=5), "o": {"b": 1, "a": [None]},
        "l": [1, "x"], "none": None, "mixed": 1,
    }, {"who": 7, "what": "x", "at": 1, "mixed": "1"}]  # fmt: skip
    log = EventLog.from_frame(rows, **ROLES, unit="s")
    kinds = {n: log.columns[n].type for n in log.columns}
    assert [kinds[n] for n in ("i", "d", "s", "b", "day", "span", "o", "l", "none", "mixed")] == [
        "integer", "number", "string", "boolean", "time", "duration", "json", "json",
        "string", "string",
    ]  # fmt: skip
    first = log.to_dicts()[0]
    assert (first["case"], first["i"], first["d"]) == ("7", 2**53 + 1, 1.5)
    assert (first["day"], first["span"]) == ("2024-01-02T00:00:00.000000Z", 5000)
    assert (first["o"], first["l"]) == ({"a": [None], "b": 1}, [1, "x"])


@pytest.mark.parametrize("series", [
    pd.Series([np.array([1, 2]), None]), pd.Series([[1, 2], None]),
    pd.Series([[1, 2], None], dtype=pd.ArrowDtype(pa.list_(pa.int64()))),
], ids=["arrays", "lists", "arrow"])  # fmt: skip
def test_lists_in_frames(series):
    """Lists in a frame, as arrays or lists, are JSON."""
    frame = pd.DataFrame({"who": ["a", "a"], "what": "x", "at": [0, 1], "v": series})
    assert [e["v"] for e in EventLog.from_frame(frame, **ROLES, unit="s")] == [[1, 2], None]


def test_numbers_that_do_not_fit():
    """Infinity and whole numbers beyond 64 bits are no values: null, and counted."""
    frame = pd.DataFrame({
        "who": "a", "what": "x", "at": [0, 1], "f": [np.inf, 1.0],
        "u": np.array([2**63, 1], dtype="uint64"),
    })  # fmt: skip
    log = EventLog.from_frame(frame, **ROLES, unit="s")
    assert [(e["f"], e["u"]) for e in log] == [(None, None), (1.0, 1)]
    assert {n: c.count for n, c in log.reading.nulled.items()} == {"f": 1, "u": 1}


def test_cases_from_users():
    """A null case is user:<user>, counted; without a user the row is rejected; blank is null."""
    rows = [{"who": w, "what": "x", "at": 0, "u": u}
            for w, u in (("c", "u"), (None, "u"), ("", "u"), (None, None), (None, ""))]  # fmt: skip
    log = EventLog.from_frame(rows, **ROLES, user="u", unit="s")
    assert log.cases.tolist() == ["c", "user:u"]
    assert log.reading.counts == {"case_from_user": 2}
    assert {n: c.samples for n, c in log.reading.rejected.items()} == {"no_case": ("3", "4")}
    assert log.reading.read == 5


def test_ends_orders_and_ids():
    """end, order and the object's own id are taken; an end before its time is set to it."""
    told = (("x", 9, 0.5, "e1"), ("y", 4, None, "e2"), ("z", None, 0.25, None))
    rows = [{"who": "a", "what": w, "at": 5, "till": t, "o": o, "id": i} for w, t, o, i in told]
    log = EventLog.from_frame(rows, **ROLES, end="till", order="o", unit="ms")
    assert [(e["activity"], e["duration"], e["order"]) for e in log] == [
        ("y", 0, None), ("z", None, 0.25), ("x", 4000, 0.5)
    ]  # fmt: skip
    assert [e["id"] for e in log][::2] == ["e2", "e1"]
    assert log.reading.counts == {"end_before_time": 1}


@pytest.mark.parametrize(("rows", "options", "code"), [
    ([{"who": 1}], {}, "column-unknown"),
    ([{"who": 1, "what": 1, "at": 1, "pageUrl": 1, "page_url": 2}], {}, "column-clash"),
    ([{"who": 1, "what": 1, "at": 1, "time": 2}], {}, "column-clash"),
    ([{"who": 1, "what": 1, "at": 1, "duration": 2}], {}, "column-clash"),
    ([{"who": 1, "what": 1, "at": 1}], {"unit": "minutes"}, "schema-invalid"),
    ([{"who": 1, "what": 1, "at": 1}, None], {}, "input-type"),
    ("text", {}, "input-type"),
    (7, {}, "input-type"),
])  # fmt: skip
def test_what_is_no_log(rows, options, code):
    """Missing and clashing columns, unknown units and other objects are errors with a code."""
    with pytest.raises(SchemaError) as caught:
        EventLog.from_frame(rows, **ROLES, **{"unit": "s", **options})
    assert caught.value.code == code


def test_without_pyarrow(monkeypatch):
    """Arrow without the extra is an error that says what to install."""
    real = builtins.__import__

    def missing(name, *args, **kwargs):
        if name.partition(".")[0] in ("pyarrow", "polars"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    log, table = EventLog.from_frame(ROWS, **ROLES, unit="s"), pl.DataFrame(ROWS)
    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(DistillError, match=r"distill-core\[arrow\]"):
        EventLog.from_frame(table, **ROLES, unit="s")
    assert [e["case"] for e in log] == ["a", "b"]


@CHECKED
@given(rows=documents())
def test_empty_and_any_log_read_back(rows):
    """A log written to pandas, Arrow or polars and read again is the same log, ids included."""
    log = build(rows)
    again = {"case": "case", "activity": "activity", "time": "time", "end": "end",
             "order": "order", "user": "user"}  # fmt: skip
    names = [n for n in log.columns if n not in ("details", "duration", "order")]
    for obj in (log.to_pandas(), log.to_arrow(), log.to_polars(), log):
        found = EventLog.from_frame(obj, **again)
        assert [{n: e[n] for n in names} for e in found] == [{n: e[n] for n in names} for e in log]
        assert [e["order"] for e in found] == [e["order"] for e in log]


@CHECKED
@given(log=logs())
def test_every_way_out_tells_the_same(log):
    """to_pandas, to_polars, to_arrow and iteration have the rows and columns of to_dicts."""
    events = log.to_dicts()
    assert list(log) == events
    frame, table, polars = log.to_pandas(), log.to_arrow(), log.to_polars()
    for names in (list(frame.columns), table.column_names, polars.columns):
        assert names == list(log.columns)
    for name in ("id", "case", "activity", "user", "target", "number", "score", "flag"):
        expected = [e[name] for e in events]
        assert [None if pd.isna(v) else v for v in frame[name]] == expected
        assert table[name].to_pylist() == expected
        assert polars[name].to_list() == expected
    micros = [None if v is None else round(v.total_seconds() * 1e6)
              for v in table["duration"].to_pylist()]  # fmt: skip
    assert micros == [e["duration"] for e in events]
    assert [t.isoformat(timespec="microseconds") for t in table["time"].to_pylist()] == [
        e["time"].replace("Z", "+00:00") for e in events
    ]


def test_dicts_are_json():
    """to_dicts is plain: times in ISO 8601 with µs, lengths in whole µs, objects decoded."""
    rows = [{"case": "a", "activity": "x", "time": 1719530111079, "end": 1719530111080,
             "details": {"b": [1, None]}}]  # fmt: skip
    (event,) = build(rows)
    assert event["time"] == INSTANT
    assert (event["duration"], event["details"]) == (1000, {"b": [1, None]})
    assert json.loads(json.dumps([event])) == [event]


def test_to_pandas_is_your_own():
    """Changing what to_pandas gave changes no log."""
    log = EventLog.from_frame(ROWS, **ROLES, unit="s")
    before, frame = log.to_dicts(), log.to_pandas()
    frame.loc[0, "f"] = 9
    frame.loc[0, "case"] = "b"
    assert log.to_dicts() == before


def test_html_escapes_every_value():
    """What a notebook shows is escaped, shortened, and says how much there is."""
    evil = "<script>alert(1)</script>"
    rows = [{"who": evil, "what": "&", "at": t, evil: "y" * 200} for t in range(1200)]
    page = EventLog.from_frame(rows, **ROLES, unit="s")._repr_html_()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "1,200 events in 1 cases" in page
    assert "y" * 81 not in page
    assert page.count("<tr>") == 11


def test_through_pandas_and_back():
    """A log with intervals goes through pandas and back, its duration computed anew."""
    step = Intervals(start="activity = 'a'", stop="activity = 'b'")
    log = EventLog.from_frame(
        [{"c": "x", "a": a, "t": t, "n": t} for t, a in enumerate("abca")],
        case="c", activity="a", time="t", unit="s",
    ).apply(step)  # fmt: skip
    frame = log.to_pandas()
    again = EventLog.from_frame(frame, case="case", activity="activity", time="time")
    assert again.to_dicts() == log.to_dicts()
    frame["duration"] = 7
    again = EventLog.from_frame(frame, case="case", activity="activity", time="time")
    assert again.to_dicts() == log.to_dicts()
    with pytest.raises(SchemaError, match="'duration' is reserved"):
        EventLog.from_frame(frame.drop(columns="end"), case="case", activity="activity",
                            time="time")  # fmt: skip
