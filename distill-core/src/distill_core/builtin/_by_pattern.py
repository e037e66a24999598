"""Steps that look for a pattern, as ``match`` does, and make no events of what they find."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from pydantic import Field, model_validator

from distill_core.batch import Ints
from distill_core.builtin.match import Match, StepCondition
from distill_core.columns import Column
from distill_core.component import Transform
from distill_core.log import EventLog
from distill_core.params import Duration


class ByPattern(Transform):
    """A transform with the parameters ``pattern``, ``define`` and ``within`` of ``match``."""

    pattern: str | None = Field(
        None, description="steps in their order, as in match: load (click | tap)+ !support purchase"
    )
    define: dict[str, StepCondition] = Field(
        default_factory=dict, description="what a step is, if not the activity of its name"
    )
    within: Duration | None = Field(
        None, description="longest time from a match's first to its last event; none: any"
    )

    @model_validator(mode="after")
    def _is_a_pattern(self) -> Self:
        if self.pattern is None and (self.define or self.within is not None):
            raise ValueError("define and within belong to a pattern, and there is none")
        self._match()
        return self

    def _match(self) -> Match | None:
        """The step that finds the same; None: there is no pattern."""
        if self.pattern is None:
            return None
        return Match(pattern=self.pattern, define=self.define, within=self.within)

    def check(self, columns: Mapping[str, Column]) -> None:
        Transform.check(self.model_copy(update={"define": {}}), columns)
        if (match := self._match()) is not None:
            match.check_pattern(columns)

    def named_columns(self) -> frozenset[str]:
        found = Transform.named_columns(self.model_copy(update={"define": {}}))
        match = self._match()
        return found if match is None else found | match.named_columns()

    def found(self, log: EventLog) -> tuple[Ints, Ints]:
        """First and last row of each match of the pattern, by first row."""
        match = self._match()
        assert match is not None
        matches, _ = match.search(log)
        return matches.members[matches.offsets[:-1]], matches.members[matches.offsets[1:] - 1]
