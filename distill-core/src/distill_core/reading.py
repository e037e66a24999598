"""A reading: the source's batches, through the schema, into a prepared log or a summary."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from distill_core.batch import Batch, Ints
from distill_core.collect import Collector
from distill_core.columns import Column
from distill_core.component import Request, Scan, Schema, Source, component_name
from distill_core.errors import DistillError, SchemaError, SourceError
from distill_core.extract import count_surrogates, extract, too_deep
from distill_core.log import EventLog
from distill_core.plan import Plan, asked
from distill_core.reports import Counted, Reading
from distill_core.summarize import Summarizer
from distill_core.summary import Summarized, Summary

Progress = Callable[[int, int | None], None]


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
    collector = Collector(
        columns,
        where=plan.where,
        match=plan.match,
        keep=[*plan.keep, "id", *(["stream"] if stream is not None else [])],
        stream=stream,
        strict=strict,
        named=schema.named(),
    )
    scan = Scan(on_progress=progress)
    _collect(source, schema, plan, scan, collector)
    prepared, reading = collector.finish(
        source.locate, sort=plan.selection.sort, limit=plan.selection.limit
    )
    reading = replace(reading, counts={**reading.counts, **scan.facts})
    return EventLog.of(prepared, reading)


def summarize(
    source: Source,
    schema: Schema,
    plan: Plan,
    *,
    stream: str | None = None,
    strict: bool = False,
    progress: Progress | None = None,
) -> tuple[Batch, Reading, str]:
    """The groups of a planned summary, the report, and who computed it: source or core.

    Strict reading is the core's: it stops at the first record that is amiss.
    """
    assert plan.summary is not None
    if not (plan.local or strict):
        found = _answered(source, *asked(plan))
        if found is not None:
            return found.groups, _told(found, source.locate), "source"
    columns = _declared(plan, stream)
    summarizer = Summarizer(
        columns,
        plan.summary,
        where=plan.where,
        match=plan.match,
        used=plan.keep,
        stream=stream,
        strict=strict,
        named=schema.named(),
    )
    scan = Scan(on_progress=progress)
    _collect(source, schema, plan, scan, summarizer)
    groups, reading = summarizer.summarized(source.locate)
    return groups, replace(reading, counts={**reading.counts, **scan.facts}), "core"


def _answered(source: Source, request: Request, summary: Summary) -> Summarized | None:
    try:
        return source.summarize(request, summary)
    except DistillError:
        raise
    except Exception as error:
        raise _failed(source, error) from error


def _told(found: Summarized, locate: Callable[[Sequence[int]], list[str]]) -> Reading:
    """The report that the core would have written."""

    def counted(what: Mapping[str, tuple[int, Ints]]) -> dict[str, Counted]:
        pairs = sorted(what.items())
        return {name: Counted(count, tuple(locate(places.tolist())))
                for name, (count, places) in pairs}  # fmt: skip

    rejected = counted(found.rejected)
    lost = found.foreign + found.kept + sum(told.count for told in rejected.values())
    return Reading(
        read=found.read,
        kept=found.kept,
        foreign=found.foreign,
        filtered=found.read - lost,
        rejected=rejected,
        nulled=counted(found.nulled),
        counts=dict(found.counts),
    )


def _collect(
    source: Source, schema: Schema, plan: Plan, scan: Scan, collector: Collector
) -> None:
    """Hand the collector what the source gives, and what it rejects."""
    columns = collector.columns
    batches = _batches(source, schema, plan, scan, frozenset(columns))
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
        raise _failed(source, error) from error


def _failed(source: Source, error: Exception) -> SourceError:
    origin = type(source).__origin__ or type(source).__module__
    return SourceError(
        f"source {component_name(source)!r} ({origin}) failed: {type(error).__name__}: {error}",
        code="source-failed",
        hint="the cause is in the traceback",
    )


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


