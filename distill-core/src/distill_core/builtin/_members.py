"""What lies inside intervals: pieces of the log between what their children span.

Work is linear in the intervals and in what comes out: of intervals in each other, an event is
listed as often as it is a member, and nothing is looked at besides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distill_core.batch import Bools, Ints, Lists
from distill_core.grids import ranges
from distill_core.prepare import stable_argsort


@dataclass(frozen=True)
class Bounds:
    """Intervals as places of the log.

    ``start``, ``stop``: both events (``shut``), else where the case ends; ``parent``: the number
    of the interval around it, −1: none. Those of one ``group`` lie in or beside each other, save
    those without parent and children. ``left``, ``right``: starts, stops are members.
    """

    start: Ints
    stop: Ints
    shut: Bools
    parent: Ints
    group: Ints
    left: bool
    right: bool

    @property
    def children(self) -> Ints:
        """How many children each has."""
        return np.bincount(self.parent[self.parent >= 0], minlength=len(self.parent))

    @property
    def whole(self) -> tuple[Ints, Ints]:
        """From where to where members may lie."""
        return self.start + 1 - self.left, self.stop + (self.shut & self.right)


@dataclass(frozen=True)
class Members:
    """Of each interval: its pieces (numbers from ``first`` up to ``last``), how many members.

    A piece is the places from ``begin`` up to ``end``; ``size`` leaves out starts and stops.
    """

    begin: Ints
    end: Ints
    first: Ints
    last: Ints
    size: Ints

    def lists(self, chosen: Ints) -> Lists:
        """The members of these intervals: places, rising."""
        pieces = ranges(self.first[chosen], self.last[chosen])
        places = ranges(self.begin[pieces.values], self.end[pieces.values])
        return Lists(places.offsets[pieces.offsets], places.values)


def own_members(bounds: Bounds) -> Members:
    """What lies in each interval, but in no child."""
    begin, end, first, last = _between(bounds)
    total = np.append(0, np.cumsum(end - begin))
    size = total[last] - total[first]
    begin[first], end[last - 1] = bounds.whole[0], np.maximum(end[last - 1], bounds.whole[1])
    return Members(begin, end, first, last, size)


def all_members(bounds: Bounds) -> Members:
    """What lies in each interval, less the starts and stops in it that are not asked for."""
    begin, end = bounds.whole
    first = np.arange(len(begin))
    last, size = first + 1, bounds.stop - bounds.start - 1
    holds = bounds.children > 0
    if not holds.any():
        return Members(begin, end, first, last, size)
    group = np.unique(bounds.group, return_inverse=True)[1]
    width = int(bounds.stop.max()) + 2
    tree, inside = _tree(bounds, holds | (bounds.parent >= 0), group * width, width)
    total = np.append(0, np.cumsum(inside))
    inner = np.flatnonzero(holds)
    low = np.searchsorted(tree[0], group[inner] * width + begin[inner])
    high = np.searchsorted(tree[0], group[inner] * width + end[inner])
    first[inner], last[inner] = low + len(begin), high + len(begin)
    size[inner] = total[high] - total[low]
    begin, end = np.append(begin, tree[0] % width), np.append(end, tree[1])
    return Members(begin, end, first, last, size)


def _between(bounds: Bounds) -> tuple[Ints, Ints, Ints, Ints]:
    """The places between the children of each interval: begins, ends, which are whose."""
    children, parent = bounds.children, bounds.parent
    offsets = np.zeros(len(children) + 1, dtype=np.int64)
    np.cumsum(children + 1, out=offsets[1:])
    first, last = offsets[:-1], offsets[1:]
    begin, end = np.empty((2, offsets[-1]), dtype=np.int64)
    begin[first], end[last - 1] = bounds.start + 1, bounds.stop
    inner = np.flatnonzero(parent >= 0)
    if len(inner):
        inner = inner[np.argsort(bounds.start[inner], kind="stable")]
        inner = inner[stable_argsort(parent[inner])]
        up = parent[inner]
        place = first[up] + np.arange(len(inner)) - (np.cumsum(children) - children)[up]
        end[place], begin[place + 1] = bounds.start[inner], bounds.stop[inner] + 1
    # of a chain, one event ends a child and begins the next
    return begin, np.maximum(begin, end), first, last


def _tree(bounds: Bounds, chosen: Bools, shift: Ints, width: int) -> tuple[tuple[Ints, Ints], Ints]:
    """The pieces of these intervals, by group and place: begins (shifted), ends; members inside.

    Starts and stops are pieces of their own, once where one event ends and begins.
    """
    begin, end, first, last = _between(bounds)
    owner = np.repeat(np.arange(len(first)), last - first)
    kept = np.flatnonzero((end > begin) & chosen[owner])
    begins, ends = [begin[kept] + shift[owner[kept]]], [end[kept]]
    edges = [(bounds.start, chosen)] if bounds.left else []
    if bounds.right:
        edges.append((bounds.stop, chosen))  # where a case ends, nothing reaches
    for place, mask in edges:
        begins.append(place[mask] + shift[mask])
        ends.append(place[mask] + 1)
    key, pick = np.unique(np.concatenate(begins), return_index=True)
    until = np.concatenate(ends)[pick]
    return (key, until), np.where(pick < len(kept), until - key % width, 0)
