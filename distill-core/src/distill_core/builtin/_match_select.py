"""Which of the matches that could be are: after each other, from every start, or the latest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from distill_core.batch import Bools, Ints
from distill_core.builtin._match_events import Events
from distill_core.builtin._match_search import Back, Link, Search
from distill_core.patterns import Program


@dataclass(frozen=True)
class Rules:
    """How matches are chosen; ``within`` in µs."""

    within: int | None
    every: bool
    latest: bool
    strict: bool


@dataclass(frozen=True)
class Found:
    """Matches, by the row of their start; all rows are the log's.

    ``offsets``: where each begins in ``members``; ``steps``: the step that took each member.
    ``passed``: rows of starts passed over; ``partial``: furthest rank → starts tried in vain.
    """

    offsets: Ints
    members: Ints
    steps: Ints
    passed: Ints
    partial: dict[int, int]


def search_all(program: Program, events: Events, rules: Rules, back: Back) -> Found:
    """The matches of any pattern, by a search from each start."""
    search = Search(program, events, rules.within, back, strict=rules.strict)
    starts = _starts(program, events)
    if rules.every:
        matches, passed, vain = _every(search, starts)
    elif rules.latest:
        matches, passed, vain = _latest(search, starts, events)
    else:
        matches, passed, vain = _leftmost(search, starts)
    return _found(program, events, matches, passed, Counter(far for far in vain if far >= 0))


def _starts(program: Program, events: Events) -> list[int]:
    names = frozenset(program.names[program.step[place]] for place in program.first)
    return np.flatnonzero(events.having(names)).tolist()


Chosen = tuple[list[Link], list[int], list[int]]
"""Matches, starts passed over, how far the starts tried in vain came."""


def _leftmost(search: Search, starts: Iterable[int]) -> Chosen:
    matches: list[Link] = []
    vain: list[int] = []
    end = -1
    for start in starts:
        if start > end:
            found = search.find(start)
            if isinstance(found, Link):
                matches.append(found)
                end = found.end
            else:
                vain.append(found)
    return matches, [], vain


def _every(search: Search, starts: Iterable[int]) -> Chosen:
    found = [search.find(start) for start in starts]
    return (
        [link for link in found if isinstance(link, Link)],
        [],
        [far for far in found if not isinstance(far, Link)],
    )


def _latest(search: Search, starts: list[int], events: Events) -> Chosen:
    """Earliest end first, of these the latest start, after the last one's end."""
    found = [(start, search.find(start)) for start in starts]
    links = [link for _, link in found if isinstance(link, Link)]
    matches: list[Link] = []
    end = -1
    for link in sorted(links, key=lambda link: (link.end, -link.at)):
        if link.at > end:
            matches.append(link)
            end = link.end
    open_ = _outside(matches, len(events))
    passed = [s for s, link in found if isinstance(link, Link) and open_[s]]
    vain = [far for s, far in found if not isinstance(far, Link) and open_[s]]
    return matches, passed, vain


def _outside(matches: list[Link], count: int) -> Bools:
    """Which positions no match spans."""
    change = np.zeros(count + 1, dtype=np.int64)
    for link in matches:
        change[link.at] += 1
        change[link.end + 1] -= 1
    return np.equal(np.cumsum(change)[:count], 0)


def _found(
    program: Program, events: Events, matches: list[Link], passed: list[int], vain: Counter[int]
) -> Found:
    members: list[int] = []
    places: list[int] = []
    offsets = [0]
    rows: list[int] = events.rows.tolist()
    for match in sorted(matches, key=lambda match: rows[match.at]):
        link: Link | None = match
        while link is not None:
            members.append(link.at)
            places.append(link.place)
            link = link.then
        offsets.append(len(members))
    step = np.array(program.step, dtype=np.int64)
    return Found(
        np.array(offsets, dtype=np.int64),
        events.rows[np.array(members, dtype=np.int64)],
        step[np.array(places, dtype=np.int64)],
        events.rows[np.array(passed, dtype=np.int64)],
        dict(vain),
    )
