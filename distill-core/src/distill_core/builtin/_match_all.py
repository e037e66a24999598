"""The matches of a log: by a walk of all starts where that can be, else by a search."""

from __future__ import annotations

import numpy as np

from distill_core.batch import Bools, Ints
from distill_core.builtin._match_automaton import automaton_of
from distill_core.builtin._match_events import Events
from distill_core.builtin._match_search import Back
from distill_core.builtin._match_select import Found, Rules, search_all
from distill_core.builtin._match_walk import Walk
from distill_core.patterns import Program
from distill_core.prepare import borders

FEW = 64
"""Groups that are rather walked one by one than at a time."""


def find_matches(program: Program, events: Events, rules: Rules, back: Back) -> Found:
    """The matches of a pattern in the events of a log."""
    automaton = None
    if not back.tests:
        automaton = automaton_of(program, events.kinds, strict=rules.strict)
    if automaton is None:
        return search_all(program, events, rules, back)
    return _walk_all(program, Walk(automaton, events), events, rules)


def _walk_all(program: Program, walk: Walk, events: Events, rules: Rules) -> Found:
    starts = walk.starts
    stop = events.ends[starts] if rules.within is None else _limits(events, starts, rules.within)
    end = walk.run(starts, stop)
    good = np.flatnonzero(end >= 0)
    vain = end < 0
    passed = good[:0]
    if rules.every:
        chosen = good
    else:
        choose = _latest if rules.latest else _leftmost
        chosen = choose(events, starts, end, good)
        outside = _outside(starts, end, chosen)
        vain &= outside
        passed = good[outside[good]] if rules.latest else passed
    chosen = chosen[np.argsort(events.rows[starts[chosen]], kind="stable")]
    taken = _Taken(len(chosen))
    walk.run(starts[chosen], end[chosen] + 1, taken.visit)
    offsets, members, places = taken.done()
    far = _Far(np.array(program.rank), int(vain.sum()))
    walk.run(starts[vain], stop[vain], far.visit)
    count = np.bincount(far.rank)
    return Found(
        offsets,
        events.rows[members],
        np.array(program.step)[places],
        events.rows[starts[passed]],
        {rank: int(count[rank]) for rank in np.flatnonzero(count).tolist()},
    )


def _limits(events: Events, starts: Ints, within: int) -> Ints:
    """For each start the first event of its group that is too late, by bisection."""
    low, high = starts, events.ends[starts]
    latest = events.time[starts] + within
    while (low < high).any():
        middle = (low + high) >> 1
        fits = (low < high) & (events.time[np.minimum(middle, high - 1)] <= latest)
        low, high = np.where(fits, middle + 1, low), np.where(fits, high, np.maximum(middle, low))
    return low


def _leftmost(events: Events, starts: Ints, end: Ints, good: Ints) -> Ints:
    """One match after the other, each from the first start behind the last one's end.

    All groups at a time, as no match leaves its group, while there are many that have one more.
    """
    at = starts[good]
    follower = np.searchsorted(at, end[good], side="right")
    edges = borders(events.ends[at])
    lanes, bound = edges[:-1], edges[1:]
    chosen = np.zeros(len(good), dtype=bool)
    while len(lanes) > FEW:
        chosen[lanes] = True
        lanes = follower[lanes]
        more = lanes < bound
        lanes, bound = lanes[more], bound[more]
    for lane, stop in zip(lanes.tolist(), bound.tolist(), strict=True):
        steps, place = follower[lane:stop].tolist(), lane
        while place < stop:
            chosen[place] = True
            place = steps[place - lane]
    return good[chosen]


def _latest(_: Events, starts: Ints, end: Ints, good: Ints) -> Ints:
    """Of the matches that begin behind the last one's end, that with the earliest end; of these
    the one that begins last.
    """
    order = good[np.lexsort([-starts[good], end[good]])]
    chosen, last = [], -1
    for lane, start, stop in zip(*(a[order].tolist() for a in (np.arange(len(end)), starts, end)),
                                 strict=True):  # fmt: skip
        if start > last:
            chosen.append(lane)
            last = stop
    return np.array(chosen, dtype=np.int64)


def _outside(starts: Ints, end: Ints, chosen: Ints) -> Bools:
    """Which starts lie in none of the matches chosen, which are one after the other."""
    if not len(chosen):
        return np.ones(len(starts), dtype=bool)
    before = np.searchsorted(starts[chosen], starts, side="right") - 1
    return (before < 0) | (end[chosen][before] < starts)


class _Taken:
    """Gathers the events that lanes took, lane by lane."""

    def __init__(self, lanes: int) -> None:
        self.count = np.zeros(lanes, dtype=np.int64)
        self.pieces: list[tuple[Ints, Ints, Ints, Ints, Ints, Ints]] = []

    def visit(self, lanes: Ints, at: Ints, place: Ints, first: Ints, last: Ints) -> None:
        some = last > first
        lanes, first, last = lanes[some], first[some], last[some]
        self.pieces.append((lanes, at, place, first, last, self.count[lanes]))
        self.count[lanes] += last - first

    def done(self) -> tuple[Ints, Ints, Ints]:
        """Where each lane begins, the positions taken, and by which places."""
        offsets = np.append(0, np.cumsum(self.count))
        members, places = np.empty((2, offsets[-1]), dtype=np.int64)
        for lanes, at, place, first, last, before in self.pieces:
            length = last - first
            slot = offsets[lanes] + before
            steps = np.arange(int(length.sum())) - np.repeat(np.cumsum(length) - length, length)
            source = np.repeat(first, length) + steps
            target = np.repeat(slot, length) + steps
            members[target], places[target] = at[source], place[source]
        return offsets, members, places


class _Far:
    """The furthest rank that each lane came to."""

    def __init__(self, rank: Ints, lanes: int) -> None:
        self.rank_of, self.rank = rank, np.zeros(lanes, dtype=np.int64)

    def visit(self, lanes: Ints, at: Ints, place: Ints, first: Ints, last: Ints) -> None:
        ranks = self.rank_of[place]
        for rank in np.flatnonzero(np.bincount(ranks, minlength=1)).tolist():
            upto = np.append(0, np.cumsum(ranks == rank))
            there = lanes[upto[last] > upto[first]]
            self.rank[there] = np.maximum(self.rank[there], rank)
