"""What directly follows what, counted on codes: the kernel of ``transitions``.

A log is counted in blocks of whole cases, which stay in the processor's cache; one function merges
the tallies of blocks and those of parts of a log. No loop runs over events.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distill_core.batch import Bools, Ints, Lists
from distill_core.prepare import stable_argsort

BLOCK = 1 << 17
"""Rows of a block, or one case if that is longer."""

NODE_SUMS = ("count", "cases", "start", "end", "duration")


@dataclass(frozen=True)
class Tally:
    """Nodes and edges of a part of a log, by label.

    ``labels``: distinct, sorted by code point, each occurs. ``nodes``: for each of ``NODE_SUMS``
    one integer a label. Edge i leads from ``labels[source[i]]`` to ``labels[target[i]]``; edges
    are sorted by these. ``waits``: each edge's times in µs, as many as its count, in no order.
    ``null_node``: rows without a label.
    """

    labels: tuple[str, ...]
    nodes: dict[str, NDArray[Any]]
    source: Ints
    target: Ints
    cases: Ints
    overlaps: Ints
    waits: Lists
    null_node: int = 0


def tally(
    codes: NDArray[np.int32], labels: Sequence[str], offsets: Ints, time: Ints, last: Ints
) -> Tally:
    """Count a log: codes into ``labels`` (−1: null), where cases begin, times and ends in µs.

    Labels are distinct and sorted by code point; those that do not occur are left out.
    """
    count = np.bincount(codes + 1, minlength=len(labels) + 1)
    used = np.flatnonzero(count[1:])
    if len(used) < len(labels):
        place = np.full(len(labels) + 1, -1, dtype=np.int32)
        place[used] = np.arange(len(used))
        codes = place[codes]
    names = tuple(labels[index] for index in used.tolist())
    parts = []
    for first, final in _blocks(offsets):
        rows = slice(int(offsets[first]), int(offsets[final]))
        case = np.repeat(np.arange(final - first), np.diff(offsets[first : final + 1]))
        kept = codes[rows] >= 0
        block = (codes[rows], case, time[rows], last[rows])
        parts.append(_count(names, *(block if kept.all() else (part[kept] for part in block))))
    found = merge(parts) if parts else _count(names, codes, codes, time, last)
    return replace(found, null_node=int(count[0]))


def _blocks(offsets: Ints) -> Iterator[tuple[int, int]]:
    """Ranges of cases that have about BLOCK rows."""
    first, cases = 0, len(offsets) - 1
    while first < cases:
        full = int(np.searchsorted(offsets, offsets[first] + BLOCK, side="right")) - 1
        final = max(first + 1, full)
        yield first, final
        first = final


def _count(
    labels: tuple[str, ...], codes: NDArray[np.int32], case: NDArray[Any], time: Ints, last: Ints
) -> Tally:
    """The tally of a block without null codes."""
    width = len(labels)
    border = np.ones(len(codes) + 1, dtype=np.bool_)
    border[1:-1] = case[1:] != case[:-1]
    nodes = {
        "count": np.bincount(codes, minlength=width),
        "cases": _cases(codes, case, width),
        "start": np.bincount(codes[border[:-1]], minlength=width),
        "end": np.bincount(codes[border[1:]], minlength=width),
        "duration": sum_by(codes, last - time, width),
    }
    at = np.flatnonzero(~border[1:-1])
    pair = codes[at].astype(np.int64) * width + codes[at + 1]
    order = stable_argsort(pair) if width < 1 << 15 else np.argsort(pair, kind="stable")
    pair, rows = pair[order], at[order]
    new = np.ones(len(pair), dtype=np.bool_)
    new[1:] = pair[1:] != pair[:-1]
    heads = np.flatnonzero(new)
    fresh = new
    fresh[1:] |= np.diff(case[rows]) != 0
    wait = (time[at + 1] - last[at])[order]
    return Tally(
        labels,
        nodes,
        pair[heads] // max(width, 1),
        pair[heads] % max(width, 1),
        _true_by(heads, fresh),
        _true_by(heads, wait < 0),
        Lists(np.append(heads, len(pair)), np.maximum(wait, 0)),
    )


def _cases(codes: NDArray[np.int32], case: NDArray[Any], width: int) -> Ints:
    """In how many cases each code is."""
    cases = int(case[-1]) + 1 if len(case) else 0
    if cases * width <= 8 * len(codes):
        seen = np.zeros(cases * width, dtype=np.bool_)
        seen[case * width + codes] = True
        found: Ints = seen.reshape(cases, width).sum(axis=0)
        return found
    order = stable_argsort(codes)
    code, case = codes[order], case[order]
    new = np.ones(len(code), dtype=np.bool_)
    new[1:] = (code[1:] != code[:-1]) | (case[1:] != case[:-1])
    return np.bincount(code[new], minlength=width)


def _true_by(heads: Ints, mask: Bools) -> Ints:
    """How often the mask is true in each stretch that begins at a head."""
    before = np.concatenate([[0], np.cumsum(mask)])
    found: Ints = np.diff(before[np.append(heads, len(mask))])
    return found


def merge(parts: Sequence[Tally]) -> Tally:
    """The tally of all parts, which share no case."""
    if len(parts) == 1:
        return parts[0]
    labels = parts[0].labels
    if any(part.labels != labels for part in parts):
        labels = tuple(sorted({label for part in parts for label in part.labels}))
    place = {label: index for index, label in enumerate(labels)}
    tables = [np.array([place[label] for label in part.labels], dtype=np.int64) for part in parts]
    node = np.concatenate(tables)
    width = max(len(labels), 1)
    pair = np.concatenate([
        table[part.source] * width + table[part.target]
        for table, part in zip(tables, parts, strict=True)
    ])
    order = np.argsort(pair, kind="stable")
    heads = np.flatnonzero(np.diff(pair[order], prepend=-1))
    first = pair[order][heads]
    return Tally(
        labels,
        {name: sum_by(node, np.concatenate([part.nodes[name] for part in parts]), len(labels))
         for name in NODE_SUMS},
        first // width,
        first % width,
        np.add.reduceat(np.concatenate([part.cases for part in parts])[order], heads),
        np.add.reduceat(np.concatenate([part.overlaps for part in parts])[order], heads),
        _grouped([part.waits for part in parts], order, heads),
        sum(part.null_node for part in parts),
    )  # fmt: skip


def _grouped(parts: Sequence[Lists], order: Ints, heads: Ints) -> Lists:
    """The lists of all parts in this order, those between heads as one."""
    lengths = np.concatenate([part.lengths for part in parts])
    values = np.concatenate([part.values for part in parts])
    found = Lists(np.concatenate([[0], np.cumsum(lengths)]), values).take(order)
    return Lists(found.offsets[np.append(heads, len(order))], found.values)


def sum_by(codes: NDArray[Any], values: NDArray[Any], width: int) -> NDArray[Any]:
    """The sum of the values of each code: exact, so of Python's integers where int64 is short."""
    rows = np.flatnonzero(values)
    values = exact(values[rows])
    found = np.zeros(width, dtype=values.dtype)
    np.add.at(found, codes[rows], values)
    return found


def exact(values: NDArray[Any]) -> NDArray[Any]:
    """The values in a type that holds their sum: clocks that are wrong by years add up."""
    if not len(values) or int(np.abs(values).max()) * len(values) < 1 << 63:
        return values
    return values.astype(object)
