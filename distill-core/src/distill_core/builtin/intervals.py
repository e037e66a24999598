"""The transform ``intervals``: starts and their stops become intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import ConfigDict, Field, model_validator

from distill_core.batch import Array, Bools, Codes, Ints, Lists, Masked
from distill_core.builtin._pair_entries import NONE, OPEN, Codes8
from distill_core.builtin._pair_keys import key_texts
from distill_core.builtin._pair_nesting import nesting
from distill_core.builtin._pairing import (
    Found,
    Key,
    MaxSpan,
    NullKey,
    PairingRule,
    Start,
    StartKey,
    Stop,
    StopKey,
    Ties,
    Toggle,
    Until,
    UntilKey,
    case_ends,
    check_keys,
    check_types,
    find_pairs,
    key_sets,
)
from distill_core.columns import Column
from distill_core.component import Scope, Transform
from distill_core.log import EventLog

END = Column("end", type="time", description="end of the event")
WRITTEN = (
    Column("depth", type="integer", description="how many intervals of the step hold this one"),
    Column("censored", type="boolean", description="the stop was not seen"),
    Column("start_id", type="ids", description="the event that opened the interval"),
    Column("end_id", type="ids", description="the event that closed it"),
    Column("parent", type="ids", description="the innermost interval that holds this one"),
)
KEY = Column("key", description="what start and stop have in common, a JSON list if several")


@dataclass(frozen=True)
class Spans:
    """Intervals in the order of their starts in the log.

    ``start``: the number of the start among the events with a role; ``at``, ``end``: the rows of
    start and stop (−1: there is none); ``parent``: the number of the interval around it (−1: none).
    """

    start: Ints
    at: Ints
    end: Ints
    depth: Ints
    parent: Ints


class Intervals(Transform):
    """Make an interval of each start and the stop that belongs to it.

    At each event, in order, open starts older than ``max_span`` expire; then it acts as stop, as
    until, as start. Of the open starts of its case and key a stop takes one::

        time       0    10    20    30
                   S1   S2    E1    E2
        nested     │    └─────┘     │     [10, 20] depth 1 in [0, 30] depth 0
                   └────────────────┘
        fifo       └──────────┘     │     [0, 20] and [10, 30]
                        └───────────┘
        latest     ×    └─────┘     ×     [10, 20]; S1 superseded, E2 unmatched
        first      └────×─────┘     ×     [0, 20]; S2 ignored, E2 unmatched

    An interval has its start's columns, the stop's time as ``end``, and its place is the
    start's (what only the stop knew is found by ``end_id``). It replaces its pair; with ``keep``
    all events stay, or none but intervals. Written
    besides: ``start_id``, ``end_id``, ``depth`` and ``parent`` (which intervals of the same case
    and key hold it), ``censored``, ``source_ids``, and with a key its text as ``key`` (unless
    the key is a column of that name). Times and spans are in µs, spans inclusive.

    What finds no partner dangles; the report says why: ``open``, ``superseded``, ``ignored``,
    ``unmatched``, ``expired``, ``reset`` or ``missing_key``. With ``open`` a start that is still
    open when the case ends becomes an interval, up to the case's end (``censor``) or without an
    end (``keep``), censored as survival analysis calls it (Kaplan, Meier: Nonparametric
    Estimation from Incomplete Observations, 1958). Nested pairing is the matching of parentheses
    that tracers do with a call stack; the relations of intervals are Allen's (Maintaining
    Knowledge about Temporal Intervals, 1983).

    >>> rows = [("focus", "a", 0), ("click", "a", 5), ("blur", "a", 9)]
    >>> log = EventLog.from_frame([{"c": 1, "what": w, "target": k, "t": t} for w, k, t in rows],
    ...                           case="c", activity="what", time="t", unit="s")
    >>> step = Intervals(start="activity = 'focus'", stop="activity = 'blur'", key="target")
    >>> out = log.apply(step)
    >>> [(e["activity"], e["duration"], e["key"]) for e in out]
    [('focus', 9000000, 'a'), ('click', None, None)]
    >>> out.steps[0].dangling
    {}
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "start": "activity = 'focus'",
                    "stop": "activity = 'blur'",
                    "key": ["target"],
                }
            ]
        }
    )

    scope: ClassVar[Scope] = "case"
    reads: ClassVar[tuple[str, ...] | None] = ()

    start: Start
    stop: Stop
    key: Key = ()
    start_key: StartKey = None
    stop_key: StopKey = None
    pairing: PairingRule = "nested"
    max_span: MaxSpan = None
    until: Until = None
    until_key: UntilKey = None
    open: Literal["report", "censor", "keep"] = Field(
        "report",
        description="a start that stays open: dangles (report), becomes an interval up to the "
        "case's end (censor) or one without an end (keep)",
    )
    toggle: Toggle = "alternate"
    ties: Ties = "listed"
    null_key: NullKey = "separate"
    name: str | None = Field(
        None, min_length=1, description="activity of the intervals; none: the start's"
    )
    keep: Literal["others", "intervals", "all"] = Field(
        "others",
        description="what stays beside intervals: all but their pairs (others), nothing, or all",
    )

    @model_validator(mode="after")
    def _keys(self) -> Self:
        check_keys(self)
        return self

    def check(self, columns: Mapping[str, Column]) -> None:
        super().check(columns)
        check_types(self, columns)

    def apply(self, log: EventLog) -> EventLog:
        found, spans, reason = self._spans(log)
        out = log.tell(dangling=found.dangling(reason))
        return self._derive(out, found, spans, self._columns(log, found, spans))

    def _spans(self, log: EventLog) -> tuple[Found, Spans, Codes8]:
        """The pairs, the intervals made of them, and why other events dangle."""
        found = find_pairs(self, log)
        made = found.stop >= 0
        reason = found.reason
        if self.open != "report":
            made |= reason == OPEN
            reason = np.where(reason == OPEN, NONE, reason).astype(np.int8)
        start = np.flatnonzero(made)
        stop = found.stop[start]
        depth, parent = self._nesting(found, start, stop)
        if self.ties == "start_first":
            start, stop, depth, parent = _in_order(found.rows, start, stop, depth, parent)
        at, end = found.rows[start], np.where(stop < 0, -1, found.rows[stop])
        return found, Spans(start, at, end, depth, parent), reason

    def writes(self) -> tuple[Column, ...]:
        return (*WRITTEN, KEY) if self._writes_key() else WRITTEN

    def _writes_key(self) -> bool:
        names = key_sets(self)[0]
        return bool(names) and names != ("key",)

    def _nesting(self, found: Found, start: Ints, stop: Ints) -> tuple[Ints, Ints]:
        if self.pairing == "nested":
            return nesting(start, stop, found.case[start], _at(found.key, start))
        # others never hold each other, but what stays open lies in what opened before
        depth, parent = np.zeros(len(start), dtype=np.int64), np.full(len(start), -1)
        rest = np.flatnonzero(stop < 0)
        inner = start[rest]
        depth[rest], up = nesting(inner, stop[rest], found.case[inner], _at(found.key, inner))
        parent[rest] = np.where(up < 0, -1, rest[up])
        return depth, parent

    def _columns(
        self, log: EventLog, found: Found, spans: Spans
    ) -> dict[str, tuple[Column, Array]]:
        at, end, parent = spans.at, spans.end, spans.parent
        shut, closed = end >= 0, np.flatnonzero(end >= 0)
        until, end_id = np.zeros((2, len(at)), dtype=np.int64)
        until[closed] = log.time.take(end[closed])
        end_id[closed] = log.positions.take(end[closed])
        unknown = ~shut
        if self.open == "censor" and unknown.any():
            until[unknown] = case_ends(log)[log.case_of[at[unknown]]]
            unknown = np.zeros(len(at), dtype=bool)
        values: dict[str, Masked] = {
            "depth": Masked.full(spans.depth),
            "censored": Masked.full(~shut),
            "start_id": Masked.full(log.positions.take(at)),
            "end_id": Masked(end_id, ~shut),
            "parent": Masked(np.where(parent < 0, 0, parent + len(log.ids)), parent < 0),
        }
        columns: dict[str, tuple[Column, Array]] = {c.name: (c, values[c.name]) for c in WRITTEN}
        columns["end"] = (log.columns.get("end", END), Masked(until, unknown))
        if self.name is not None:
            codes = Codes(np.zeros(len(at), dtype=np.int32), [self.name], ordered=True)
            columns["activity"] = (log.columns["activity"], codes)
        if self._writes_key():
            assert found.key is not None
            names = key_sets(self)[0]
            columns["key"] = (KEY, key_texts(log, names, at, found.key[spans.start]))
        return columns

    def _derive(
        self,
        log: EventLog,
        found: Found,
        spans: Spans,
        columns: Mapping[str, tuple[Column, Array]],
    ) -> EventLog:
        """The log with the intervals in, and out what does not stay."""
        at, end = spans.at, spans.end
        used = np.zeros(len(log), dtype=bool)
        used[at] = used[end[end >= 0]] = True
        lose: dict[str, Bools] = {}
        if self.null_key == "drop":
            lost = np.zeros(len(log), dtype=bool)
            lost[found.rows[found.lost]] = True
            lose["missing_key"] = lost & ~used
        if self.keep == "intervals":
            lose["other"] = ~used & ~lose.get("missing_key", used)
        drop = None if self.keep == "all" else used
        sources = Lists(*_sources(at, end))
        return log.derive(self, at=at, sources=sources, columns=columns, drop=drop, lose=lose)


def _at(key: Ints | None, rows: Ints) -> Ints | None:
    return None if key is None else key[rows]


def _in_order(rows: Ints, start: Ints, stop: Ints, depth: Ints, parent: Ints) -> tuple[Ints, ...]:
    """The intervals in the order of their starts in the log, where they acted in another."""
    order = np.argsort(rows[start], kind="stable")
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.arange(len(order))
    moved = np.where(parent < 0, -1, number[parent]) if len(order) else parent
    return start[order], stop[order], depth[order], moved[order]


def _sources(at: Ints, end: Ints) -> tuple[Ints, Ints]:
    """Start and stop of each interval: where each begins in a flat array, and that array."""
    both = np.stack([at, end], axis=1).ravel()
    length = 1 + (end >= 0)
    return np.concatenate([[0], np.cumsum(length)]), both[both >= 0]
