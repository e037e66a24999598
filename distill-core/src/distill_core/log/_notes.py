"""What a step tells while it works, and the report that is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from distill_core.batch import Ints
from distill_core.reports import SAMPLES, StepReport, Told

if TYPE_CHECKING:
    from distill_core.log._log import EventLog

Entry = tuple[str, Ints]


@dataclass(frozen=True)
class Notes:
    """(reason, positions in the table of ids) of events dropped and dangling; figures."""

    dropped: tuple[Entry, ...] = ()
    dangling: tuple[Entry, ...] = ()
    counts: tuple[tuple[str, Any], ...] = ()
    made: int = 0
    used: int = 0

    def drop(self, reason: str, positions: Ints) -> Notes:
        return replace(self, dropped=(*self.dropped, (reason, positions)))

    def dangle(self, reason: str, positions: Ints) -> Notes:
        return replace(self, dangling=(*self.dangling, (reason, positions)))

    def count(self, figures: Mapping[str, Any]) -> Notes:
        plain = {k: int(v) if isinstance(v, np.integer) else v for k, v in figures.items()}
        return replace(self, counts=(*self.counts, *plain.items()))

    def derive(self, made: int, used: int) -> Notes:
        return replace(self, made=self.made + made, used=self.used + used)


def report(number: int, name: str, before: EventLog, after: EventLog) -> StepReport:
    """The report of a step: its notes, or else what left and came as ids tell it."""
    notes = after.notes
    if len(after) != len(before) - _total(notes.dropped) - notes.used + notes.made:
        notes = _compared(name, before, after, notes)
    counts = {key: value for key, value in notes.counts if isinstance(value, int)}
    return StepReport(
        step=number,
        transform=name,
        entered=len(before),
        out=len(after),
        made=notes.made,
        used=notes.used,
        dropped=_told(notes.dropped, before),
        dangling=_told(notes.dangling, before),
        counts=counts,
        extra={key: value for key, value in notes.counts if key not in counts},
    )


def _total(entries: tuple[Entry, ...]) -> int:
    return sum(len(positions) for _, positions in entries)


def _compared(name: str, before: EventLog, after: EventLog, notes: Notes) -> Notes:
    """Notes of a transform that built its log by itself: events are told by their ids."""
    one, two = before.ids.texts(before.positions), after.ids.texts(after.positions)
    left, came = ~np.isin(one, two), ~np.isin(two, one)
    return replace(notes, dropped=((name, before.positions[left]),), made=int(came.sum()), used=0)


def _told(entries: tuple[Entry, ...], log: EventLog) -> dict[str, Told]:
    found: dict[str, Told] = {}
    for reason in sorted({reason for reason, positions in entries if len(positions)}):
        positions = np.concatenate([rows for other, rows in entries if other == reason])
        if not (_rising(positions) and _rising(log.positions)):
            positions = _in_order(positions, log)
        first = positions[:SAMPLES]
        rows = _rows(first, log)
        cases = [str(log.cases[log.case_of[row]]) if row >= 0 else "" for row in rows]
        ids = log.ids.texts(first).tolist() if len(log.ids) else []
        found[reason] = Told(len(positions), tuple(ids), tuple(cases))
    return found


def _rising(positions: Ints) -> bool:
    return bool((positions[1:] > positions[:-1]).all())


def _in_order(positions: Ints, log: EventLog) -> Ints:
    rank = np.full(len(log.ids) + len(positions), len(log), dtype=np.int64)
    rank[log.positions] = np.arange(len(log))
    return positions[np.argsort(rank[np.minimum(positions, len(rank) - 1)], kind="stable")]


def _rows(positions: Ints, log: EventLog) -> list[int]:
    """The row of each position in the log, −1 if it is not there."""
    if not len(log):
        return [-1] * len(positions)
    known = log.positions
    if _rising(known):  # nothing was made or sorted since the log was read
        rows = np.minimum(np.searchsorted(known, positions), len(log) - 1)
    else:
        sorter = np.argsort(known, kind="stable")
        rows = sorter[np.minimum(np.searchsorted(known[sorter], positions), len(log) - 1)]
    return [int(r) if log.positions[r] == p else -1 for r, p in zip(rows, positions, strict=True)]
