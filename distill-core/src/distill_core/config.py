"""``distill.toml``: named sources and pipelines, for everything that takes a name.

::

    [sources.web]                          # what "source": "web" stands for
    source = { name = "files", params = { path = "logs/*.ndjson" } }
    schema = "userale"

    [pipelines.visits]                     # distill run visits --param gap=20m
    source = "web"
    transforms = [{ name = "sessionize", params = { gap = "30m" } }]
    params = { gap = "transforms.0.params.gap" }

    [queries.busy]                         # distill query busy --param n=3
    source = "web"
    query = { name = "top", params = { by = ["user"], since = "last week" } }
    params = { n = "query.params.n" }

The file is the one that ``--config`` names, else ``DISTILL_CONFIG``, else ``distill.toml`` in the
working directory; there need be none. A variable overrides a value of the file: its name is the
path in capitals with two underscores between the keys, as in
``DISTILL_SOURCES__WEB__SOURCE__PARAMS__PATH``; ``-`` in a key is one underscore, its text is JSON
if it is JSON. ``--set`` and ``--param`` override both.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast, get_args

from distill_core import wire
from distill_core.component import Kind
from distill_core.errors import DistillError, SpecError, nearest
from distill_core.params import Secret
from distill_core.pipeline import Pipeline
from distill_core.registry import find

FILE = "distill.toml"
SECTIONS = {
    "sources": ("source", "schema"),
    "pipelines": (*wire.KEYS, "params"),
    "queries": ("source", "schema", "query", "stream", "params"),
}
_REQUIRED = {"sources": "source", "pipelines": "source", "queries": "query"}
_PREFIX = re.compile(r"DISTILL_(SOURCES|PIPELINES|QUERIES)__")
_SECRET = re.compile(r"pass|secret|token|credential|auth|(^|_)key$", re.IGNORECASE)
_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")
_MASK = "***"

Table = Mapping[str, Any]


@dataclass(frozen=True)
class Setting:
    """One value: its path, the value (a secret is masked) and where it comes from."""

    path: str
    value: Any
    origin: str


@dataclass(frozen=True)
class Config:
    """What is configured: ``path`` of the file (None: there is none) and its sections, checked."""

    path: Path | None = None
    sources: Mapping[str, Table] = field(default_factory=dict)
    pipelines: Mapping[str, Table] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    queries: Mapping[str, Table] = field(default_factory=dict)

    def document(self, name: str, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The document of a named pipeline, with these values for its parameters."""
        if name not in self.pipelines:
            raise SpecError(
                f"there is no pipeline {name!r} in {self.path or FILE}",
                code="config-unknown",
                hint=f"{nearest(name, self.pipelines)}; a file is named *.toml or *.json",
            )
        return self.with_params(self.pipelines[name], given or {})

    def query(self, name: str, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The document of a named query, likewise; it may lack a source."""
        if name not in self.queries:
            raise SpecError(
                f"there is no query {name!r} in {self.path or FILE}",
                code="config-unknown",
                hint=nearest(name, self.queries),
            )
        return self.with_params(self.queries[name], given or {})

    def parameters(self, document: Table) -> dict[str, Any]:
        """The JSON Schema of the parameters of a named pipeline or query (``wire.parameters``)."""
        return wire.parameters(wire.inline(document, self.sources))

    def find(self, named: str, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The document of a configured pipeline, or the one in a file, as ``document`` has it."""
        is_file = Path(named).suffix.lower() in (".toml", ".json") or Path(named).is_file()
        if named in self.pipelines or not is_file:
            return self.document(named, given)
        return self.with_params(wire.load(named), given or {})

    def with_params(self, document: Table, given: Mapping[str, Any]) -> dict[str, Any]:
        """The document without ``params``, these values at the paths that they stand for."""
        found = {key: value for key, value in document.items() if key != "params"}
        found = wire.inline(found, self.sources)
        params = document.get("params") or {}
        _check_params(params, "params")
        for name, value in given.items():
            if name not in params:
                hint = nearest(name, params)
                raise SpecError(
                    f"there is no parameter {name!r}", code="config-unknown", hint=hint
                )
            found = wire.set_path(found, params[name], value)
        return found

    def settings(self) -> list[Setting]:
        """Every value with its origin, secrets masked; by path."""
        table = {"sources": self.sources, "pipelines": self.pipelines, "queries": self.queries}
        return [
            Setting(".".join(keys), _shown(table, keys, value), self._origin(keys))
            for keys, value in _leaves(table, ())
        ]

    def _origin(self, keys: tuple[str, ...]) -> str:
        for variable, path in self.variables.items():
            if ".".join((*keys, "")).startswith(f"{path}."):
                return f"environment {variable}"
        return f"file {self.path}" if self.path else "default"


def load_pipeline(
    named: str | Path, params: Mapping[str, Any] | None = None, *, config: str | None = None
) -> Pipeline:
    """The pipeline in a ``.toml`` or ``.json`` file, or of this name in ``distill.toml``.

    As ``distill run`` opens it: ``params`` are values for the parameters that the pipeline names,
    ``config`` another file than ``distill.toml``. Raises SpecError with the path of what is wrong.

    >>> load_pipeline("visit.toml")
    Traceback (most recent call last):
    distill_core.errors.SpecError: there is no file 'visit.toml' ...
    """
    found = load_config(config)
    document = found.find(str(named), params)
    return wire.from_document(document, sources=found.sources, pipelines=found.pipelines)


def load_config(path: str | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """The configuration of this process. Raises SpecError with the path of what is wrong.

    >>> load_config(environ={"DISTILL_SOURCES__WEB__SOURCE": "files"}).sources
    {'web': {'source': 'files'}}
    """
    environ = os.environ if environ is None else environ
    named = path or environ.get("DISTILL_CONFIG")
    place = Path(named or FILE) if named or Path(FILE).is_file() else None
    table: dict[str, Any] = {}
    if place is not None:
        try:
            table = wire.load(place, "toml")
        except SpecError as error:
            raise SpecError(error.message, code="config-invalid", hint=error.hint) from None
    table, variables = _overridden(table, environ)
    _check(table)
    return Config(place, table.get("sources", {}), table.get("pipelines", {}), variables,
                  table.get("queries", {}))  # fmt: skip


def _overridden(table: dict[str, Any], environ: Table) -> tuple[dict[str, Any], dict[str, str]]:
    variables: dict[str, str] = {}
    for variable in sorted(environ):
        if _PREFIX.match(variable):
            keys = _keys(table, variable.removeprefix("DISTILL_").split("__"))
            try:
                table = wire.set_keys(table, keys, wire.parse_value(environ[variable]))
            except SpecError as error:
                message = f"{variable}: {error.message}"
                raise SpecError(message, code="config-invalid", hint=error.hint) from None
            variables[variable] = ".".join(keys)
    return table, variables


def _keys(node: Any, parts: Sequence[str]) -> list[str]:
    """The keys that a variable means: those that are there, else its own in small letters."""
    found: list[str] = []
    for part in parts:
        items = _items(node)
        there = {str(key).replace("-", "_").lower(): key for key in items}
        key = there.get(part.lower(), part.lower())
        node = items.get(key)
        found.append(str(key))
    return found


def _items(node: Any) -> Table:
    if isinstance(node, Mapping):
        return node
    return {str(i): item for i, item in enumerate(node)} if isinstance(node, list) else {}


def _check(table: Table) -> None:
    _check_keys(table, tuple(SECTIONS), "")
    for section, known in SECTIONS.items():
        entries = table.get(section, {})
        if not isinstance(entries, Mapping):
            raise SpecError(f"{section} is a table", code="config-invalid", path=section)
        for name, entry in entries.items():
            path = f"{section}.{name}"
            if not isinstance(entry, Mapping):
                raise SpecError("a table is wanted", code="config-invalid", path=path)
            _check_keys(entry, known, path)
            if entry.get(_REQUIRED[section]) is None:
                message = f"a {_REQUIRED[section]} is required"
                raise SpecError(message, code="config-invalid", path=path)
            _check_params(entry.get("params") or {}, f"{path}.params")


def _check_keys(table: Table, known: Sequence[str], path: str) -> None:
    for key in table:
        if key not in known:
            raise SpecError(
                f"there is no {key!r} here",
                code="config-invalid",
                hint=nearest(key, known),
                path=f"{path}.{key}" if path else key,
            )


def _check_params(params: Any, path: str) -> None:
    if not isinstance(params, Mapping) or not all(isinstance(p, str) for p in params.values()):
        raise SpecError(
            "params are a table of name and path",
            code="config-invalid",
            hint='write params = { gap = "transforms.0.params.gap" }',
            path=path,
        )


def _leaves(node: Any, keys: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    inner = _items(node)
    if not inner:
        yield keys, node
    for key, value in inner.items():
        yield from _leaves(value, (*keys, str(key)))


def _shown(table: Table, keys: tuple[str, ...], value: Any) -> Any:
    """The value as it may be shown: a reference is no secret, what it refers to is."""
    if not isinstance(value, str):
        return _MASK if _SECRET.search(keys[-1]) and value not in ({}, [], None) else value
    if value.startswith(("env:", "file:")):
        return value
    if _SECRET.search(keys[-1]) or _is_secret(table, keys):
        return _MASK
    return _USERINFO.sub(f"{_MASK}@", value)


def _is_secret(table: Table, keys: tuple[str, ...]) -> bool:
    """Whether the component that stands there calls the parameter a secret."""
    for place in [index for index, key in enumerate(keys[:-1]) if key == "params"]:
        node: Any = table
        for key in keys[:place]:
            node = _items(node)[key]
        kind = "transform" if "transforms" in keys[place - 2 : place] else keys[place - 1]
        try:
            fields = find(cast("Kind", kind), node["name"]).model_fields
        except (DistillError, KeyError, TypeError):
            continue
        if keys[place + 1] in fields and _mentions(fields[keys[place + 1]].annotation):
            return True
    return False


def _mentions(annotation: Any) -> bool:
    return annotation is Secret or any(_mentions(a) for a in get_args(annotation))
