"""Sets of moments, case by case: sweeps over the begins and ends of intervals, sorted once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from distill_core.batch import Bools, Ints, Lists
from distill_core.builtin._members import ranges
from distill_core.prepare import stable_argsort


@dataclass(frozen=True)
class Spans:
    """Intervals ``[start, end)`` of cases, by number of the case."""

    case: Ints
    start: Ints
    end: Ints

    def __len__(self) -> int:
        return len(self.case)

    def take(self, chosen: Ints) -> Spans:
        """These spans."""
        return Spans(self.case[chosen], self.start[chosen], self.end[chosen])

    def lifted(self, place: Ints) -> Ints:
        """Case and place of a time as one whole number; see ``ranked``."""
        return self.case * _WIDTH + place


_WIDTH = 1 << 32
"""More than there are different times."""


def ranked(*spans: Spans) -> tuple[Ints, list[Spans]]:
    """All times in order, each once; and the spans with places in them for times."""
    times, place = np.unique(
        np.concatenate([part for span in spans for part in (span.start, span.end)]),
        return_inverse=True,
    )
    places = iter(np.split(place, np.cumsum([len(s) for s in spans for _ in "be"])[:-1]))
    return times, [Spans(span.case, next(places), next(places)) for span in spans]


def pieces(left: Spans, right: Spans, rule: Callable[[Bools, Bools], Bools]) -> Spans:
    """The longest spans in which the rule holds of "in one of left", "in one of right".

    Spans are half-open: those that touch are one, those without length are nothing. The rule does
    not hold of neither. Sorted by case and start.
    """
    case = np.concatenate([left.case, left.case, right.case, right.case])
    time = np.concatenate([left.start, left.end, right.start, right.end])
    lengths = [len(left), len(left), len(right), len(right)]
    turn = _in_order(case, time)
    case, time = case[turn], time[turn]
    final = np.ones(len(case), dtype=bool)  # of all that begins and ends at one moment
    final[:-1] = (case[1:] != case[:-1]) | (time[1:] != time[:-1])
    inside = [
        np.cumsum(np.repeat(change, lengths)[turn])[final] > 0
        for change in ([1, -1, 0, 0], [0, 0, 1, -1])
    ]
    case, time = case[final], time[final]
    holds = np.append(False, rule(*inside))
    begin = np.flatnonzero(holds[1:] & ~holds[:-1])
    end = np.flatnonzero(~holds[1:] & holds[:-1])
    return Spans(case[begin], time[begin], time[end])


def _in_order(case: Ints, time: Ints) -> Ints:
    """The places in the order of case and time; one sort of whole numbers where they fit."""
    if not len(time):
        return time
    first = int(time.min())
    width = int(time.max()) - first + 1
    if (int(case.max()) + 1) * width >= 2**62:
        return np.lexsort([time, case])
    return np.argsort(case * width + (time - first), kind="stable")


def sharing(found: Spans, parts: Spans, rows: Ints) -> Lists:
    """For each of the found spans (disjoint, sorted) the rows of the parts that share time with it.

    ``rows``: of each part, rising in each list.
    """
    _, (found, parts) = ranked(found, parts)
    low = np.searchsorted(found.lifted(found.end), parts.lifted(parts.start), side="right")
    high = np.searchsorted(found.lifted(found.start), parts.lifted(parts.end), side="left")
    high = np.where(parts.end > parts.start, high, low)
    shared = ranges(low, high)
    part = np.repeat(np.arange(len(parts)), shared.lengths)
    turn = stable_argsort(shared.values)
    counts = np.bincount(shared.values, minlength=len(found))
    return Lists(np.append(0, np.cumsum(counts)), rows[part[turn]])
