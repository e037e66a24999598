"""The groups of a summary become its table: empty windows, order, the first so many, shares."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distill_core.batch import Batch, Codes, Ints, Masked
from distill_core.columns import Column
from distill_core.errors import DistillError
from distill_core.figures import Values, grid_of
from distill_core.grids import FixedGrid
from distill_core.summary import Group, Measure, Summary
from distill_core.tally import grouped
from distill_core.timetext import time_texts

LIMIT = 1_000_000
"""Rows that empty windows may add at most."""

Z = 1.959963984540054
"""The quantile of the normal distribution that leaves 2.5 % above it."""

Row = dict[str, Any]


def rows_of(summary: Summary, columns: Sequence[Column], groups: Batch) -> list[Row]:
    """The rows of a summary's table, of values as JSON has them.

    ``columns`` are those of the table; ``groups`` has one row for each group, in any order.
    DistillError if empty windows would be more than a million rows.
    """
    data = {name: _sorted(column) for name, column in groups.columns.items()}
    for group in summary.by:
        if group.empty == "keep":
            data = _with_empty(summary, group, data, len(groups))
    rows = len(next(iter(data.values())))
    order = _order(summary, data, rows)
    found = {name: column.take(order) for name, column in data.items()}
    shares = {key: values for name in summary.shares for key, values in _shares(name, found[name])}
    plain = [_plain(column, found[column.name])[: summary.top] if column.name in found
             else shares[column.name][: summary.top] for column in columns]  # fmt: skip
    names = [column.name for column in columns]
    return [dict(zip(names, values, strict=True)) for values in zip(*plain, strict=True)]


def wilson(count: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a share: Wilson, Probable Inference, J. Am. Stat. Assoc. 22, 1927.

    >>> wilson(1, 10)
    (0.017876213, 0.404150027)
    """
    share, square = count / total, Z * Z / total
    middle = (share + square / 2) / (1 + square)
    half = Z / (1 + square) * math.sqrt(share * (1 - share) / total + square / (4 * total))
    low = 0.0 if count == 0 else middle - half
    return _rounded(low), _rounded(1.0 if count == total else middle + half)


def _rounded(value: float) -> float:
    return round(value, 9)


def _shares(name: str, counts: Values) -> Iterator[tuple[str, list[Any]]]:
    assert isinstance(counts, Masked)
    values = counts.values.tolist()
    total = sum(values)
    spans = [wilson(value, total) if total else (None, None) for value in values]
    yield f"{name}_share", [_rounded(value / total) if total else None for value in values]
    yield f"{name}_low", [low for low, _ in spans]
    yield f"{name}_high", [high for _, high in spans]


def _sorted(column: Values) -> Values:
    return column.sort_values() if isinstance(column, Codes) else column


def _order(summary: Summary, data: Mapping[str, Values], rows: int) -> Ints:
    """By the groups, null last; with ``top`` by the first measure, greatest first, before."""
    keys: list[NDArray[Any]] = []  # the last one counts first
    for group in reversed(summary.by):
        keys += _keys(data[group.column], down=False)
    if summary.top is not None:
        keys += _keys(data[summary.measures[0].name], down=True)
    return np.lexsort(keys) if keys else np.arange(rows)


def _keys(column: Values, *, down: bool) -> list[NDArray[Any]]:
    values: NDArray[Any] = column.codes if isinstance(column, Codes) else column.values
    if down:
        values = -values if values.dtype.kind == "f" else ~values  # −(−2^63) is no int64
    return [np.where(column.null, values.dtype.type(0), values), column.null]


def _plain(column: Column, found: Values) -> list[Any]:
    if isinstance(found, Codes):
        if column.type != "json":
            return found.to_list()
        values = [*map(json.loads, found.values), None]
        return [values[code] for code in found.codes.tolist()]
    if column.type == "time":
        texts = time_texts(np.where(found.null, 0, found.values))
        return [None if null else text
                for text, null in zip(texts, found.null.tolist(), strict=True)]  # fmt: skip
    return found.to_list()


def _with_empty(
    summary: Summary, group: Group, data: dict[str, Values], rows: int
) -> dict[str, Values]:
    """And all windows from the first to the last, with each combination of the other groups."""
    time = data[group.column]
    assert isinstance(time, Masked)
    if time.null.all():
        return data
    begins = _begins(group, time.values[~time.null])
    keys: list[Ints] = []
    for other in summary.by:
        if other is not group:
            keys += _numbers(data[other.column])
    combination, row = grouped(keys, rows)
    _check(len(row) * len(begins))
    there = np.zeros((len(row), len(begins)), dtype=bool)
    there[combination[~time.null], np.searchsorted(begins, time.values[~time.null])] = True
    of, at = np.nonzero(~there)
    added: dict[str, Values] = {g.column: data[g.column].take(row[of]) for g in summary.by}
    added[group.column] = Masked.full(begins[at])
    added |= {m.name: _nothing(m, data[m.name], len(of)) for m in summary.measures}
    return {name: _joined(data[name], added[name]) for name in data}


def _begins(group: Group, time: Ints) -> Ints:
    """The begins of all windows from the first to the last of these."""
    grid, ends = grid_of(group), np.array([time.min(), time.max()])
    _, number = grid.span(ends)
    first, last = number.tolist()
    _check(last - first + 1)
    begin, end = grid.bounds(np.arange(first, last + 1))
    return begin if isinstance(grid, FixedGrid) else begin[end > begin]


def _check(rows: int) -> None:
    if rows > LIMIT:
        raise DistillError(
            f"there would be {rows} rows, most of them empty",
            code="summary-limit",
            hint="choose longer windows or a shorter range of time, or do without empty windows",
        )


def _numbers(column: Values) -> list[Ints]:
    if isinstance(column, Codes):
        return [column.codes.astype(np.int64)]
    values = column.values
    whole = values.view(np.int64) if values.dtype.kind == "f" else values.astype(np.int64)
    return [np.where(column.null, 0, whole), column.null.astype(np.int64)]


def _nothing(measure: Measure, like: Values, rows: int) -> Values:
    """A measure of no events."""
    if isinstance(like, Codes):
        return Codes(np.full(rows, -1), like.values, ordered=True)
    zeros = np.zeros(rows, dtype=like.values.dtype)
    counted = measure.op in ("count", "distinct")
    return Masked(zeros, np.full(rows, not counted))


def _joined(one: Values, other: Values) -> Values:
    if isinstance(one, Codes):
        codes = np.concatenate([one.codes, other.codes])  # type: ignore[union-attr]
        return Codes(codes, one.values, ordered=True)
    assert isinstance(other, Masked)
    null = np.concatenate([one.null, other.null])
    return Masked(np.concatenate([one.values, other.values]), null)
