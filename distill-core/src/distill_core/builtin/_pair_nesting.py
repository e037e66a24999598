"""How deep intervals lie in each other."""

from __future__ import annotations

import numpy as np

from distill_core.batch import Ints
from distill_core.builtin._pair_entries import by_group, changes
from distill_core.prepare import stable_argsort


def nesting(start: Ints, stop: Ints, case: Ints, key: Ints | None) -> tuple[Ints, Ints]:
    """(depth, number of the parent or −1) of pairs that do not cross, in order of their starts.

    ``start`` and ``stop`` (−1: after everything) are entries, ``case`` and ``key`` the pairs' own.
    """
    count = len(start)
    closed = stop >= 0
    # each bracket has a place: a stop of an entry comes before a start of it
    size = 2 * max(int(start.max(initial=-1)), int(stop.max(initial=-1))) + 2
    owner = np.full(size, -1, dtype=np.int64)
    owner[2 * start + 1] = np.arange(count)
    owner[2 * stop[closed]] = np.flatnonzero(closed)
    place = np.flatnonzero(owner >= 0)
    owner = owner[place]
    order = by_group(case[owner], None if key is None else key[owner])
    opens, owner = (place[order] & 1).astype(bool), owner[order]
    level = np.cumsum(np.where(opens, 1, -1)) - 1
    if not closed.all():
        first = changes([case[owner], *(() if key is None else (key[owner],))])
        level -= level[first][np.cumsum(first) - 1]
    level, owner = level[opens], owner[opens]
    depth, parent = np.empty(count, dtype=np.int64), np.full(count, -1, dtype=np.int64)
    depth[owner] = level
    inner = np.flatnonzero(level > 0)
    if len(inner):
        ranked = stable_argsort(level)
        known = level[ranked] * count + ranked
        found = np.searchsorted(known, (level[inner] - 1) * count + inner) - 1
        parent[owner[inner]] = owner[ranked[found]]
    return depth, parent
