"""The transform ``patch``: values of another log, by key."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import ConfigDict, Field

from distill_core.batch import Array, Bools, Ints, Masked
from distill_core.builtin._runs import group_codes
from distill_core.columns import RESERVED, Column
from distill_core.component import Scope, Transform
from distill_core.errors import TransformError, nearest
from distill_core.inputs import Input
from distill_core.log import EventLog, stack
from distill_core.params import ColumnName
from distill_core.prepare import prepare

NEVER = ("id", "source_ids")
"""Columns that say which event it is."""


class Patch(Transform):
    """Overwrite and complete events with what another log has under the same key.

    The other log has at most one event for each key; it patches every event that is equal to it
    in all columns of ``key`` (a null equals nothing), in whatever case that is. What the patch
    has, replaces what the event had; what is null in the patch, stays::

        key id       this log         the other        left             outer
        e1           a  red           –                a  red           a  red
        e2           b  blue          b2 null          b2 blue          b2 blue
        e3           –                z  green         –                z  green

    All columns of the other log patch, its case and time too (events then move to their new
    places), but for the key, ``id`` and ``source_ids``: an event stays the one that it is.
    ``columns`` restricts it, as in ``columns=["team"]`` where a list of people completes events by
    ``user``. A column that this log does not have is added, null where nothing patches it.

    With ``outer`` the patches that found no event become events, in their places, with their own
    ids. The report counts ``patched`` events and ``unmatched`` patches, and tells under ``other``
    how the other log was read and what its steps did. Known from databases as update from a join
    and as merge or upsert.

    >>> def log(*rows):
    ...     return EventLog.from_frame([{"c": 1, "n": n, "a": a, "t": n, "hue": h} for n, a, h in
    ...         rows], case="c", activity="a", time="t", unit="s")
    >>> one, two = log((1, "a", "red"), (2, "b", "blue")), log((2, "b2", None), (3, "z", "green"))
    >>> [(e["activity"], e["hue"]) for e in one.apply(Patch(other=two, key=["n"]))]
    [('a', 'red'), ('b2', 'blue')]
    >>> [(e["activity"], e["hue"]) for e in one.apply(Patch(other=two, key=["n"], how="outer"))]
    [('a', 'red'), ('b2', 'blue'), ('z', 'green')]
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"other": "web", "key": ["id"]}]})

    scope: ClassVar[Scope] = "log"
    reads: ClassVar[tuple[str, ...] | None] = None

    other: Input = Field(description="the log that patches")
    key: tuple[ColumnName, ...] = Field(
        min_length=1, description="columns in which an event and its patch are equal"
    )
    how: Literal["left", "outer"] = Field(
        "left", description="whether patches without an event are left out (left) or added (outer)"
    )
    columns: tuple[str, ...] | None = Field(
        None, min_length=1, description="the other log's columns that patch; none: all"
    )

    def apply(self, log: EventLog) -> EventLog:
        other = self._other(log)
        specs, data, ids = stack([log, other])
        both = EventLog(specs, data, np.array([0]), ids)
        place, free = self._matched(both, len(log))
        hit = np.flatnonzero(place >= 0)
        rows: dict[str, Ints] = {}
        for name in self._patching(other):
            known = ~data[name].null[place[hit]]
            rows[name] = np.arange(len(log))
            rows[name][hit[known]] = place[hit[known]]
        added = free if self.how == "outer" else free[:0]
        own = np.arange(len(log))
        new: dict[str, Array] = {
            name: column.take(np.concatenate([rows.get(name, own), added]))
            for name, column in data.items()
        }
        found = prepare(specs, new, ids=ids)
        notes = log.notes.derive(made=len(added), used=0).count(found.counts)
        out = EventLog(specs, found.data, found.offsets, ids, notes=notes)
        return out.tell(patched=len(hit), unmatched=len(free), other=self.other.told())

    def _other(self, log: EventLog) -> EventLog:
        """The other log, less the columns that are not wanted."""
        other = self.other.log()
        for path, names in (("key", self.key), ("columns", self.columns or ())):
            for name in names:
                if name not in other.data or (path == "columns" and name in NEVER):
                    choices = set(other.data) - (set(NEVER) if path == "columns" else set())
                    raise TransformError(
                        f"the other log has no column {name!r} for a patch",
                        code="column-unknown",
                        hint=nearest(name, choices),
                        path=path,
                    )
        wanted = {*self.key, *(self.columns or other.data)}
        wanted |= set(RESERVED) if self.how == "outer" else {"id", "case", "activity", "time"}
        return other.without(*(name for name in other.data if name not in wanted))

    def _patching(self, other: EventLog) -> list[str]:
        names = self.columns or tuple(other.data)
        return [name for name in names if name not in (*self.key, *NEVER)]

    def _matched(self, both: EventLog, count: int) -> tuple[Ints, Ints]:
        """Each event's patch, a row of both (−1: none), and the patches that no event has."""
        codes = group_codes(_by_hash(both), self.key, slice(None))
        null: Bools = np.any([both.data[name].null for name in self.key], axis=0)
        patches = count + np.flatnonzero(~null[count:])
        if len(again := np.flatnonzero(np.bincount(codes[patches]) > 1)):
            rows = patches[codes[patches] == again[0]]
            texts = both.ids.texts(both.positions[rows[:3]]).tolist()
            raise TransformError(
                f"{len(again)} key(s) have more than one patch, such as "
                f"{', '.join(map(repr, texts))}",
                code="key-ambiguous",
                hint="let the other log have one event a key, by dedupe or a longer key",
                path="key",
            )
        of_key = np.full(int(codes.max(initial=-1)) + 1, -1, dtype=np.int64)
        of_key[codes[patches]] = patches
        place = np.where(null[:count], -1, of_key[codes[:count]])
        free = np.ones(len(both) - count, dtype=bool)
        free[place[place >= 0] - count] = False
        return place, count + np.flatnonzero(free)


def _by_hash(log: EventLog) -> EventLog:
    """The log with numbers for ids, which are equal where their texts are: faster to compare."""
    specs, data = dict(log.columns), dict(log.data)
    for name, column in log.data.items():
        if specs[name].type == "ids" and isinstance(column, Masked):
            hashes = log.ids.hashes(column.values).view(np.int64)
            data[name] = Masked(np.where(column.null, 0, hashes), column.null)
            specs[name] = Column(name, type="integer")
    return log.replace(columns=specs, data=data)
