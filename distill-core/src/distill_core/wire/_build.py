"""From a document to a pipeline, and back."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from typing import Any, cast

from pydantic import BaseModel, ValidationError

from distill_core._faults import invalid, parameters
from distill_core._walk import Earlier, earlier_values
from distill_core.component import Component, Kind, Query, Schema, Source, component_name
from distill_core.errors import ComponentNotFound, DistillError, PluginError, SpecError, nearest
from distill_core.log import EventLog
from distill_core.params import Secret
from distill_core.pipeline import Pipeline
from distill_core.registry import components, find
from distill_core.wire._names import Names

NO_NAMES = Names()
KEYS = ("source", "schema", "query", "transforms", "model", "stream")
Document = Mapping[str, Any]
_REQUIRED: tuple[Kind, ...] = ("source", "schema")
_SINGLE: tuple[Kind, ...] = ("source", "schema", "query", "model")


def from_document(
    document: Any,
    *,
    sources: Mapping[str, Document] | None = None,
    pipelines: Mapping[str, Document] | None = None,
) -> Pipeline:
    """The pipeline that a document describes.

    ``sources``: the configured ones, by name: ``{"source": …, "schema": …}``; ``pipelines``:
    likewise, for parameters that take another pipeline. Raises SpecError (or ComponentNotFound,
    PluginError, ConditionError) with the ``path`` of what is wrong.

    >>> from_document({"source": {"name": "files"}, "schma": "fields"})
    Traceback (most recent call last):
    distill_core.errors.SpecError: schma: there is no 'schma' here (did you mean 'schema'?) ...
    """
    return pipeline_of(document, Names(sources or {}, pipelines or {}))


def pipeline_of(document: Any, names: Names) -> Pipeline:
    """The same, where documents may use these names."""
    document = inline(document, names.sources)
    _check_keys(document, KEYS)
    for kind in _REQUIRED:
        if document.get(kind) is None:
            raise SpecError(
                f"a {kind} is required",
                code="spec-invalid",
                hint=nearest("", (entry.name for entry in components(kind))),
                path=kind,
            )
    steps = document.get("transforms") or []
    if not isinstance(steps, Sequence) or isinstance(steps, str):
        hint = "in TOML each step begins with [[transforms]], in two brackets"
        raise SpecError("transforms are a list", code="spec-invalid", hint=hint, path="transforms")
    stream = document.get("stream")
    if not isinstance(stream, str | None):
        raise SpecError("a stream is a name", code="spec-invalid", path="stream")
    parts: dict[str, Any] = {
        kind: build(kind, document[kind], kind, names)
        for kind in _SINGLE
        if document.get(kind) is not None
    }
    transforms = [build("transform", s, f"transforms.{i}", names) for i, s in enumerate(steps)]
    return Pipeline(**parts, transforms=cast("Any", transforms), stream=stream)


def inline(document: Any, sources: Mapping[str, Document]) -> dict[str, Any]:
    """The document with a configured source, if it names one, written out in its place."""
    if not isinstance(document, Mapping):
        is_path = isinstance(document, str | PathLike)
        raise SpecError(
            "a pipeline is a table of source, schema, …",
            code="spec-invalid",
            hint="dl.load_pipeline opens a file" if is_path else None,
        )
    name = document.get("source")
    if not isinstance(name, str) or name not in sources:
        return _guess_source(document, name, sources)
    own = {key: value for key, value in document.items() if value is not None}
    return {**sources[name], **own, "source": sources[name]["source"]}


def _guess_source(document: Document, name: Any, sources: Document) -> dict[str, Any]:
    if isinstance(name, str) and sources:
        try:
            find("source", name)
        except ComponentNotFound as error:
            known = [*sources, *(entry.name for entry in components("source"))]
            message = f"there is no source {name!r}, neither configured nor installed"
            hint = error.hint if (error.hint or "").startswith("pip") else nearest(name, known)
            raise SpecError(message, code="config-unknown", hint=hint, path="source") from None
        except DistillError as error:
            raise error.at("source") from error.__cause__
    return dict(document)


def build(
    kind: Kind, written: Any, path: str = "", names: Names = NO_NAMES
) -> Component:
    """One component from ``{"name", "params"}`` or its bare name; ``path`` is where it stands.

    >>> build("schema", {"name": "fields", "params": {"activity": "what"}}, "schema")
    Traceback (most recent call last):
    distill_core.errors.SpecError: schema.params.time: a value is required (when: ISO 8601 ...
    """
    try:
        return _built(kind, written, names)
    except DistillError as error:
        raise error.at(path) from error.__cause__


def _built(kind: Kind, written: Any, names: Names) -> Component:
    path = "" if isinstance(written, str) else "name"
    if isinstance(written, str):
        is_name = kind != "query" or re.fullmatch(r"\w+", written)
        events = {"name": "events", "params": {"where": written}}
        written = {"name": written} if is_name else events
    if not isinstance(written, Mapping):
        raise SpecError(f"a {kind} is a name, or a table of name and params", code="spec-invalid")
    _check_place(kind, written)
    _check_keys(written, ("name", "params"))
    name, params = written.get("name"), written.get("params") or {}
    if not isinstance(name, str):
        raise SpecError(f"the name of a {kind} is required", code="spec-invalid", path="name")
    if not isinstance(params, Mapping):
        raise SpecError("params are a table of parameters", code="spec-invalid", path="params")
    try:
        cls = find(kind, name)
    except DistillError as error:
        raise error.at(path) from error.__cause__
    try:
        component = _validated(cls, dict(params), names)
        check_secrets(component)
    except DistillError as error:
        raise error.at("params") from error.__cause__
    return component


def _validated(cls: type[Component], params: dict[str, Any], names: Names) -> Component:
    try:
        return cls.model_validate(params, context={"names": names})
    except ValidationError as error:
        raise invalid(cls, error, params) from None
    except DistillError:
        raise
    except Exception as error:
        raise PluginError(
            f"{component_name(cls)!r} ({cls.__origin__ or cls.__module__}) failed to read its "
            f"parameters: {type(error).__name__}: {error}",
            code="plugin-broken",
            hint="its author may know more",
        ) from error


def _check_place(kind: Kind, written: Document) -> None:
    """Raise SpecError if a parameter stands beside ``name``, not in ``params``."""
    try:
        known = parameters(find(kind, written["name"]))
    except (KeyError, TypeError, DistillError):
        return  # what is wrong with the name is told by itself
    for key in written:
        if key not in ("name", "params") and key in known:
            raise SpecError(
                f"{key!r} is a parameter of {written['name']!r}",
                code="spec-invalid",
                hint=f"put it under params: params = {{ {key} = … }}",
                path=key,
            )


def _check_keys(table: Document, known: Sequence[str]) -> None:
    for key in table:
        if key not in known:
            hint = nearest(str(key), known)
            raise SpecError(
                f"there is no {key!r} here", code="spec-invalid", hint=hint, path=str(key)
            )


def check_secrets(component: Component) -> None:
    """Raise SpecError if a secret is written out: a document holds references alone."""
    for path, secret in _secrets(component, ""):
        if secret.reference is None:
            raise SpecError(
                "a secret is not written out",
                code="param-invalid",
                hint="write 'env:NAME' or 'file:PATH', where it is kept",
                path=path,
            )


def _secrets(value: Any, path: str) -> Iterator[tuple[str, Secret]]:
    if isinstance(value, Secret):
        yield path, value
        return
    inner: Any = ()
    if isinstance(value, Earlier):
        return  # its components are checked by themselves
    if isinstance(value, BaseModel):
        inner = ((name, getattr(value, name)) for name in type(value).model_fields)
    elif dataclasses.is_dataclass(value):
        inner = ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
    elif isinstance(value, Mapping):
        inner = value.items()
    elif isinstance(value, list | tuple):
        inner = enumerate(value)
    for name, item in inner:
        yield from _secrets(item, f"{path}.{name}" if path else str(name))


def to_document(pipeline: Pipeline) -> dict[str, Any]:
    """The document of a pipeline, written out with defaults; ``from_document`` reads it back.

    Raises SpecError if a secret is given as itself, or a log: neither has a written form.
    """
    for path, component in pipeline.components():
        try:
            _check_written(component)
        except SpecError as error:
            raise error.at(f"{path}.params") from None
    return pipeline.to_dict()


def _check_written(component: Component) -> None:
    """Raise SpecError if something in it, or in what is read before it, has no written form."""
    check_secrets(component)
    for path, earlier in earlier_values(component):
        parts = list(earlier.components())
        if not parts:
            raise SpecError(
                "a log is not written out",
                code="param-invalid",
                hint="give the pipeline that makes it",
                path=path,
            )
        for place, part in parts:
            try:
                check_secrets(cast("Component", part))
            except SpecError as error:
                raise error.at(f"{path}.{place}.params") from None


def read(
    path: str | Sequence[str],
    *,
    schema: str | Document | Schema | None = None,
    query: Query | None = None,
    strict: bool = False,
) -> EventLog:
    """The event log of local files (needs distill-files); the short way for notebooks.

    ``schema``: a component, its name, or ``{"name", "params"}``. Raises as ``Pipeline.log``.
    """
    if schema is None:
        raise SpecError(
            "a schema is required",
            code="spec-invalid",
            hint="as in schema='userale'; dl.load_pipeline opens a file that describes a pipeline",
            path="schema",
        )
    source = cast("Source", build("source", {"name": "files", "params": {"path": path}}))
    found = schema if isinstance(schema, Schema) else cast("Schema", build("schema", schema))
    return Pipeline(source=source, schema=found, query=query).log(strict=strict)
