"""A pattern on the symbols of a log as an automaton in which each event has one outcome.

Not every pattern is one: two ways may take the same event, an end may wait for what comes. For
those that are, and whose loops *reset*, matches are found without going event by event: in such a
loop an event leads to one and the same state wherever one is in the loop, or changes nothing. So
the last event that changed something tells the state, however long ago the loop was entered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from distill_core.batch import Bools, Ints
from distill_core.patterns import Entry, Program

MAX_STATES = 64
MAX_CELLS = 100_000
"""How large the table of states and symbols may become."""

DEAD = -1
"""No state: the try is over."""


@dataclass(frozen=True)
class Loop:
    """States that lead to each other, or one alone. ``resets``: symbols after which the state is
    known, ``after``: that state.
    """

    states: tuple[int, ...]
    resets: Bools
    after: Ints


@dataclass(frozen=True)
class Automaton:
    """``to``: (state, symbol) → state; ``place``: the place that takes the event, −1: none.

    ``first``: symbol → the place that takes it as a first event, −1: none; ``enter``: place →
    state after it. ``accepts``: whether a match may end in a state. ``loops``: in an order in which
    one leads only to itself and later ones.
    """

    to: Ints
    place: Ints
    first: Ints
    enter: Ints
    accepts: Bools
    loops: tuple[Loop, ...]


def automaton_of(
    program: Program, kinds: Sequence[frozenset[str]], *, strict: bool
) -> Automaton | None:
    """The automaton of a program on these symbols, or None where the pattern has none."""
    if any(names for ways in program.accepts for names in ways):
        return None
    found = _Builder(program, kinds, strict=strict).build()
    if found is None:
        return None
    to, place, first, enter, accepts = found
    loops = _loops(to)
    return None if loops is None else Automaton(to, place, first, enter, accepts, loops)


Tables = tuple[Ints, Ints, Ints, Ints, Bools]


@dataclass
class _Builder:
    """States are told apart by what may come and whether a match may end."""

    program: Program
    kinds: Sequence[frozenset[str]]
    strict: bool = field(kw_only=True)
    number: dict[tuple[tuple[Entry, ...], bool], int] = field(default_factory=dict)

    def build(self) -> Tables | None:
        first = [self.one(self.program.first, kind) for kind in self.kinds]
        if None in first:
            return None
        enter = [self.state(self.program.follow[p], accepts=bool(self.program.accepts[p]))
                 for p in range(len(self.program.step))]  # fmt: skip
        to: list[list[int]] = []
        place: list[list[int]] = []
        while len(to) < len(self.number):
            if len(self.number) > MAX_STATES or len(self.number) * len(self.kinds) > MAX_CELLS:
                return None
            entries, accepts = list(self.number)[len(to)]
            state = len(to)
            to.append([])
            place.append([])
            for kind in self.kinds:
                taken = self.one([e.target for e in entries if self.name(e.target) in kind], kind)
                if taken is None:
                    return None
                place[-1].append(taken)
                to[-1].append(self.next(state, entries, accepts, kind, taken, enter))
        accepting = np.array([accepts for _, accepts in self.number], dtype=bool)
        return _ints(to), _ints(place), _ints(first), _ints(enter), accepting

    def next(
        self,
        state: int,
        entries: tuple[Entry, ...],
        accepts: bool,
        kind: frozenset[str],
        taken: int,
        enter: list[int],
    ) -> int:
        if taken >= 0:
            return enter[taken]
        if self.strict:
            return DEAD
        alive = tuple(e for e in entries if e.forbidden.isdisjoint(kind))
        return state if alive == entries else self.state(alive, accepts=accepts)

    def state(self, entries: tuple[Entry, ...], *, accepts: bool) -> int:
        return self.number.setdefault((entries, accepts), len(self.number))

    def name(self, place: int) -> str:
        return self.program.names[self.program.step[place]]

    def one(self, places: Sequence[int], kind: frozenset[str]) -> int | None:
        """The one place that may take such an event; −1: none, None: several."""
        fit = {place for place in places if self.name(place) in kind}
        return None if len(fit) > 1 else next(iter(fit), -1)


def _ints(values: list[list[int]] | list[int] | list[int | None]) -> Ints:
    return np.array(values, dtype=np.int64)


def _loops(to: Ints) -> tuple[Loop, ...] | None:
    """The strongly connected parts in order, or None if one does not reset."""
    count = len(to)
    reach = np.eye(count, dtype=bool)
    for state in range(count):
        reach[state, to[state][to[state] >= 0]] = True
    for middle in range(count):
        reach |= np.outer(reach[:, middle], reach[middle])
    both = reach & reach.T
    found = {tuple(np.flatnonzero(row).tolist()) for row in both}
    loops = [_loop(states, to) for states in sorted(found, key=lambda s: -reach[s[0]].sum())]
    return None if None in loops else tuple(loop for loop in loops if loop is not None)


def _loop(states: tuple[int, ...], to: Ints) -> Loop | None:
    own = np.array(states)
    inner: NDArray[np.int64] = np.where(np.isin(to[own], own), to[own], DEAD)
    stays = (inner == own[:, None]) | (inner == DEAD)
    resets = ~stays.all(axis=0)
    after = inner.max(axis=0)
    same = ((inner == after) | (inner == DEAD)).all(axis=0)
    return Loop(states, resets, after) if same[resets].all() else None
