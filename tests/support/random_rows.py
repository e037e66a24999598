"""Seeded random logs for tests beside other tools: plain rows, the log of them, a SQL table."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

import distill_core as dl
from distill_core.params import MICROSECOND

CASES = ("a", "a1", "b", "Ä", "user:7", "🖱")
ACTIVITIES = ("open", "close", "click", "move")
TARGETS = ("x", "y", "é", None)
EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def random_rows(
    seed: int, size: int, *, grain: int = 1, ends: bool = False, distinct: bool = False
) -> list[dict[str, Any]]:
    """Rows in random arrival; times are multiples of ``grain`` in µs, about half a second apart.

    A coarse grain makes ties, which ``order`` (or null) and arrival decide. ``ends``: half of the
    rows have one, which may reach behind later rows. ``distinct``: no two rows of a case share a
    time.
    """
    draw = random.Random(seed)
    span = size * 500_000 // len(CASES) // grain
    found, taken = [], set()
    for number in range(size):
        case, time = draw.choice(CASES), draw.randrange(span) * grain
        if distinct and (case, time) in taken:
            continue
        taken.add((case, time))
        found.append({
            "id": f"e{number}", "case": case, "activity": draw.choice(ACTIVITIES), "time": time,
            "end": time + draw.randrange(3_000_000) if ends and draw.random() < 0.5 else None,
            "order": draw.choice((None, 1, 2)), "target": draw.choice(TARGETS),
        })  # fmt: skip
    return found


def log_of(rows: list[dict[str, Any]]) -> dl.EventLog:
    """The event log of such rows."""
    return dl.EventLog.from_frame(
        rows, case="case", activity="activity", time="time", end="end", order="order", unit="us"
    )


def table(rows: list[dict[str, Any]]) -> Any:
    """A DuckDB connection with the table ``events``: order O, made by SQL, as ``pos``."""
    import duckdb

    con = duckdb.connect()
    con.execute("SET threads = 1")
    names = {"id": "VARCHAR", "case": "VARCHAR", "activity": "VARCHAR", "time": "BIGINT",
             "end": "BIGINT", "order": "BIGINT", "target": "VARCHAR"}  # fmt: skip
    lists = ", ".join(f'unnest(${n}::{t}[]) AS "{n}"' for n, t in names.items())
    con.execute(
        f"CREATE TABLE raw AS SELECT unnest(range(len($id))) AS arrival, {lists}",
        {name: [row[name] for row in rows] for name in names},
    )
    con.execute(
        """CREATE TABLE events AS SELECT *, coalesce("end", time) AS last,
           row_number() OVER (ORDER BY "case", time, "order" NULLS FIRST, arrival) AS pos
           FROM raw"""
    )
    return con


def us(text: str | None) -> int | None:
    """µs since the epoch of a time as in JSON."""
    return None if text is None else (datetime.fromisoformat(text) - EPOCH) // MICROSECOND
