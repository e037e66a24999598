"""Matches of patterns that are automata, from all starts at a time.

Every start walks from loop to loop of the automaton; how far it stays in one is looked up. So the
work is linear in the events, and in the starts times the loops of the pattern.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from distill_core.batch import Bools, Ints
from distill_core.builtin._match_automaton import DEAD, Automaton, Loop
from distill_core.builtin._match_events import Events


class Places:
    """Positions, rising, of ``count``, and what is next to where."""

    def __init__(self, at: Ints, count: int) -> None:
        self.at, self.padded = at, np.append(at, count)

    def upto(self, position: Ints) -> Ints:
        """How many are not behind a position."""
        return np.searchsorted(self.at, position, side="right")

    def after(self, position: Ints) -> Ints:
        """The next one behind a position; the number of events if there is none."""
        return self.padded[self.upto(position)]

    def last(self, low: Ints, high: Ints) -> Ints:
        """The last one behind ``low`` and not behind ``high``, −1: none."""
        place = self.upto(high) - 1
        found = self.padded[place]  # place −1 finds the pad, which is behind low: so look
        return np.where((place >= 0) & (found > low), found, -1)


@dataclass(frozen=True)
class View:
    """What a loop's state makes of events: which leave, which are taken by ``place`` and stay,
    and at which of those a match may end.
    """

    leaving: Places
    taken: Places
    place: Ints
    ends: Places


Visit = Callable[[Ints, Ints, Ints, Ints, Ints], None]
"""Told of lanes, positions, the places that took them, and which of these (first, last + 1) each
lane took."""


@dataclass(frozen=True)
class Lots:
    """Of each lane: the last event taken or met, the state then, where it stops, its match's end.

    These arrays are written into.
    """

    at: Ints
    state: Ints
    stop: Ints
    end: Ints


class Walk:
    """The walk of many starts through an automaton."""

    def __init__(self, automaton: Automaton, events: Events) -> None:
        self.automaton, self.events = automaton, events
        self.symbols = events.symbols
        self.loops = [_Inside(automaton, loop, events.symbols) for loop in automaton.loops]

    @cached_property
    def starts(self) -> Ints:
        """Positions of events that a match may begin with."""
        return np.flatnonzero((self.automaton.first >= 0)[self.symbols])

    def run(self, starts: Ints, stop: Ints, visit: Visit | None = None) -> Ints:
        """Where the matches from these starts end, before ``stop`` each; −1: there is none.

        ``visit`` is told all events that are taken on the way, each lane's in order.
        """
        automaton = self.automaton
        place = automaton.first[self.symbols[starts]]
        state = automaton.enter[place]
        lots = Lots(starts.copy(), state, stop, np.where(automaton.accepts[state], starts, -1))
        if visit:
            each = np.arange(len(starts))
            visit(each, starts, place, each, each + 1)
        for inside in self.loops:
            for own in inside.states:
                lanes = np.flatnonzero(lots.state == own)
                if len(lanes):
                    inside.pass_on(own, lanes, lots, visit)
        return lots.end


def symbols_at(symbols: Ints, chosen: Ints) -> Ints:
    """Positions of the symbols chosen."""
    if len(chosen) == 0:
        return chosen
    if len(chosen) == 1:
        return np.flatnonzero(symbols == chosen[0])
    table = np.zeros(int(symbols.max(initial=0)) + 1, dtype=bool)
    table[chosen[chosen < len(table)]] = True
    return np.flatnonzero(table[symbols])


class _Inside:
    """A loop on the events of a log."""

    def __init__(self, automaton: Automaton, loop: Loop, symbols: Ints) -> None:
        self.automaton, self.loop, self.symbols = automaton, loop, symbols
        self.states = loop.states
        own = np.array(loop.states)
        self.inner = np.zeros_like(automaton.to, dtype=bool)
        self.inner[own] = np.isin(automaton.to[own], own)
        self.resets = Places(symbols_at(symbols, np.flatnonzero(loop.resets)), len(symbols))
        self.views: dict[int, View] = {}

    @cached_property
    def before(self) -> Ints:
        """The state before each event, if something was reset since the loop was entered."""
        change = self.resets.at
        known = np.append(self.loop.after[self.symbols[change]], self.states[0])
        count = np.zeros(len(self.symbols), dtype=np.int64)
        count[change] = 1
        found: Ints = known[np.cumsum(count) - count - 1]
        return found

    def view(self, state: int) -> View:
        """While the state is this one; −1: while it is what the last reset made it."""
        if state not in self.views:
            automaton = self.automaton
            taken = self.inner & (automaton.place >= 0)
            ends = taken & automaton.accepts[automaton.to]
            where = [self.where(table, state) for table in (~self.inner, taken, ends)]
            at = where[1].at
            place = automaton.place[self.before[at] if state < 0 else state, self.symbols[at]]
            self.views[state] = View(where[0], where[1], place, where[2])
        return self.views[state]

    def where(self, table: Bools, state: int) -> Places:
        """Where the table says yes to the symbol, in this state or that which resets made."""
        own = [state] if state >= 0 else [*self.states]
        chosen = np.flatnonzero(table[own].any(axis=0))
        found = symbols_at(self.symbols, chosen)
        if state < 0:
            found = found[table[self.before[found], self.symbols[found]]]
        return Places(found, len(self.symbols))

    def pass_on(self, own: int, lanes: Ints, lots: Lots, visit: Visit | None) -> None:
        """Move lanes in the state ``own`` to where they leave the loop, or to the end of all."""
        here, limit = lots.at[lanes], lots.stop[lanes]
        view = self.view(own)
        leave, reset = view.leaving.after(here), self.resets.after(here)
        bound = np.minimum(leave, limit)
        self._take(view, lanes, here, np.minimum(bound - 1, reset), lots.end, visit)
        late = np.flatnonzero(reset < bound)
        state = np.full(len(lanes), own)
        if len(late):
            view = self.view(-1)
            leave[late] = view.leaving.after(reset[late])
            bound = np.minimum(leave[late], limit[late])
            self._take(view, lanes[late], reset[late], bound - 1, lots.end, visit)
            late = late[leave[late] < limit[late]]
            state[late] = self.before[leave[late]]
        gone = leave < limit
        lots.state[lanes[~gone]] = DEAD
        self._leave(lanes[gone], leave[gone], state[gone], lots, visit)

    def _leave(self, lanes: Ints, at: Ints, state: Ints, lots: Lots, visit: Visit | None) -> None:
        symbol = self.symbols[at]
        place = self.automaton.place[state, symbol]
        lots.state[lanes] = self.automaton.to[state, symbol]
        lots.at[lanes] = at
        taken = place >= 0
        lanes, at, place = lanes[taken], at[taken], place[taken]
        accepted = self.automaton.accepts[lots.state[lanes]]
        lots.end[lanes[accepted]] = at[accepted]
        if visit:
            each = np.arange(len(lanes))
            visit(lanes, at, place, each, each + 1)

    @staticmethod
    def _take(
        view: View, lanes: Ints, low: Ints, high: Ints, end: Ints, visit: Visit | None
    ) -> None:
        """Lanes take what lies behind ``low`` and not behind ``high``."""
        if len(view.ends.at):
            end[lanes] = np.maximum(end[lanes], view.ends.last(low, high))
        if visit and len(view.taken.at):
            first = view.taken.upto(low)
            visit(lanes, view.taken.at, view.place, first, np.maximum(view.taken.upto(high), first))
