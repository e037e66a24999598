"""The transform ``sessionize``: a long pause begins a new session."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field

from distill_core.batch import Codes, Ints
from distill_core.builtin._runs import micros, reach
from distill_core.columns import Column
from distill_core.component import Scope, Transform
from distill_core.log import EventLog
from distill_core.params import Duration
from distill_core.timetext import time_texts

SESSION = Column("session", description="the case, and when the session began")
PARENT_CASE = Column("parent_case", description="the case that the session is a part of")


class Sessionize(Transform):
    """Cut each case where nothing happens for longer than ``gap``.

    The gap runs from the greatest end so far (an event without an end ends at its time) to the
    next event; exactly ``gap`` is still the same session. With 30 min::

        minute       0     10            40              71
                     a     b             c               d
                     └─── session 1 ─────┘               └─ session 2
                            30: stays          31: splits

    A session is called ``<case>@<its first time>``, the time as in JSON: so names stay as they are
    when later events are added. It becomes the case, and the former case is ``parent_case``; with
    ``as_case=False`` the cases stay and the name is the column ``session``. Ids stay.

    The method is the timeout of web analytics (Catledge, Pitkow: Characterizing Browsing
    Strategies in the World-Wide Web, 1995; 30 minutes is the custom).

    >>> log = EventLog.from_frame([{"who": "ann", "a": "x", "t": t} for t in (0, 1, 100)],
    ...                           case="who", activity="a", time="t", unit="s")
    >>> log.apply(Sessionize(gap="60s")).cases.tolist()
    ['ann@1970-01-01T00:00:00.000000Z', 'ann@1970-01-01T00:01:40.000000Z']
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"gap": "30m"}]})

    scope: ClassVar[Scope] = "case"
    reads: ClassVar[tuple[str, ...] | None] = ()

    gap: Duration = Field(description="a longer pause than this begins a new session")
    as_case: bool = Field(
        default=True, description="whether sessions become the cases, or only a column"
    )

    def writes(self) -> tuple[Column, ...]:
        return (PARENT_CASE,) if self.as_case else (SESSION,)

    def apply(self, log: EventLog) -> EventLog:
        time = log.time
        new = np.zeros(len(log), dtype=bool)
        new[1:] = time[1:] - reach(log, log.offsets[:-1])[:-1] > micros(self.gap)
        new[log.offsets[:-1]] = True
        start = np.flatnonzero(new)
        names = _names(log.data["case"].take(start), time[start])  # type: ignore[arg-type]
        rank, values = _ranked(log, start, names)
        offsets = np.append(start, len(log)).astype(np.int64)
        number = np.cumsum(new, dtype=np.int32) - 1
        if not self.as_case:
            codes = number if rank is None else rank[number]
            return log.with_columns(session=(SESSION, Codes(codes, values, ordered=True)))
        data = {**log.data, "parent_case": log.data["case"]}
        if rank is not None:
            turn, lengths = np.argsort(rank), np.diff(offsets)
            offsets = np.concatenate([[0], np.cumsum(lengths[turn])])
            shift = np.repeat(start[turn] - offsets[:-1], lengths[turn])
            rows = np.arange(len(log)) + shift
            data = {name: column.take(rows) for name, column in data.items()}
            number = np.repeat(np.arange(len(start), dtype=np.int32), lengths[turn])
        data["case"] = Codes(number, values, ordered=True)
        columns = {**log.columns, "parent_case": PARENT_CASE}
        return log.replace(columns=columns, data=data, offsets=offsets)


def _names(case: Codes, time: Ints) -> Callable[[], list[str]]:
    """The sessions' names, made once, when somebody looks at them."""

    @cache
    def names() -> list[str]:
        return [f"{label}@{at}" for label, at in zip(case.to_list(), time_texts(time), strict=True)]

    return names


def _ranked(
    log: EventLog, start: Ints, names: Callable[[], list[str]]
) -> tuple[NDArray[np.int32] | None, Any]:
    """Each session's place by code point of its name (None: they are in order), names in order."""
    heads = [f"{label}@" for label in log.cases]
    # Names of one case differ by time only. A head inside another lets them mingle: then sort.
    alike = len(set(map(len, heads))) <= 1
    if alike or all(one < two and not two.startswith(one) for one, two in pairwise(heads)):
        return None, names
    turn = sorted(range(len(start)), key=names().__getitem__)
    rank = np.empty(len(start), dtype=np.int32)
    rank[turn] = np.arange(len(start), dtype=np.int32)
    return rank, lambda: [names()[index] for index in turn]
