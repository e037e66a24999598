"""The events that a pattern looks at: one symbol each, group by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from distill_core.batch import Bools, Codes, Ints
from distill_core.builtin._pair_keys import key_codes
from distill_core.builtin._pairing import case_ends
from distill_core.log import EventLog
from distill_core.prepare import borders, stable_argsort


@dataclass(frozen=True)
class Events:
    """Events in the order in which they are looked at: by case, key, position.

    ``rows``: their rows in the log; ``ends``: for each, where its group ends; ``time``: in µs.
    ``symbols``: for each a number, into ``kinds``: the names of steps that it fits. ``lost``: rows
    that fit a step, but have a null in their key. ``fits``: step → how many events of the log fit
    it, looked at alone.
    """

    log: EventLog
    rows: Ints
    ends: Ints
    time: Ints
    symbols: Ints
    kinds: Sequence[frozenset[str]]
    lost: Ints
    fits: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.rows)

    def having(self, names: frozenset[str]) -> Bools:
        """Which events fit one of these steps."""
        table = np.fromiter((not names.isdisjoint(k) for k in self.kinds), bool, len(self.kinds))
        return table[self.symbols]

    @cached_property
    def over(self) -> Ints:
        """When each event's case ends."""
        return case_ends(self.log)[self.log.case_of[self.rows]]


def events_of(
    log: EventLog,
    names: Sequence[str],
    masks: Mapping[str, Bools],
    key: tuple[str, ...],
    *,
    every: bool,
) -> Events:
    """The events of a log that fit a step, or with ``every`` all that take part.

    ``names``: steps that are the activity of that name; ``masks``: where the others fit.
    """
    symbols, kinds = _symbols(log, names, masks)
    fits = np.array([bool(kind) for kind in kinds])[symbols]
    rows = np.arange(len(log), dtype=np.int64) if every else np.flatnonzero(fits)
    group, lost = log.case_of.take(rows), rows[:0]
    if key:
        (codes,) = key_codes(log, [key], rows, nulls_equal=False)
        known = np.flatnonzero(codes >= 0)
        lost = rows[(codes < 0) & fits[rows]]
        group = group[known] * (int(codes.max(initial=0)) + 1) + codes[known]
        group = np.unique(group, return_inverse=True)[1]
        order = stable_argsort(group)
        group, known = group[order], known[order]
        rows = rows[known]
    edges = borders(group)
    ends = np.repeat(edges[1:], np.diff(edges))
    taken = symbols.take(rows).astype(np.int64)
    counts = np.bincount(symbols, minlength=len(kinds)).tolist()
    known_as = {name: sum(n for kind, n in zip(kinds, counts, strict=True) if name in kind)
                for name in (*names, *masks)}  # fmt: skip
    return Events(log, rows, ends, log.time.take(rows), taken, kinds, lost, known_as)


def _symbols(
    log: EventLog, names: Sequence[str], masks: Mapping[str, Bools]
) -> tuple[NDArray[np.int32], list[frozenset[str]]]:
    """A number for each distinct combination of steps that fit, and what it stands for."""
    activity = log.data["activity"]
    assert isinstance(activity, Codes)
    place = {name: number for number, name in enumerate(names, 1)}
    table = [place.get(value, 0) for value in activity.values]
    codes = np.array([*table, 0], dtype=np.int32).take(activity.codes)
    kinds = [frozenset[str](), *(frozenset([name]) for name in names)]
    rest = list(masks)
    for begin in range(0, len(rest), 12):  # few at a time, so that a table holds what occurs
        chunk = rest[begin : begin + 12]
        for name in chunk:
            codes = codes * np.int32(2) + masks[name]
        used = np.flatnonzero(np.bincount(codes, minlength=1))
        number = np.zeros(int(codes.max(initial=0)) + 1, dtype=np.int32)
        number[used] = np.arange(len(used))
        bits = len(chunk)
        kinds = [
            kinds[code >> bits]
            | {name for i, name in enumerate(chunk) if code >> (bits - 1 - i) & 1}
            for code in used.tolist()
        ] or [frozenset()]
        codes = number.take(codes)
    return codes, kinds
