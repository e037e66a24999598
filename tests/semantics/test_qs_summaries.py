"""QS: summaries, by the lines that say what they mean."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

import distill_core as dl
from distill_core.testing import Documents

ROWS: list[dict[str, Any]] = [
    {"who": "a", "did": "x", "at": 0, "n": 1, "f": 0.1},
    {"who": "b", "did": "x", "at": 1, "n": None, "f": 0.2},
    {"who": None, "did": "y", "at": 3, "n": 2**62, "f": 0.3},
    {"who": "a", "did": "", "at": 3},
    {"who": "b", "did": "x", "at": None},
]


def pipeline(query: dl.Query, rows: list[dict[str, Any]] = ROWS, chunk: int = 1) -> dl.Pipeline:
    schema = dl.Fields(
        case="who", user="u", activity="did", time="at", unit="s",
        extra=[dl.Column("n", ("n",), type="integer"), dl.Column("f", ("f",), type="number")],
    )  # fmt: skip
    rows = [{"u": "u", **row} for row in rows]
    return dl.Pipeline(Documents(documents=tuple(rows), chunk=chunk), schema, query)


def rows_of(summary: dl.Summary, rows: list[dict[str, Any]] = ROWS, chunk: int = 1) -> list[Any]:
    @dl.query
    def asked() -> dl.Selection:
        return dl.Selection(summary=summary)

    return [tuple(row.values()) for row in pipeline(asked(), rows, chunk).run().rows]


def test_qs1_a_count_is_that_of_the_log() -> None:
    """QS1: condition, rejection and case from user are those of the log, and so is the report."""
    for where in (None, "activity = 'x'", "n IS NULL"):
        log = pipeline(dl.Events(where=where)).log()
        found = pipeline(dl.Count(where=where)).run()
        assert found.rows == [{"events": len(log)}]
        assert log.reading is not None
        assert found.meta["reading"]["rejected"] == log.reading.to_dict()["rejected"]
    assert [row["case"] for row in pipeline(dl.Cases()).run().rows] == ["a", "b", "user:u"]


def test_qs2_groups_are_in_order_null_last() -> None:
    """QS2: missing values are a group, the last; of nothing there is one row without groups."""
    by = dl.Group("n")
    assert rows_of(dl.Summary((by,))) == [(1, 1), (2**62, 1), (None, 1)]
    zeros = [{"who": "a", "did": "x", "at": 0, "f": f} for f in (0.0, -0.0)]
    assert rows_of(dl.Summary((dl.Group("f"),)), zeros) == [(0.0, 2)]
    assert rows_of(dl.Summary(), []) == [(0,)]
    assert rows_of(dl.Summary((by,)), []) == []
    assert rows_of(dl.Summary((dl.Group("activity"),), top=1)) == [("x", 2)]
    assert rows_of(dl.Summary((by,), top=2)) == [(1, 1), (2**62, 1)]


def test_qs3_measures() -> None:
    """QS3: null is left out; sums are exact, or an error; a measure may have a condition."""
    measures = (
        dl.Measure("e", "count"), dl.Measure("c", "count", "n"),
        dl.Measure("d", "distinct", "case"), dl.Measure("s", "sum", "n"),
        dl.Measure("m", "max", "n"), dl.Measure("f", "sum", "f"),
        dl.Measure("x", "count", None, dl.col("activity") == "x"),
    )  # fmt: skip
    found = (3, 2, 3, 2**62 + 1, 2**62, 0.6, 2)
    for chunk in (1, 5):
        assert rows_of(dl.Summary((), measures), chunk=chunk) == [found]
    empty = dl.Summary((), (dl.Measure("s", "sum", "n"), dl.Measure("m", "min", "n")))
    assert rows_of(empty, []) == [(None, None)]
    twice = [{"who": "a", "did": "x", "at": 0, "n": 2**62}] * 2
    with pytest.raises(dl.DistillError, match="greater than its type can hold"):
        rows_of(empty, twice)


def test_qs4_windows_that_are_empty() -> None:
    """QS4: all windows between the first and the last, for each value of the other groups."""
    found = [tuple(r.values()) for r in pipeline(dl.Timeline(every="1s", by="activity")).run().rows]
    assert [(t[17:19], a, n) for t, a, n in found] == [
        ("00", "x", 1), ("00", "y", 0), ("01", "x", 1), ("01", "y", 0), ("02", "x", 0),
        ("02", "y", 0), ("03", "x", 0), ("03", "y", 1),
    ]  # fmt: skip
    far = [{"who": "a", "did": "x", "at": t} for t in (0, 10**7)]
    with pytest.raises(dl.DistillError, match="most of them empty"):
        pipeline(dl.Timeline(every="1s"), far).run()


def test_qs5_shares() -> None:
    """QS5: 1 of 10 is 0.1, from 0.017876213 to 0.404150027, whatever top leaves."""
    rows = [{"who": "a", "did": "yx"[n > 0], "at": n} for n in range(10)]
    shares = dl.Summary((dl.Group("activity"),), shares=("events",))
    assert rows_of(shares, rows)[1] == ("y", 1, 0.1, 0.017876213, 0.404150027)
    (top,) = rows_of(dl.Summary(shares.by, top=1, shares=("events",)), rows)
    assert top[:3] == ("x", 9, 0.9)


def test_qs6_moments() -> None:
    """QS6: a moment in words is where what it names begins."""
    now = datetime(2026, 3, 31, 12, 30, tzinfo=UTC)
    said = {"-7d": "2026-03-24T12:30", "last 7 days": "2026-03-24T12:30",
            "-1mo": "2026-02-28T12:30", "today": "2026-03-31T00:00",
            "this week": "2026-03-30T00:00"}  # fmt: skip
    for words, moment in said.items():
        query = dl.Events(since=words)
        assert query.since is not None
        assert query.since.at(now).isoformat()[:16] == moment
    count = dl.Count(since="1970-01-01T00:00:01Z", until="1970-01-01T00:00:03Z")
    assert pipeline(count).run().rows == [{"events": 1}]
    around = dl.Around(time="1970-01-01T00:00:01Z", before="1s", after="2s")
    assert len(pipeline(around).log()) == 3
