"""What a summary asks of events: groups, and figures of each group; no events leave the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, get_args

from distill_core.batch import Batch, Ints
from distill_core.columns import DURATION, RESERVED_TYPES, Column
from distill_core.conditions import Condition, bind
from distill_core.errors import SpecError, nearest
from distill_core.params import Calendar, every_text

Op = Literal["count", "distinct", "min", "max", "sum"]
_SUMMED = ("integer", "number", "duration")
_SORTED = ("string", "integer", "number", "boolean", "time", "duration")
SHARE = (("share", "share of all events that are counted so"),
         ("low", "lower end of the 95 % interval of the share"),
         ("high", "upper end of the 95 % interval of the share"))  # fmt: skip
"""What a share adds to a count: columns by suffix, and what they are."""


@dataclass(frozen=True)
class Group:
    """Events are grouped by equal values of a column; null is a value of its own.

    ``every``, for a column of times: by windows of this length, and the group is known by the
    begin of its window. Durations count from the epoch in UTC; days, weeks and months are those of
    ``zone``. ``empty`` ``keep``: windows without events, between the first and the last that has
    some, are there too, with each combination of the other groups.
    """

    column: str
    every: timedelta | Calendar | None = None
    zone: str = "UTC"
    empty: Literal["drop", "keep"] = "drop"


@dataclass(frozen=True)
class Measure:
    """One figure of each group, called ``name``.

    ``count``: events, or with a ``column`` those where it is not null. ``distinct``: different
    values. ``min``, ``max``: the least and the greatest, text by code point, false before true.
    ``sum``: of integers and durations exact; of numbers the exact sum, rounded once. Null values
    do not count; of none, min, max and sum are null. ``where``: only events for which it is true.

    >>> Measure("visitors", "distinct", "user")
    Measure(name='visitors', op='distinct', column='user', where=None)
    """

    name: str
    op: Op
    column: str | None = None
    where: Condition | None = None


@dataclass(frozen=True)
class Summary:
    """Figures of groups of events: a row for each group, groups first, then measures.

    Without groups there is one row, of all events. Rows come in order of the groups, ascending,
    null last; with ``top`` only the first so many come, by the first measure descending (null
    last), equal ones in order of the groups. ``shares`` names counts that are told as shares too:
    of the total over all groups, with the interval of Wilson (1927) at 95 %.

    >>> Summary((Group("activity"),), (Measure("events", "count"),), top=3).names
    ('activity', 'events')
    """

    by: tuple[Group, ...] = ()
    measures: tuple[Measure, ...] = (Measure("events", "count"),)
    top: int | None = None
    shares: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for message in self._faults():
            raise SpecError(f"a summary {message}", code="spec-invalid")

    def _faults(self) -> Iterator[str]:
        if not self.measures:
            yield "has no measure"
        for measure in self.measures:
            if measure.op not in get_args(Op):
                yield f"has the measure {measure.op!r}: {nearest(measure.op, get_args(Op))}"
            if measure.column is None and measure.op != "count":
                yield f"has the measure {measure.name!r}, a {measure.op} of no column"
        counts = [measure.name for measure in self.measures if measure.op == "count"]
        for name in self.shares:
            if name not in counts:
                yield f"has the share of {name!r}, which is none of its counts"
        for name in self.names:
            if self.names.count(name) > 1:
                yield f"has two columns {name!r}"
        if self.top is not None and self.top < 1:
            yield f"has a top of {self.top}"
        if sum(group.empty == "keep" for group in self.by) > 1:
            yield "keeps empty windows of more than one group"

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of its table."""
        found = [group.column for group in self.by]
        for measure in self.measures:
            found.append(measure.name)
            if measure.name in self.shares:
                found += [f"{measure.name}_{suffix}" for suffix, _ in SHARE]
        return tuple(found)

    def told(self) -> dict[str, list[str]]:
        """What it asks, in words, for those who look at the plan.

        >>> Summary((Group("time", timedelta(hours=24)),)).told()
        {'by': ['time every 24h'], 'measures': ['events: count']}
        """
        by = []
        for group in self.by:
            every = "" if group.every is None else f" every {every_text(group.every)}"
            zone = f" of {group.zone}" if isinstance(group.every, Calendar) else ""
            by.append(f"{group.column}{every}{zone}")
        measures = []
        for measure in self.measures:
            of = "" if measure.column is None else f" of {measure.column}"
            where = "" if measure.where is None else f" where {measure.where}"
            measures.append(f"{measure.name}: {measure.op}{of}{where}")
        return {"by": by, "measures": measures}

    @property
    def columns(self) -> frozenset[str]:
        """The columns of events that it is computed from."""
        found = {group.column for group in self.by}
        for measure in self.measures:
            found |= {measure.column} if measure.column is not None else set()
            found |= measure.where.columns if measure.where is not None else set()
        return frozenset(found)

    def bound(self, columns: Mapping[str, Column]) -> Summary:
        """The same with conditions bound to these columns. Raises SpecError, ConditionError.

        A measure may use ``user end order stream`` where there is none: nothing is counted.
        """
        known = with_duration(columns)
        for group in self.by:
            column = _known(group.column, known)
            if column.type == "ids" and group.column != "id":
                raise _misfit(f"are not grouped by {column.name!r}", column)
            if group.every is not None and column.type != "time":
                raise _misfit(f"have no windows of {column.name!r}", column)
        for measure in self.measures:
            if measure.column is not None:
                _check_measure(measure, known)
        if all(measure.where is None for measure in self.measures):
            return self
        measures = [_bound(measure, known) for measure in self.measures]
        return Summary(self.by, tuple(measures), self.top, self.shares)

    def table(self, columns: Mapping[str, Column]) -> tuple[Column, ...]:
        """The columns of its table, where events have these; all checked by ``bound``."""
        known = with_duration(columns)
        found = [Column(g.column, type=_shown(known[g.column])) for g in self.by]
        for measure in self.measures:
            found.append(Column(measure.name, type=_type(measure, known)))
            if measure.name in self.shares:
                found += [Column(f"{measure.name}_{suffix}", type="number", description=text)
                          for suffix, text in SHARE]  # fmt: skip
        return tuple(found)


@dataclass(frozen=True)
class Summarized:
    """A source's own answer to a summary, equal in everything to what the core would find.

    ``groups``: one row a group, in any order, with a column for each group and each measure, by
    name: texts and JSON as Codes, all else as Masked, times (of windows: their begin) and
    durations in µs, counts and sums of integers int64. Without groups it has one row. Neither
    shares nor empty windows are in it. ``read``, ``kept``, ``foreign`` and ``counts`` are what
    Reading tells; ``rejected``: reason → how many records, and the arrivals of the first 100;
    ``nulled``: column → likewise.
    """

    groups: Batch
    read: int
    kept: int
    foreign: int = 0
    rejected: Mapping[str, tuple[int, Ints]] = field(default_factory=dict)
    nulled: Mapping[str, tuple[int, Ints]] = field(default_factory=dict)
    counts: Mapping[str, Any] = field(default_factory=dict)


def optional(name: str) -> Column | None:
    """A reserved column that a schema may lack, as it is where it does."""
    if name not in ("end", "order", "user", "stream"):
        return None
    return Column(name, type=RESERVED_TYPES[name][0])  # type: ignore[arg-type]


def with_duration(columns: Mapping[str, Column]) -> Mapping[str, Column]:
    """The columns, and the duration where there is an end."""
    return {**columns, "duration": DURATION} if "end" in columns else columns


def _known(name: str, columns: Mapping[str, Column]) -> Column:
    if name in columns:
        return columns[name]
    raise SpecError(
        f"there is no column {name!r} to summarise",
        code="column-unknown",
        hint=nearest(name, columns),
    )


def _check_measure(measure: Measure, columns: Mapping[str, Column]) -> None:
    name = str(measure.column)
    column = (None if name in columns else optional(name)) or _known(name, columns)
    kinds = {"sum": _SUMMED, "min": _SORTED, "max": _SORTED}.get(measure.op)
    if kinds is not None and column.type not in kinds:
        raise _misfit(f"have no {measure.op} of {column.name!r}", column)
    if column.type == "ids" and name != "id":
        raise _misfit(f"have no {measure.op} of {column.name!r}", column)


def _misfit(what: str, column: Column) -> SpecError:
    return SpecError(f"events {what}, which is of type {column.type}", code="column-type")


def _bound(measure: Measure, columns: Mapping[str, Column]) -> Measure:
    where = measure.where if measure.where is None else bind(measure.where, columns)
    return Measure(measure.name, measure.op, measure.column, where)


def _type(measure: Measure, columns: Mapping[str, Column]) -> Any:
    if measure.op in ("count", "distinct"):
        return "integer"
    name = str(measure.column)
    return _shown(columns.get(name) or optional(name) or Column(name))


def _shown(column: Column) -> Any:
    return "string" if column.type == "ids" else column.type
