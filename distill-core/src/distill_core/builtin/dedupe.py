"""The transform ``dedupe``: what is there twice stays once."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import ConfigDict, Field, model_validator

from distill_core.batch import Bools, Codes, Ints, Masked
from distill_core.builtin._runs import group_codes
from distill_core.component import Scope, Transform
from distill_core.errors import DuplicateIdError
from distill_core.log import EventLog
from distill_core.params import ColumnName


class Dedupe(Transform):
    """Leave out events that are in the log already, wherever in it.

    By ``id``: events of one id and one payload (every column but ``id`` and ``source_ids``) are
    one event; the later ones in the order of the log are dropped, reason ``duplicate``. One id
    with *different* payloads is an error, unless ``on_conflict`` says what to do::

        id, payload       e1 P   e1 P   e1 Q
        (no on_conflict)  DuplicateIdError
        keep_first        e1 P                  1 duplicate, 1 conflict
        keep_last                       e1 Q    2 conflict
        suffix            e1 P          e1~2 Q  1 duplicate

    By columns: of events that are equal in all of them (null equals null) the first stays, or
    with ``keep_last`` the last; the others are dropped, reason ``duplicate``.

    >>> log = EventLog.from_frame([{"c": 1, "a": "x", "t": t, "n": n} for t, n in
    ...                            [(0, "p"), (1, "q"), (2, "p")]],
    ...                           case="c", activity="a", time="t", unit="s")
    >>> [event["n"] for event in log.apply(Dedupe(by=["activity", "n"]))]
    ['p', 'q']
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"by": ["case", "activity", "time"]}]}
    )

    scope: ClassVar[Scope] = "log"
    reads: ClassVar[tuple[str, ...] | None] = None

    by: Literal["id"] | tuple[ColumnName, ...] = Field(
        "id", description="'id', or the columns whose values may occur once"
    )
    on_conflict: Literal["keep_first", "keep_last", "suffix"] | None = Field(
        None, description="what to do with one id for different events; none: it is an error"
    )

    @model_validator(mode="after")
    def _sensible(self) -> Dedupe:
        if self.by != "id" and (self.on_conflict == "suffix" or not self.by):
            raise ValueError("columns that decide are one or more, and a suffix is for ids only")
        return self

    def apply(self, log: EventLog) -> EventLog:
        if self.by != "id":
            codes = group_codes(log, self.by, slice(None))
            return log.keep(_kept(codes, last=self.on_conflict == "keep_last"), "duplicate")
        rows = _sharing(log)
        if not len(rows):
            return log
        names = [name for name in log.data if name not in ("id", "source_ids")]
        ids = group_codes(log, ["id"], rows)
        events = group_codes(log, ["id", *names], rows)
        return self._resolve(log, rows, ids, events)

    def _resolve(self, log: EventLog, rows: Ints, ids: Ints, events: Ints) -> EventLog:
        """Of these rows: numbers of their ids, and of their ids with payload, as they appear."""
        fresh = _kept(events)
        if self.on_conflict is None and fresh.sum() > ids.max() + 1:
            clash = rows[fresh & ~_kept(ids)]
            shown = ", ".join(repr(i) for i in log.ids.texts(log.positions[clash[:3]]).tolist())
            raise DuplicateIdError(
                f"{len(clash)} events share an id with another event, such as {shown}",
                code="duplicate-id",
                hint="on_conflict = 'keep_first', 'keep_last' or 'suffix' says what to do",
            )
        if self.on_conflict in ("keep_first", "keep_last"):
            stays = _kept(ids, last=self.on_conflict == "keep_last")
            winner = np.empty(ids.max() + 1, dtype=np.int64)
            winner[ids[stays]] = events[stays]
            equal = events == winner[ids]
            return _without(log, rows, ~stays & equal, ~stays & ~equal)
        if self.on_conflict == "suffix":
            log = _suffixed(log, rows, fresh & ~_kept(ids))
        return _without(log, rows, ~fresh, np.zeros(len(rows), dtype=bool))


def _kept(codes: Ints, *, last: bool = False) -> Bools:
    """The first row (or the last) of each group; ``codes`` number groups by first appearance."""
    if last:
        from pandas import factorize

        return _kept(factorize(codes[::-1])[0])[::-1]
    before = np.maximum.accumulate(np.append(-1, codes[:-1])) if len(codes) else codes
    return codes > before


def _sharing(log: EventLog) -> Ints:
    """The rows whose id is, by its hash, also that of another row."""
    hashes = log.ids.hashes(log.positions)
    turn = np.argsort(hashes, kind="stable")
    twin = hashes[turn][1:] == hashes[turn][:-1]
    return np.sort(np.unique(np.concatenate([turn[1:][twin], turn[:-1][twin]])))


def _without(log: EventLog, rows: Ints, duplicate: Bools, conflict: Bools) -> EventLog:
    """The log less these of the rows, told under two reasons."""
    keep = np.ones(len(log), dtype=bool)
    keep[rows[duplicate]] = False
    out = log.keep(keep, "duplicate")
    still = np.ones(len(log), dtype=bool)
    still[rows[conflict]] = False
    return out.keep(still[keep], "conflict")


def _suffixed(log: EventLog, rows: Ints, renamed: Bools) -> EventLog:
    """The same log, with new ids for some of the rows: ``id~2``, ``id~3``, whichever is free."""
    taken = set(log.ids.texts(log.positions).tolist())
    texts: list[str] = []
    number: dict[str, int] = {}
    for text in log.ids.texts(log.positions[rows[renamed]]).tolist():
        n = number.get(text, 1) + 1
        while f"{text}~{n}" in taken:
            n += 1
        number[text] = n
        texts.append(f"{text}~{n}")
        taken.add(texts[-1])
    positions = log.positions.copy()
    positions[rows[renamed]] = len(log.ids) + np.arange(len(texts))
    data = {**log.data, "id": Masked.full(positions)}
    return log.replace(data=data, ids=log.ids.append_texts(Codes.of(texts)))
