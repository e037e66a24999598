"""The events that a pattern looks at: one symbol each, group by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from distill_core.batch import Bools, Ints
from distill_core.builtin._pair_keys import key_codes
from distill_core.builtin._pairing import case_ends
from distill_core.log import EventLog
from distill_core.prepare import borders, stable_argsort


@dataclass(frozen=True)
class Events:
    """Events in the order in which they are looked at: by case, key, position.

    ``rows``: their rows in the log; ``ends``: for each, where its group ends; ``time``: in µs.
    ``symbols``: for each a number, into ``kinds``: the names of steps that it fits. ``over``: when
    its case ends. ``lost``: rows that fit a step, but have a null in their key.
    """

    rows: Ints
    ends: Ints
    time: Ints
    symbols: Ints
    kinds: Sequence[frozenset[str]]
    over: Ints
    lost: Ints

    def __len__(self) -> int:
        return len(self.rows)

    def having(self, names: frozenset[str]) -> Bools:
        """Which events fit one of these steps."""
        table = np.fromiter((not names.isdisjoint(k) for k in self.kinds), bool, len(self.kinds))
        return table[self.symbols]

    @cached_property
    def starts_group(self) -> Ints:
        """Where groups begin, and the number of events."""
        return borders(self.ends)


def events_of(
    log: EventLog, masks: Mapping[str, Bools], key: tuple[str, ...], *, every: bool
) -> Events:
    """The events of a log that fit a step (``masks``), or with ``every`` all that take part."""
    symbols, kinds = _symbols(masks, len(log))
    fits = np.array([bool(kind) for kind in kinds])[symbols]
    rows = np.arange(len(log), dtype=np.int64) if every else np.flatnonzero(fits)
    group, lost = log.case_of[rows], rows[:0]
    if key:
        (codes,) = key_codes(log, [key], rows, nulls_equal=False)
        lost = rows[(codes < 0) & fits[rows]]
        rows, group, codes = (a[codes >= 0] for a in (rows, group, codes))
        group = np.unique(group * (int(codes.max(initial=0)) + 1) + codes, return_inverse=True)[1]
        order = stable_argsort(group)
        rows, group = rows[order], group[order]
    edges = borders(group)
    return Events(
        rows,
        np.repeat(edges[1:], np.diff(edges)),
        log.time[rows],
        symbols[rows],
        kinds,
        case_ends(log)[log.case_of[rows]],
        lost,
    )


def _symbols(masks: Mapping[str, Bools], rows: int) -> tuple[Ints, list[frozenset[str]]]:
    """A number for each distinct combination of masks that are true, and what it stands for."""
    codes, kinds = np.zeros(rows, dtype=np.int64), [frozenset[str]()]
    names = list(masks)
    for begin in range(0, len(names), 12):  # few at a time, so that a table holds what occurs
        chunk = names[begin : begin + 12]
        for name in chunk:
            codes = codes * 2 + masks[name]
        used = np.flatnonzero(np.bincount(codes, minlength=1))
        number = np.zeros(int(codes.max(initial=0)) + 1, dtype=np.int64)
        number[used] = np.arange(len(used))
        bits = len(chunk)
        kinds = [
            kinds[code >> bits]
            | {name for i, name in enumerate(chunk) if code >> (bits - 1 - i) & 1}
            for code in used.tolist()
        ]
        codes = number[codes]
    return codes, kinds or [frozenset()]
