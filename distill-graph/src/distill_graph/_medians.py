"""Sums and medians of many groups of integers at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from distill_core.batch import Ints, Lists
from distill_graph._tally import exact

_WIDE = 1 << 12
"""Groups longer than this are taken one by one: there are few of them."""


def totals(groups: Lists) -> NDArray[Any]:
    """The sum of each group; groups are not empty."""
    if not len(groups):
        return np.zeros(0, dtype=np.int64)
    found: NDArray[Any] = np.add.reduceat(exact(groups.values), groups.offsets[:-1])
    return found


def rounded(total: NDArray[Any], count: NDArray[Any]) -> NDArray[Any]:
    """total / count in whole numbers, halves to even.

    >>> rounded(np.array([5, 7, 8]), np.array([2, 2, 3]))
    array([2, 4, 3])
    """
    whole, rest = total // count, total % count
    up = (2 * rest > count) | ((2 * rest == count) & (whole % 2 == 1))
    found: NDArray[Any] = whole + up
    return found


def medians(groups: Lists) -> Ints:
    """The median of each group (none is empty); between two middle ones their mean, rounded.

    Groups of like length are the rows of one array, padded to a power of two, and sorted together.

    >>> medians(Lists(np.array([0, 3, 7]), np.array([9, 1, 5, 1, 8, 2, 3])))
    array([5, 2])
    """
    lengths = groups.lengths
    low, high = np.zeros(len(groups), dtype=np.int64), np.zeros(len(groups), dtype=np.int64)
    size = np.ceil(np.log2(np.maximum(lengths, 1))).astype(np.int64)
    for power in np.unique(size[lengths <= _WIDE]).tolist():
        rows = np.flatnonzero((size == power) & (lengths <= _WIDE))
        table = np.sort(_padded(groups, rows, 1 << power), axis=1)
        line = np.arange(len(rows))
        low[rows] = table[line, (lengths[rows] - 1) // 2]
        high[rows] = table[line, lengths[rows] // 2]
    for row in np.flatnonzero(lengths > _WIDE).tolist():
        values = groups.values[groups.offsets[row] : groups.offsets[row + 1]]
        middle = [(len(values) - 1) // 2, len(values) // 2]
        low[row], high[row] = np.partition(values, middle)[middle]
    return rounded(low + high, np.full(len(groups), 2))


def _padded(groups: Lists, rows: Ints, width: int) -> Ints:
    """These groups as the rows of one array, filled up with the greatest integer."""
    lengths = groups.lengths[rows]
    column = np.arange(width)
    inside = column < lengths[:, None]
    table = np.full((len(rows), width), np.iinfo(np.int64).max)
    table[inside] = groups.take(rows).values
    return table
