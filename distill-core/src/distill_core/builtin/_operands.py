"""The intervals of a log, and of another log, that a step puts together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from distill_core.batch import Bools, Ints, Masked
from distill_core.builtin._sweep import Spans
from distill_core.columns import CORE, Column
from distill_core.component import Transform
from distill_core.conditions import Condition, mask
from distill_core.errors import DistillError
from distill_core.inputs import Input
from distill_core.log import EventLog, concat

Keep = Literal["others", "intervals", "all"]
END = Column("end", type="time", description="end of the event")
_FOREIGN = Column(" foreign", type="boolean")  # no schema has such a name

Left = Annotated[
    Condition | None,
    Field(description="which intervals of this log; none: all, less those of right"),
]
Right = Annotated[
    Condition | None,
    Field(description="which intervals of the other log, or without one of this log"),
]
Other = Annotated[
    Input | None, Field(description="the log that right is chosen from; none: this one")
]


class TwoSided(Transform):
    """A step with intervals on its left and on its right."""

    other: Other = None
    left: Left = None
    right: Right = None

    def check(self, columns: Mapping[str, Column]) -> None:
        if self.other is None:
            super().check(columns)
        else:  # what is chosen on the right is checked where the other log is at hand
            Transform.check(self.model_copy(update={"right": None}), columns)

    def chosen(self, log: EventLog, there: Bools) -> tuple[Bools, Bools]:
        """Which of the rows that are ``there`` are on the left, and which on the right."""
        none = np.zeros(len(log), dtype=bool)
        right = none
        if self.other is None and self.right is not None:
            right = there & mask(self.right, log)
        left = there & (~right if self.left is None else mask(self.left, log))
        return left, right

    def of_other(self, other: EventLog, there: Bools) -> Bools:
        """Which rows of the other log are on the right."""
        if self.right is None:
            return there
        try:
            return there & mask(self.right, other)
        except DistillError as error:
            raise error.at("right") from error.__cause__


@dataclass(frozen=True)
class Operands:
    """A log with the other's intervals in it (``foreign``), and the rows on both sides."""

    log: EventLog
    foreign: Bools
    left: Ints
    right: Ints

    @property
    def sides(self) -> Bools:
        """Which rows are on a side."""
        found = np.zeros(len(self.log), dtype=bool)
        found[self.left] = found[self.right] = True
        return found

    def leaving(self, used: Bools, keep: Keep) -> tuple[Bools, dict[str, Bools]]:
        """As the function; the other's intervals always leave."""
        drop, lose = leaving(used, keep)
        return drop | self.foreign, {why: rows & ~self.foreign for why, rows in lose.items()}

    def settled(self, out: EventLog) -> EventLog:
        """What was derived, where the other's intervals are not counted as used."""
        used = out.notes.used - int(self.foreign.sum())
        return out.replace(notes=replace(out.notes, used=used))


def operands(step: TwoSided, log: EventLog) -> Operands:
    """The intervals of both sides, in one log; an interval is an event with an end."""
    left, right = step.chosen(log, intervals(log))
    if step.other is None:
        none = np.zeros(len(log), dtype=bool)
        return Operands(log, none, np.flatnonzero(left), np.flatnonzero(right))
    other = step.other.log()
    other = other.take(step.of_other(other, intervals(other)))
    needed = (*CORE, "end", "order", "source_ids")
    other = other.without(*(name for name in other.data if name not in needed))
    both = concat([_marked(log, left, foreign=False),
                   _marked(other, np.zeros(len(other), dtype=bool), foreign=True)])  # fmt: skip
    mark = both.data[_FOREIGN.name]
    assert isinstance(mark, Masked)
    both = both.without(_FOREIGN.name).replace(notes=log.notes)
    return Operands(both, mark.null, np.flatnonzero(mark.values), np.flatnonzero(mark.null))


def leaving(used: Bools, keep: Keep) -> tuple[Bools, dict[str, Bools]]:
    """The rows that are used up, if ``used`` says which take part, and those that are lost."""
    if keep == "all":
        return np.zeros(len(used), dtype=bool), {}
    return used, {"other": ~used} if keep == "intervals" else {}


def spans_of(log: EventLog, rows: Ints) -> Spans:
    """The intervals in these rows."""
    return Spans(log.case_of[rows], log.time[rows], log.last[rows])


def intervals(log: EventLog) -> Bools:
    """The rows that have an end."""
    end = log.data.get("end")
    return np.zeros(len(log), dtype=bool) if end is None else ~end.null


def _marked(log: EventLog, left: Bools, *, foreign: bool) -> EventLog:
    mark = Masked(left, np.full(len(log), foreign))
    return log.with_columns(**{_FOREIGN.name: (_FOREIGN, mark)})
