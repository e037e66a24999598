"""How deep intervals lie in each other."""

from __future__ import annotations

import numpy as np

from distill_core.batch import Ints
from distill_core.builtin._pair_entries import by_group, changes
from distill_core.prepare import stable_argsort


def nesting(start: Ints, stop: Ints, case: Ints, key: Ints | None) -> tuple[Ints, Ints]:
    """(depth, number of the parent or −1) of intervals of which none crosses another of its key.

    ``start`` and ``stop`` (−1: after everything) are entries, starts rising; ``case`` and ``key``
    are the intervals' own. Of what began before an interval, what has ended does not hold it.
    """
    count = len(start)
    if key is None:
        order = np.arange(count)
    else:
        order, start, stop = _by_key(start, stop, case, key)
        key = key[order]
    case = case[order]
    ended = np.zeros(max(int(start.max(initial=-1)), int(stop.max(initial=-1))) + 1, dtype=bool)
    closed = stop >= 0
    ended[stop[closed]] = True
    level = np.arange(count) - np.cumsum(ended)[start]
    if not closed.all():
        first = changes([case] if key is None else [case, key])
        level -= level[first][np.cumsum(first) - 1]  # what stays open holds nothing elsewhere
    depth, parent = np.empty(count, dtype=np.int64), np.full(count, -1, dtype=np.int64)
    depth[order] = level
    inner = np.flatnonzero(level > 0)
    if len(inner):
        parent[order[inner]] = order[_parents(level, inner)]
    return depth, parent


def _parents(level: Ints, inner: Ints) -> Ints:
    """For each of ``inner`` the last one before it whose level is one less."""
    found = inner - 1
    far = np.flatnonzero(level[found] + 1 != level[inner])
    if len(far):
        ranked = stable_argsort(level)
        known = level[ranked] * len(level) + ranked
        wanted = (level[inner[far]] - 1) * len(level) + inner[far]
        found[far] = ranked[np.searchsorted(known, wanted) - 1]
    return found


def _by_key(start: Ints, stop: Ints, case: Ints, key: Ints) -> tuple[Ints, Ints, Ints]:
    """The intervals case by case and key by key, and their starts and stops as places there."""
    count, closed = len(start), np.flatnonzero(stop >= 0)
    # an event has two places: it stops one interval before it starts another
    owner = np.full(2 * max(int(start.max(initial=-1)), int(stop.max(initial=-1))) + 2, -1)
    owner[2 * start + 1], owner[2 * stop[closed]] = np.arange(count), closed
    place = np.flatnonzero(owner >= 0)
    owner = owner[place]
    sorted_ = by_group(case[owner], key[owner])
    opens, owner = (place[sorted_] & 1).astype(bool), owner[sorted_]
    starts, stops = np.flatnonzero(opens), np.flatnonzero(~opens)
    order = owner[starts]
    ends = np.full(count, -1, dtype=np.int64)
    ends[owner[stops]] = stops
    return order, starts, ends[order]
