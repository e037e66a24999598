"""A pipeline whose query asks for a summary: its plan and its table."""

from __future__ import annotations

from distill_core._walk import columns_named
from distill_core.columns import Column
from distill_core.component import Query, Schema, Selection, Source
from distill_core.errors import DistillError, SpecError
from distill_core.plan import Plan, plan_reading
from distill_core.reading import Progress, summarize
from distill_core.reports import Reading
from distill_core.result import Result
from distill_core.tabulate import rows_of


def plan_summary(schema: Schema, query: Query, selection: Selection, *, alone: bool) -> Plan:
    """The plan, after all checks; ``alone``: no step and no model follow, as it must be."""
    if not alone:
        raise SpecError(
            "a summary is the result: no steps and no model follow it",
            code="spec-invalid",
            hint="leave them out, or ask for events instead: query = 'events'",
            path="query",
        )
    try:
        return plan_reading(schema, selection)
    except DistillError as error:
        raise error.at(_place(query, error)) from error.__cause__


def _place(query: Query, error: DistillError) -> str:
    """The parameter of the query that names the column that the error is about."""
    for path, name, _ in columns_named(query):
        if name and error.code in ("column-unknown", "column-type") and repr(name) in error.message:
            return f"query.params.{path}"
    return "query"


def columns_of(plan: Plan) -> tuple[Column, ...]:
    """The columns of the table."""
    assert plan.summary is not None
    return plan.summary.table(plan.columns)


def table_of(
    source: Source,
    schema: Schema,
    plan: Plan,
    *,
    stream: str | None,
    strict: bool,
    progress: Progress | None,
) -> tuple[Result, Reading]:
    """The table, which tells in ``meta`` whether source or core computed it, and the report."""
    assert plan.summary is not None
    groups, reading, by = summarize(
        source, schema, plan, stream=stream, strict=strict, progress=progress
    )
    columns = columns_of(plan)
    rows = rows_of(plan.summary, columns, groups)
    return Result.table(columns, rows).with_meta(summarized=by), reading


def no_events() -> SpecError:
    """What is wrong where events are wanted of a summary."""
    return SpecError(
        "a summary has no events",
        code="spec-invalid",
        hint="run the pipeline, its table is the result; or ask for events instead",
        path="query",
    )
