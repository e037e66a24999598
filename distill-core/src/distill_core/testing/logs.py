"""Hypothesis strategies for event logs: ties, nulls, unicode, duplicates, one event, none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from distill_core.collect import Collector
from distill_core.columns import Column
from distill_core.extract import extract
from distill_core.log import EventLog

COLUMNS = (
    Column("case", paths=("case",)),
    Column("activity", paths=("activity",)),
    Column("time", paths=("time",), type="time", unit="ms", required=True),
    Column("end", paths=("end",), type="time", unit="ms"),
    Column("order", paths=("order",), type="integer"),
    Column("user", paths=("user",)),
    Column("target", paths=("target",)),
    Column("number", paths=("number",), type="integer"),
    Column("score", paths=("score",), type="number"),
    Column("flag", paths=("flag",), type="boolean"),
    Column("details", paths=("details",), type="json"),
)
"""The columns of the logs that ``logs`` makes."""

ACTIVITIES = ("start", "stop", "reset", "click", "clíck 🖱")


def build(rows: Sequence[Mapping[str, Any]], columns: Sequence[Column] = COLUMNS) -> EventLog:
    """A log of plain documents; times are ms since the epoch.

    >>> build([{"case": "a", "activity": "x", "time": 5}]).time.tolist()
    [5000]
    """
    specs = {column.name: column for column in columns}
    collector = Collector({**specs, "id": Column("id", type="ids")})
    if rows:
        collector.add(extract(rows, list(columns), np.arange(len(rows), dtype=np.int64)))
    return EventLog.of(*collector.finish())


def documents(
    *, max_size: int = 25, distinct: bool = False
) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Documents with the fields of ``COLUMNS``; ``distinct``: no two share case, time, order."""
    row = st.fixed_dictionaries(
        {
            "case": st.sampled_from(["a", "b", "ä", "user:u", "c 1"]),
            "activity": st.sampled_from(ACTIVITIES),
            "time": st.integers(0, 40),
        },
        optional={
            "end": st.integers(0, 50),
            "order": st.integers(0, 3),
            "user": st.sampled_from(["u", "v", None]),
            "target": st.sampled_from(["x", "y", "é", "", None]),
            "number": st.sampled_from([0, 1, -7, 2**53 + 1, None]),
            "score": st.sampled_from([0.0, 0.5, -1.25, None]),
            "flag": st.sampled_from([True, False, None]),
            "details": st.sampled_from([{"id": 1}, {"id": "1"}, [1, 2], None]),
        },
    )
    place = (lambda r: (r["case"], r["time"], r.get("order"))) if distinct else None
    return st.lists(row, max_size=max_size, unique_by=place)


def logs(*, max_size: int = 25, distinct: bool = False) -> st.SearchStrategy[EventLog]:
    """Small event logs; see ``documents``."""
    return documents(max_size=max_size, distinct=distinct).map(build)
