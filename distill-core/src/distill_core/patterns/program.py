"""What a matcher needs of a pattern: where an event is taken, and what may come next.

The construction is Glushkov's (The abstract theory of automata, 1961): a state for each place at
which an event is taken. What may follow is listed in the order in which it is preferred, and with
what is forbidden on the way there.
"""

from __future__ import annotations

from dataclasses import dataclass

from distill_core.errors import ConditionError
from distill_core.patterns.tree import Choice, Forbidden, Node, Pattern, Repeat, Sequence, Step

MAX_PLACES = 2000
MAX_ENTRIES = 20_000
"""How large a pattern may become when its ``{m,n}`` are written out."""

Names = frozenset[str]
NONE: Names = frozenset()


@dataclass(frozen=True)
class Entry:
    """The place ``target`` may take the next event, unless one of ``forbidden`` came before."""

    target: int
    forbidden: Names = NONE


@dataclass(frozen=True)
class Program:
    """A compiled pattern. Places are numbered from 0.

    ``names``: the steps that take events, as first written. ``step``: the step of each place;
    ``rank``: how far it is in the text. ``first``: where a match begins, ``follow``: what may come
    after each place, both in order of preference. ``accepts``: for each place, whether a match may
    end there: the sets of names of which none may come until the time is over (an empty set: no
    condition; no set: it may not end).
    """

    names: tuple[str, ...]
    step: tuple[int, ...]
    rank: tuple[int, ...]
    first: tuple[int, ...]
    follow: tuple[tuple[Entry, ...], ...]
    accepts: tuple[tuple[Names, ...], ...]

    @property
    def forbidden(self) -> tuple[str, ...]:
        """The names that are forbidden somewhere, sorted."""
        found = [entry.forbidden for entries in self.follow for entry in entries]
        return tuple(sorted(frozenset().union(*found, *(s for a in self.accepts for s in a))))


Item = tuple[int, Names]
"""A place that may come next, or EXIT: nothing of this part; what is forbidden on the way there."""

EXIT = -1


@dataclass
class _Part:
    """A part of the pattern: what it begins with, in order; the places after which it may end."""

    openings: list[Item]
    last: list[int]


def compiled(pattern: Pattern) -> Program:
    """The program of a pattern.

    Raises ConditionError, code ``pattern-invalid``, if it may be empty, begins with what is
    forbidden, ends so without ``within``, or is too large.

    >>> from distill_core.patterns.text import parse
    >>> compiled(parse("A B+")).follow
    ((Entry(target=1, forbidden=frozenset()),), (Entry(target=1, forbidden=frozenset()),))
    """
    builder = _Builder()
    whole = builder.part(pattern.root)
    if any(place == EXIT for place, _ in whole.openings):
        raise _wrong("a pattern must not be empty", "at least one step has to take an event")
    if any(forbidden for _, forbidden in whole.openings):
        raise _wrong("a pattern must not begin with what is forbidden", "begin with a step")
    accepts = [[names for place, names in items if place == EXIT] for items in builder.follow]
    if pattern.within is None and any(names for ways in accepts for names in ways):
        raise _wrong("what is forbidden at the end needs a time", "end the pattern: within 60s")
    return Program(
        tuple(builder.names),
        tuple(builder.step),
        tuple(builder.rank),
        tuple(place for place, _ in whole.openings),
        tuple(tuple(Entry(*item) for item in _taking(items)) for items in builder.follow),
        tuple((NONE,) if NONE in ways else tuple(ways) for ways in accepts),
    )


def _wrong(message: str, hint: str) -> ConditionError:
    return ConditionError(message, code="pattern-invalid", hint=hint)


class _Builder:
    def __init__(self) -> None:
        self.names: dict[str, int] = {}
        self.step: list[int] = []
        self.rank: list[int] = []
        self.follow: list[list[Item]] = []
        self.entries = 0
        self.written: dict[int, int] = {}

    def part(self, node: Node) -> _Part:
        match node:
            case Step(name):
                return self.place(node, name)
            case Forbidden(name):
                return _Part([(EXIT, frozenset([name]))], [])
            case Sequence(parts):
                found = self.part(parts[0])
                for other in parts[1:]:
                    found = self.then(found, self.part(other))
                return found
            case Choice(parts):
                every = [self.part(part) for part in parts]
                openings = dict.fromkeys(item for part in every for item in part.openings)
                return _Part([*openings], [place for part in every for place in part.last])
            case Repeat(of, low, high):
                found = self.loop(of, low) if high is None else self.copies(of, low, high)
                for _ in range(low - 1 if high is None else low):
                    found = self.then(self.part(of), found)
                return found

    def place(self, node: Step, name: str) -> _Part:
        number = len(self.step)
        if number >= MAX_PLACES:
            raise _wrong(f"a pattern has at most {MAX_PLACES:,} steps", "{m,n} count n times")
        self.step.append(self.names.setdefault(name, len(self.names)))
        self.rank.append(self.written.setdefault(id(node), len(self.written)))
        self.follow.append([(EXIT, NONE)])
        return _Part([(number, NONE)], [number])

    def replaced(self, items: list[Item], by: list[Item]) -> list[Item]:
        """``items`` with ``by`` in place of each exit."""
        found: dict[Item, None] = {}
        for place, names in items:
            if place == EXIT:
                found |= dict.fromkeys((other, names | more) for other, more in by)
            else:
                found[place, names] = None
        self.entries += len(found)
        if self.entries > MAX_ENTRIES:
            raise _wrong("the pattern is too large", "repeat less, or nest less")
        return [*found]

    def then(self, one: _Part, two: _Part) -> _Part:
        for place in one.last:
            self.follow[place] = self.replaced(self.follow[place], two.openings)
        open_ = [p for p in one.last if any(place == EXIT for place, _ in self.follow[p])]
        return _Part(self.replaced(one.openings, two.openings), open_ + two.last)

    def loop(self, of: Node, low: int) -> _Part:
        """``of`` any number of times, if ``low`` at least once."""
        body = self.part(of)
        again = [*_taking(body.openings), (EXIT, NONE)]
        for place in body.last:
            self.follow[place] = self.replaced(self.follow[place], again)
        return _Part(self.replaced(body.openings, again) if low else again, body.last)

    def copies(self, of: Node, low: int, high: int) -> _Part:
        """What may come after ``low`` times: x{0,2} is (x (x)?)?, each x taking an event."""
        found = _Part([(EXIT, NONE)], [])
        for _ in range(high - low):
            body = self.part(of)
            body = self.then(_Part(_taking(body.openings), body.last), found)
            found = _Part([*_taking(body.openings), (EXIT, NONE)], body.last)
        return found


def _taking(items: list[Item]) -> list[Item]:
    return [item for item in items if item[0] != EXIT]
