"""Pairs found on arrays, without a loop over events.

Nested pairing is the matching of parentheses, as tracers do it with a call stack: the level of an
entry is a running sum of +1 and −1, and side by side in a stable sort by level lie a start and its
stop. A stop that takes the sum below all before finds no start.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distill_core.batch import Bools, Ints
from distill_core.builtin._pair_entries import (
    EXPIRED,
    IGNORED,
    NONE,
    OPEN,
    RESET,
    SUPERSEDED,
    UNMATCHED,
    Codes8,
    Entries,
    Pairing,
    Pairs,
    Rules,
    by_group,
    changes,
)
from distill_core.prepare import stable_argsort


@dataclass(frozen=True)
class _Segments:
    """Entries that start or stop, between resets, of one key: segment by segment.

    ``entry``: their numbers; ``first``: a segment begins; ``until``: when the segment ends, which
    ``reset`` says is by a reset (else the case ends).
    """

    entry: Ints
    first: Bools
    start: Bools
    time: Ints
    until: Ints | None
    reset: Bools | None


def pair_arrays(entries: Entries, rules: Rules) -> tuple[Pairs, Bools]:
    """The pairs, and the entries whose case needs the loop. An entry has one role at most."""
    it = _segments(entries)
    span = np.iinfo(np.int64).max if rules.max_span is None else rules.max_span
    undecided = np.zeros(len(entries), dtype=bool)
    reason = np.where(it.start, np.int8(OPEN), np.int8(UNMATCHED))
    if it.reset is not None:
        reason[it.start & it.reset] = RESET
    if rules.max_span is not None and it.until is not None:
        reason[it.start & (it.until - it.time > span)] = EXPIRED
    if rules.pairing == "nested":
        start, stop = _nested(it)
    elif rules.pairing == "fifo":
        start, stop = _oldest(it)
    else:
        start, stop = _held(it, rules.pairing, span, reason, undecided)
    late = it.time[stop] - it.time[start] > span
    if late.any():
        if rules.pairing == "fifo":  # an expired start gives way to a younger one
            undecided[it.entry[start[late]]] = True
        start, stop = start[~late], stop[~late]
    reason[start] = reason[stop] = NONE
    found = Pairs(np.full(len(entries), -1), np.zeros(len(entries), dtype=np.int8))
    found.reason[it.entry] = reason
    found.stop[it.entry[start]] = it.entry[stop]
    return found, undecided


def _segments(entries: Entries) -> _Segments:
    """Entries put side by side with those that they can be paired with."""
    key, until, ends = entries.start_key, entries.until, entries.ends
    if key is not None and entries.stop_key is not None:
        key = np.where(entries.start, key, entries.stop_key)
    if key is not None and until is not None and entries.until_key is not None:
        key = np.where(entries.start | entries.stop, key, entries.until_key)
    order = by_group(entries.case, key)
    keys = () if key is None else (key,)
    epoch: Ints | None = None
    reset: Bools | None = None
    if until is not None and entries.until_key is None:
        epoch, ends, reset = _epochs(entries, np.arange(len(entries)), ())
    elif until is not None:
        epoch, ends, reset = _epochs(entries, order, keys)
    acts = entries.start | entries.stop
    if not acts.all():  # what only resets, or lost its key
        order = order[acts[order]]
    columns = [c[order] for c in (entries.case, *keys, epoch) if c is not None]
    return _Segments(
        order, changes(columns), entries.start[order], entries.time[order],
        None if ends is None else ends[order], None if reset is None else reset[order],
    )  # fmt: skip


def _epochs(entries: Entries, order: Ints, keys: tuple[Ints, ...]) -> tuple[Ints, Ints, Bools]:
    """How many resets come before each entry; when the next one is, and whether there is one.

    A reset comes after the stop and before the start that the same event is.
    """
    assert entries.until is not None
    until = entries.until[order]
    scope = np.cumsum(changes([entries.case[order], *(k[order] for k in keys)]))
    number: Ints = np.cumsum(until) - (until & ~entries.start[order])
    times, scopes = entries.time[order][until], scope[until]
    following = np.minimum(number, len(times) - 1)
    reset = np.zeros(len(entries), dtype=bool)
    close = np.zeros(len(entries), dtype=np.int64)
    epoch = np.empty(len(entries), dtype=np.int64)
    epoch[order] = number
    if len(times):
        reset[order] = (number < len(times)) & (scopes[following] == scope)
        close[order] = times[following]
    ends = entries.time if entries.ends is None else entries.ends
    return epoch, np.where(reset, close, ends), reset


def _levels(it: _Segments) -> tuple[Ints, Bools, Ints]:
    """Starts open after each entry, stops that find none, the number of the segment."""
    step = np.where(it.start, 1, -1)
    total = np.cumsum(step)
    segment = np.cumsum(it.first) - 1
    total -= (total - step)[it.first][segment]
    # the running minimum starts anew in a segment, as each is lowered beneath the one before
    lower = segment * (len(step) + 1)
    floor = np.minimum.accumulate(np.minimum(total, 0) - lower) + lower
    depth = total - floor
    lone = ~it.start
    lone[1:] &= it.first[1:] | (depth[:-1] == 0)
    return depth, lone, segment


def _nested(it: _Segments) -> tuple[Ints, Ints]:
    depth, lone, _ = _levels(it)
    level = depth + ~it.start
    rows = np.flatnonzero(~lone)
    level = level[rows]
    if len(rows) and int(level.max()) > 1:
        rows = rows[stable_argsort(level)]
    starts = it.start[rows]
    at = np.flatnonzero(starts[:-1] & ~starts[1:])
    return rows[at], rows[at + 1]


def _oldest(it: _Segments) -> tuple[Ints, Ints]:
    """The first stop that finds any takes a segment's first start, and so on."""
    _, lone, segment = _levels(it)
    stops, starts = np.flatnonzero(~it.start & ~lone), np.flatnonzero(it.start)
    wanted = np.bincount(segment[stops], minlength=int(segment[-1]) + 1 if len(segment) else 0)
    new = changes([segment[starts]])
    rank = np.arange(len(starts)) - np.flatnonzero(new)[np.cumsum(new) - 1]
    return starts[rank < wanted[segment[starts]]], stops


def _held(
    it: _Segments, pairing: Pairing, span: int, reason: Codes8, undecided: Bools
) -> tuple[Ints, Ints]:
    """One start is held: of those without a stop between them the last one, or the first."""
    again = np.zeros(len(it.start), dtype=bool)  # a start right after a start
    again[1:] = it.start[1:] & it.start[:-1] & ~it.first[1:]
    stops = np.flatnonzero(~it.start)
    stops = stops[stops > 0]
    stops = stops[it.start[stops - 1] & ~it.first[stops]]
    later = np.flatnonzero(again)
    if pairing == "latest":
        gone = later - 1
        spent = it.time[later] - it.time[gone] > span
        reason[gone] = np.where(spent, np.int8(EXPIRED), np.int8(SUPERSEDED))
        return stops - 1, stops
    head = np.maximum.accumulate(np.where(again, 0, np.arange(len(again))))
    reason[later] = IGNORED
    # a start after the held one expired is held in its turn: that depends on all before
    undecided[it.entry[later[it.time[later] - it.time[head[later]] > span]]] = True
    return head[stops - 1], stops
