"""Steps that look back: conditions that name an earlier step's last event (``A.target``)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from distill_core.batch import Codes, Masked
from distill_core.columns import Column
from distill_core.conditions import And, Compare, Condition, Not, Null, Or, bind, evaluate
from distill_core.log import EventLog

Past = Mapping[str, int]
"""Step → the row of its last event."""

Test = Callable[[int, Past], bool | None]
"""Whether an event (its row) fits, after what was taken before; None: unknown."""


def linked(condition: Condition, names: tuple[str, ...]) -> dict[str, tuple[str, str]]:
    """The columns of a condition that are another step's: ``A.target`` → (A, target)."""
    found = {}
    for column in condition.columns:
        step, dot, name = column.rpartition(".")
        if dot and step in names:
            found[column] = (step, name)
    return found


def own_part(condition: Condition, names: tuple[str, ...]) -> Condition | None:
    """What of a condition concerns the event alone: where it is not true, the condition is not."""
    parts = condition.all if isinstance(condition, And) else (condition,)
    own = tuple(part for part in parts if not linked(part, names))
    return And(own) if own else None


@dataclass(frozen=True)
class Links:
    """How columns with a step's name are read."""

    log: EventLog
    columns: Mapping[str, Column]
    names: tuple[str, ...]

    def test(self, condition: Condition) -> Test:
        """The test that a condition makes on an event and what came before."""
        match condition:
            case And(parts) | Or(parts):
                return _joined([self.test(p) for p in parts], every=isinstance(condition, And))
            case Not(of):
                inner = self.test(of)
                return lambda row, past: None if (f := inner(row, past)) is None else not f
            case Compare(op, left, None, str(right)) if linked(condition, self.names):
                one, two, compare = self.value(left), self.value(right), getattr(operator, op)

                def pair(row: int, past: Past) -> bool | None:
                    a, b = one(row, past), two(row, past)
                    return None if a is None or b is None else compare(a, b)

                return pair
        return self.single(condition)

    def single(self, condition: Condition) -> Test:
        """A test of one column, this event's or another's."""
        found = linked(condition, self.names)
        if found:
            ((step, name),) = found.values()
            condition = replace(condition, column=name)  # type: ignore[type-var]
        true, unknown = evaluate(bind(condition, self.log.columns), self.log)
        answer = [None if u else t for t, u in zip(true.tolist(), unknown.tolist(), strict=True)]
        if not found:
            return lambda row, _past: answer[row]
        missing = True if isinstance(condition, Null) else None
        return lambda _row, past: answer[past[step]] if step in past else missing

    def value(self, column: str) -> Callable[[int, Past], Any]:
        """Reads a column, of this event or of another step's."""
        step, _, name = column.rpartition(".")
        if step not in self.names:
            step, name = "", column
        found = self.log.get(name)
        assert isinstance(found, Codes | Masked)
        values = found.to_list()
        if not step:
            return lambda row, _past: values[row]
        return lambda _row, past: values[past[step]] if step in past else None


def _joined(tests: list[Test], *, every: bool) -> Test:
    """AND and OR of Kleene."""

    def joined(row: int, past: Past) -> bool | None:
        found: bool | None = every
        for test in tests:
            answer = test(row, past)
            if answer is (not every):
                return not every
            if answer is None:
                found = None
        return found

    return joined
