"""Sets of moments, case by case: sweeps over the begins and ends of intervals, sorted once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from distill_core.batch import Bools, Ints, Lists
from distill_core.grids import ranges
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


class Scale:
    """Whole numbers that rise with case and time, for all moments of some spans."""

    def __init__(self, *spans: Spans) -> None:
        times = np.concatenate([part for span in spans for part in (span.start, span.end)])
        cases = max((int(span.case.max(initial=-1)) for span in spans), default=-1) + 1
        self.first = int(times.min(initial=_LARGEST)) if len(times) else 0
        self.width = int(times.max()) - self.first + 1 if len(times) else 1
        self.times: Ints | None = None
        if cases * self.width >= _LARGEST:
            self.times = np.unique(times)
            self.width = len(self.times) + 1

    def keys(self, case: Ints, time: Ints) -> Ints:
        """The numbers of these cases and times; of another time that of the one before it."""
        if self.times is not None:
            return case * self.width + np.searchsorted(self.times, time, side="right")
        return case * self.width + np.clip(time - self.first, 0, self.width - 1)

    def begins(self, spans: Spans) -> Ints:
        """The numbers of the spans' begins."""
        return self.keys(spans.case, spans.start)

    def ends(self, spans: Spans) -> Ints:
        """The numbers of the spans' ends."""
        return self.keys(spans.case, spans.end)


_LARGEST = 2**62


def pieces(left: Spans, right: Spans, rule: Callable[[Bools, Bools], Bools]) -> Spans:
    """The longest spans in which the rule holds of "in one of left", "in one of right".

    Spans are half-open: those that touch are one, those without length are nothing. The rule does
    not hold of neither. Sorted by case and start.
    """
    case = np.concatenate([left.case, left.case, right.case, right.case])
    time = np.concatenate([left.start, left.end, right.start, right.end])
    lengths = [len(left), len(left), len(right), len(right)]
    key = Scale(left, right).keys(case, time)
    turn = np.argsort(key, kind="stable")
    case, time, key = case[turn], time[turn], key[turn]
    final = np.ones(len(key), dtype=bool)  # of all that begins and ends at one moment
    final[:-1] = key[1:] != key[:-1]
    inside = [
        np.cumsum(np.repeat(change, lengths)[turn])[final] > 0
        for change in ([1, -1, 0, 0], [0, 0, 1, -1])
    ]
    case, time = case[final], time[final]
    holds = np.append(False, rule(*inside))
    begin = np.flatnonzero(holds[1:] & ~holds[:-1])
    end = np.flatnonzero(~holds[1:] & holds[:-1])
    return Spans(case[begin], time[begin], time[end])


def sharing(found: Spans, parts: Spans, rows: Ints) -> Lists:
    """For each of the found spans (disjoint, sorted) the rows of the parts that share time with it.

    ``rows``: of each part, rising in each list.
    """
    scale = Scale(found, parts)
    low = np.searchsorted(scale.ends(found), scale.begins(parts), side="right")
    high = np.searchsorted(scale.begins(found), scale.ends(parts), side="left")
    high = np.where(parts.end > parts.start, high, low)
    shared = ranges(low, high)
    part = np.repeat(np.arange(len(parts)), shared.lengths)
    turn = stable_argsort(shared.values)
    counts = np.bincount(shared.values, minlength=len(found))
    return Lists(np.append(0, np.cumsum(counts)), rows[part[turn]])
