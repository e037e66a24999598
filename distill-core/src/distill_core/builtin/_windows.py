"""Windows over the events of cases: which there are, and which events lie in each.

A window has a number; an event lies in the windows ``first`` … ``last``, which rise with time in
a case. All is linear in the events, the windows and their members.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distill_core.batch import Bools, Ints
from distill_core.errors import TransformError
from distill_core.grids import ranges

LIMIT = 10_000_000
"""Windows that a step makes at most, if there are not as many events; members: ten times that."""


@dataclass(frozen=True)
class Windows:
    """Numbers of windows, and of each: from which row to which its events lie."""

    number: Ints
    low: Ints
    high: Ints

    def take(self, chosen: Bools) -> Windows:
        """These windows."""
        return Windows(self.number[chosen], self.low[chosen], self.high[chosen])


def windows(first: Ints, last: Ints, new: Bools, *, empty: bool) -> Windows:
    """The windows that events lie in, case by case.

    ``empty``: all that reach into the time from the first to the last event of the case. ``new``:
    where cases begin. An event with ``first > last`` lies between two windows.
    """
    if not len(new):
        return Windows(last, last, last)
    if first is last and not empty:  # each event is in one window
        begins = new.copy()
        begins[1:] |= last[1:] != last[:-1]
        low = np.flatnonzero(begins)
        return Windows(last[low], low, np.append(low, len(new))[1:])
    old, end = np.flatnonzero(~new), np.append(new[1:], True)
    begin, until = first.copy(), last + 1
    after = last[old - 1] + 1
    begin[old] = after if empty else np.maximum(first[old], after)
    counts = np.maximum(until - begin, 0)
    _check(float(counts.astype(np.float64).sum()), len(new), LIMIT, "windows")
    number = ranges(begin, until).values
    low = np.repeat(np.arange(len(new)), counts)
    # the same windows once more, each by its last event
    more = np.flatnonzero(~end)
    until[more] = first[more + 1] if empty else np.minimum(until[more], first[more + 1])
    high = np.repeat(np.arange(1, len(new) + 1), np.maximum(until - first, 0))
    return Windows(number, low, high)


def check_members(found: Windows, events: int) -> None:
    """Raise TransformError if the lists of members would be too long."""
    total = float((found.high - found.low).astype(np.float64).sum())
    _check(total, events * 10, LIMIT * 10, "members of windows")


def _check(count: float, events: int, limit: int, what: str) -> None:
    if count > max(limit, events):
        raise TransformError(
            f"there would be {count:.0f} {what}",
            code="window-limit",
            hint="choose longer windows or steps, or do without empty windows",
        )
