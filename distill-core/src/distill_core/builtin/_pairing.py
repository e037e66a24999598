"""What steps that pair starts with stops share: their parameters and how they find the pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal, Protocol

import numpy as np
from pydantic import BeforeValidator, Field

from distill_core.batch import Bools, Ints
from distill_core.builtin._pair import pair
from distill_core.builtin._pair_entries import MISSING, REASONS, Codes8, Entries, Pairing, Rules
from distill_core.builtin._pair_keys import key_codes
from distill_core.builtin._runs import micros
from distill_core.columns import Column
from distill_core.conditions import Condition, mask
from distill_core.errors import TransformError
from distill_core.log import EventLog
from distill_core.params import ColumnName, Duration


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


ColumnNames = Annotated[tuple[ColumnName, ...], BeforeValidator(_listed)]

Start = Annotated[Condition, Field(description="an event that opens")]
Stop = Annotated[Condition, Field(description="an event that closes")]
Key = Annotated[ColumnNames, Field(description="columns in which a start and its stop are equal")]
StartKey = Annotated[
    ColumnNames | None,
    Field(description="columns of the start that equal those of stop_key; instead of key"),
]
StopKey = Annotated[
    ColumnNames | None,
    Field(description="columns of the stop that equal those of start_key; instead of key"),
]
PairingRule = Annotated[
    Pairing,
    Field(
        description="which open start a stop takes: the newest (nested), the oldest (fifo); or "
        "only one is held: a new start supersedes it (latest) or is ignored (first)"
    ),
]
MaxSpan = Annotated[
    Duration | None,
    Field(description="longest time from start to stop, inclusive; then the start expires"),
]
Until = Annotated[
    Condition | None, Field(description="an event that resets all open starts of its case")
]
UntilKey = Annotated[
    ColumnNames | None,
    Field(description="columns of the until event: it resets only starts of that key"),
]
Toggle = Annotated[
    Literal["alternate", "chain"],
    Field(
        description="an event that is both: a stop if its key has an open start, else a start "
        "(alternate), or a stop if it can be, then a start (chain)"
    ),
]
Ties = Annotated[
    Literal["listed", "start_first"],
    Field(description="at equal time: in the log's order, or what is only a start first"),
]
NullKey = Annotated[
    Literal["separate", "drop", "group"],
    Field(
        description="an event with a null in its key dangles (separate), also leaves the log "
        "(drop), or nulls are equal (group)"
    ),
]


class PairingStep(Protocol):
    """The parameters of a step that pairs; ``check_keys`` belongs into its validator."""

    @property
    def start(self) -> Condition: ...
    @property
    def stop(self) -> Condition: ...
    @property
    def key(self) -> tuple[str, ...]: ...
    @property
    def start_key(self) -> tuple[str, ...] | None: ...
    @property
    def stop_key(self) -> tuple[str, ...] | None: ...
    @property
    def pairing(self) -> Pairing: ...
    @property
    def max_span(self) -> timedelta | None: ...
    @property
    def until(self) -> Condition | None: ...
    @property
    def until_key(self) -> tuple[str, ...] | None: ...
    @property
    def toggle(self) -> Literal["alternate", "chain"]: ...
    @property
    def ties(self) -> Literal["listed", "start_first"]: ...
    @property
    def null_key(self) -> Literal["separate", "drop", "group"]: ...


def key_sets(step: PairingStep) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...] | None]:
    """The columns of a start's, a stop's and an until's key."""
    return step.start_key or step.key, step.stop_key or step.key, step.until_key


def check_keys(step: PairingStep) -> None:
    """Raise ValueError where parameters contradict each other."""
    if (step.start_key is None) != (step.stop_key is None):
        raise ValueError("start_key and stop_key are given both or neither")
    if step.start_key is not None and step.key:
        raise ValueError("give key, or start_key and stop_key, not all of them")
    if step.until_key is not None and step.until is None:
        raise ValueError("until_key needs until")
    start, stop, until = key_sets(step)
    if step.start_key is not None and not start:
        raise ValueError("start_key names at least one column")
    for name, columns in (("stop_key", stop), ("until_key", until)):
        if columns is not None and len(columns) != len(start):
            raise ValueError(f"{name} has {len(columns)} columns, the start's key {len(start)}")


def check_types(step: PairingStep, columns: Mapping[str, Column]) -> None:
    """Raise TransformError where columns that should be equal never can be."""
    start, stop, until = key_sets(step)
    for name, other in (("stop_key", stop), ("until_key", until or start)):
        for one, two in zip(start, other, strict=True):
            kinds = {_kind(columns[one]), _kind(columns[two])}
            if len(kinds) > 1:
                raise TransformError(
                    f"column {one!r} is {columns[one].type}, {two!r} is {columns[two].type}: "
                    "no value of one equals one of the other",
                    code="column-type",
                    path=name,
                )


def _kind(column: Column) -> str:
    return "string" if column.type == "ids" else column.type


@dataclass(frozen=True)
class Found:
    """Pairs among the rows of a log that have a role, in the order in which they act.

    ``stop``: for each of ``rows`` the number of its stop in ``rows``, −1: none; ``reason``: why it
    dangles (0: it does not); ``lost``: a null in its key took a role from it; ``key``: numbers
    that are equal where the start's keys are; ``early``: which of them act before
    all others of their time (None: all act in the log's order).
    """

    rows: Ints
    stop: Ints
    reason: Codes8
    lost: Bools
    case: Ints
    key: Ints | None
    early: Bools | None = None

    def paired(self) -> Bools:
        """Which of ``rows`` are in a pair."""
        found = self.stop >= 0
        found[self.stop[found]] = True
        return found

    def dangling(self, reason: Codes8) -> dict[str, Ints]:
        """Reason → rows of the log, in order."""
        if self.lost.any():
            reason = np.where(self.lost, np.int8(MISSING), reason)
        found: dict[str, Ints] = {}
        for code, name in enumerate(REASONS, 1):
            where = np.flatnonzero(reason == code)
            if len(where):
                found[name] = np.sort(self.rows.take(where))
        return found


def find_pairs(step: PairingStep, log: EventLog) -> Found:
    """The pairs of a log, in time linear in its length."""
    start, stop = mask(step.start, log), mask(step.stop, log)
    until = None if step.until is None else mask(step.until, log)
    role = start | stop if until is None else start | stop | until
    rows = np.flatnonzero(role)
    case = np.repeat(np.arange(log.n_cases), np.diff(np.searchsorted(rows, log.offsets)))
    entries = Entries(
        case,
        log.time[rows],
        None if step.max_span is None else case_ends(log)[case],
        start[rows],
        stop[rows],
        None if until is None else until[rows],
        *_keys(step, log, rows),
    )
    lost = _lose(entries)
    early = None
    if step.ties == "start_first":
        early = _only_start(entries)
        order = _start_first(entries, early)
        rows, entries, lost, early = rows[order], entries.part(order), lost[order], early[order]
    span = None if step.max_span is None else micros(step.max_span)
    pairs = pair(entries, Rules(step.pairing, step.toggle == "chain", span))
    return Found(rows, pairs.stop, pairs.reason, lost, entries.case, entries.start_key, early)


def case_ends(log: EventLog) -> Ints:
    """Each case's greatest ``last``."""
    if not len(log):
        return np.zeros(0, dtype=np.int64)
    return np.maximum.reduceat(log.last, log.offsets[:-1])


def _keys(step: PairingStep, log: EventLog, rows: Ints) -> list[Ints | None]:
    """The keys of start, stop and until: numbers, −1: one is null; None: there are none."""
    sets = key_sets(step)
    asked = [*dict.fromkeys(names for names in sets if names)]
    codes = key_codes(log, asked, rows, nulls_equal=step.null_key == "group")
    known = dict(zip(asked, codes, strict=True))
    return [known[names] if names else None for names in sets]


def _lose(entries: Entries) -> Bools:
    """Take roles away for which the key is missing; the entries where that was so."""
    lost = np.zeros(len(entries), dtype=bool)
    for role, key in (
        (entries.start, entries.start_key),
        (entries.stop, entries.stop_key),
        (entries.until, entries.until_key),
    ):
        if role is not None and key is not None:
            lost |= role & (key < 0)
            role &= key >= 0  # noqa: PLW2901 (the arrays are the entries' own)
    return lost


def _only_start(entries: Entries) -> Bools:
    other = entries.stop if entries.until is None else entries.stop | entries.until
    return entries.start & ~other


def _start_first(entries: Entries, early: Bools) -> Ints:
    """The order in which, at one time of a case, events that only start act first."""
    new = np.ones(len(entries), dtype=bool)
    new[1:] = (np.diff(entries.case) != 0) | (np.diff(entries.time) != 0)
    return np.argsort(2 * np.cumsum(new) + ~early, kind="stable")
