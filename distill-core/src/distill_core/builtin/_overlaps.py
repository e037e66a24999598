"""Groups of events, and what to do where two of them share an event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from distill_core.batch import Bools, Ints, Lists


@dataclass(frozen=True)
class Groups:
    """The rows of each group, rising, and the number of the rule that found it."""

    rows: Lists
    rule: Ints

    @property
    def first(self) -> Ints:
        """The first row of each group; none is empty."""
        return self.rows.values[self.rows.offsets[:-1]]

    def take(self, chosen: Ints) -> Groups:
        """These groups."""
        return Groups(self.rows.take(chosen), self.rule[chosen])

    def clashing(self, rows: int) -> Bools:
        """Which groups share a row with another one."""
        if not len(self.rule):
            return np.zeros(0, dtype=bool)
        shared = np.bincount(self.rows.values, minlength=rows) > 1
        return np.logical_or.reduceat(shared[self.rows.values], self.rows.offsets[:-1])


def choose(groups: Groups, clash: Bools, resolve: Literal["first", "longest"]) -> Bools:
    """Which groups are left if, one after the other, each takes its rows unless one is taken.

    First: in the order of their first rows, then rules; longest: those of most rows before.
    """
    left = ~clash
    doubtful = np.flatnonzero(clash)
    keys = [groups.rule[doubtful], groups.first[doubtful]]
    if resolve == "longest":
        keys.append(-groups.rows.lengths[doubtful])
    doubtful = doubtful[np.lexsort(keys)]
    taken: set[int] = set()
    for number, rows in zip(doubtful.tolist(), groups.rows.take(doubtful).to_list(), strict=True):
        assert rows is not None
        if taken.isdisjoint(rows):
            taken.update(rows)
            left[number] = True
    return left
