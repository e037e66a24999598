"""The model ``sequences``: the events of each case as an ordered list of plain dictionaries."""

from __future__ import annotations

from itertools import islice
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from distill_core.columns import CORE, Column
from distill_core.component import Mergeable, Scope
from distill_core.log import EventLog
from distill_core.params import ColumnName
from distill_core.result import Result

COLUMNS = (
    Column("case", description="the case"),
    Column("events", type="json", description="its events in order, a dictionary each"),
)
State = dict[str, list[dict[str, Any]]]


class Sequences(Mergeable[State]):
    """The events of each case, in order, as a list of plain dictionaries: one row a case.

    Each dictionary has ``columns``, in their order, as every output writes them: times ISO 8601,
    durations whole µs, null where nothing is known. For sequence mining, language models and
    whatever else reads one session after the other.

    >>> rows = [("p", "load", 0), ("p", "click", 1), ("q", "load", 2)]
    >>> log = EventLog.from_frame([{"c": c, "a": a, "t": t} for c, a, t in rows],
    ...                           case="c", activity="a", time="t", unit="s")
    >>> for row in Sequences(columns=["activity"]).compute(log).rows:
    ...     print(row)
    {'case': 'p', 'events': [{'activity': 'load'}, {'activity': 'click'}]}
    {'case': 'q', 'events': [{'activity': 'load'}]}
    """

    scope: ClassVar[Scope] = "case"
    reads: ClassVar[tuple[str, ...] | None] = ()

    columns: tuple[ColumnName, ...] = Field(
        ("activity", "time"), min_length=1, description="what each event tells, in this order"
    )

    def partial(self, log: EventLog) -> State:
        """The cases of a part; parts share no case."""
        needed = {*self.columns, *CORE, *(("end",) if "duration" in self.columns else ())}
        least = log.without(*{*log.data} - needed)
        events = ({name: event[name] for name in self.columns} for event in least)
        lengths = np.diff(log.offsets).tolist()
        return {case: [*islice(events, n)] for case, n in zip(log.cases, lengths, strict=True)}

    def combine(self, one: State, other: State) -> State:
        return one | other

    def finish(self, state: State) -> Result:
        return Result.table(
            COLUMNS, [{"case": case, "events": state[case]} for case in sorted(state)]
        )
