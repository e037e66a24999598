"""Which events have another beside them or somewhere in their case: kernels of ``drop_near``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from distill_core.batch import Array, Bools, Codes, Ints, Lists
from distill_core.builtin._pair_entries import by_group
from distill_core.builtin._runs import column_of, group_codes
from distill_core.log import EventLog

Side = Literal["next", "previous"]


def neighbours(log: EventLog, rows: Ints, skip: Bools | None, side: Side) -> Ints:
    """The row beside each of these, looking through those to skip; −1: its case has none there."""
    if skip is None:
        found = rows + (1 if side == "next" else -1)
    else:
        shown = np.flatnonzero(~skip)
        upto = np.cumsum(~skip)
        place = upto[rows] if side == "next" else (upto - ~skip)[rows] - 1
        found = np.concatenate([[-1], shown, [len(log)]])[place + 1]
    offsets, case = log.offsets, log.case_of[rows]
    return np.where((found >= offsets[case]) & (found < offsets[case + 1]), found, -1)


def equal(log: EventLog, same: Sequence[str], one: Ints, other: Ints) -> Bools:
    """Where two rows are equal in these columns, as GROUP BY has it."""
    found = np.ones(len(one), dtype=bool)
    for name in same:
        found &= _equal(column_of(log, name), log, name, one, other)
    return found


def _equal(column: Array, log: EventLog, name: str, one: Ints, other: Ints) -> Bools:
    if isinstance(column, Lists):
        both = group_codes(log, [name], np.concatenate([one, other]))
        return np.equal(both[: len(one)], both[len(one) :])
    if isinstance(column, Codes):
        return np.equal(column.codes[one], column.codes[other])
    null = column.null
    alike: Bools = np.equal(column.values[one], column.values[other]) | null[one]
    return alike & np.equal(null[one], null[other])


def nearest(
    log: EventLog, where: Bools, near: Bools, same: Sequence[str], sides: Sequence[Side]
) -> tuple[Ints, list[Ints]]:
    """Rows of ``where``, and for each side the nearest row of ``near`` of their case and ``same``.

    −1: there is none on that side. No event is near itself.
    """
    rows = np.flatnonzero(where | near)
    case = log.case_of[rows]
    key = _key(log, same, rows)
    turn = by_group(case, key)
    rows, case, key = rows[turn], case[turn], None if key is None else key[turn]
    marked = near[rows]
    marks, upto = np.flatnonzero(marked), np.cumsum(marked)
    asked = np.flatnonzero(where[rows])
    padded = np.concatenate([[-1], marks, [-1]])
    found: list[Ints] = []
    for side in sides:
        place = upto[asked] if side == "next" else (upto - marked)[asked] - 1
        other = padded[place + 1]
        good = (other >= 0) & (case[other] == case[asked])
        if key is not None:
            good &= key[other] == key[asked]
        found.append(np.where(good, rows[other], -1))
    return rows[asked], found


def _key(log: EventLog, same: Sequence[str], rows: Ints) -> Ints | None:
    """A number for each row, equal where the columns are; None: there are no columns."""
    if not same:
        return None
    if len(same) == 1 and isinstance(column := log.data.get(same[0]), Codes):
        return column.codes[rows].astype(np.int64)
    return group_codes(log, same, rows)
