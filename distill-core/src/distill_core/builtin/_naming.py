"""What steps that rename share: the column that keeps the old activity, and what they tell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from distill_core.batch import Array, Bools, Codes, Ints
from distill_core.columns import DURATION, RESERVED, STEP_COLUMNS, Column
from distill_core.log import EventLog


def free_name(name: str | None) -> str | None:
    """The name, or ValueError if a column of this name has a meaning of its own."""
    if name in {*RESERVED, *STEP_COLUMNS, DURATION.name}:
        raise ValueError(f"the column {name!r} has a meaning of its own: choose another name")
    return name


def named(
    log: EventLog, number: Ints, names: Sequence[str], kept: str | None, asked: Bools | None = None
) -> EventLog:
    """The log with ``names[number]`` as activities; −1: the event's stays.

    ``kept`` is the column for the old activity. The report tells how many events got each name,
    and how many (of those ``asked`` about) none.
    """
    old = log.data["activity"]
    assert isinstance(old, Codes)
    codes = np.where(number < 0, old.codes, number + len(old.values))
    new = Codes(codes, [*old.values.tolist(), *names])
    columns: dict[str, tuple[Column, Array]] = {"activity": (log.columns["activity"], new)}
    if kept is not None:
        columns[kept] = (Column(kept, description="activity before it was renamed"), old)
    stays = number < 0 if asked is None else asked & (number < 0)
    counts = np.bincount(number + 1, minlength=len(names) + 1)[1:].tolist()
    told = dict.fromkeys(sorted(names), 0)
    for name, count in zip(names, counts, strict=True):
        told[name] += count
    return log.with_columns(**columns).tell(unmatched=int(stays.sum()), renamed=told)
