"""Allen's thirteen relations between intervals, and the pairs that are in them.

A relation is told by how the begins compare and how the ends do, and where one interval lies
behind the other, by how the end of one compares with the begin of the other. So for every pair
one of them holds, for intervals without length too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Literal

import numpy as np

from distill_core.batch import Ints
from distill_core.builtin._sweep import Scale, Spans
from distill_core.errors import TransformError
from distill_core.grids import ranges

Relation = Literal[
    "before", "meets", "overlaps", "starts", "during", "finishes", "equals",
    "finished_by", "contains", "started_by", "overlapped_by", "met_by", "after",
]  # fmt: skip
RELATIONS: tuple[Relation, ...] = (
    "before", "meets", "overlaps", "starts", "during", "finishes", "equals",
    "finished_by", "contains", "started_by", "overlapped_by", "met_by", "after",
)  # fmt: skip
SHARING = tuple(r for r in RELATIONS if r not in ("before", "meets", "met_by", "after"))
"""Those of intervals that share time."""

LATER = ("during", "finishes", "overlapped_by", "met_by")
"""Those in which the left one begins in the right one, after its begin."""

LIMIT = 10_000_000
"""Pairs that are looked at, at most, if there are not as many intervals."""

_LATEST = 2**62
_OVERLAPS, _OVERLAPPED_BY = 2, 10
_TABLE = np.array([[_OVERLAPS, 7, 8], [3, 6, 9], [4, 5, _OVERLAPPED_BY]])
"""Number of the relation by begin (sooner, same, later) and end of the left one."""


def related(left: Spans, right: Spans) -> Ints:
    """The number (in ``RELATIONS``) of each left span's relation to the right one beside it."""
    found: Ints = _TABLE[np.sign(left.start - right.start) + 1, np.sign(left.end - right.end) + 1]
    sooner, later = found == _OVERLAPS, found == _OVERLAPPED_BY
    found[sooner] = 1 + np.sign(left.end - right.start)[sooner]
    found[later] = 11 - np.sign(right.end - left.start)[later]
    return found


def joined(
    left: Spans, right: Spans, relations: Collection[str], within: int | None
) -> tuple[Ints, Ints, Ints]:
    """The pairs (places in left, in right) in one of the relations, and the number of it.

    Both sides are sorted by case and start; pairs come in the order of the left, then the right
    side. ``within``: the most µs that may lie between. Work is linear, once begins and ends are
    sorted, in the pairs that share a moment and those before and after that are asked for; raises
    TransformError if these are too many.
    """
    looks = list(_looks(left, right, relations, within))
    count = sum(float(np.maximum(high - low, 0).sum()) for _, low, high in looks)
    if count > max(LIMIT, len(left) + len(right)):
        raise TransformError(
            f"there would be {count:.0f} pairs of intervals to look at",
            code="join-limit",
            hint="narrow left and right, or set within",
        )
    pairs = [np.zeros((2, 0), dtype=np.int64)]
    for turned, low, high in looks:
        found = ranges(low, high)
        pair = np.stack([np.repeat(np.arange(len(low)), found.lengths), found.values])
        pairs.append(pair[::-1] if turned else pair)
    one, two = np.concatenate(pairs, axis=1)
    number = related(left.take(one), right.take(two))
    wanted = np.isin(number, [RELATIONS.index(r) for r in RELATIONS if r in relations])
    one, two, number = one[wanted], two[wanted], number[wanted]
    turn = np.lexsort([two, one])
    return one[turn], two[turn], number[turn]


def _looks(
    left: Spans, right: Spans, relations: Collection[str], within: int | None
) -> Iterator[tuple[bool, Ints, Ints]]:
    """Where partners may be: for each of the left from which to which of the right.

    Or the other way round, if the first value is true.
    """
    scale = Scale(left, right)
    for turned, (one, two) in ((False, (left, right)), (True, (right, left))):
        begins, ends = scale.begins(two), scale.ends(one)
        beside = set(relations) & set(LATER) if turned else set(relations) - set(LATER)
        if beside - {"before", "after"}:
            low = np.searchsorted(begins, scale.begins(one), "right" if turned else "left")
            yield turned, low, np.searchsorted(begins, ends, "right")
        if ("after" if turned else "before") in relations:
            far = np.full(len(one), _LATEST) if within is None else one.end + within
            last = np.searchsorted(begins, scale.keys(one.case, far), "right")
            yield turned, np.searchsorted(begins, ends, "right"), last
