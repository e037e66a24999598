"""A pipeline: source, schema, query, transforms, model, and how it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from distill_core.collect import Collector
from distill_core.columns import Column
from distill_core.component import (
    Component,
    Model,
    Query,
    Schema,
    Selection,
    Source,
    Transform,
    component_name,
)
from distill_core.errors import DistillError, ModelError
from distill_core.log import EventLog
from distill_core.reading import Plan, Progress, plan_reading, read
from distill_core.result import Result


@dataclass(frozen=True)
class Pipeline:
    """From documents to a result; the same in Python, TOML, JSON and on the command line.

    ``query`` None asks for all events; without a ``model`` the events themselves are the result.
    ``stream`` names the reading in a column ``stream``.
    """

    source: Source
    schema: Schema
    query: Query | None = None
    transforms: Sequence[Transform] = ()
    model: Model | None = None
    stream: str | None = None
    name: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "transforms", tuple(self.transforms))

    def run(self, *, strict: bool = False, progress: Progress | None = None) -> Result:
        """Read, transform, compute. Raises DistillError with the path of what is wrong.

        ``strict``: the first record that must be rejected, or value that cannot be read, raises.
        """
        log = self._read(self.plan(), strict, progress)
        log = self._transformed(log)
        return self._finished(log)

    def log(self, *, strict: bool = False, progress: Progress | None = None) -> EventLog:
        """The event log before the model, with all columns."""
        whole = replace(self, model=None)
        read_log = whole._read(whole.plan(), strict, progress)  # noqa: SLF001 - a pipeline too
        return whole._transformed(read_log)  # noqa: SLF001

    def check(self) -> Mapping[str, Column]:
        """Run all steps on an empty log: every column named must be there at its step.

        Returns the columns at the end. Nothing is read.
        """
        return self._checked(self._selection())

    def plan(self) -> Plan:
        """What would be read, after all checks; nothing is read."""
        selection = self._selection()
        self._checked(selection)
        return plan_reading(self.schema, selection, self._needed())

    def explain(self) -> dict[str, Any]:
        """The plan as plain values: what the source is asked, what is done here."""
        plan = self.plan()
        request = plan.request
        return {
            "source": component_name(self.source),
            "columns": {column.name: list(column.paths) for column in request.columns},
            "pushed": str(request.where) if request.where else None,
            "local": str(plan.where) if plan.where else None,
            "sort": request.sort,
            "limit": request.limit,
            "documents": request.documents,
            "steps": [component_name(step) for step in self.transforms],
            "model": component_name(self.model) if self.model else None,
        }

    def to_dict(self, *, masked: bool = False) -> dict[str, Any]:
        """The document of this pipeline, written out with defaults.

        A literal secret has no written form: it raises unless ``masked``, which writes ``***``.
        """
        found: dict[str, Any] = {"source": self.source, "schema": self.schema}
        found |= {"query": self.query, "transforms": list(self.transforms), "model": self.model}
        written = {
            kind: [component_dict(c, masked=masked) for c in part]
            if isinstance(part, list)
            else component_dict(part, masked=masked)
            for kind, part in found.items()
            if part is not None
        }
        return written if self.stream is None else {**written, "stream": self.stream}

    def _selection(self) -> Selection:
        return self.query.select(datetime.now(UTC)) if self.query else Selection()

    def _checked(self, selection: Selection) -> Mapping[str, Column]:
        try:
            plan = plan_reading(self.schema, selection)
        except DistillError as error:
            raise error.at("" if error.path else "query") from error.__cause__
        collector = Collector(
            {**plan.columns, "id": Column("id", type="ids")}, keep=[*plan.keep, "id"]
        )
        log = EventLog.of(*collector.finish())
        if self.stream is not None:
            log = _with_stream(log, self.stream)
        log = self._transformed(log)
        if self.model is not None:
            try:
                self.model.check(log.columns)
            except DistillError as error:
                raise error.at("model.params") from error.__cause__
        return log.columns

    def _needed(self) -> set[str] | None:
        """The columns that the steps and the model use; None: all."""
        if self.model is None:
            return None
        names: set[str] = set()
        steps: tuple[Transform | Model, ...] = (*self.transforms, self.model)
        for step in steps:
            if step.reads is None:
                return None
            names |= set(step.reads) | step.named_columns()
        return names

    def _read(self, plan: Plan, strict: bool, progress: Progress | None) -> EventLog:
        return read(
            self.source, self.schema, plan, stream=self.stream, strict=strict, progress=progress
        )

    def _transformed(self, log: EventLog) -> EventLog:
        for index, step in enumerate(self.transforms):
            try:
                log = log.apply(step)
            except DistillError as error:
                path = f"transforms.{index}" + (".params" if error.path else "")
                raise error.at(path) from error.__cause__
        return log

    def _finished(self, log: EventLog) -> Result:
        result = Result.of_log(log) if self.model is None else compute(self.model, log)
        counts = log.reading.counts if log.reading else {}
        return result.with_meta(
            pipeline=self.to_dict(masked=True),
            versions=self._versions(),
            reading=log.reading.to_dict() if log.reading else None,
            steps=[report.to_dict() for report in log.steps],
            truncated="beyond_limit" in counts,
        )

    def _versions(self) -> dict[str, str]:
        from importlib.metadata import version

        from distill_core.registry import plugins

        plugins()  # a class knows its distribution once the plugins are loaded
        parts = (self.source, self.schema, self.query, *self.transforms, self.model)
        origins = {type(part).__origin__ for part in parts if part is not None}
        pairs = [origin.rpartition(" ") for origin in sorted(origins) if origin]
        found = {"distill-core": version("distill-core")}
        found |= {name: number for name, _, number in pairs}
        if reads := type(self.schema).version:
            found[f"schema {component_name(self.schema)}"] = reads
        return dict(sorted(found.items()))


def compute(model: Model, log: EventLog) -> Result:
    """The model's result of a log. Raises ModelError if it fails or returns something else."""
    model.check(log.columns)
    try:
        result = model.compute(log)
        if not isinstance(result, Result):
            raise TypeError(f"compute returned {type(result).__name__}, not a Result")
    except DistillError:
        raise
    except Exception as error:
        origin = type(model).__origin__ or type(model).__module__
        raise ModelError(
            f"model {component_name(model)!r} ({origin}) failed: {type(error).__name__}: {error}",
            code="model-failed",
            hint="its author may know more; the cause is in the traceback",
            path="model",
        ) from error
    return replace(result, artist=model)


def component_dict(component: Component, *, masked: bool = False) -> dict[str, Any]:
    """``{"name", "params"}`` with defaults."""
    params = component.model_dump(mode="json", context={"masked": masked})
    return {"name": component_name(component), "params": params}


def _with_stream(log: EventLog, stream: str) -> EventLog:
    from distill_core.batch import Codes

    column = Column("stream", description="the name of this reading")
    codes = Codes([0] * len(log), [stream], ordered=True)  # type: ignore[arg-type]
    return log.with_columns(stream=(column, codes))


