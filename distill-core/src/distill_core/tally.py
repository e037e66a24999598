"""Figures of groups, from batches in any order: what is held is as much as there are groups.

A tally holds each combination of keys once, with figures that merge: what came since is kept
beside it and merged when it is as much again, so work is n log n whatever the batches are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distill_core.batch import Codes, Ints

Reduce = Callable[[Ints, int, NDArray[Any]], NDArray[Any]]
"""(group of each row, number of groups, figure of each row) → figure of each group."""

_LEAST = 65_536
"""Rows that wait to be merged, however few there are merged."""


def grouped(keys: Sequence[Ints], rows: int) -> tuple[Ints, Ints]:
    """(group of each row, one row of each group), where rows are equal in all keys.

    >>> [part.tolist() for part in grouped([np.array([7, 5, 7])], 3)]
    [[1, 0, 1], [1, 2]]
    """
    low = [int(key.min()) for key in keys] if rows else []
    size = [int(key.max()) - least + 1 for key, least in zip(keys, low, strict=False)]
    varied = [i for i, count in enumerate(size) if count > 1]
    if not varied:
        return np.zeros(rows, dtype=np.int64), np.zeros(min(rows, 1), dtype=np.int64)
    if len(varied) == 1 and size[varied[0]] > 4 * rows:
        return _unique(keys[varied[0]])
    total = prod(size[i] for i in varied)
    if total < 2**62:
        packed = np.zeros(rows, dtype=np.int64)
        for i in varied:
            packed *= size[i]
            packed += keys[i] - low[i]
        return _dense(packed, total) if total <= 4 * rows + 1024 else _unique(packed)
    order = np.lexsort([keys[i] for i in reversed(varied)])
    new = np.zeros(rows, dtype=bool)
    new[0] = True
    for i in varied:
        new[1:] |= keys[i][order][1:] != keys[i][order][:-1]
    group = np.empty(rows, dtype=np.int64)
    group[order] = np.cumsum(new) - 1
    return group, order[new]


def _unique(key: Ints) -> tuple[Ints, Ints]:
    _, row, group = np.unique(key, return_index=True, return_inverse=True)
    return group, row


def _dense(packed: Ints, total: int) -> tuple[Ints, Ints]:
    """Without a sort, where there are not many more possible values than rows."""
    row = np.full(total, -1, dtype=np.int64)
    row[packed] = np.arange(len(packed))
    there = row >= 0
    return (np.cumsum(there) - 1)[packed], row[there]


class Tally:
    """Combinations of keys, each once, with figures; ``reduces``: how each figure merges."""

    def __init__(self, keys: int, reduces: Sequence[Reduce] = ()) -> None:
        self._keys, self._reduces = keys, reduces
        self._parts: list[tuple[list[Ints], list[NDArray[Any]]]] = []
        self._waiting = self._merged = 0

    def add(self, keys: Sequence[Ints], figures: Sequence[NDArray[Any]], rows: int) -> None:
        """Take so many rows; keys int64, figures as their reduce wants them."""
        if not rows:
            return
        part = self._reduced(keys, figures, rows)
        self._parts.append(part[:2])
        self._waiting += part[2]
        if self._waiting > self._merged + _LEAST:
            self._merge()

    def finish(self) -> tuple[list[Ints], list[NDArray[Any]], int]:
        """(keys, figures, rows): each combination once, in any order; none: empty lists."""
        self._merge()
        if not self._parts:
            return [np.zeros(0, dtype=np.int64)] * self._keys, [], 0
        return (*self._parts[0], self._merged)

    def _merge(self) -> None:
        if len(self._parts) > 1:
            keys = [np.concatenate([p[0][i] for p in self._parts]) for i in range(self._keys)]
            figures = [np.concatenate([p[1][i] for p in self._parts])
                       for i in range(len(self._reduces))]  # fmt: skip
            self._parts = []
            *part, self._merged = self._reduced(keys, figures, self._merged + self._waiting)
            self._parts = [tuple(part)]  # type: ignore[list-item]
        else:
            self._merged += self._waiting
        self._waiting = 0

    def _reduced(
        self, keys: Sequence[Ints], figures: Sequence[NDArray[Any]], rows: int
    ) -> tuple[list[Ints], list[NDArray[Any]], int]:
        group, row = grouped(keys, rows)
        count = len(row)
        found = [reduce(group, count, figure)
                 for reduce, figure in zip(self._reduces, figures, strict=True)]  # fmt: skip
        return [key[row] for key in keys], found, count


def added(group: Ints, count: int, figures: NDArray[Any]) -> NDArray[Any]:
    """The sum of each group, int64: whoever adds sees to it that it fits."""
    found = np.zeros(count, dtype=np.int64)
    np.add.at(found, group, figures)
    return found


def least(group: Ints, count: int, figures: NDArray[Any]) -> NDArray[Any]:
    """The least of each group."""
    found = np.full(count, _edge(figures, "max"), dtype=figures.dtype)
    np.minimum.at(found, group, figures)
    return found


def greatest(group: Ints, count: int, figures: NDArray[Any]) -> NDArray[Any]:
    """The greatest of each group."""
    found = np.full(count, _edge(figures, "min"), dtype=figures.dtype)
    np.maximum.at(found, group, figures)
    return found


def _edge(figures: NDArray[Any], side: str) -> Any:
    if figures.dtype.kind == "f":
        return np.inf if side == "max" else -np.inf
    return getattr(np.iinfo(figures.dtype), side)


class Texts:
    """Texts by number, in the order in which they came; −1 is null."""

    def __init__(self) -> None:
        self._place: dict[str, int] = {}

    @property
    def texts(self) -> list[str]:
        """The texts by number."""
        return list(self._place)

    def codes(self, column: Codes) -> Ints:
        """The numbers of a column's texts; only texts that occur are looked at."""
        codes, values = column.codes.astype(np.int64), column.values
        if len(values) > 4 * len(codes):
            there, codes = np.unique(codes, return_inverse=True)
            there, shift = there[there >= 0], int(len(there) > 0 and there[0] < 0)
            table = np.full(len(there) + shift, -1, dtype=np.int64)
            table[shift:] = self._numbers(values[there])
            return table[codes]
        there = np.flatnonzero(np.bincount(codes + 1, minlength=len(values) + 1)[1:])
        table = np.full(len(values) + 1, -1, dtype=np.int64)
        table[there] = self._numbers(values[there])
        return table[codes]

    def _numbers(self, texts: NDArray[Any]) -> list[int]:
        place = self._place
        return [place.setdefault(text, len(place)) for text in texts.tolist()]

    def extreme(self, of: Reduce) -> Reduce:
        """``least`` or ``greatest`` by code point, of numbers of texts."""
        null = np.iinfo(np.int64).max if of is least else -1

        def reduce(group: Ints, count: int, figures: NDArray[Any]) -> NDArray[Any]:
            there, place = np.unique(figures, return_inverse=True)
            texts = self.texts
            known = there[there >= 0]
            order = sorted(known.tolist(), key=texts.__getitem__)
            back = np.array([*order, -1], dtype=np.int64)
            rank = {code: index for index, code in enumerate(order)}
            ranks = np.array([rank.get(code, null) for code in there.tolist()], dtype=np.int64)
            found = of(group, count, ranks[place])
            return back[np.where((found < 0) | (found >= len(order)), len(order), found)]

        return reduce
