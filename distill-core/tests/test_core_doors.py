"""What goes through the doors of the log: nothing is lost, changed or raised without a word."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill_core.builtin.collapse import Collapse
from distill_core.builtin.match import Match
from distill_core.columns import Column
from distill_core.component import Model
from distill_core.errors import DistillError, SchemaError, TransformError
from distill_core.log import EventLog, concat

ROLES = {"case": "c", "activity": "a", "time": "t"}
OWN = {"case": "case", "activity": "activity", "time": "time"}
WHOLE = 2**60 + 1
ROW = {"c": "x", "a": "y", "t": 0}


def read(obj, unit="s", **options):
    """A log of columns ``c a t``."""
    return EventLog.from_frame(obj, **ROLES, unit=unit, **options)


def value(log, name="v"):
    """What the only event has there."""
    (event,) = log
    return event[name]


@pytest.mark.parametrize("make", [pa.table, pl.DataFrame], ids=["arrow", "polars"])
@pytest.mark.parametrize("held", [
    [WHOLE, None], {"m": None, "n": WHOLE}, ["text", None], {"l": ["a", None], "x": "text"},
    [{"n": WHOLE}, {"n": None}],
], ids=repr)  # fmt: skip
def test_lists_and_structs_of_tables(make, held):
    """Lists and structs of Arrow and polars keep whole numbers whole, and their texts."""
    log = read(make({name: [one] for name, one in {**ROW, "v": held}.items()}))
    assert log.columns["v"].type == "json"
    assert value(log) == held
    assert repr(value(log)) == repr(held)  # 1 is not 1.0


def test_times_of_day():
    """Times of day, of polars or in dicts, are their text, cut to microseconds."""
    frame = pl.DataFrame({**ROW, "v": [time(1, 2, 3, 4)]})
    nanos = pa.table({**{n: [v] for n, v in ROW.items()}, "v": pa.array([1001], pa.time64("ns"))})
    assert value(read(frame)) == value(read([{**ROW, "v": time(1, 2, 3, 4)}])) == "01:02:03.000004"
    assert value(read(nanos)) == "00:00:00.000001"


@pytest.mark.parametrize("kind", [pa.uint64(), pa.uint32(), pa.int64()], ids=str)
def test_whole_numbers_beside_nulls(kind):
    """Whole numbers of any Arrow type stay so where a column has nulls."""
    most = min(2 ** (kind.bit_width - 1) + 1, WHOLE)
    table = pa.table({"c": ["x", "x"], "a": ["y", "y"], "t": [0, 1],
                      "v": pa.array([most, None], kind)})  # fmt: skip
    log = read(table)
    assert [event["v"] for event in log] == [most, None]
    assert log.columns["v"].type == "integer"


def test_a_log_of_steps_through_polars():
    """What collapse wrote, lists of ids among it, goes through polars and back."""
    log = read([ROW, {**ROW, "t": 1}]).apply(Collapse(same=["activity"]))
    again = EventLog.from_frame(log.to_polars(), **OWN)
    assert value(again, "source_ids") == value(log, "source_ids")
    assert len(value(log, "source_ids")) == 2
    assert again.to_dicts() == log.to_dicts()


SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=3)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner)
).filter(lambda found: isinstance(found, dict | list))


@settings(max_examples=60, deadline=None)
@given(held=st.lists(st.none() | JSON, min_size=1, max_size=4))
def test_json_through_arrow(held):
    """JSON columns come back from Arrow as JSON, whatever is in them."""
    log = read([{**ROW, "t": t, "v": one} for t, one in enumerate(held)] + [{**ROW, "v": {}}])
    for table in (log.to_arrow(), log):
        again = EventLog.from_frame(table, **OWN)
        assert again.columns["v"].type == "json"
        assert again.to_dicts() == log.to_dicts()


def test_a_mark_that_is_not_true():
    """Text that a field calls JSON, and is none, is text."""
    schema = pa.schema([("c", pa.string()), ("a", pa.string()), ("t", pa.int64()),
                        pa.field("v", pa.string(), metadata={"distill.type": "json"})])  # fmt: skip
    log = read(pa.table([["x"], ["y"], [0], ["{"]], schema=schema))
    assert (log.columns["v"].type, value(log)) == ("string", "{")


def test_what_python_holds_inside():
    """Times, lengths, Decimals and arrays inside lists and dicts are what they are outside."""
    held = {
        "day": date(2024, 1, 2), "at": datetime(2024, 1, 2, 3, tzinfo=UTC), "clock": time(1, 2),
        "span": timedelta(milliseconds=5), "exact": [Decimal("1.5"), Decimal(WHOLE)],
        "array": np.array([1, 2]), "pair": (1, {"x": np.int64(7)}), "never": pd.NaT,
    }  # fmt: skip
    log = read([{**ROW, "v": held}])
    assert value(log) == {
        "day": "2024-01-02", "at": "2024-01-02T03:00:00+00:00", "clock": "01:02:00",
        "span": "5000us", "exact": [1.5, WHOLE], "array": [1, 2], "pair": [1, {"x": 7}],
        "never": None,
    }  # fmt: skip
    assert not log.reading.nulled


def test_sets_do_not_depend_on_the_hash_seed():
    """A set is the list of its items in the order of their JSON text, in every process."""
    code = (
        "from distill_core.log import EventLog\n"
        "rows = [{'c': 'x', 'a': 'y', 't': 0, 'v': {'b', 'a', 'c', ('d', 1), 10, 9},\n"
        "         'w': [frozenset('xyz')]}]\n"
        "log = EventLog.from_frame(rows, case='c', activity='a', time='t', unit='s')\n"
        "print(log.to_dicts()[0]['v'], log.to_dicts()[0]['w'])"
    )
    for seed in "123":
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )  # fmt: skip
        assert done.stdout == "['a', 'b', 'c', 10, 9, ['d', 1]] [['x', 'y', 'z']]\n"


@pytest.mark.parametrize("inner", [list, set, dict])
def test_nested_without_end(inner):
    """What is nested too deep, or in itself, is no value: null, and counted."""
    held: list = []
    held.append(held)
    deep = inner()
    for _ in range(3000):
        deep = {"x": deep} if inner is dict else [deep]
    log = read([{**ROW, "v": held, "w": deep}])
    assert (value(log), value(log, "w")) == (None, None)
    assert {name: told.count for name, told in log.reading.nulled.items()} == {"v": 1, "w": 1}


@pytest.mark.parametrize("text", ["Infinity", "-Infinity", "NaN", "sNaN", "1e999999", "1e400"])
def test_decimals_that_are_no_numbers(text):
    """A Decimal that no number is becomes null, and is counted."""
    log = read([{**ROW, "v": Decimal(text)}, {**ROW, "v": Decimal("0.5")}])
    assert [event["v"] for event in log] == [None, 0.5]
    assert log.reading.nulled["v"].count == 1


BASE = {name: [one] for name, one in ROW.items()}


@pytest.mark.parametrize(("make", "code", "says"), [
    (lambda: [{**ROW, 1: 2, "1": 3}], "column-clash", "1 and '1'"),
    (lambda: pd.DataFrame([[1, 2, 3, 4]], columns=["c", "a", "t", "t"]), "column-clash", "'t'"),
    (lambda: pd.DataFrame([[1, 2, 3, 4, 5]], columns=["c", "a", "t", 1, "1"]), "column-clash",
     "1 and '1'"),
    (lambda: pa.table([pa.array([1])] * 4, names=["c", "a", "t", "t"]), "column-clash", "'t'"),
    (lambda: pd.Series([1]), "input-type", "Series"),
    (lambda: pl.Series([1]), "input-type", "Series"),
    (lambda: pa.chunked_array([[1]]), "input-type", "ChunkedArray"),
    (lambda: pl.DataFrame(BASE).lazy(), "input-type", "collect"),
    (lambda: pa.table({**BASE, "v": pa.array([10**8], pa.date32())}), "column-type", "date32"),
])  # fmt: skip
def test_objects_that_are_no_table(make, code, says):
    """Frames with a name twice, single columns and lazy frames are errors that say so."""
    with pytest.raises(SchemaError, match=says) as caught:
        read(make())
    assert caught.value.code == code


def test_no_rows():
    """An empty list is an empty log with the columns that are named."""
    log = read([], user="u", end="e", order="o")
    assert len(log) == log.n_cases == 0
    assert [*log.columns] == ["id", "case", "activity", "time", "end", "order", "user", "duration"]
    assert len(concat([log, read([ROW])])) == 1


@pytest.mark.parametrize("make", [
    lambda rows: rows, pd.DataFrame, lambda rows: pl.DataFrame(rows, strict=False),
], ids=["dicts", "pandas", "polars"])  # fmt: skip
@pytest.mark.parametrize(("at", "says"), [
    (5, "unit='ms'"), ("2024-01-01T00:00:00", "zone='UTC'"), (datetime(2024, 1, 1), "zone='UTC'"),  # noqa: DTZ001
])  # fmt: skip
def test_times_that_nothing_could_read(make, at, says):
    """Where no time can be read for want of a unit or zone, the error says what to give."""
    with pytest.raises(SchemaError, match=says) as caught:
        read(make([{**ROW, "t": at}, {**ROW, "t": None}]), unit=None)
    assert caught.value.code == "cell-unreadable"


def test_times_that_are_none():
    """Where no unit or zone would help, rows are rejected and counted, and the repr tells it."""
    log = read([{**ROW, "t": "soon"}, {**ROW, "t": None}], unit=None)
    assert {n: told.count for n, told in log.reading.rejected.items()} == {
        "bad_time": 1, "no_time": 1
    }  # fmt: skip
    assert repr(log) == "<EventLog: 0 events, 0 cases, 4 columns, 2 rejected>"
    assert repr(read([ROW])) == "<EventLog: 1 events, 1 cases, 4 columns>"


def test_where_takes_json():
    """A condition's JSON form is a condition; what is none is an error with a code."""
    log = read([ROW, {**ROW, "a": "z"}])
    (event,) = log.where({"op": "eq", "column": "activity", "value": "z"})
    assert event["activity"] == "z"
    for wrong in (3, {"op": "is"}, None):
        with pytest.raises(DistillError) as caught:
            log.where(wrong)
        assert caught.value.code == "condition-json"


class Nothing(Model):
    """Computes nothing."""

    def compute(self, log):
        raise NotImplementedError


@pytest.mark.parametrize(("step", "says"), [
    (3, "int is no transform"), (Collapse, r"call it .*Collapse\("), (None, "no transform"),
    (Nothing(), r"model.compute\(log\)"), (len, "no transform"),
])  # fmt: skip
def test_apply_wants_a_transform(step, says):
    """A class, a model and anything else are no steps; the error says what to do."""
    with pytest.raises(TransformError, match=says) as caught:
        read([ROW]).apply(step)
    assert caught.value.code == "input-type"


def test_a_log_is_immutable():
    """Nothing can be set on a log; it pickles and copies all the same."""
    log = read([ROW])
    for name in ("data", "time", "x"):
        with pytest.raises(AttributeError, match="immutable"):
            setattr(log, name, 1)
    for other in (pickle.loads(pickle.dumps(log)), copy.copy(log)):
        assert other.to_dicts() == log.to_dicts()


@pytest.mark.parametrize("wrong", [{"type": "tme"}, {"unit": "m"}, {"unit": ""}])
def test_columns_have_types_and_units_that_exist(wrong):
    """A column of a type or unit that does not exist is an error where it is made."""
    with pytest.raises(SchemaError) as caught:
        Column("x", **wrong)
    assert caught.value.code == "schema-invalid"


def test_a_count_too_great():
    """Counts whose sum is beyond 64 bits are an error; the greatest that is not is right."""
    step = Collapse(same=["activity"])
    counts = [2**62, 2**62 - 1]
    rows = [{**ROW, "t": t, "count": n} for t, n in enumerate(counts)]
    assert value(read(rows).apply(step), "count") == 2**63 - 1
    with pytest.raises(TransformError, match="64 bits"):
        read([{**row, "count": 2**62} for row in rows]).apply(step)
    apart = read([{**ROW, "c": c, "count": 2**62} for c in "ab"]).apply(step)
    assert [event["count"] for event in apart] == [2**62] * 2


@pytest.mark.parametrize("held", [7, 1.5, True, {"x": 1}, timedelta(seconds=1), "text"])
def test_columns_without_values_have_any_type(held):
    """A column that is null throughout a log takes the type that it has in the other."""
    full, empty = read([{**ROW, "c": "f", "v": held}]), read([{**ROW, "c": "e", "v": None}])
    for logs in ([full, empty], [empty, full], [empty, empty, full]):
        log = concat(logs)
        assert log.columns["v"].type == full.columns["v"].type
        assert [e["v"] for e in log if e["case"] == "f"] == [value(full)]
        assert {e["v"] for e in log if e["case"] == "e"} == {None}
    if held != "text":
        with pytest.raises(SchemaError, match="'v'"):
            concat([empty, read([{**ROW, "v": "t"}]), full])


def test_lists_of_events_beside_null_attributes():
    """An attribute without values that is called as a step's column does not disturb it."""
    found = read([ROW]).apply(Match(pattern="y"))
    for logs in ([found, read([{**ROW, "c": "z", "members": None}])],
                 [read([{**ROW, "c": "a", "members": None}]), found]):  # fmt: skip
        log = concat(logs)
        assert [e["members"] for e in log if e["case"] == "x"] == [
            e["members"] for e in found if e["members"]
        ]
