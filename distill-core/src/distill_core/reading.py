"""A reading: the source's batches, through the schema, into one prepared log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from distill_core.batch import Batch, Ints
from distill_core.collect import BLANK_IS_NULL, Collector
from distill_core.columns import DURATION, RESERVED, Column, check_columns
from distill_core.component import Request, Scan, Schema, Selection, Source, component_name
from distill_core.conditions import Compare, Condition, Null, Or, bind, without
from distill_core.errors import DistillError, SchemaError, SourceError, SpecError, nearest
from distill_core.extract import count_surrogates, extract, too_deep
from distill_core.log import EventLog

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Plan:
    """A reading made ready: what the source is asked, what is done here."""

    request: Request
    columns: Mapping[str, Column]  # all that are filled, those for the condition too
    keep: tuple[str, ...]  # of these, the log's
    where: Condition | None  # bound; applied here to everything
    selection: Selection


def plan_reading(
    schema: Schema, selection: Selection, needed: Iterable[str] | None = None
) -> Plan:
    """Which columns are wanted and which condition the source may use.

    ``needed``: the columns that the steps use; None: all but those that must be named.
    """
    every = check_columns(schema.all_columns(), f"schema {component_name(schema)!r}")
    if "case" not in every:
        every = {"case": Column("case"), **every}
    keep = _kept(every, {c.name for c in schema.extra}, selection, needed)
    where = bind(selection.where, _with_duration(every)) if selection.where is not None else None
    names = set(keep) | (_real(where.columns) if where is not None else set())
    match = type(schema).match
    if match is not None:
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
    return Plan(request, columns, tuple(keep), where, selection)


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


def _with_duration(columns: Mapping[str, Column]) -> dict[str, Column]:
    return {**columns, "duration": DURATION} if "end" in columns else dict(columns)


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


def read(
    source: Source,
    schema: Schema,
    plan: Plan,
    *,
    stream: str | None = None,
    strict: bool = False,
    progress: Progress | None = None,
) -> EventLog:
    """The log of a planned reading. Raises SourceError, SchemaError; secrets are removed."""
    columns = _declared(plan, stream)
    match = type(schema).match
    collector = Collector(
        columns,
        where=plan.where,
        match=bind(match, _with_duration(plan.columns)) if match is not None else None,
        keep=[*plan.keep, "id", *(["stream"] if stream is not None else [])],
        stream=stream,
        strict=strict,
        named=schema.named(),
    )
    scan = Scan(on_progress=progress)
    wanted = frozenset(columns)
    batches = _batches(source, schema, plan, scan, wanted)
    try:
        for batch in batches:
            collector.add(_parsed(schema, batch, columns))
            if scan.sorted and collector.enough(plan.selection.sort, plan.selection.limit):
                break
    finally:
        scan.cancel()
        batches.close()
    for reason in dict.fromkeys(reason for reason, _ in scan.rejected):
        places = [arrival for r, arrival in scan.rejected if r == reason]
        collector.reject(reason, np.array(places, dtype=np.int64))
    prepared, reading = collector.finish(
        source.locate, sort=plan.selection.sort, limit=plan.selection.limit
    )
    reading = replace(reading, counts={**reading.counts, **scan.facts})
    return EventLog.of(prepared, reading)


def _declared(plan: Plan, stream: str | None) -> dict[str, Column]:
    columns = dict(plan.columns)
    columns["id"] = replace(columns.get("id", Column("id")), type="ids")
    if stream is not None:
        columns["stream"] = Column("stream", description="the name of this reading")
    return columns


def _batches(
    source: Source, schema: Schema, plan: Plan, scan: Scan, wanted: frozenset[str]
) -> Any:
    """The source's answer as batches; its unexpected errors become SourceError."""
    done = 0
    try:
        for chunk in source.read(plan.request, scan):
            if isinstance(chunk, Batch):
                yield replace(chunk, wanted=wanted)
            else:
                yield _of_documents(chunk, done, schema, plan, scan, wanted)
                done += len(chunk)
    except DistillError:
        raise
    except Exception as error:
        origin = type(source).__origin__ or type(source).__module__
        raise SourceError(
            f"source {component_name(source)!r} ({origin}) failed: {type(error).__name__}: {error}",
            code="source-failed",
            hint="the cause is in the traceback",
        ) from error


def _of_documents(
    documents: Sequence[Any],
    done: int,
    schema: Schema,
    plan: Plan,
    scan: Scan,
    wanted: frozenset[str],
) -> Batch:
    """Plain dicts as a batch; what is no object is rejected."""
    rows: list[Mapping[str, Any]] = []
    arrivals: list[int] = []
    unpacks = type(schema).unpack is not Schema.unpack
    given = getattr(documents, "arrival", None)  # a list of documents may know their places
    numbers = range(done, done + len(documents)) if given is None else given.tolist()
    for arrival, document in zip(numbers, documents, strict=True):
        events: Iterable[Any] = [document]
        if unpacks and isinstance(document, Mapping):
            events = schema.unpack(document)
        for event in events:
            if not isinstance(event, Mapping):
                scan.reject("not_object", arrival)
            elif too_deep(event):
                scan.reject("too_deep", arrival)
            else:
                rows.append(event)
                arrivals.append(arrival)
    if broken := count_surrogates(rows):
        scan.note(surrogates=broken)
    places: Ints = np.array(arrivals, dtype=np.int64)
    return extract(rows, plan.request.columns, places, wanted)


def _parsed(schema: Schema, batch: Batch, columns: Mapping[str, Column]) -> Batch:
    parsed = schema.parse(batch)
    name = component_name(schema)
    if not isinstance(parsed, Batch) or len(parsed) != len(batch):
        raise SchemaError(
            f"schema {name!r} returned {type(parsed).__name__} of another length from parse",
            code="schema-columns",
            hint="parse keeps every row and returns a Batch",
        )
    for column, array in parsed.columns.items():
        if column not in columns or len(array) != len(batch):
            raise SchemaError(
                f"schema {name!r} filled the column {column!r}, which is not its own to fill",
                code="schema-columns",
                hint="parse fills the wanted columns that have no paths",
            )
    return parsed


