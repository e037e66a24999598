"""What a matcher needs of a pattern: where an event is taken, and what may come next.

The construction is Glushkov's (The abstract theory of automata, 1961): a state for each place at
which an event is taken. What may follow is listed in the order in which it is preferred, and with
what is forbidden on the way there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

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


@dataclass
class _Part:
    """A part of the pattern: where it begins, where it may end, what lets it be empty."""

    first: list[tuple[int, Names]] = field(default_factory=list)
    last: list[tuple[int, Names]] = field(default_factory=list)
    empty: list[Names] = field(default_factory=list)


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
    if whole.empty:
        raise _wrong("a pattern must not be empty", "at least one step has to take an event")
    if any(forbidden for _, forbidden in whole.first):
        raise _wrong("a pattern must not begin with what is forbidden", "begin with a step")
    accepts: list[dict[Names, None]] = [{} for _ in builder.step]
    for place, forbidden in whole.last:
        accepts[place][forbidden] = None
    if pattern.within is None and any(names for ways in accepts for names in ways):
        raise _wrong("what is forbidden at the end needs a time", "end the pattern: within 60s")
    return Program(
        tuple(builder.names),
        tuple(builder.step),
        tuple(builder.rank),
        tuple(dict.fromkeys(place for place, _ in whole.first)),
        tuple(tuple(entries) for entries in builder.follow),
        tuple((NONE,) if NONE in ways else tuple(ways) for ways in accepts),
    )


def _wrong(message: str, hint: str) -> ConditionError:
    return ConditionError(message, code="pattern-invalid", hint=hint)


class _Builder:
    def __init__(self) -> None:
        self.names: dict[str, int] = {}
        self.step: list[int] = []
        self.rank: list[int] = []
        self.follow: list[dict[Entry, None]] = []
        self.entries = 0
        self.written: dict[int, int] = {}

    def part(self, node: Node) -> _Part:
        match node:
            case Step(name):
                return self.place(node, name)
            case Forbidden(name):
                return _Part(empty=[frozenset([name])])
            case Sequence(parts):
                found = self.part(parts[0])
                for other in parts[1:]:
                    found = self.then(found, self.part(other))
                return found
            case Choice(parts):
                every = [self.part(part) for part in parts]
                return _Part(
                    [pair for part in every for pair in part.first],
                    [pair for part in every for pair in part.last],
                    _least([names for part in every for names in part.empty]),
                )
            case Repeat(of, low, high):
                return self.repeat(of, low, high)

    def place(self, node: Step, name: str) -> _Part:
        number = len(self.step)
        if number >= MAX_PLACES:
            raise _wrong(f"a pattern has at most {MAX_PLACES:,} steps", "{m,n} count n times")
        self.step.append(self.names.setdefault(name, len(self.names)))
        self.rank.append(self.written.setdefault(id(node), len(self.written)))
        self.follow.append({})
        return _Part([(number, NONE)], [(number, NONE)])

    def link(self, last: list[tuple[int, Names]], first: list[tuple[int, Names]]) -> None:
        for place, before in last:
            for target, after in first:
                self.follow[place].setdefault(Entry(target, before | after))
        self.entries += len(last) * len(first)
        if self.entries > MAX_ENTRIES:
            raise _wrong("the pattern is too large", "repeat less, or nest less")

    def then(self, one: _Part, two: _Part) -> _Part:
        self.link(one.last, two.first)
        return _Part(
            one.first + [(p, w | f) for w in one.empty for p, f in two.first],
            two.last + [(p, f | w) for w in two.empty for p, f in one.last],
            _least([a | b for a in one.empty for b in two.empty]),
        )

    def repeat(self, of: Node, low: int, high: int | None) -> _Part:
        if high is None:
            found = self.part(of)
            self.link(found.last, found.first)
            if low == 0:
                found = _optional(found)
            copies = low - 1
        else:
            found = None
            for _ in range(high - low):  # x{0,2} is (x (x)?)?: a way out after each
                part = self.part(of)
                found = _optional(part if found is None else self.then(part, found))
            copies = low
        for _ in range(copies):
            part = self.part(of)
            found = part if found is None else self.then(part, found)
        assert found is not None
        return found


def _optional(part: _Part) -> _Part:
    return _Part(part.first, part.last, [NONE])


def _least(ways: list[Names]) -> list[Names]:
    """Without what forbids the same as another way, and more."""
    distinct = list(dict.fromkeys(ways))
    return [names for names in distinct if not any(other < names for other in distinct)]
