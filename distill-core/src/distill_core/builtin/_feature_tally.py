"""What happens in each case, counted on codes: the kernel of ``features``.

A log is counted in blocks of whole cases, which stay in the processor's cache; one function joins
blocks and parts of a log. No loop runs over events or cases.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distill_core.batch import Ints
from distill_core.log import EventLog
from distill_core.params import instant_text
from distill_core.prepare import stable_argsort

BLOCK = 1 << 17
"""Rows of a block, or one case if that is longer."""

DENSE = 8
"""Cells of case and item that are counted without a sort, times the rows of the block."""


@dataclass(frozen=True)
class Items:
    """What occurs in which case: entries sorted by case, then item.

    ``names``: the items, distinct, sorted by code point. ``values``: what is known of each entry.
    """

    names: Sequence[str]
    case: NDArray[Any]
    item: NDArray[Any]
    values: dict[str, Ints]


@dataclass(frozen=True)
class Tally:
    """The cases of a part of a log, by label. Times in µs; ``null``: rows whose value is null.

    ``found``: per value ``count``, ``time`` (sum of durations), ``first`` (from the case's start to
    its first), ``since`` (from its last to the case's end). ``grams``: per n-gram its ``count``.
    """

    cases: NDArray[Any]
    events: Ints
    duration: Ints
    found: Items
    grams: Items
    null: int


def tally(log: EventLog, column: str, *, n: int, wanted: Collection[str]) -> Tally:
    """The tally of a log: n-grams of ``n`` values (0: none), of values what is ``wanted``."""
    labelled = codes, names = _labelled(log, column)
    start, stop = log.time[log.offsets[:-1]], _ends(log)
    found = _items(log, labelled, ("count", *wanted))
    case = found.case
    if "first" in wanted:
        found.values["first"] -= start[case]
    if "since" in wanted:
        np.subtract(stop[case], found.values["since"], out=found.values["since"])
    return Tally(
        log.cases,
        np.diff(log.offsets),
        stop - start,
        found,
        _items(log, _grams(log, codes, names, n), ("count",)),
        len(log) - int(found.values["count"].sum()),
    )


def _ends(log: EventLog) -> Ints:
    """The greatest end in each case."""
    if log.last is log.time or not len(log):
        return log.time[log.offsets[1:] - 1]
    return np.maximum.reduceat(log.last, log.offsets[:-1])


Labelled = tuple[NDArray[Any], Sequence[str]]
"""A number for each row (−1: none), and what the numbers stand for."""


def _labelled(log: EventLog, column: str) -> Labelled:
    """A column as codes into texts, which are distinct, sorted by code point, and occur."""
    codes = log.codes(column)
    kind = log.column(column).type
    size = int(codes.max(initial=-1)) + 1
    occurs = np.zeros(size + 1, dtype=np.int64)  # the first is of null
    step = max(BLOCK, size)
    for at in range(0, len(codes), step):
        occurs += np.bincount(codes[at : at + step] + 1, minlength=size + 1)
    used = np.flatnonzero(occurs[1:])
    values = log.labels(column)[used].tolist()
    if kind == "time":
        values = [instant_text(value) for value in values]
    elif kind not in ("string", "json", "ids"):
        values = [json.dumps(value) for value in values]
    order = sorted(range(len(used)), key=values.__getitem__)
    table = np.full(size + 1, -1, dtype=np.int32)  # the last is for null
    table[used[order]] = np.arange(len(used))
    if len(used) < size or order != [*range(len(used))]:
        codes = table[codes]
    return codes, [values[place] for place in order]


def _blocks(offsets: Ints) -> Iterator[tuple[int, int]]:
    """First and last case of each block, the last not included; at least one block."""
    first, cases = 0, len(offsets) - 1
    while True:
        last = int(np.searchsorted(offsets, offsets[first] + BLOCK, "right")) - 1
        last = min(max(last, first + 1), cases)
        yield first, last
        if last >= cases:
            return
        first = last


def _items(log: EventLog, labelled: Labelled, wanted: Collection[str]) -> Items:
    """What occurs in which case; ``first`` and ``since`` are times of the first and the last."""
    codes, names = labelled
    spans = [*_blocks(log.offsets)] if names else [(0, 0)]
    parts = [_block(log, codes, len(names), span, wanted) for span in spans]
    case, item = (np.concatenate(column) for column in zip(*(p[:2] for p in parts), strict=True))
    values = {key: np.concatenate([part[2][key] for part in parts]) for key in wanted}
    return Items(names, case, item, values)


def _block(
    log: EventLog, codes: NDArray[Any], size: int, span: tuple[int, int], wanted: Collection[str]
) -> tuple[Ints, Ints, dict[str, Ints]]:
    """Case, item and values of the entries of a block, from its first case to the last."""
    first, last = span
    offsets = log.offsets[first : last + 1]
    rows = slice(int(offsets[0]), int(offsets[-1]))
    code = codes[rows]
    case = np.repeat(np.arange(last - first), np.diff(offsets))
    time, end = log.time[rows], log.last[rows]
    if code.min(initial=0) < 0:
        known = np.flatnonzero(code >= 0)
        code, case, time, end = code[known], case[known], time[known], end[known]
    cell, cells = _cells(case, code, last - first, size)
    count = np.bincount(cell, minlength=len(cells))
    some = np.flatnonzero(count)
    values = {"count": count}
    for name in wanted:
        if name != "count":
            values[name] = np.zeros(len(cells), dtype=np.int64)
    # of several values for one cell the last one stays
    if "first" in wanted:
        values["first"][cell[::-1]] = time[::-1]
    if "since" in wanted:
        values["since"][cell] = time
    if "time" in wanted and log.last is not log.time:
        np.add.at(values["time"], cell, end - time)
    case, item = np.divmod(cells[some], size)
    return case + first, item, {name: column[some] for name, column in values.items()}


def _cells(case: Ints, code: NDArray[Any], cases: int, size: int) -> tuple[Ints, Ints]:
    """For each row the number of its cell, and the cells: case × size + item, rising.

    Cells that are few have all a number; else only those that occur.
    """
    if cases * size <= DENSE * len(code):
        return case * size + code, np.arange(cases * size)
    order = stable_argsort(code)
    order = order[stable_argsort(case[order])]
    cell = (case * size + code)[order]
    new = np.ones(len(cell), dtype=bool)
    new[1:] = cell[1:] != cell[:-1]
    number = np.empty(len(cell), dtype=np.int64)
    number[order] = np.cumsum(new) - 1
    return number, cell[new]


def _grams(log: EventLog, codes: NDArray[Any], names: Sequence[str], n: int) -> Labelled:
    """The n-gram that begins at each row: it and the next rows of its case with a value."""
    if not n:
        return codes[:0], []
    found = np.full(len(log), -1, dtype=np.int32)
    rows = np.flatnonzero(codes >= 0)
    code, case = codes[rows].astype(np.int64), log.case_of[rows]
    begins = np.arange(max(len(rows) - n + 1, 0))
    begins = begins[case[begins] == case[begins + n - 1]]
    gram = np.zeros(len(begins), dtype=np.int64)
    for place in range(n):
        gram = _numbered(gram * len(names) + code[begins + place])
    first = np.zeros(int(gram.max(initial=-1)) + 1, dtype=np.int64)
    first[gram[::-1]] = begins[::-1]
    parts = [name.replace("\\", "\\\\").replace(">", "\\>") for name in names]
    columns = [[parts[c] for c in code[first + place].tolist()] for place in range(n)]
    texts = [">".join(row) for row in zip(*columns, strict=True)]
    turn = sorted(range(len(texts)), key=texts.__getitem__)
    rank = np.empty(len(texts), dtype=np.int32)
    rank[turn] = np.arange(len(texts))
    found[rows[begins]] = rank[gram]
    return found, [texts[place] for place in turn]


def _numbered(keys: Ints) -> Ints:
    """Numbers from 0 that are equal where the keys are, without gaps."""
    if keys.max(initial=0) > len(keys):
        from pandas import factorize

        found: Ints = factorize(keys)[0].astype(np.int64)
        return found
    used = np.bincount(keys) > 0
    return (np.cumsum(used) - 1)[keys]


def join(tallies: Sequence[Tally]) -> Tally:
    """One tally of all cases, sorted by label; no case is in two of them."""
    if len(tallies) == 1:
        return tallies[0]
    labels = np.concatenate([each.cases for each in tallies])
    turn = np.arange(len(labels))
    if (labels[1:] <= labels[:-1]).any():
        turn = np.argsort(labels, kind="stable")
    rank = np.empty(len(labels), dtype=np.int64)
    rank[turn] = np.arange(len(labels))
    begin = np.cumsum([0, *(len(each.cases) for each in tallies)])
    places = [rank[a:b] for a, b in zip(begin, begin[1:], strict=False)]
    return Tally(
        labels[turn],
        np.concatenate([each.events for each in tallies])[turn],
        np.concatenate([each.duration for each in tallies])[turn],
        _join([each.found for each in tallies], places),
        _join([each.grams for each in tallies], places),
        sum(each.null for each in tallies),
    )


def _join(parts: Sequence[Items], places: Sequence[Ints]) -> Items:
    """The items of all parts, the case numbers replaced by their places."""
    lists = {id(part.names): part.names for part in parts}  # blocks of one part share theirs
    names: Sequence[str] = next(iter(lists.values()))
    tables = {id(names): np.arange(len(names))}
    if len(lists) > 1:
        names = sorted(set().union(*lists.values()))
        number = {name: index for index, name in enumerate(names)}
        tables = {key: np.array([number[name] for name in known], dtype=np.int64)
                  for key, known in lists.items()}  # fmt: skip
    case = np.concatenate([at[part.case] for part, at in zip(parts, places, strict=True)])
    item = np.concatenate([tables[id(part.names)][part.item] for part in parts])
    values = {key: np.concatenate([part.values[key] for part in parts]) for key in parts[0].values}
    if (case[1:] < case[:-1]).any():  # the items of a case stay together, and sorted
        order = np.argsort(case, kind="stable")
        case, item = case[order], item[order]
        values = {key: value[order] for key, value in values.items()}
    return Items(names, case, item, values)
