"""Starts and stops become pairs: on arrays where the rules allow it, else by one plain loop.

Both are linear. Entries are taken in blocks that suit a processor's cache, cut between cases.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distill_core.batch import Ints
from distill_core.builtin._pair_arrays import pair_arrays
from distill_core.builtin._pair_entries import (
    EXPIRED,
    IGNORED,
    NONE,
    OPEN,
    RESET,
    SUPERSEDED,
    UNMATCHED,
    Entries,
    Pairs,
    Rules,
)
from distill_core.prepare import borders

BLOCK = 1 << 19


def pair(entries: Entries, rules: Rules) -> Pairs:
    """The pairs, each case by itself."""
    stop = np.full(len(entries), -1, dtype=np.int64)
    reason = np.zeros(len(entries), dtype=np.int8)
    for begin, end in _blocks(entries.case):
        if end - begin == len(entries):
            return _pair_block(entries, rules)
        found = _pair_block(entries.part(slice(begin, end)), rules)
        stop[begin:end] = np.where(found.stop < 0, -1, found.stop + begin)
        reason[begin:end] = found.reason
    return Pairs(stop, reason)


def _blocks(case: Ints) -> Iterator[tuple[int, int]]:
    starts = borders(case)
    wanted = np.searchsorted(starts, np.arange(0, len(case) + BLOCK, BLOCK))
    cuts = np.unique(starts[np.minimum(wanted, len(starts) - 1)]).tolist()
    yield from zip(cuts, cuts[1:], strict=False)


def _pair_block(entries: Entries, rules: Rules) -> Pairs:
    """Arrays first; cases that they cannot decide once more, by the loop."""
    twofold = entries.start & entries.stop
    if entries.until is not None and entries.until_key is not None:
        twofold |= entries.until & (entries.start | entries.stop)
    found, undecided = pair_arrays(entries, rules)
    undecided |= twofold
    if undecided.any():
        local = entries.case - entries.case[0]
        again = np.zeros(int(local[-1]) + 1, dtype=bool)
        again[local[undecided]] = True
        rows = np.flatnonzero(again[local])
        walked = walk(entries.part(rows), rules)
        found.stop[rows] = np.where(walked.stop < 0, -1, rows[walked.stop])
        found.reason[rows] = walked.reason
    return found


def walk(entries: Entries, rules: Rules) -> Pairs:
    """The rules as they are written, entry by entry; each start is opened and closed once."""
    loop = _Loop(entries, rules)
    case = None
    for entry, (here, start, stop, until, key, stop_key, until_key) in enumerate(_rows(entries)):
        if here != case:
            loop.finish(entry - 1)
            case = here
        closed = stop and loop.close(entry, stop_key, alone=not start)
        if until:
            loop.reset(entry, until_key)
        if start and (rules.chain or not closed):
            loop.open(entry, key)
    loop.finish(len(entries) - 1)
    return Pairs(np.array(loop.stops, dtype=np.int64), np.array(loop.reasons, dtype=np.int8))


def _rows(entries: Entries) -> Iterator[tuple[Any, ...]]:
    def listed(values: NDArray[Any] | None, default: Any) -> list[Any]:
        return [default] * len(entries) if values is None else values.tolist()

    return zip(
        entries.case.tolist(), entries.start.tolist(), entries.stop.tolist(),
        listed(entries.until, False), listed(entries.start_key, 0), listed(entries.stop_key, 0),
        listed(entries.until_key, None), strict=True,
    )  # fmt: skip


class _Loop:
    """The open starts of one case, by key, the oldest first."""

    def __init__(self, entries: Entries, rules: Rules) -> None:
        self.pairing, self.span = rules.pairing, rules.max_span
        self.times = entries.time.tolist()
        self.ends = self.times if entries.ends is None else entries.ends.tolist()
        self.stops, self.reasons = [-1] * len(entries), [NONE] * len(entries)
        self.held: dict[int, deque[int]] = {}

    def over(self, start: int, now: int) -> bool:
        """Whether a start has expired."""
        return self.span is not None and now - self.times[start] > self.span

    def live(self, key: int, now: int) -> deque[int]:
        """The open starts of a key, rid of those that have expired."""
        queue = self.held.setdefault(key, deque())
        while queue and self.over(queue[0], now):
            self.reasons[queue.popleft()] = EXPIRED
        return queue

    def leave(self, queue: deque[int], now: int, reason: int) -> None:
        """All starts of a key go, for this reason unless they have expired."""
        for start in queue:
            self.reasons[start] = EXPIRED if self.over(start, now) else reason
        queue.clear()

    def close(self, entry: int, key: int, *, alone: bool) -> bool:
        """A stop takes its start; one that finds none, and is no start itself, is unmatched."""
        queue = self.live(key, self.times[entry])
        if queue:
            self.stops[queue.popleft() if self.pairing == "fifo" else queue.pop()] = entry
            return True
        if alone:
            self.reasons[entry] = UNMATCHED
        return False

    def reset(self, entry: int, key: int | None) -> None:
        """The starts of a key go, or all."""
        now = self.times[entry]
        if key is not None:
            self.leave(self.live(key, now), now, RESET)
            return
        for queue in self.held.values():
            self.leave(queue, now, RESET)
        self.held.clear()

    def open(self, entry: int, key: int) -> None:
        """A start is held, if the one that is held allows it."""
        queue = self.live(key, self.times[entry])
        if queue and self.pairing == "first":
            self.reasons[entry] = IGNORED
            return
        if queue and self.pairing == "latest":
            self.reasons[queue.pop()] = SUPERSEDED
        queue.append(entry)

    def finish(self, entry: int) -> None:
        """The case ends; ``entry`` is its last one."""
        for queue in self.held.values():
            self.leave(queue, self.ends[entry], OPEN)
        self.held.clear()
