"""Kernels that steps share: where neighbours differ, how far a run reaches, which rows are equal.

All are linear in the rows; rows are in order O, so their times do not fall inside a case.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distill_core.batch import Array, Bools, Codes, Ints, Lists
from distill_core.log import EventLog
from distill_core.params import MICROSECOND
from distill_core.prepare import differs

_LARGEST = 2**62


def micros(span: timedelta) -> int:
    """A length of time in µs; what no two times are apart is cut to a length that fits."""
    return min(span // MICROSECOND, _LARGEST)


def column_of(log: EventLog, name: str) -> Array:
    """A column as ``same`` and ``by`` compare it: ids by their text, lists by what is in them."""
    found = log.data.get(name)
    if isinstance(found, Lists):
        return Lists(found.offsets, log.ids.hashes(found.values), found.null)
    return log.get(name)


def run_starts(log: EventLog, same: Sequence[str], chosen: Bools | None = None) -> Bools:
    """Where a row is of another case than the row before it, or differs from it in ``same``.

    A row that is not ``chosen`` is a run of its own. Null equals null.
    """
    new = np.zeros(len(log), dtype=bool)
    new[log.offsets[:-1]] = True
    for name in same:
        if name != "case":
            new[1:] |= differs(column_of(log, name))
    if chosen is not None:
        new |= ~chosen
        new[1:] |= ~chosen[:-1]
    return new


def reach(log: EventLog, starts: Ints) -> Ints:
    """The greatest ``last`` so far of the run that a row is in (runs begin at ``starts``)."""
    last = log.last
    if last is log.time or not len(last):
        return last
    # A running maximum over all rows restarts at a run if each run is lifted above the one before.
    time = log.time[starts]
    width = np.maximum.reduceat(last, starts) - time + 1
    if float(width.astype(np.float64).sum()) > _LARGEST:
        edges = [*starts.tolist(), len(last)]
        parts = [np.maximum.accumulate(last[a:b]) for a, b in pairwise(edges)]
        return np.concatenate(parts)
    lift = np.repeat(np.cumsum(width) - width - time, np.diff(np.append(starts, len(last))))
    return np.maximum.accumulate(last + lift) - lift


def group_codes(log: EventLog, names: Sequence[str], rows: NDArray[Any] | slice) -> Ints:
    """Numbers that are equal where these rows are equal in all columns, by first appearance."""
    from pandas import factorize

    found = np.zeros(len(log), dtype=np.int64)[rows]
    for name in names:
        codes = _codes(column_of(log, name).take(rows))
        width = int(codes.max(initial=-1)) + 2
        found = factorize(found * width + codes + 1)[0].astype(np.int64)
    return found


def _codes(column: Array) -> Ints:
    """Whole numbers that are equal where the values are; −1 is null."""
    from pandas import factorize

    if isinstance(column, Codes):
        return column.codes.astype(np.int64)
    if isinstance(column, Lists):
        known: dict[Any, int] = {None: -1}
        lists = [None if row is None else tuple(row) for row in column.to_list()]
        return np.array([known.setdefault(row, len(known) - 1) for row in lists], dtype=np.int64)
    codes = factorize(column.values)[0].astype(np.int64)
    codes[column.null] = -1
    return codes
