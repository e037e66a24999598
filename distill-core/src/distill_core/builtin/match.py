"""The transform ``match``: events that follow each other in a pattern become one interval."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from distill_core.batch import Array, Bools, Codes, Lists, Masked, Steps
from distill_core.builtin._match_all import find_matches
from distill_core.builtin._match_events import Events, events_of
from distill_core.builtin._match_links import Links, Test, linked, own_part
from distill_core.builtin._match_search import Back
from distill_core.builtin._match_select import Found, Rules
from distill_core.builtin._runs import group_codes, micros
from distill_core.columns import Column
from distill_core.component import Component, Scope, Transform, check_written
from distill_core.conditions import Condition, mask
from distill_core.errors import ConditionError, nearest
from distill_core.log import EventLog
from distill_core.params import ColumnName, Duration
from distill_core.patterns import Program, compiled, parse

END = Column("end", type="time", description="end of the event")
END = Column("end", type="time", description="end of the event")
WRITTEN = (
    Column("members", type="ids", description="the events that this one is made of, in order"),
    Column("steps", type="ids", description="the events that each step of the pattern took"),
)
_DOTTED = re.compile(r"""('(?:[^']|'')*'|"(?:[^"]|"")*")|([^\W\d]\w*\.[^\W\d]\w*)""")


def _quote_dotted(value: object) -> object:
    """``A.target`` as conditions know it: a quoted name."""
    if not isinstance(value, str):
        return value
    return _DOTTED.sub(lambda found: found[1] or f'"{found[2]}"', value)


StepCondition = Annotated[Condition, BeforeValidator(_quote_dotted)]


class Match(Transform):
    """Make one interval of events that follow each other in a pattern.

    The pattern is text: ``load (click | tap)+ !support purchase within 60s``. Steps follow each
    other in a case (and ``key``), ``( )`` groups, ``|`` means or, ``? * + {m,n}`` repeat, and
    ``!step`` says that no such event comes between the steps around it. A step is the activity of
    that name, or what ``define`` says; there ``A.target`` is the target of step A's last event.
    Names may hold ``- _ .``; others go in quotes.

    After the first event, one that the pattern can take is taken, never skipped. Others are
    skipped, or end the try with contiguity ``strict``. Of several ways: one more repetition, then
    the left alternative; a way that cannot finish is undone. A match goes on as long as it can::

        time        0      1      2      3      4
                    load   move   click  click  submit
        load click+ submit
          relaxed   └─────────────┴──────┴──────┘
          strict    ×

    ``within`` is the longest time from a match's first to its last event, inclusive. A pattern
    that ends with ``!step`` needs it, and matches when the case goes on for longer than that.
    After a match the search goes on behind its last event (``past_last``), or from every start
    (``to_next``). With restart ``latest`` the match with the earliest end is taken, and of these
    the one with the latest start; starts passed over dangle, reason ``superseded``.

    A match takes the place of its members; with ``keep`` all events stay, or nothing but matches.
    Written: ``activity`` (``name``), ``end`` (the last member's time), ``members``, ``steps``
    (each step with the ids of its events), ``source_ids``. The report counts under ``partial`` the
    starts tried in vain, by the furthest step that one came to, and under ``fits`` how many events
    each step of the pattern could be: 0 for a misspelt one. Events that fit a step and have a
    null in their ``key`` take no part and dangle, ``missing_key``.

    The same language as MATCH_RECOGNIZE of SQL:2016 and the patterns of Flink (``followedBy``,
    ``next``); see Agrawal, Diao, Gyllstrom, Immerman: Efficient Pattern Matching over Event
    Streams, 2008.

    >>> rows = [("load", 0), ("move", 1), ("click", 2), ("click", 3), ("submit", 4)]
    >>> log = EventLog.from_frame([{"c": 1, "a": a, "t": t} for a, t in rows],
    ...                           case="c", activity="a", time="t", unit="s")
    >>> out = log.apply(Match(pattern="load click+ submit"))
    >>> [(e["activity"], e["duration"]) for e in out]
    [('match', 4000000), ('move', None)]
    >>> {step: len(ids) for step, ids in out.to_dicts()[0]["steps"].items()}
    {'load': 1, 'click': 2, 'submit': 1}
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"pattern": "load click+ !help buy", "within": "60s"}]}
    )

    scope: ClassVar[Scope] = "case"
    reads: ClassVar[tuple[str, ...] | None] = ()

    pattern: str = Field(description="steps in their order: load (click | tap)+ !support purchase")
    define: dict[str, StepCondition] = Field(
        default_factory=dict, description="what a step is, if not the activity of its name"
    )
    key: tuple[ColumnName, ...] = Field(
        (), description="columns in which the events of a match are equal"
    )
    within: Duration | None = Field(
        None, description="longest time from first to last event; none: any, or as in the pattern"
    )
    skip: Literal["past_last", "to_next"] = Field(
        "past_last", description="where the next match may begin: behind the last event, anywhere"
    )
    restart: Literal["leftmost", "latest"] = Field(
        "leftmost", description="which start counts: the first, or the last before an end"
    )
    contiguity: Literal["relaxed", "strict"] = Field(
        "relaxed", description="events that do not fit are skipped, or end the try"
    )
    name: str = Field("match", min_length=1, description="activity of the matches")
    keep: Literal["others", "intervals", "all"] = Field(
        "others",
        description="what stays beside matches: all but their members (others), nothing, or all",
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        program = self._program()
        if self.within is not None and parse(self.pattern).within is not None:
            raise ValueError("within is given twice: in the pattern and beside it")
        known = (*program.names, *program.forbidden)
        for step, condition in self.define.items():
            if step not in known:
                raise ValueError(f"the pattern has no step {step!r}; {nearest(step, known)}")
            for column in condition.columns:
                self._check_link(program, step, column)
        return self

    def _check_link(self, program: Program, step: str, column: str) -> None:
        """Raise if a condition looks at a step that does not come earlier in the text."""
        other, dot, _ = column.rpartition(".")
        if dot and other in program.names:
            later = program.names[: program.names.index(other) + 1]
            if step in later:
                raise ValueError(f"step {step!r} looks at {other!r}, which is no earlier step")

    def _program(self) -> Program:
        pattern = parse(self.pattern)
        if pattern.within is None and self.within is not None:
            pattern = type(pattern)(pattern.root, self.within)
        return compiled(pattern)

    def check_pattern(self, columns: Mapping[str, Column]) -> None:
        """Raise if a step looks at a column that is not there, or a literal does not fit."""
        names = self._program().names
        own = {column.name: column for column in columns.values()}
        for step, condition in self.define.items():
            own |= {
                column: _column(columns, name, f"define.{step}")
                for column, (_, name) in linked(condition, names).items()
            }
        Component.check(self, own)

    def check(self, columns: Mapping[str, Column]) -> None:
        self.check_pattern(columns)
        check_written(columns, self.writes())

    def writes(self) -> tuple[Column, ...]:
        return WRITTEN

    def named_columns(self) -> frozenset[str]:
        names = self._program().names
        links = {c: name for condition in self.define.values()
                 for c, (_, name) in linked(condition, names).items()}  # fmt: skip
        return frozenset(links.get(column, column) for column in super().named_columns())

    def search(self, log: EventLog) -> tuple[Found, Events]:
        """The matches in a log, and the events that were looked at; nothing is made of them."""
        program = self._program()
        within = self.within if self.within is not None else parse(self.pattern).within
        rules = Rules(
            None if within is None else micros(within),
            every=self.skip == "to_next",
            latest=self.restart == "latest",
            strict=self.contiguity == "strict",
        )
        events, back = self._events(log, program)
        return find_matches(program, events, rules, back), events

    def apply(self, log: EventLog) -> EventLog:
        program = self._program()
        found, events = self.search(log)
        told = {"superseded": found.passed, "missing_key": events.lost}
        out = log.tell(dangling=told, partial=self.partial(found), fits=events.fits)
        return self._derive(out, program, found)

    def partial(self, found: Found) -> dict[str, int]:
        """Furthest step → starts tried in vain."""
        program = self._program()
        names = {rank: program.names[step]
                 for rank, step in zip(program.rank, program.step, strict=True)}  # fmt: skip
        partial = {names[rank]: 0 for rank in sorted(found.partial)}
        for rank, count in found.partial.items():
            partial[names[rank]] += count
        return partial

    def _events(self, log: EventLog, program: Program) -> tuple[Events, Back]:
        """Which events fit which step, and what has to be looked at again in the search."""
        masks: dict[str, Bools] = {}
        tests: dict[str, Test] = {}
        looked: dict[str, dict[str, None]] = {}
        links = Links(log, log.columns, program.names)
        for name, condition in self.define.items():
            found = linked(condition, program.names)
            own = own_part(condition, program.names) if found else condition
            masks[name] = np.ones(len(log), dtype=bool) if own is None else mask(own, log)
            if found:
                tests[name] = links.test(condition)
                for step, column in found.values():
                    looked.setdefault(step, {})[column] = None
        codes = tuple(group_codes(log, [*columns], slice(None)) for columns in looked.values())
        every = self.contiguity == "strict"
        named = dict.fromkeys((*program.names, *program.forbidden))
        plain = [name for name in named if name not in self.define]
        events = events_of(log, plain, masks, self.key, every=every)
        return events, Back(tests, tuple(looked), codes)

    def _derive(self, log: EventLog, program: Program, found: Found) -> EventLog:
        """The log with the matches in, and out what does not stay."""
        used = np.zeros(len(log), dtype=bool)
        used[found.members] = True
        return log.derive(
            self,
            at=found.members[found.offsets[:-1]],
            sources=Lists(found.offsets, found.members),
            columns=self._columns(log, program, found),
            drop=None if self.keep == "all" else used,
            lose={"other": ~used} if self.keep == "intervals" else {},
        )

    def _columns(
        self, log: EventLog, program: Program, found: Found
    ) -> dict[str, tuple[Column, Array]]:
        count = len(found.offsets) - 1
        ids = log.positions.take(found.members)
        last = found.members[found.offsets[1:] - 1]
        values: tuple[Lists, ...] = (
            Lists(found.offsets, ids),
            Steps(found.offsets, ids, found.steps, (program.names,)),
        )
        return {
            **{column.name: (column, array) for column, array in zip(WRITTEN, values, strict=True)},
            "end": (log.columns.get("end", END), Masked.full(log.time[last])),
            "activity": (
                log.columns["activity"],
                Codes(np.zeros(count, dtype=np.int32), [self.name], ordered=True),
            ),
        }


def _column(columns: Mapping[str, Column], name: str, path: str) -> Any:
    """The column that ``step.name`` means."""
    if name not in columns:
        raise ConditionError(
            f"there is no column {name!r}",
            code="condition-column",
            hint=nearest(name, columns),
            path=path,
        )
    return columns[name]
