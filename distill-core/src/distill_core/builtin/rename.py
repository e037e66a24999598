"""The transform ``rename``: other names for activities."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import ConfigDict, Field, field_validator, model_validator

from distill_core.batch import Codes
from distill_core.builtin._naming import free_name, named
from distill_core.builtin.label import Rule
from distill_core.component import Scope, Transform
from distill_core.conditions import mask
from distill_core.log import EventLog

Name = Annotated[str, Field(min_length=1)]


class Rename(Transform):
    """Give activities other names: by a table of names, by rules, or both.

    The first rule that is true decides, else ``mapping``, else the activity stays as it is. All
    look at the log as it came, so ``{a: b, b: a}`` exchanges two names. Rules may look at any
    column, so a selector becomes a name that people use: ``target LIKE 'button#buy%'`` → ``buy``
    (RE2 is ``matches(target, '^button')``).

    With ``keep_as`` the old activity is kept in a column of that name. The report tells how many
    events got each name (``renamed``) and how many none (``unmatched``): a name that nothing got
    shows as 0.

    >>> log = EventLog.from_frame(
    ...     [{"c": 1, "a": a, "t": t, "target": s} for t, (a, s) in enumerate(
    ...         [("click", "button#buy-7"), ("click", "a"), ("wheel", "div")])],
    ...     case="c", activity="a", time="t", unit="s")
    >>> step = Rename(mapping={"wheel": "scroll"},
    ...               rules=[{"when": "target LIKE 'button#buy%'", "value": "buy"}])
    >>> out = log.apply(step)
    >>> [event["activity"] for event in out]
    ['buy', 'click', 'scroll']
    >>> out.steps[0].extra["renamed"], out.steps[0].counts["unmatched"]
    ({'buy': 1, 'scroll': 1}, 1)
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"mapping": {"btn1": "search"}}]})

    scope: ClassVar[Scope] = "event"
    reads: ClassVar[tuple[str, ...] | None] = ()

    mapping: dict[Name, Name] = Field(
        default_factory=dict, description="activity → its new name; others stay"
    )
    rules: tuple[Rule, ...] = Field(
        (), description="new names (value) and when; the first true rule decides, before mapping"
    )
    keep_as: str | None = Field(
        None, min_length=1, description="column in which the old activity is kept"
    )

    _free = field_validator("keep_as")(free_name)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.mapping or self.rules):
            raise ValueError("nothing would be renamed: give a mapping or rules")
        if not all(rule.value for rule in self.rules):
            raise ValueError("no event is without an activity: give no empty value")
        return self

    def apply(self, log: EventLog) -> EventLog:
        old = log.data["activity"]
        assert isinstance(old, Codes)
        names = list(dict.fromkeys([*self.mapping.values(), *(r.value for r in self.rules)]))
        place = {name: number for number, name in enumerate(names)}
        table = [place[self.mapping[text]] if text in self.mapping else -1 for text in old.values]
        number = np.array(table, dtype=np.int64)[old.codes]
        for rule in reversed(self.rules):
            number[mask(rule.when, log)] = place[rule.value]
        return named(log, number, names, self.keep_as)
