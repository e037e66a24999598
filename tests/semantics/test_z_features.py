"""features and sequences (codes Z1 to Z8)."""

from __future__ import annotations

import pytest

from distill_core.builtin import _feature_table
from distill_core.builtin.collapse import Collapse
from distill_core.builtin.features import Features
from distill_core.builtin.sequences import Sequences
from distill_core.errors import ModelError, SpecError
from distill_core.testing.logs import build

EVERY = ["size", "counts", "rates", "times", "since", "entropy", "ngrams"]


def log_of(*events):
    """A log of (case, activity, time in ms, end in ms or nothing)."""
    rows = [{"case": c, "activity": a, "time": t, "end": end[0] if end else None}
            for c, a, t, *end in events]  # fmt: skip
    return build(rows)


def rows_of(log, **params):
    return [dict(row) for row in Features(**params).compute(log).rows]


def names_of(log, **params):
    return [column.name for column in Features(**params).compute(log).columns]


PQ = log_of(("p", "a", 0), ("p", "a", 1000), ("p", "b", 2000), ("q", "b", 0))
SPANS = log_of(("p", "a", 1, 3), ("p", "b", 4), ("p", "a", 6, 7), ("p", "c", 8, 9), ("q", "b", 0))


def test_z1_size_counts_entropy():
    """The table of the semantics, row by row."""
    assert rows_of(PQ) == [
        {"case": "p", "events": 3, "distinct": 2, "duration": 2_000_000, "entropy": 0.918295834,
         "count_a": 2, "count_b": 1},
        {"case": "q", "events": 1, "distinct": 1, "duration": 0, "entropy": 0.0,
         "count_a": 0, "count_b": 1},
    ]  # fmt: skip


def test_z1_events_are_rows():
    """An event that collapse made of several is one."""
    (row,) = rows_of(log_of(("p", "a", 0), ("p", "a", 1)).apply(Collapse(same=["activity"])))
    assert (row["events"], row["count_a"]) == (1, 1)


def test_z1_types():
    """Counts are whole numbers, times durations in µs, the rest numbers."""
    result = Features(groups=EVERY).compute(PQ).to_dict()
    types = {column["name"]: (column["type"], column["unit"]) for column in result["columns"]}
    assert types["case"] == ("string", None)
    assert types["count_a"] == types["ngram_a>b"] == types["events"] == ("integer", None)
    assert types["entropy"] == types["rate"] == types["rate_a"] == ("number", None)
    assert types["time_a"] == types["since_a"] == types["duration"] == ("duration", "us")


def test_z1_a_case_lasts_to_its_greatest_end():
    """The duration goes to the greatest last, whichever event has it."""
    log = log_of(("p", "a", 0, 9), ("p", "b", 5))
    assert rows_of(log, groups=["size"])[0]["duration"] == 9000


def test_z1_entropy():
    """Four equal shares are 2 bits, one value none, no value null."""
    log = log_of(*[("p", a, t) for t, a in enumerate("abcdabcd")], ("q", "a", 0), ("q", "a", 1))
    assert [row["entropy"] for row in rows_of(log, groups=["entropy"])] == [2.0, 0.0]
    log = build([{"case": "p", "activity": "a", "time": 0, "target": None}])
    assert rows_of(log, groups=["entropy", "size"], column="target") == [
        {"case": "p", "events": 1, "distinct": 0, "duration": 0, "entropy": None}
    ]


def test_z2_rates():
    """Events a second; null where the case has no duration; rounded to 9 decimals."""
    p, q = rows_of(PQ, groups=["rates"])
    assert p == {"case": "p", "rate": 1.5, "rate_a": 1.0, "rate_b": 0.5}
    assert q == {"case": "q", "rate": None, "rate_a": None, "rate_b": None}
    log = log_of(("p", "a", 0), ("p", "a", 3000), ("r", "b", 0), ("r", "b", 1000))
    p, r = rows_of(log, groups=["rates"])
    assert p == {"case": "p", "rate": 0.666666667, "rate_a": 0.666666667, "rate_b": 0.0}
    assert r["rate_b"] == 2.0


def test_z3_times_first_since():
    """Sums of durations, from the start to the first, from the last to the end."""
    p, q = rows_of(SPANS, groups=["times", "since"])
    assert p == {
        "case": "p", "time_a": 3000, "time_b": 0, "time_c": 1000,
        "first_a": 0, "first_b": 3000, "first_c": 7000,
        "since_a": 3000, "since_b": 5000, "since_c": 1000,
    }  # fmt: skip
    assert q == {
        "case": "q", "time_a": 0, "time_b": 0, "time_c": 0,
        "first_a": None, "first_b": 0, "first_c": None,
        "since_a": None, "since_b": 0, "since_c": None,
    }  # fmt: skip


def ngrams(text, **params):
    """The n-grams of one case, an activity a letter."""
    log = log_of(*[("p", a, t) for t, a in enumerate(text)])
    (row,) = rows_of(log, groups=["ngrams"], **params)
    return {name.removeprefix("ngram_"): n for name, n in row.items() if name != "case"}


def test_z4_ngrams():
    """How often which values follow each other, inside a case."""
    assert ngrams("aabab") == {"a>a": 1, "a>b": 2, "b>a": 1}
    assert ngrams("aabab", n=3) == {"a>a>b": 1, "a>b>a": 1, "b>a>b": 1}
    assert ngrams("ab", n=3) == {}
    assert rows_of(PQ, groups=["ngrams"]) == [
        {"case": "p", "ngram_a>a": 1, "ngram_a>b": 1},
        {"case": "q", "ngram_a>a": 0, "ngram_a>b": 0},
    ]


def test_z4_null_is_left_out():
    """a@0 –@1 b@2 has one a>b; the null counts as an event, and is told."""
    log = build([{"case": "p", "activity": "x", "time": t, "target": v}
                 for t, v in enumerate(["a", None, "b"])])  # fmt: skip
    result = Features(groups=["size", "counts", "ngrams"], column="target").compute(log)
    assert result.rows == [
        {"case": "p", "events": 3, "distinct": 2, "duration": 2000, "count_a": 1, "count_b": 1,
         "ngram_a>b": 1}
    ]  # fmt: skip
    assert result.meta["counts"] == {"null_value": 1}


def test_z4_names_are_unambiguous():
    """A > in a value, and a backslash, are escaped."""
    log = log_of(("p", "a>b", 0), ("p", "c\\", 1), ("p", "a", 2), ("p", "b>c\\", 3))
    assert names_of(log, groups=["ngrams"])[1:] == [
        "ngram_a>b\\>c\\\\", "ngram_a\\>b>c\\\\", "ngram_c\\\\>a",
    ]  # fmt: skip


def test_z5_order_of_columns():
    """Figures of the case, then figure by figure; the order of groups is nothing."""
    expected = [
        "case", "events", "distinct", "duration", "rate", "entropy", "count_Z", "count_a",
        "count_é", "rate_Z", "rate_a", "rate_é", "time_Z", "time_a", "time_é", "first_Z", "first_a",
        "first_é", "since_Z", "since_a", "since_é", "ngram_a>Z", "ngram_é>a",
    ]  # fmt: skip
    log = log_of(("p", "é", 0), ("p", "a", 1), ("p", "Z", 2))
    assert names_of(log, groups=EVERY) == expected
    assert names_of(log, groups=EVERY[::-1]) == expected


def test_z5_top():
    """The most frequent values and n-grams have columns; what is hidden is counted."""
    log = log_of(*[("p", a, t) for t, a in enumerate("cbcbaa")])
    result = Features(groups=["size", "counts", "ngrams"], top=2).compute(log)
    (row,) = result.rows
    assert row == {
        "case": "p", "events": 6, "distinct": 3, "duration": 5000, "count_a": 2, "count_b": 2,
        "ngram_a>a": 1, "ngram_c>b": 2,
    }  # fmt: skip
    assert result.meta["counts"] == {"null_value": 0, "hidden_values": 1, "hidden_ngrams": 2}
    assert names_of(log, groups=["size", "counts"], top=0) == names_of(log, groups=["size"])


def test_z6_only():
    """Exactly these features, in this order; what does not occur is 0 or null."""
    only = [
        "count_x", "events", "count_b", "since_x", "rate_x", "ngram_x>y", "entropy", "first_b",
    ]  # fmt: skip
    groups = ["size", "counts", "since", "rates", "ngrams", "entropy"]
    assert names_of(PQ, groups=groups, only=only) == ["case", *only]
    p, q = rows_of(PQ, groups=groups, only=only)
    assert [*p.values()] == ["p", 0, 3, 1, None, 0.0, 0, 0.918295834, 2_000_000]
    assert [*q.values()] == ["q", 0, 1, 1, None, None, 0, 0.0, 0]
    assert names_of(build([]), groups=groups, only=only) == ["case", *only]


@pytest.mark.parametrize(
    "wrong",
    [{"groups": []}, {"groups": ["colour"]}, {"n": 1}, {"top": -1}, {"only": []},
     {"only": ["colour_x"]}, {"only": ["since_x"]}, {"only": ["events", "events"]},
     {"only": ["events"], "top": 1}],
)  # fmt: skip
def test_z6_parameters(wrong):
    """Unknown groups and features, and what contradicts itself, are errors."""
    with pytest.raises(SpecError):
        Features(**wrong)


def test_z7_long():
    """A row a figure, by case, then in the order of columns."""
    rows = rows_of(PQ, groups=["size", "counts", "since", "rates", "ngrams"], layout="long")
    assert [tuple(row.values()) for row in rows] == [
        ("p", "events", None, 3.0), ("p", "distinct", None, 2.0), ("p", "duration", None, 2e6),
        ("p", "rate", None, 1.5), ("p", "count", "a", 2.0), ("p", "count", "b", 1.0),
        ("p", "rate", "a", 1.0), ("p", "rate", "b", 0.5), ("p", "first", "a", 0.0),
        ("p", "first", "b", 2e6), ("p", "since", "a", 1e6), ("p", "since", "b", 0.0),
        ("p", "ngram", "a>a", 1.0), ("p", "ngram", "a>b", 1.0),
        ("q", "events", None, 1.0), ("q", "distinct", None, 1.0), ("q", "duration", None, 0.0),
        ("q", "count", "b", 1.0), ("q", "first", "b", 0.0), ("q", "since", "b", 0.0),
    ]  # fmt: skip


def test_z7_long_leaves_out_zeros_of_values():
    """A value without a duration has no row for its time, a case without one has."""
    log = log_of(("p", "a", 0, 2), ("p", "b", 1))
    rows = rows_of(log, groups=["times", "size"], layout="long")
    assert [(row["feature"], row["of"]) for row in rows] == [
        ("events", None), ("distinct", None), ("duration", None), ("time", "a"),
    ]  # fmt: skip


def test_z7_too_large_a_table(monkeypatch):
    """A wide table beyond the limit is refused, and the error says what to do; long is not."""
    monkeypatch.setattr(_feature_table, "LARGEST", 3)
    with pytest.raises(ModelError, match="layout long") as error:
        Features(groups=["counts"]).compute(PQ)
    assert error.value.code == "model-limit"
    assert len(rows_of(PQ, groups=["counts"], top=1)) == 2
    assert len(rows_of(PQ, groups=["counts"], layout="long")) == 3


def test_z8_sequences():
    """One row a case; its events in order, of these columns, as every output writes them."""
    result = Sequences().compute(log_of(("q", "b", 5), ("p", "c", 2), ("p", "a", 1)))
    assert result.rows == [
        {"case": "p", "events": [
            {"activity": "a", "time": "1970-01-01T00:00:00.001000Z"},
            {"activity": "c", "time": "1970-01-01T00:00:00.002000Z"}]},
        {"case": "q", "events": [{"activity": "b", "time": "1970-01-01T00:00:00.005000Z"}]},
    ]  # fmt: skip


def test_z8_columns_in_their_order():
    """Any columns, in the order in which they are named, computed ones and nested values too."""
    log = build([{"case": "p", "activity": "a", "time": 1, "end": 3, "details": {"x": [1]}}])
    (row,) = Sequences(columns=["duration", "details", "case", "end", "id"]).compute(log).rows
    (event,) = log.to_dicts()
    (alone,) = Sequences(columns=["duration"]).compute(log).rows
    assert alone["events"] == [{"duration": 2000}]
    assert [*row["events"][0].items()] == [
        ("duration", 2000), ("details", {"x": [1]}), ("case", "p"), ("end", event["end"]),
        ("id", event["id"]),
    ]  # fmt: skip
    with pytest.raises(SpecError):
        Sequences(columns=[])
