"""The search for one match from one event on, for patterns of every kind.

Ways are tried in the order of preference; what was found to lead nowhere is not tried again, by
this start or a later one, so the work is linear in events times places of the pattern. Where a
time limit cuts tries off, each start looks through its own time only if the pattern ends with what
is forbidden or has a step that looks back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from distill_core.batch import Ints
from distill_core.builtin._match_events import Events
from distill_core.builtin._match_links import Test
from distill_core.patterns import Entry, Program

Past = tuple[int, ...]
"""The rows of the last events of the steps that others look back to; −1: none."""


class Link(NamedTuple):
    """A match: the event ``at`` is taken at ``place``, and what comes after; it ends at ``end``."""

    place: int
    at: int
    then: Link | None
    end: int


@dataclass(frozen=True)
class Back:
    """Steps that look back: their tests, whose last events they look at, equal pasts' codes."""

    tests: Mapping[str, Test] = field(default_factory=dict)
    steps: tuple[str, ...] = ()
    codes: tuple[Ints, ...] = ()

    def fits(self, name: str, row: int, past: Past) -> bool:
        test = self.tests.get(name)
        known = {step: r for step, r in zip(self.steps, past, strict=True) if r >= 0}
        return test is None or test(row, known) is True


class _State:
    """After a place: what may come, of which nothing forbidden was met so far.

    ``takes``: symbol → places that may take the event, as preferred; ``hits``: symbol → whether
    something forbidden is in it; ``jump``: position → the next event where one of both is so.
    """

    def __init__(self, entries: tuple[Entry, ...], program: Program, events: Events) -> None:
        self.entries = entries
        forbidden = frozenset().union(*(entry.forbidden for entry in entries))
        names = [program.names[program.step[entry.target]] for entry in entries]
        self.takes = [
            tuple(dict.fromkeys(e.target for e, n in zip(entries, names, strict=True) if n in kind))
            for kind in events.kinds
        ]
        self.hits = [kind & forbidden for kind in events.kinds]
        self.jump = next_places(events, frozenset(names) | forbidden)
        self.after: dict[frozenset[str], _State] = {}


def next_places(events: Events, names: frozenset[str]) -> list[int]:
    """For each position the next one, from it on, where an event fits one of the names."""
    fits = events.having(names)
    places = np.append(np.flatnonzero(fits), len(events))
    before = np.cumsum(np.append(0, fits))
    found: list[int] = places[before].tolist()
    return found


@dataclass(slots=True)
class _Frame:
    """A way so far: the event ``at`` was taken at ``place``; ``options``: who may take ``next``."""

    key: tuple[int, ...]
    place: int
    at: int
    past: Past
    options: tuple[int, ...] = ()
    next: int = 0
    tried: int = 0
    far: int = -1


class Search:
    """Finds matches of a program; ``within`` in µs."""

    def __init__(
        self, program: Program, events: Events, within: int | None, back: Back, *, strict: bool
    ) -> None:
        self.program, self.events = program, events
        self.within, self.back, self.strict = within, back, strict
        self.symbols: list[int] = events.symbols.tolist()
        self.time: list[int] = events.time.tolist()
        self.ends: list[int] = events.ends.tolist()
        self.rows: list[int] = events.rows.tolist()
        self.name = [program.names[step] for step in program.step]
        self.states: dict[int, _State] = {}
        self.trailing: dict[frozenset[str], list[int]] = {}
        self.memo: dict[tuple[int, ...], Link | int] = {}
        self.reached: dict[tuple[int, ...], list[int]] = {}
        waits = any(names for ways in program.accepts for names in ways)
        self.over: list[int] = events.over.tolist() if waits else []
        self.foresight = not waits and not back.tests
        self.place_of = {name: i for i, name in enumerate(back.steps)}
        self.codes = [codes.tolist() for codes in back.codes]

    def find(self, start: int) -> Link | int:
        """The match that begins with the event ``start``, or the furthest rank that the try in vain
        came to (−1: the event is no first one).
        """
        end = self.ends[start]
        deadline = None if self.within is None else self.time[start] + self.within
        whole = deadline is None or self.time[end - 1] <= deadline
        if deadline is not None and not whole:
            end = self._limit(start, end, deadline)
        memo = self.memo if whole else {}
        late = deadline is not None and bool(self.over) and self.over[start] > deadline
        past = (-1,) * len(self.back.steps)
        kind = self.events.kinds[self.symbols[start]]
        fitting = (p for p in self.program.first if self.name[p] in kind)
        first = self._fitting(fitting, start, past)
        stack = [_Frame((), -1, -1, past, tuple(first), start)]
        foresee = not whole and self.foresight
        while stack:
            frame = stack[-1]
            if frame.tried < len(frame.options):
                place = frame.options[frame.tried]
                frame.tried += 1
                child = self._enter(place, frame)
                known = self._in_vain(child, end) if foresee else memo.get(child.key)
                if isinstance(known, Link):
                    return _unwind(stack, known, memo, known.end)
                if known is not None:
                    frame.far = max(frame.far, known)
                    continue
                self._look(child, end)
                stack.append(child)
            elif frame.place >= 0 and self._may_end(frame, end, late=late):
                return _unwind(stack, None, memo, frame.at)
            else:
                stack.pop()
                if stack:
                    memo[frame.key] = frame.far
                    stack[-1].far = max(stack[-1].far, frame.far)
        return frame.far

    def _in_vain(self, frame: _Frame, end: int) -> int | None:
        """The furthest rank reached before ``end``, if no match can be; None: one can."""
        if frame.key not in self.reached:
            self._reach(frame)
        soonest, *ranks = self.reached[frame.key]
        if soonest < end or self.program.accepts[frame.place]:
            return None
        return max([frame.far, *(r for r, at in enumerate(ranks) if at < end)])

    def _reach(self, root: _Frame) -> None:
        """Find out when at the soonest a match may end, and each rank or a further one be taken.

        This holds for any time limit, so every start within one has it from here.
        """
        stack = [_Frame(root.key, root.place, root.at, root.past)]
        self._look(stack[0], self.ends[root.at])
        while stack:
            frame = stack[-1]
            if frame.tried < len(frame.options):
                child = self._enter(frame.options[frame.tried], frame)
                frame.tried += 1
                if child.key not in self.reached:
                    self._look(child, self.ends[root.at])
                    stack.append(child)
                continue
            stack.pop()
            found = [len(self.time)] * (2 + max(self.program.rank))
            for place in frame.options:
                soonest, *ranks = self.reached[place, frame.next]
                taken = self.program.rank[place]
                ends = frame.next if self.program.accepts[place] else soonest
                passed = (frame.next if r <= taken else at for r, at in enumerate(ranks))
                found = [*map(min, found, (ends, *passed))]
            self.reached[frame.key] = found

    def _limit(self, start: int, end: int, deadline: int) -> int:
        """Where the events of the group are later than the deadline."""
        time = self.events.time[start:end]
        return start + int(np.searchsorted(time, deadline, side="right"))

    def _enter(self, place: int, before: _Frame) -> _Frame:
        at, past = before.next, before.past
        key: tuple[int, ...] = (place, at)
        if past:
            if (number := self.place_of.get(self.name[place])) is not None:
                past = (*past[:number], self.rows[at], *past[number + 1 :])
            pairs = zip(self.codes, past, strict=True)
            key += tuple(codes[row] if row >= 0 else -2 for codes, row in pairs)
        return _Frame(key, place, at, past, far=self.program.rank[place])

    def _look(self, frame: _Frame, end: int) -> None:
        """Find the next event that can be taken, and who may take it."""
        state, at = self._state(frame.place), frame.at
        while True:
            at = at + 1 if self.strict else state.jump[at + 1]
            if at >= end:
                return
            symbol = self.symbols[at]
            options = self._fitting(state.takes[symbol], at, frame.past)
            if options:
                frame.options, frame.next = tuple(options), at
                return
            if self.strict:
                return
            hits = frozenset(self._hits(state.hits[symbol], at, frame.past))
            if hits:
                state = self._without(state, hits)

    def _fitting(self, places: Iterable[int], at: int, past: Past) -> Iterable[int]:
        if not self.back.tests:
            return places
        return [p for p in places if self.back.fits(self.name[p], self.rows[at], past)]

    def _hits(self, names: frozenset[str], at: int, past: Past) -> Iterable[str]:
        if not self.back.tests:
            return names
        return [name for name in names if self.back.fits(name, self.rows[at], past)]

    def _state(self, place: int) -> _State:
        if place not in self.states:
            entries = self.program.follow[place]
            self.states[place] = _State(entries, self.program, self.events)
        return self.states[place]

    def _without(self, state: _State, hits: frozenset[str]) -> _State:
        if hits not in state.after:
            alive = tuple(e for e in state.entries if e.forbidden.isdisjoint(hits))
            state.after[hits] = _State(alive, self.program, self.events)
        return state.after[hits]

    def _may_end(self, frame: _Frame, end: int, *, late: bool) -> bool:
        """Whether a match may end with the frame's event: nothing forbidden comes in time."""
        return any(
            not names or self._none_comes(names, frame, end, late=late)
            for names in self.program.accepts[frame.place]
        )

    def _none_comes(
        self, names: frozenset[str], frame: _Frame, end: int, *, late: bool
    ) -> bool:
        at = frame.at + 1
        if self.strict:  # the next event ends the try
            if at >= end:
                return late
            return not [*self._hits(names & self._kind(at), at, frame.past)]
        if not late:
            return False
        if names not in self.trailing:
            self.trailing[names] = next_places(self.events, names)
        jump = self.trailing[names]
        while (at := jump[at]) < end:
            if [*self._hits(names & self._kind(at), at, frame.past)]:
                return False
            at += 1
        return True

    def _kind(self, at: int) -> frozenset[str]:
        return self.events.kinds[self.symbols[at]]


def _unwind(
    stack: list[_Frame], link: Link | None, memo: dict[tuple[int, ...], Link | int], end: int
) -> Link:
    for frame in reversed(stack[1:]):
        link = Link(frame.place, frame.at, link, end)
        memo[frame.key] = link
    assert link is not None
    return link
