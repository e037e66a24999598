"""The transform ``replace``: events become others, one each or one of several."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import ConfigDict, Field, model_validator

from distill_core.batch import Array, Codes, Ints, Lists, Masked
from distill_core.builtin._overlaps import Groups, choose
from distill_core.builtin._replacing import (
    Contiguity,
    Define,
    Key,
    Pattern,
    ReplaceRule,
    Restart,
    Skip,
    To,
    Where,
    Within,
    default_of,
)
from distill_core.collect import null_column
from distill_core.columns import Column
from distill_core.component import Scope, Transform
from distill_core.conditions import mask
from distill_core.errors import DistillError, OverlapError
from distill_core.extract import read_values
from distill_core.frames import natural_type
from distill_core.log import EventLog
from distill_core.prepare import unite

END = Column("end", type="time", description="end of the event")


class Replace(Transform):
    """Replace events by others: each one for which ``where`` is true, or all of a ``pattern``.

    ``to`` says what columns say instead; all others are as in the event replaced, of several as
    in the first. A pattern is that of ``match``, with its ``define``, ``key``, ``within``,
    ``skip``, ``restart`` and ``contiguity``::

        time       0      80     81
                   down   up     click        pattern: down up click, to: activity = activate
                   activate───────┘           [0, 81]

    Of several events one is made, at the first one's place, up to the greatest end; what lies
    between stays. Of one event the end is as it was. ``source_ids`` tell what was replaced.

    Values are read as the column reads a document's (a time as ISO 8601 text); a column that is
    not there is added, null for other events. Not to be written are id, case, time, end, order
    and the columns of steps.

    With several ``rules``, or ``skip`` ``to_next``, an event may be in two replacements: that
    raises OverlapError, unless ``resolve`` says which counts: the ``first`` by position, then
    rule, or the ``longest``, the one of most events, then the first; one after the other, if none
    of its events is taken. The report counts those that do not count (``overlapping``), and what
    ``match`` reports of tries in vain, ``partial``, of rule 2 under ``2.step``.

    Abstraction of activities by patterns, as in Mannhardt et al.: Guided Process Discovery, 2018.

    >>> rows = [("down", 0), ("up", 80), ("click", 81), ("key", 90)]
    >>> log = EventLog.from_frame([{"c": 1, "a": a, "t": t} for a, t in rows],
    ...                           case="c", activity="a", time="t", unit="ms")
    >>> out = log.apply(Replace(pattern="down up click", to={"activity": "activate"}))
    >>> [(e["activity"], e["duration"]) for e in out]
    [('activate', 81000), ('key', None)]
    >>> out = log.apply(Replace(where="activity = 'key'", to={"activity": "type", "hand": "left"}))
    >>> [(e["activity"], e["hand"]) for e in out][2:]
    [('click', None), ('type', 'left')]
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "pattern": "mousedown mouseup click",
                    "key": ["target"],
                    "to": {"activity": "activate"},
                }
            ]
        }
    )

    scope: ClassVar[Scope] = "case"
    reads: ClassVar[tuple[str, ...] | None] = ()

    where: Where = None
    pattern: Pattern = None
    to: To = Field(default_factory=dict)
    define: Define = Field(default_factory=dict)
    key: Key = ()
    within: Within = None
    skip: Skip = "past_last"
    restart: Restart = "leftmost"
    contiguity: Contiguity = "relaxed"
    rules: tuple[ReplaceRule, ...] = Field(
        (), description="several rules, each with where or pattern, to and so on, instead of those"
    )
    resolve: Literal["first", "longest"] | None = Field(
        None, description="which of two replacements of one event counts; none: it is an error"
    )

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        given = [n for n in ReplaceRule.model_fields if getattr(self, n) != default_of(self, n)]
        if not self.rules:
            self._rules()
        elif given:
            raise ValueError(f"with rules, {', '.join(given)} belongs into a rule")
        return self

    def _rules(self) -> list[tuple[str, ReplaceRule]]:
        """Each rule, and where its parameters are."""
        if self.rules:
            return [(f"rules.{number}", rule) for number, rule in enumerate(self.rules)]
        return [("", ReplaceRule(**{n: getattr(self, n) for n in ReplaceRule.model_fields}))]

    def check(self, columns: Mapping[str, Column]) -> None:
        Transform.check(self._without_steps(), columns)
        for path, rule in self._rules():
            try:
                rule.check(columns)
            except DistillError as error:
                raise error.at(path) from error.__cause__

    def _without_steps(self) -> Replace:
        """The same less what steps of patterns are, whose columns are not all the log's own."""
        rules = tuple(rule.model_copy(update={"define": {}}) for rule in self.rules)
        return self.model_copy(update={"define": {}, "rules": rules})

    def named_columns(self) -> frozenset[str]:
        found = set(Transform.named_columns(self._without_steps()))
        for _, rule in self._rules():
            found |= rule.to.keys()
            if (match := rule.match()) is not None:
                found |= match.named_columns()
        return frozenset(found)

    def apply(self, log: EventLog) -> EventLog:
        rules = [rule for _, rule in self._rules()]
        log, groups = self._found(log, rules)
        groups, counts = self._resolved(log, groups)
        groups = groups.take(np.argsort(groups.first, kind="stable"))
        used = np.zeros(len(log), dtype=bool)
        used[groups.rows.values] = True
        columns = dict(_written(log, rules, groups))
        if any(rule.pattern is not None for rule in rules):
            columns["end"] = (log.columns.get("end", END), _ends(log, rules, groups))
        return log.tell(dangling=None, **counts).derive(
            self, at=groups.first, sources=groups.rows, columns=columns, drop=used
        )

    def _found(self, log: EventLog, rules: list[ReplaceRule]) -> tuple[EventLog, Groups]:
        """What each rule replaces; the log tells what its pattern reports."""
        parts: list[Lists] = []
        partial: dict[str, int] = {}
        fits: dict[str, int] = {}
        dangling: dict[str, list[Ints]] = {}
        for number, rule in enumerate(rules):
            if (match := rule.match()) is None:
                assert rule.where is not None
                parts.append(Lists.single(np.flatnonzero(mask(rule.where, log))))
                continue
            found, events = match.search(log)
            parts.append(Lists(found.offsets, found.members))
            prefix = f"{number}." if self.rules else ""
            partial |= {prefix + step: count for step, count in match.partial(found).items()}
            fits |= {prefix + step: count for step, count in events.fits.items()}
            dangling.setdefault("superseded", []).append(found.passed)
            dangling.setdefault("missing_key", []).append(events.lost)
        rule_of = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        groups = Groups(Lists.join(parts), rule_of)
        told: dict[str, Ints] = {}
        known = np.zeros(len(log), dtype=bool)
        known[groups.rows.values] = True
        for reason, rows in dangling.items():  # an event dangles once, and not if it is replaced
            fresh = np.zeros(len(log), dtype=bool)
            fresh[np.concatenate(rows)] = True
            told[reason] = np.flatnonzero(fresh & ~known)
            known |= fresh
        extra = {"partial": partial, "fits": fits} if dangling else {}
        return log.tell(dangling=told, **extra), groups

    def _resolved(self, log: EventLog, groups: Groups) -> tuple[Groups, dict[str, int]]:
        clash = groups.clashing(len(log))
        if self.resolve is not None:
            left = choose(groups, clash, self.resolve)
            return groups.take(np.flatnonzero(left)), {"overlapping": int((~left).sum())}
        if clash.any():
            row = int(groups.first[clash].min())
            name = log.ids.texts(log.positions[[row]])[0]
            raise OverlapError(
                f"{int(clash.sum())} replacements share an event, the first at {name!r}",
                code="overlap",
                hint="resolve = 'first' or 'longest' says which of them count",
            )
        return groups, {}


def _written(
    log: EventLog, rules: list[ReplaceRule], groups: Groups
) -> Iterator[tuple[str, tuple[Column, Array]]]:
    """The columns that rules write, for each replacement: a rule's value, or the first event's."""
    for name in dict.fromkeys(name for rule in rules for name in rule.to):
        values = [rule.to.get(name) for rule in rules]
        spec = log.columns.get(name) or Column(name, type=natural_type(values))
        own = np.array([name in rule.to for rule in rules])[groups.rule]
        given, _ = read_values(values, spec)
        new = given.take(groups.rule)
        old = log.data[name].take(groups.first) if name in log.data else null_column(spec, len(own))
        if isinstance(new, Codes) and isinstance(old, Codes):
            both = unite([old, new])
            codes = np.where(own, both.codes[len(own) :], both.codes[: len(own)])
            yield name, (spec, Codes(codes, both.values, ordered=True))
        elif isinstance(new, Masked) and isinstance(old, Masked):
            value = np.where(own, new.values, old.values)
            yield name, (spec, Masked(value, np.where(own, new.null, old.null)))


def _ends(log: EventLog, rules: list[ReplaceRule], groups: Groups) -> Masked:
    """The greatest end of what a pattern took; of one event its own."""
    if not len(groups.rule):
        return Masked(groups.first, np.zeros(0, dtype=bool))
    end = np.maximum.reduceat(log.last[groups.rows.values], groups.rows.offsets[:-1])
    alone = np.array([rule.pattern is None for rule in rules])[groups.rule]
    had = log.data.get("end")
    null = had.null[groups.first] if isinstance(had, Masked) else np.ones(len(end), dtype=bool)
    return Masked(np.where(alone & null, 0, end), alone & null)
