"""EventLog.derive puts made events into their places: against lists of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import distill_core as dl
from distill_core.batch import Codes, Lists, Masked
from distill_core.builtin.intervals import Intervals
from distill_core.columns import Column

STEP = Intervals(start="activity = 'a'", stop="activity = 'b'")


def log_of(cases: list[str], *, with_sources: bool) -> dl.EventLog:
    rows = [{"id": f"e{n}", "c": case, "a": "x", "t": n, "word": f"w{n % 3}", "count": n}
            for n, case in enumerate(cases)]  # fmt: skip
    log = dl.EventLog.from_frame(rows, case="c", activity="a", time="t", unit="s")
    if with_sources:
        lists = [[n] if n % 2 else [n, (n + 1) % len(log)] for n in range(len(log))]
        log = log.with_columns(source_ids=(Column("source_ids", type="ids"), as_lists(lists)))
    return log


def as_lists(rows: list[Any]) -> Lists:
    lengths = [len(row or []) for row in rows]
    flat = [value for row in rows for value in row or []]
    null = np.array([row is None for row in rows], dtype=bool)
    return Lists(np.concatenate([[0], np.cumsum(lengths)]), np.array(flat, dtype=np.int64), null)


def merged(log: dl.EventLog, at: list[int], drop: list[bool]) -> list[Any]:
    """Rows that stay, each followed by the events made at it: a row's number or (made, number)."""
    found: list[Any] = []
    for row in range(len(log)):
        found += [] if drop[row] else [row]
        found += [("made", number) for number, place in enumerate(at) if place == row]
    return found


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_made_events_are_in_their_places(data: Any) -> None:
    """Order, columns, lists, sources and counts are those of rows put together one by one."""
    cases = sorted(data.draw(st.lists(st.sampled_from("pqr"), min_size=1, max_size=8)))
    log = log_of(cases, with_sources=data.draw(st.booleans()))
    size = len(cases)
    at = sorted(data.draw(st.lists(st.integers(0, size - 1), max_size=6)))
    if data.draw(st.booleans()):
        at = sorted(set(at))
    flags = st.lists(st.booleans(), min_size=size, max_size=size)
    drop, lost = data.draw(flags), data.draw(flags)
    used = [a and not b for a, b in zip(drop, lost, strict=True)]
    count = len(at)
    sources = [
        data.draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=3, unique=True))
        for _ in at
    ]
    members = [data.draw(st.none() | st.lists(st.integers(0, size - 1), max_size=2)) for _ in at]
    numbers = np.arange(count) * 10
    out = log.derive(
        STEP,
        at=np.array(at, dtype=np.int64),
        sources=as_lists(sources),
        columns={
            "word": Codes.of([f"new{n}" for n in range(count)]),
            "count": Masked(numbers, numbers % 20 == 10),
            "depth": (Column("depth", type="integer"), Masked.full(numbers)),
            "label": (Column("label"), Codes.of([f"l{n}" for n in range(count)])),
            "members": (Column("members", type="ids"), as_lists(members)),
        },
        drop=np.array(used, dtype=bool),
        lose={"gone": np.array(lost, dtype=bool)},
    )
    rows = merged(log, at, [a or b for a, b in zip(used, lost, strict=True)])
    old, new = log.to_dicts(), out.to_dicts()
    ids = [row["id"] for row in old]
    inner = log.sources.to_list()
    assert len(new) == len(rows)
    for row, event in zip(rows, new, strict=True):
        if isinstance(row, int):
            mine = [ids[i] for i in inner[row]]
            wanted = {**old[row], "depth": None, "label": None, "members": None}
            assert event == wanted | {"source_ids": mine}
            continue
        number = row[1]
        several = [ids[i] for place in sources[number] for i in inner[place]]
        each = list(dict.fromkeys(several)) if "source_ids" in log.data else None
        chosen = members[number]
        assert event == {
            **old[at[number]],
            "id": event["id"],
            "word": f"new{number}",
            "count": None if number % 2 else number * 10,
            "depth": number * 10,
            "label": f"l{number}",
            "members": None if chosen is None else [ids[i] for i in chosen],
            "source_ids": [ids[i] for i in sources[number]] if each is None else each,
        }
    kept = [log.cases[log.case_of[r if isinstance(r, int) else at[r[1]]]] for r in rows]
    assert np.repeat(out.cases, np.diff(out.offsets)).tolist() == kept
    notes = out.notes
    assert (notes.made, notes.used) == (count, sum(used))
    assert [(reason, len(told)) for reason, told in notes.dropped] == [("gone", sum(lost))]
