"""features and sequences beside slow oracles, however a log is cut into blocks."""

from __future__ import annotations

import json
import math
import pickle
from collections import Counter
from datetime import UTC, datetime
from itertools import groupby
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill_core.batch import Codes, Masked
from distill_core.builtin import _feature_tally
from distill_core.builtin._rows import Rows
from distill_core.builtin.features import Features
from distill_core.builtin.sequences import Sequences
from distill_core.params import MICROSECOND
from distill_core.testing.logs import build, logs

CHECKED = settings(max_examples=150, deadline=None)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EVERY = ("size", "counts", "rates", "times", "since", "entropy", "ngrams")
COLUMNS = st.sampled_from(["activity", "target", "number", "score", "flag", "details"])


def micros(text):
    return (datetime.fromisoformat(text) - EPOCH) // MICROSECOND


def text_of(value):
    if isinstance(value, str) or value is None:
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def cases_of(log, column):
    """(case, [(value as text, time, last)]) in order."""
    for case, events in groupby(log.to_dicts(), lambda e: e["case"]):
        yield case, [(text_of(e[column]), micros(e["time"]), micros(e["end"] or e["time"]))
                     for e in events]  # fmt: skip


def known(value):
    return value.replace("\\", "\\\\").replace(">", "\\>")


def figures(events, n):
    """All figures of a case that is not null or an implied 0."""
    values = [value for value, _, _ in events if value is not None]
    begin, end = events[0][1], max(last for _, _, last in events)
    seconds = (end - begin) / 1_000_000
    counts = Counter(values)
    found = {"events": len(events), "distinct": len(counts), "duration": end - begin}
    if seconds:
        found["rate"] = round(len(events) / seconds, 9)
        found |= {f"rate_{v}": round(c / seconds, 9) for v, c in counts.items()}
    if values:
        shares = [count / len(values) for count in counts.values()]
        found["entropy"] = -sum(p * math.log2(p) for p in shares)
    for value, count in counts.items():
        mine = [event for event in events if event[0] == value]
        found[f"count_{value}"] = count
        found[f"time_{value}"] = sum(last - time for _, time, last in mine)
        found[f"first_{value}"] = mine[0][1] - begin
        found[f"since_{value}"] = end - mine[-1][1]
    grams = [values[at : at + n] for at in range(len(values) - n + 1)]
    found |= {f"ngram_{g}": c for g, c in Counter(">".join(map(known, g)) for g in grams).items()}
    return found


@CHECKED
@given(log=logs(), column=COLUMNS, n=st.integers(2, 4), block=st.sampled_from([1, 4, 9, 1 << 17]))
def test_wide_like_the_oracle(log, column, n, block):
    """Every figure of every case, and what a case does not have."""
    with patch.object(_feature_tally, "BLOCK", block):
        rows = Features(groups=EVERY, column=column, n=n).compute(log).rows
    expected = [(case, figures(events, n)) for case, events in cases_of(log, column)]
    assert [row["case"] for row in rows] == [case for case, _ in expected]
    for row, (_, wanted) in zip(rows, expected, strict=True):
        assert set(wanted) <= set(row)
        for name, value in row.items():
            if name == "case":
                continue
            null = name.startswith(("first_", "since_")) or name in ("rate", "entropy")
            null |= name.startswith("rate_") and not wanted["duration"]
            assert value == pytest.approx(wanted.get(name, None if null else 0), abs=2e-9), name


@CHECKED
@given(log=logs(), column=COLUMNS, top=st.one_of(st.none(), st.integers(0, 3)))
def test_long_is_wide(log, column, top):
    """The long table has what the wide one has, less nulls and zeros of values, in its order."""
    wide = Features(groups=EVERY, column=column, top=top).compute(log)
    long = Features(groups=EVERY, column=column, top=top, layout="long").compute(log)
    expected = []
    for row in wide.rows:
        for name, value in row.items():
            feature, _, of = name.partition("_")
            whole = name == feature
            skipped = value is None or (not whole and value == 0 and feature not in POINTS)
            if name != "case" and not skipped:
                expected.append((row["case"], feature, None if whole else of, float(value)))
    assert [tuple(row.values()) for row in long.rows] == expected
    assert long.meta == wide.meta


POINTS = ("first", "since")


@CHECKED
@given(log=logs(), other=logs(), column=COLUMNS)
def test_only_reads_another_log(log, other, column):
    """The columns of one log's features are those of the next; what both have is the same."""
    names = [c.name for c in Features(groups=EVERY, column=column).compute(log).columns]
    step = Features(groups=EVERY, column=column, only=names[1:])
    result = step.compute(other)
    assert [c.name for c in result.columns] == names
    whole = Features(groups=EVERY, column=column).compute(other).rows
    for row, full in zip(result.rows, whole, strict=True):
        for name in names:
            null = name.startswith(("first_", "since_"))
            null |= name.startswith("rate_") and row["case"] in still(other)
            assert row[name] == full.get(name, None if null else 0)


def still(log):
    return {
        case for case, events in cases_of(log, "activity") if not figures(events, 2)["duration"]
    }


@CHECKED
@given(log=logs(), columns=st.lists(st.sampled_from(
    ["activity", "time", "end", "duration", "order", "details", "id", "target"]),
    min_size=1, unique=True))  # fmt: skip
def test_sequences_like_the_oracle(log, columns):
    """The log's own dictionaries, grouped by case."""
    expected = [{"case": case, "events": [{n: e[n] for n in columns} for e in events]}
                for case, events in groupby(log.to_dicts(), lambda e: e["case"])]  # fmt: skip
    assert Sequences(columns=columns).compute(log).rows == expected


def test_rows_are_a_sequence():
    """Rows are made one by one, by slices and in chunks, and can be sent to another process."""
    rows = Rows({"n": Masked.of([*range(10_001), None], int), "t": Codes.of(["a"] * 10_002)})
    assert len(rows) == 10_002
    assert (
        list(rows)[9_999:10_001]
        == rows[9_999:10_001]
        == [{"n": n, "t": "a"} for n in (9999, 10_000)]
    )
    assert rows[-1] == {"n": None, "t": "a"}
    with pytest.raises(IndexError):
        rows[10_002]
    assert list(pickle.loads(pickle.dumps(rows))) == list(rows)


def test_sums_are_whole_numbers():
    """Durations beyond what a float can tell apart add up exactly."""
    big = 2**52 // 1000 * 1000  # µs, whole ms
    rows = [{"case": "p", "activity": "a", "time": t, "end": big // 1000 + 1} for t in (0, 1, 1)]
    (row,) = Features(groups=["times"]).compute(build(rows)).rows
    assert row["time_a"] == 3 * (big + 1000) - 2000


def test_to_pandas_is_typed():
    """The frame has whole numbers with nulls, durations and floats."""
    log = build([{"case": c, "activity": a, "time": t}
                 for c, a, t in [("p", "a", 0), ("p", "b", 1000), ("q", "b", 0)]])  # fmt: skip
    frame = Features(groups=["counts", "rates", "since"]).compute(log).to_pandas()
    assert frame["count_a"].dtype == "Int64"
    assert str(frame["first_a"].dtype) == "timedelta64[us]"
    assert frame["first_a"].isna().tolist() == [False, True]
    assert frame["rate"].dtype == "float64"
