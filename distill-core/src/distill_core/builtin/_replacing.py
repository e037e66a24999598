"""What is replaced by what: one rule of ``replace``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator

from distill_core.builtin.match import Match, StepCondition
from distill_core.columns import DURATION, STEP_COLUMNS, Column
from distill_core.conditions import Condition
from distill_core.errors import TransformError
from distill_core.extract import read_values
from distill_core.frames import natural_type
from distill_core.params import ColumnName, Duration

FIXED = {"id", "case", "time", "end", "order", DURATION.name, *STEP_COLUMNS}
"""Columns that no replacement writes: what they say follows from the events replaced."""

Where = Annotated[Condition | None, Field(description="events that are replaced, one by one")]
Pattern = Annotated[
    str | None, Field(description="events that are replaced together: a pattern as in match")
]
To = Annotated[
    dict[str, JsonValue],
    Field(description="column → what it says instead, such as activity = 'activate'"),
]
Define = Annotated[
    dict[str, StepCondition],
    Field(description="what a step of the pattern is, if not the activity of its name"),
]
Key = Annotated[
    tuple[ColumnName, ...], Field(description="columns in which the pattern's events are equal")
]
Within = Annotated[
    Duration | None, Field(description="longest time from the pattern's first to its last event")
]
Skip = Annotated[
    Literal["past_last", "to_next"],
    Field(description="where the next match may begin: behind the last event, anywhere"),
]
Restart = Annotated[
    Literal["leftmost", "latest"],
    Field(description="which start counts: the first, or the last before an end"),
]
Contiguity = Annotated[
    Literal["relaxed", "strict"],
    Field(description="events that do not fit are skipped, or end the try"),
]
BY_PATTERN = ("define", "key", "within", "skip", "restart", "contiguity")


class ReplaceRule(BaseModel):
    """One rule: which events are replaced, and by what."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    where: Where = None
    pattern: Pattern = None
    to: To = Field(min_length=1)
    define: Define = Field(default_factory=dict)
    key: Key = ()
    within: Within = None
    skip: Skip = "past_last"
    restart: Restart = "leftmost"
    contiguity: Contiguity = "relaxed"

    @field_validator("to")
    @classmethod
    def _writable(cls, to: dict[str, JsonValue]) -> dict[str, JsonValue]:
        for name, value in to.items():
            if name in FIXED or not name:
                raise ValueError(f"the column {name!r} has a meaning of its own: it stays")
            if name == "activity" and value in (None, ""):
                raise ValueError("no event is without an activity")
        blank = {name: None for name in ("user", "stream") if to.get(name) == ""}
        return {**to, **blank}

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.where is None) is (self.pattern is None):
            raise ValueError("what is replaced? give either where or pattern")
        given = [name for name in BY_PATTERN if getattr(self, name) != default_of(self, name)]
        if self.pattern is None and given:
            raise ValueError(f"{', '.join(given)} belong to a pattern, and there is none")
        self.match()
        return self

    def match(self) -> Match | None:
        """The step that finds the same; None: there is no pattern."""
        if self.pattern is None:
            return None
        return Match(pattern=self.pattern, **{name: getattr(self, name) for name in BY_PATTERN})

    def check(self, columns: Mapping[str, Column]) -> None:
        """Raise if a step of the pattern or a value does not fit the columns."""
        if (match := self.match()) is not None:
            match.check_pattern(columns)
        for name, value in self.to.items():
            spec = columns.get(name) or Column(name, type=natural_type([value]))
            if read_values([value], spec)[1].any():
                raise TransformError(
                    f"{value!r} is no {spec.type}, and column {name!r} is one",
                    code="column-type",
                    path=f"to.{name}",
                )


def default_of(model: BaseModel, name: str) -> Any:
    """The default of a parameter."""
    return type(model).model_fields[name].get_default(call_default_factory=True)
