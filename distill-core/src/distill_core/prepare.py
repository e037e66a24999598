"""Columns in any order become columns in order O: dictionaries united, ids, one sort.

Order O: (case, time, order, arrival) ascending, stable; text by code point, a null order first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distill_core.batch import Array, Codes, Ints, Masked
from distill_core.columns import Column
from distill_core.ids import U64, Ids, combine, part


@dataclass(frozen=True)
class Prepared:
    """What a log is made of: columns in order O, where cases begin, ids by position."""

    columns: Mapping[str, Column]
    data: Mapping[str, Array]
    offsets: Ints
    ids: Ids
    counts: Mapping[str, int] = field(default_factory=dict)


def unite(parts: Sequence[Codes]) -> Codes:
    """One column of several, with one dictionary of distinct values sorted by code point."""
    if len({id(part.values) for part in parts}) == 1:
        codes = parts[0].codes if len(parts) == 1 else np.concatenate([p.codes for p in parts])
        return Codes(codes, parts[0].values, ordered=parts[0].ordered).sort_values()
    values = sorted(set().union(*(part.values.tolist() for part in parts)))
    place = {value: index for index, value in enumerate(values)}
    tables = [np.array([place[v] for v in p.values] + [-1], dtype=np.int32) for p in parts]
    codes = np.concatenate([t[p.codes] for t, p in zip(tables, parts, strict=True)])
    return Codes(codes, values, ordered=True)


def join(parts: Sequence[Any]) -> Codes | Masked:
    """The parts of one column, one after the other."""
    if isinstance(parts[0], Codes):
        return unite(parts)
    if len(parts) == 1:
        return parts[0]  # type: ignore[no-any-return]
    return Masked(
        np.concatenate([p.values for p in parts]), np.concatenate([p.null for p in parts])
    )


def stable_argsort(codes: NDArray[Any]) -> Ints:
    """The stable sort of codes (0 ≤ code < 2^31) by 16 bits at a time: linear, as radix sort is."""
    if not len(codes) or int(codes.max()) < 65536:
        return np.argsort(codes.astype(np.uint16), kind="stable")
    low = np.argsort((codes & 0xFFFF).astype(np.uint16), kind="stable")
    high = (codes >> 16).astype(np.uint16)
    return low[np.argsort(high[low], kind="stable")]


def borders(codes: NDArray[Any]) -> Ints:
    """Where runs of equal codes begin, and the length of all: int64, runs + 1."""
    starts = np.flatnonzero(codes[1:] != codes[:-1]) + 1
    return np.concatenate([[0], starts, [len(codes)]] if len(codes) else [[0]]).astype(np.int64)


def _in_order(data: Mapping[str, Array]) -> dict[str, Array]:
    """The columns in order O, where the given order is arrival."""
    keys = {name: data[name] for name in ("case", "time", "order") if name in data}
    case, rows = keys["case"], None
    assert isinstance(case, Codes)
    if (case.codes[1:] < case.codes[:-1]).any():
        rows = stable_argsort(case.codes)
        keys = _reordered(keys, rows)
    if (mended := _mended(keys)) is not None:
        rows = mended if rows is None else rows[mended]
        keys = _reordered(keys, mended)
    if rows is None:
        return dict(data)
    others = {name: column for name, column in data.items() if name not in keys}
    moved = keys | _reordered(others, rows)
    return {name: moved[name] for name in data}


def _mended(data: Mapping[str, Array]) -> Ints | None:
    """Positions in order O of rows sorted by case, arrival as given; None: they are in it."""
    column, times, order = data["case"], data["time"], data.get("order")
    assert isinstance(column, Codes)
    assert isinstance(times, Masked)
    case, time = column.codes, times.values
    same = case[1:] == case[:-1]
    wrong = time[1:] < time[:-1]
    if isinstance(order, Masked):
        before = _rank_less(order)
        wrong |= (time[1:] == time[:-1]) & before
    wrong &= same
    if not wrong.any():
        return None
    # Only the cases that are out of order are sorted: recordings are nearly in order.
    spans = borders(case)
    number = np.repeat(np.arange(len(spans) - 1), np.diff(spans))
    broken = np.zeros(len(spans) - 1, dtype=bool)
    broken[number[1:][wrong]] = True
    chosen = np.flatnonzero(broken[number])
    keys: list[NDArray[Any]] = [time[chosen], number[chosen]]
    if isinstance(order, Masked):
        keys = [order.values[chosen], ~order.null[chosen], *keys]
    rows = np.arange(len(case))
    rows[chosen] = chosen[np.lexsort(keys)]
    return rows


def _reordered(data: Mapping[str, Array], rows: Ints) -> dict[str, Array]:
    """The columns with their rows in another order: of a large log, two at a time."""

    def reordered(column: Array) -> Array:
        if isinstance(column, Codes) and (column.codes == column.codes[0]).all():
            return column  # says the same in each row, as the name of a tool often does
        return column.take(rows)

    from concurrent.futures import ThreadPoolExecutor

    if len(rows) < 2**16:
        return {name: reordered(column) for name, column in data.items()}
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(data, pool.map(reordered, data.values()), strict=True))


def _rank_less(order: Masked) -> NDArray[np.bool_]:
    values, null = order.values, order.null
    less = ~null[1:] & ~null[:-1] & (values[1:] < values[:-1])
    return less | (null[1:] & ~null[:-1])


def event_ids(data: Mapping[str, Array]) -> Callable[[], U64]:
    """U("event", stream, case, time, order, activity, n) of rows in order O, when asked for."""

    def compute() -> U64:
        names = ("stream", "case", "time", "order", "activity")
        parts = [part("event"), *(part(data.get(name)) for name in names)]
        return combine([*parts, part(_earlier_equals(data))])

    return compute


def _earlier_equals(data: Mapping[str, Array]) -> Ints:
    """How many earlier rows are equal in stream, case, time, order and activity."""
    count = len(data["time"])
    new = np.ones(count, dtype=bool)
    if count:
        new[1:] = False
        for name in ("case", "time", "order"):
            if (column := data.get(name)) is not None:
                new[1:] |= differs(column)
    tied = np.flatnonzero(~(new & np.append(new[1:], True)))
    found = np.zeros(count, dtype=np.int64)
    if len(tied):
        block = np.cumsum(new)[tied]
        keys = [data[n].codes[tied] for n in ("stream", "activity") if n in data]  # type: ignore[union-attr]
        rows = np.lexsort([*keys, block])
        first = np.ones(len(rows), dtype=bool)
        first[1:] = np.any([k[rows][1:] != k[rows][:-1] for k in (*keys, block)], axis=0)
        start = np.flatnonzero(first)
        place = np.arange(len(rows)) - np.repeat(start, np.diff(np.append(start, len(rows))))
        found[tied[rows]] = place
    return found


def differs(column: Array) -> NDArray[np.bool_]:
    """Whether each row but the first differs from the row before it; null equals null."""
    other: NDArray[np.bool_]
    if isinstance(column, Codes):
        other = column.codes[1:] != column.codes[:-1]
        return other
    if isinstance(column, Masked):
        null = column.null
        other = column.values[1:] != column.values[:-1]
        return (null[1:] != null[:-1]) | (other & ~null[1:]) if null.any() else other
    rows = column.to_list()
    return np.array([a != b for a, b in zip(rows, rows[1:], strict=False)], dtype=bool)


def prepare(
    columns: Mapping[str, Column],
    data: Mapping[str, Array],
    arrival: Ints | None = None,
    ids: Ids | None = None,
) -> Prepared:
    """Rows with case, activity and time, none of them null, in any order → order O.

    ``data`` may have a column ``id`` of texts (the source's own). With ``ids``, ``data["id"]`` is
    positions in it instead, and events keep theirs. Without ``arrival`` the rows are in order of
    arrival.
    """
    rows: Ints | None = None
    if arrival is not None and (arrival[1:] < arrival[:-1]).any():
        rows = np.argsort(arrival, kind="stable")
        data = {name: column.take(rows) for name, column in data.items()}
    found = {name: c.sort_values() if isinstance(c, Codes) else c for name, c in data.items()}
    found = _in_order(found)
    counts = mend_end(found)
    if ids is None:
        own = found.pop("id", None)
        own = own if isinstance(own, Codes) else None
        ids = Ids().append(len(found["time"]), event_ids(found), own)
        found["id"] = Masked.full(np.arange(len(found["time"]), dtype=np.int64))
    return Prepared(columns, found, borders(found["case"].codes), ids, counts)  # type: ignore[union-attr]


def mend_end(data: dict[str, Array]) -> dict[str, int]:
    """Set an end before its time to it, in place; how many there were, for the report."""
    end, time = data.get("end"), data["time"]
    if not isinstance(end, Masked) or not isinstance(time, Masked):
        return {}
    early = ~end.null & (end.values < time.values)
    if not early.any():
        return {}
    data["end"] = Masked(np.where(early, time.values, end.values), end.null)
    return {"end_before_time": int(early.sum())}
