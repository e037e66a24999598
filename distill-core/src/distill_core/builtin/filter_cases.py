"""The transform ``filter_cases``: whole cases, by what is in them."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import ConfigDict, Field, model_validator

from distill_core.batch import Bools
from distill_core.builtin._by_pattern import ByPattern
from distill_core.builtin._runs import micros
from distill_core.component import Scope
from distill_core.conditions import Condition, mask
from distill_core.log import EventLog
from distill_core.params import Duration

_TESTS = (
    "pattern", "contains", "lacks", "starts_with", "ends_with", "min_events", "max_events",
    "min_duration", "max_duration",
)  # fmt: skip


class FilterCases(ByPattern):
    """Keep the cases for which all that is asked is true; the others go, whole.

    What can be asked of a case: that some event (``contains``), no event (``lacks``), the first
    (``starts_with``) or the last by position (``ends_with``) is true for a condition; that a
    ``pattern``, written as in ``match``, is found in it; how many events it has; how long it lasts,
    from its first time to its greatest end. Limits are inclusive. A condition that is unknown is
    not true. ``contains`` buy, ``lacks`` return::

        case a    load   buy    leave      stays
        case b    load   leave
        case c    load   buy    return

    With keep ``others`` it is the other way round: the cases for which not all is true stay. What
    goes is dropped, reason ``filter_cases``; the report counts ``cases_kept``, ``cases_dropped``.

    >>> log = EventLog.from_frame(
    ...     [{"who": w, "a": a, "t": t} for t, (w, a) in enumerate(
    ...         [("ann", "load"), ("ann", "buy"), ("bob", "load"), ("cid", "buy")])],
    ...     case="who", activity="a", time="t", unit="s")
    >>> buyers = FilterCases(contains="activity = 'buy'", min_events=2)
    >>> log.apply(buyers).cases.tolist()
    ['ann']
    >>> log.apply(FilterCases(pattern="load buy within 1s")).cases.tolist()
    ['ann']
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"contains": "activity = 'checkout'", "min_events": 3}]}
    )

    scope: ClassVar[Scope] = "case"
    reads: ClassVar[tuple[str, ...] | None] = ()

    contains: Condition | None = Field(None, description="true for an event of the case")
    lacks: Condition | None = Field(None, description="true for no event of the case")
    starts_with: Condition | None = Field(None, description="true for the first event")
    ends_with: Condition | None = Field(None, description="true for the last event")
    min_events: int | None = Field(None, ge=1, description="so many events or more")
    max_events: int | None = Field(None, ge=1, description="so many events or fewer")
    min_duration: Duration | None = Field(None, description="lasts so long or longer")
    max_duration: Duration | None = Field(None, description="lasts so long or shorter")
    keep: Literal["matching", "others"] = Field(
        "matching", description="which cases stay: those that match, or all others"
    )

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if all(getattr(self, name) is None for name in _TESTS):
            raise ValueError(f"nothing is asked of a case: give one of {', '.join(_TESTS)}")
        return self

    def apply(self, log: EventLog) -> EventLog:
        stays = self._matching(log) if len(log) else np.zeros(0, dtype=bool)
        if self.keep == "others":
            stays = ~stays
        out = log.keep(np.repeat(stays, np.diff(log.offsets)), "filter_cases")
        kept = int(stays.sum())
        return out.tell(cases_kept=kept, cases_dropped=log.n_cases - kept)

    def _matching(self, log: EventLog) -> Bools:
        """Which cases all that is asked is true for."""
        first, last = log.offsets[:-1], log.offsets[1:] - 1
        events = last - first + 1
        found = np.ones(log.n_cases, dtype=bool)
        if self.contains is not None:
            found &= np.logical_or.reduceat(mask(self.contains, log), first)
        if self.lacks is not None:
            found &= ~np.logical_or.reduceat(mask(self.lacks, log), first)
        if self.starts_with is not None:
            found &= mask(self.starts_with, log)[first]
        if self.ends_with is not None:
            found &= mask(self.ends_with, log)[last]
        if self.pattern is not None:
            matched = np.zeros(log.n_cases, dtype=bool)
            matched[log.case_of[self.found(log)[0]]] = True
            found &= matched
        if self.min_events is not None:
            found &= events >= self.min_events
        if self.max_events is not None:
            found &= events <= self.max_events
        if self.min_duration is not None or self.max_duration is not None:
            lasts = np.maximum.reduceat(log.last, first) - log.time[first]
            found &= lasts >= (0 if self.min_duration is None else micros(self.min_duration))
            if self.max_duration is not None:
                found &= lasts <= micros(self.max_duration)
        return found
