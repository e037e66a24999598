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
    undecided = np.zeros(len(entries), dtype=bool)
    reason = np.where(it.start, np.int8(OPEN), np.int8(UNMATCHED))
    if it.reset is not None:
        reason[it.start & it.reset] = RESET
    if rules.max_span is not None and it.until is not None:
        reason[it.start & (it.until - it.time > rules.max_span)] = EXPIRED
    if rules.pairing == "nested":
        start, stop = _nested(it)
    elif rules.pairing == "fifo":
        start, stop = _oldest(it)
    elif rules.pairing == "latest":
        start, stop = _latest(it, rules.max_span, reason)
    else:
        start, stop = _first(it, rules.max_span, reason, undecided)
    if rules.max_span is not None:
        late = it.time[stop] - it.time[start] > rules.max_span
        if rules.pairing == "fifo":  # an expired start gives way to a younger one
            undecided[it.entry[start[late]]] = True
        start, stop = start[~late], stop[~late]
    reason[start] = NONE
    reason[stop] = NONE
    found = Pairs(np.full(len(entries), -1), np.zeros(len(entries), dtype=np.int8))
    found.reason[it.entry] = reason
    found.stop[it.entry.take(start)] = it.entry.take(stop)
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


def _levels(it: _Segments) -> tuple[Ints, Bools]:
    """Starts open after each entry, and the stops that find none."""
    # each segment is lowered beneath the one before, so a running minimum starts anew in it
    total = np.cumsum(2 * it.start - 1 - (len(it.start) + 2) * it.first)
    floor = np.minimum.accumulate(total - it.start)
    lone = ~it.start
    lone[1:] &= floor[1:] < floor[:-1]
    return total - floor, lone


def _nested(it: _Segments) -> tuple[Ints, Ints]:
    depth, lone = _levels(it)
    rows = np.flatnonzero(~lone)
    level = (depth + ~it.start).take(rows)
    if int(level.max(initial=0)) > 1:
        rows = rows.take(stable_argsort(level))
    starts = it.start.take(rows)
    at = np.flatnonzero(starts[:-1] & ~starts[1:])
    return rows.take(at), rows.take(at + 1)


def _oldest(it: _Segments) -> tuple[Ints, Ints]:
    """The first stop that finds any takes a segment's first start, and so on."""
    lone = _levels(it)[1]
    stops, starts = np.flatnonzero(~(it.start | lone)), np.flatnonzero(it.start)
    begins = np.append(np.flatnonzero(it.first), len(it.first))
    wanted = np.diff(np.searchsorted(stops, begins))
    bounds = np.searchsorted(starts, begins)
    rank = np.arange(len(starts)) - np.repeat(bounds[:-1], np.diff(bounds))
    return starts[rank < np.repeat(wanted, np.diff(bounds))], stops


def _next_to(it: _Segments) -> tuple[Ints, Ints]:
    """Starts right after a start, and stops right after one."""
    after = np.flatnonzero(it.start[:-1] & ~it.first[1:]) + 1
    starts = it.start.take(after)
    return after[starts], after[~starts]


def _latest(it: _Segments, span: int | None, reason: Codes8) -> tuple[Ints, Ints]:
    """The last of the starts without a stop between them is held."""
    again, stops = _next_to(it)
    reason[again - 1] = SUPERSEDED
    if span is not None:
        spent = it.time[again] - it.time[again - 1] > span
        reason[again[spent] - 1] = EXPIRED
    return stops - 1, stops


def _first(it: _Segments, span: int | None, reason: Codes8, undecided: Bools) -> tuple[Ints, Ints]:
    """The first of the starts without a stop between them is held."""
    again, stops = _next_to(it)
    reason[again] = IGNORED
    head = np.arange(len(it.start))
    head[again] = 0
    head = np.maximum.accumulate(head)
    if span is not None:
        # a start after the held one expired is held in its turn: that depends on all before
        undecided[it.entry[again[it.time[again] - it.time[head[again]] > span]]] = True
    return head[stops - 1], stops
