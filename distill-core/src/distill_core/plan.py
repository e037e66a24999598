"""The planner: which columns a reading needs, what the source is asked, what is done here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from distill_core.collect import BLANK_IS_NULL
from distill_core.columns import RESERVED, Column, check_columns
from distill_core.component import Request, Schema, Selection, component_name
from distill_core.conditions import Compare, Condition, Null, Or, bind, without
from distill_core.errors import SpecError, nearest
from distill_core.summary import Summary, with_duration


@dataclass(frozen=True)
class Plan:
    """A reading made ready: what the source is asked, what is done here."""

    request: Request
    columns: Mapping[str, Column]  # all that are filled, those for the condition too
    keep: tuple[str, ...]  # of these, the log's
    where: Condition | None  # bound; applied here to everything
    selection: Selection
    match: Condition | None = None  # the schema's, bound
    summary: Summary | None = None  # bound
    local: str = ""  # why the source is not asked for the summary; nothing: it is


def plan_reading(
    schema: Schema, selection: Selection, needed: Iterable[str] | None = None
) -> Plan:
    """Which columns are wanted and which condition the source may use.

    ``needed``: the columns that the steps use; None: all but those that must be named.
    """
    every = check_columns(schema.all_columns(), f"schema {component_name(schema)!r}")
    if "case" not in every:
        every = {"case": Column("case"), **every}
    summary = selection.summary.bound(every) if selection.summary is not None else None
    if summary is None:
        keep = _kept(every, {c.name for c in schema.extra}, selection, needed)
    else:
        keep = _summarised(every, summary)
    where = bind(selection.where, with_duration(every)) if selection.where is not None else None
    names = set(keep) | (_real(where.columns) if where is not None else set())
    match = type(schema).match
    if match is not None:
        match = bind(match, with_duration(every))
        names |= _real(match.columns)
    names |= {n for n, c in every.items() if c.required}
    filled = {name: column for name, column in every.items() if name in names}
    wanted = set(names)
    for column in filled.values():
        wanted |= set(column.of)
    if any("*" in every[name].paths for name in wanted):
        wanted |= set(every)  # the rest is what no column of the schema reads, asked for or not
    asked = tuple(c for n, c in every.items() if n in wanted and c.paths)
    unpacks = type(schema).unpack is not Schema.unpack
    request = Request(
        columns=asked,
        where=None if unpacks else _pushed(where, every),
        sort=selection.sort,
        limit=selection.limit,
        documents=unpacks,
    )
    columns = {name: column for name, column in every.items() if name in wanted}
    local = "" if summary is None else _local(summary, filled, unpacks=unpacks)
    return Plan(request, columns, tuple(keep), where, selection, match, summary, local)


def asked(plan: Plan) -> tuple[Request, Summary]:
    """What a source is asked that shall summarise: all that it may do by itself."""
    assert plan.summary is not None
    request = replace(plan.request, where=plan.where, match=plan.match)
    by = tuple(replace(group, empty="drop") for group in plan.summary.by)
    whole = plan.summary.shares or by != plan.summary.by
    top = None if whole else plan.summary.top
    return request, Summary(by, plan.summary.measures, top)


def _summarised(every: Mapping[str, Column], summary: Summary) -> list[str]:
    """The columns that a summary needs of events, those without which there is no event too."""
    names = _real(summary.columns) | {"case", "activity", "time", "user"}
    return [name for name in every if name in names]


def _local(summary: Summary, filled: Mapping[str, Column], *, unpacks: bool) -> str:
    if unpacks:
        return "the schema takes documents apart"
    for name in sorted({*_real(summary.columns), *filled}):
        if name not in filled:
            return f"there is no column {name!r}"
        if name in ("end", "stream"):
            return f"column {name!r} is mended here"
        paths = filled[name].paths
        if "*" in paths or not (paths or (name == "case" and not filled[name].of)):
            return f"column {name!r} is made by the schema"
    return ""


def _kept(
    every: Mapping[str, Column],
    named: set[str],
    selection: Selection,
    needed: Iterable[str] | None,
) -> list[str]:
    for name in selection.columns:
        if name not in every:
            raise SpecError(
                f"the schema has no column {name!r}",
                code="column-unknown",
                hint=nearest(name, every),
                path="query.params.columns",
            )
    if selection.columns:
        chosen = set(selection.columns) | (set(needed or ()) & set(every))
    elif needed is None:
        chosen = {name for name, c in every.items() if "*" not in c.paths or name in named}
    else:
        chosen = set(needed)
    return [name for name in every if name in chosen or name in RESERVED]


def _real(names: frozenset[str]) -> set[str]:
    return (set(names) - {"duration"}) | ({"time", "end"} if "duration" in names else set())


def _pushed(where: Condition | None, columns: Mapping[str, Column]) -> Condition | None:
    """What the source may filter by: never more than the condition leaves out here.

    Here blank text is null and a missing case comes from the user, so rows with such must come.
    """
    if where is None:
        return None
    local = {n for n, c in columns.items() if not c.paths} | {"end", "duration"}
    pushed = without(where, local)
    if pushed is None:
        return None
    blank: list[Condition] = []
    for name in sorted(pushed.columns & set(BLANK_IS_NULL)):
        if columns[name].type in ("string", "ids"):
            blank.append(Compare("eq", name, ""))
        if name == "case" and "user" in columns:
            blank.append(Null("case"))
    return Or((pushed, *blank)) if blank else pushed
