"""What pairing works on: events with a role as arrays, the rules, and the pairs found."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from distill_core.batch import Bools, Ints
from distill_core.prepare import stable_argsort

NONE, OPEN, SUPERSEDED, IGNORED, UNMATCHED, EXPIRED, RESET, MISSING = range(8)
REASONS = ("open", "superseded", "ignored", "unmatched", "expired", "reset", "missing_key")
"""Why an event dangles; a reason's code is its place, counted from 1."""

Pairing = Literal["nested", "fifo", "latest", "first"]
Codes8 = NDArray[np.int8]


@dataclass(frozen=True)
class Rules:
    """How starts and stops find each other; ``max_span`` in µs."""

    pairing: Pairing
    chain: bool
    max_span: int | None


@dataclass(frozen=True)
class Entries:
    """Events with a role, case by case in the order in which they act.

    ``ends``: when the entry's case ends (None: nobody asks). Keys are whole numbers that are
    equal where keys are equal; None: there are no keys (``until_key``: an until acts on all).
    """

    case: Ints
    time: Ints
    ends: Ints | None
    start: Bools
    stop: Bools
    until: Bools | None
    start_key: Ints | None = None
    stop_key: Ints | None = None
    until_key: Ints | None = None

    def __len__(self) -> int:
        return len(self.case)

    def part(self, rows: Any) -> Entries:
        """These entries (a slice, a mask or positions)."""
        arrays = ((field.name, getattr(self, field.name)) for field in fields(self))
        taken: dict[str, Any] = {n: None if a is None else a[rows] for n, a in arrays}
        return Entries(**taken)


@dataclass(frozen=True)
class Pairs:
    """For each entry: the entry of its stop (−1: none), and why it dangles (0: it does not)."""

    stop: Ints
    reason: Codes8


def by_group(case: Ints, key: Ints | None) -> Ints:
    """The stable order by case and key of entries that are in order of their case."""
    if key is None or not len(case):
        return np.arange(len(case))
    width = int(key.max()) + 2
    group = (case - case[0]) * width + key + 1
    if int(group.max()) >= 1 << 31:
        group = np.unique(group, return_inverse=True)[1]
    return stable_argsort(group)


def changes(columns: list[Ints]) -> Bools:
    """Where a row differs from the one before it in one of the columns; the first does."""
    first = np.zeros(len(columns[0]), dtype=bool)
    first[:1] = True
    for column in columns:
        first[1:] |= column[1:] != column[:-1]
    return first
