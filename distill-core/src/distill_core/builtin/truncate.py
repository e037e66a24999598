"""The transform ``truncate``: cases cut off before or after something happens."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import ConfigDict, Field, model_validator

from distill_core.batch import Ints
from distill_core.builtin._by_pattern import ByPattern
from distill_core.component import Scope
from distill_core.conditions import Condition, mask
from distill_core.log import EventLog


class Truncate(ByPattern):
    """Keep what comes before, or after, a match in each case.

    A match is an event for which ``where`` is true, or what a ``pattern`` takes, written as in
    ``match``, from its first to its last event. The ``first`` or the ``last`` match of the case
    counts. It stays too, unless ``inclusive`` is false. ``where`` is ``activity = 'buy'``::

        time                       0      1      2      3      4
                                   load   buy    click  buy    leave
        keep before, first         └──────┘
        keep before, last          └────────────────────┘
        keep after, first                 └────────────────────┘
          … not inclusive                        └─────────────┘

    Before and after go by position. What is cut off is dropped, reason ``truncate``. A case
    without a match stays whole, or with ``missing`` ``drop`` goes whole, reason ``no_match``; the
    report counts ``cases_without_match``.

    >>> rows = [("load", 0), ("buy", 1), ("click", 2), ("buy", 3), ("leave", 4)]
    >>> log = EventLog.from_frame([{"c": 1, "a": a, "t": t} for a, t in rows],
    ...                           case="c", activity="a", time="t", unit="s")
    >>> [e["activity"] for e in log.apply(Truncate(where="activity = 'buy'", keep="before"))]
    ['load', 'buy']
    >>> step = Truncate(where="activity = 'buy'", keep="after", occurrence="last", inclusive=False)
    >>> [e["activity"] for e in log.apply(step)]
    ['leave']
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"where": "activity = 'purchase'", "keep": "before"}]}
    )

    scope: ClassVar[Scope] = "case"
    reads: ClassVar[tuple[str, ...] | None] = ()

    where: Condition | None = Field(None, description="events that match, if there is no pattern")
    keep: Literal["before", "after"] = Field(description="which side of the match stays")
    occurrence: Literal["first", "last"] = Field(
        "first", description="which match of a case counts"
    )
    inclusive: bool = Field(default=True, description="whether the match itself stays")
    missing: Literal["keep", "drop"] = Field(
        "keep", description="what becomes of a case without a match"
    )

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        if (self.where is None) is (self.pattern is None):
            raise ValueError("what is a match? give either where or pattern")
        return self

    def apply(self, log: EventLog) -> EventLog:
        start, end = self._matches(log)
        case, chosen = _one_a_case(log.case_of[start], last=self.occurrence == "last")
        start, end = start[chosen], end[chosen]
        # From here to there a case stays: first and last row, behind it.
        low, high = log.offsets[:-1].copy(), log.offsets[1:].copy()
        if self.keep == "before":
            high[case] = end + 1 if self.inclusive else start
        else:
            low[case] = start if self.inclusive else end + 1
        row = np.arange(len(log))
        without = np.ones(log.n_cases, dtype=bool)
        without[case] = False
        stays = (row >= low[log.case_of]) & (row < high[log.case_of])
        gone = without[log.case_of] if self.missing == "drop" else np.zeros(len(log), dtype=bool)
        out = log.keep(stays, "truncate")
        out = out.keep(~gone[stays], "no_match") if gone.any() else out
        return out.tell(cases_without_match=int(without.sum()))

    def _matches(self, log: EventLog) -> tuple[Ints, Ints]:
        """First and last row of each match, by first row."""
        if self.where is None:
            return self.found(log)
        rows = np.flatnonzero(mask(self.where, log))
        return rows, rows


def _one_a_case(case: Ints, *, last: bool) -> tuple[Ints, Ints]:
    """Of rising case numbers each once, and the place of its first, or last, occurrence."""
    change = case[1:] != case[:-1]
    edge = np.append(change, True) if last else np.append(True, change)
    chosen = np.flatnonzero(edge[: len(case)])
    return case[chosen], chosen
