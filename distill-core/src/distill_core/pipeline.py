"""A pipeline: source, schema, query, transforms, model, and how it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from distill_core._walk import Earlier, earlier_values, with_earlier
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
from distill_core.plan import Plan, plan_reading
from distill_core.reading import Progress, read
from distill_core.reports import Reading, StepReport
from distill_core.result import Result
from distill_core.tables import columns_of, no_events, plan_summary, table_of


@dataclass(frozen=True)
class Pipeline:
    """From documents to a result; the same in Python, TOML, JSON and on the command line.

    ``query`` None asks for all events; without a ``model`` the events themselves are the result.
    ``stream`` names the reading in a column ``stream``. Pipelines among the parameters of steps
    (``Input``) are run first.
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
        plan = self.plan()
        if plan.summary is not None:
            found = table_of(
                self.source, self.schema, plan,
                stream=self.stream, strict=strict, progress=progress,
            )  # fmt: skip
            return self._with_meta(*found)
        ready = self._with_earlier(lambda earlier: earlier.read(strict=strict))
        log = ready._read(plan, strict, progress)  # noqa: SLF001 - a pipeline too
        return ready._finished(ready._transformed(log))  # noqa: SLF001

    def log(self, *, strict: bool = False, progress: Progress | None = None) -> EventLog:
        """The event log before the model, with all columns."""
        whole = replace(self, model=None)
        plan = whole.plan()
        if plan.summary is not None:
            raise no_events()
        ready = whole._with_earlier(lambda earlier: earlier.read(strict=strict))  # noqa: SLF001
        return ready._transformed(ready._read(plan, strict, progress))  # noqa: SLF001

    def check(self) -> Mapping[str, Column]:
        """Run all steps on an empty log: every column named must be there at its step.

        Returns the columns at the end. Nothing is read.
        """
        selection = self._selection()
        if selection.summary is None:
            return self._checked(selection).columns
        return {column.name: column for column in columns_of(self.plan())}

    def empty(self) -> EventLog:
        """The log that there is before the model if nothing is read; checks as ``check`` does."""
        selection = self._selection()
        if selection.summary is not None:
            raise no_events()
        return self._checked(selection)

    def components(self) -> Iterator[tuple[str, Component]]:
        """The components with their paths, such as ``transforms.0``."""
        for key in ("source", "schema", "query"):
            if (component := getattr(self, key)) is not None:
                yield key, component
        for index, step in enumerate(self.transforms):
            yield f"transforms.{index}", step
        if self.model is not None:
            yield "model", self.model

    def plan(self) -> Plan:
        """What would be read, after all checks; nothing is read."""
        selection = self._selection()
        if self.query is not None and selection.summary is not None:
            alone = not (self.transforms or self.model)
            return plan_summary(self.schema, self.query, selection, alone=alone)
        self._checked(selection)
        return plan_reading(self.schema, selection, self._needed())

    def explain(self) -> dict[str, Any]:
        """The plan as plain values: what the source is asked, what each step is and adds."""
        plan = self.plan()
        request = plan.request
        found = {
            "source": _told(self.source),
            "schema": _told(self.schema),
            "query": _told(self.query) if self.query else None,
            "columns": {column.name: list(column.paths) for column in request.columns},
            "pushed": str(request.where) if request.where is not None else None,
            "local": str(plan.where) if plan.where is not None else None,
            "sort": request.sort,
            "limit": request.limit,
            "documents": request.documents,
            "steps": list(self._steps_told()),
            "model": _told(self.model) if self.model else None,
        }
        if plan.summary is not None:
            found["summary"] = plan.summary.told()
            source = "by the source if it can, else here"
            found["summarized"] = f"here: {plan.local}" if plan.local else source
        inputs: dict[str, Any] = {}
        for path, component in self.components():
            for inner, earlier in earlier_values(component, deep=False):
                inputs[f"{path}.params.{inner}"] = earlier.explain()
        return {**found, "inputs": inputs} if inputs else found

    def _steps_told(self) -> Iterator[dict[str, Any]]:
        """Each step with its parameters, the columns that it adds and those that it takes away."""
        log = self._nothing(plan_reading(self.schema, self._selection()))
        ready = self._with_earlier(lambda earlier: earlier.checked())
        for step, checked in zip(self.transforms, ready.transforms, strict=True):
            before, log = log.columns, log.apply(checked)
            told = {"adds": [name for name in log.columns if name not in before],
                    "removes": [name for name in before if name not in log.columns]}  # fmt: skip
            yield {**_told(step), **{word: names for word, names in told.items() if names}}

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
        if self.query is None:
            return Selection()
        try:
            return self.query.select(datetime.now(UTC))
        except DistillError as error:
            raise error.at("query") from error.__cause__

    def _with_earlier(self, change: Callable[[Earlier], Earlier]) -> Pipeline:
        """The pipeline with ``change`` of all that its steps and its model want read before."""
        found: dict[str, Any] = {}
        for path, component in self.components():
            try:
                found[path] = with_earlier(component, change)
            except DistillError as error:
                raise error.at(f"{path}.params") from error.__cause__
        steps = [found[f"transforms.{index}"] for index in range(len(self.transforms))]
        return replace(self, transforms=steps, model=found.get("model"))

    def _checked(self, selection: Selection) -> EventLog:
        try:
            return self._on_nothing(selection)
        except DistillError as error:
            if error.code in ("column-unknown", "condition-column"):
                own = "columns" if "columns" in self.schema.params() else "extra"
                more = f"a field of the records becomes a column by schema.params.{own}"
                told = error.hint or ""
                if more not in told and not told.startswith("text goes"):  # as an inner one adds it
                    error.hint = "; ".join(filter(None, [error.hint, more]))
            raise

    def _on_nothing(self, selection: Selection) -> EventLog:
        try:
            plan = plan_reading(self.schema, selection)
        except DistillError as error:
            raise error.at("" if error.path else "query") from error.__cause__
        log = self._nothing(plan)
        ready = self._with_earlier(lambda earlier: earlier.checked())
        log = ready._transformed(log)  # noqa: SLF001 - a pipeline too
        if self.model is not None:
            try:
                self.model.check(log.columns)
            except DistillError as error:
                raise error.at("model.params") from error.__cause__
        return log

    def _nothing(self, plan: Plan) -> EventLog:
        """The log before the steps if nothing is read."""
        collector = Collector(
            {**plan.columns, "id": Column("id", type="ids")}, keep=[*plan.keep, "id"]
        )
        log = EventLog.of(*collector.finish())
        return log if self.stream is None else _with_stream(log, self.stream)

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
        return self._with_meta(result, log.reading, log.steps)

    def _with_meta(
        self, result: Result, reading: Reading | None, steps: Sequence[StepReport] = ()
    ) -> Result:
        return result.with_meta(
            pipeline=self.to_dict(masked=True),
            versions=self._versions(),
            reading=reading.to_dict() if reading else None,
            steps=[report.to_dict() for report in steps],
            truncated=reading is not None and "beyond_limit" in reading.counts,
        )

    def _versions(self) -> dict[str, str]:
        from importlib.metadata import version

        from distill_core.registry import plugins

        plugins()  # a class knows its distribution once the plugins are loaded
        parts = [component for _, component in self.components()]
        for _, earlier in [pair for part in parts for pair in earlier_values(part)]:
            parts += [part for _, part in earlier.components() if isinstance(part, Component)]
        origins = {type(part).__origin__ for part in parts}
        pairs = [origin.rpartition(" ") for origin in sorted(origins) if origin]
        found = {"distill-core": version("distill-core")}
        found |= {name: number for name, _, number in pairs}
        for part in parts:
            if isinstance(part, Schema) and (reads := type(part).version):
                found[f"schema {component_name(part)}"] = reads
        return dict(sorted(found.items()))


def compute(model: Model, log: EventLog) -> Result:
    """The model's result of a log. Raises ModelError if it fails or returns something else."""
    model.check(log.columns)
    try:
        result = model.compute(log)
        if not isinstance(result, Result):
            raise ModelError(
                f"model {component_name(model)!r} returned {type(result).__name__}, not a Result",
                code="model-failed",
                hint="Result.table(columns, rows) makes one, of rows that are plain dictionaries",
                path="model",
            )
    except DistillError:
        raise
    except Exception as error:
        origin = type(model).__origin__ or type(model).__module__
        raise ModelError(
            f"model {component_name(model)!r} ({origin}) failed: {type(error).__name__}: {error}",
            code="model-failed",
            hint="its author may know more",
            path="model",
        ) from error
    return replace(result, artist=model)


def component_dict(component: Component, *, masked: bool = False) -> dict[str, Any]:
    """``{"name", "params"}`` with defaults."""
    params = component.model_dump(mode="json", context={"masked": masked})
    return {"name": component_name(component), "params": params}


def _told(component: Component) -> dict[str, Any]:
    """Its name, and the parameters that differ from the defaults; secrets are masked."""
    params = component.model_dump(mode="json", exclude_defaults=True, context={"masked": True})
    return {"name": component_name(component), "params": params}


def _with_stream(log: EventLog, stream: str) -> EventLog:
    from distill_core.batch import Codes

    column = Column("stream", description="the name of this reading")
    codes = Codes([0] * len(log), [stream], ordered=True)  # type: ignore[arg-type]
    return log.with_columns(stream=(column, codes))


