"""``distill query``: a query of a source, without a pipeline written down."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import typer

from distill_core import wire
from distill_core.cli._run import Call, pairs, run_document
from distill_core.config import Config, load_config
from distill_core.errors import ComponentNotFound, SpecError, nearest
from distill_core.registry import components, find

_NAME = re.compile(r"\w+")


def run_query(call: Call, source: str | None, schema: str | None) -> None:
    """Run and write; raises DistillError, or typer.BadParameter for wrong usage."""
    config = load_config(call.config)
    params = pairs("--param", call.params)
    name = call.pipeline
    if name in config.queries:
        document = config.query(name, params)
    elif _NAME.fullmatch(name):
        _check_name(name, config)
        document = {"query": {"name": name, "params": params}}
    else:
        document = {"query": {"name": "events", "params": {**params, "where": name}}}
    run_document(call, _with_source(document, config, source, schema), config)


def _check_name(name: str, config: Config) -> None:
    try:
        find("query", name)
    except ComponentNotFound:
        known = [*config.queries, *(entry.name for entry in components("query"))]
        raise SpecError(
            f"there is no query {name!r}, neither configured nor installed",
            code="config-unknown",
            hint=f"{nearest(name, known)}; a condition is written as in \"activity = 'click'\"",
        ) from None


def _with_source(
    document: Mapping[str, Any], config: Config, source: str | None, schema: str | None
) -> dict[str, Any]:
    found = dict(document)
    if source is None and found.get("source") is None:
        if len(config.sources) != 1:
            names = f": {', '.join(sorted(config.sources))}" if config.sources else ""
            raise typer.BadParameter(
                f"say which source: one that distill.toml names{names}, or a file",
                param_hint="--source",
            )
        source = next(iter(config.sources))
    if source is not None:
        is_named = source in config.sources
        path = {"name": "files", "params": {"path": source}}
        found.pop("schema", None)
        found["source"] = source if is_named else path
        if not is_named and schema is None:
            raise typer.BadParameter(
                "a file needs its schema: --schema userale, or a table as JSON; `distill inspect` "
                "tells which fits", param_hint="--schema",
            )  # fmt: skip
    if schema is not None:
        found["schema"] = wire.parse_value(schema)
    return found
