"""``distill sources``: what ``distill.toml`` names, and whether it can be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import cast

import typer

from distill_core import wire
from distill_core.cli._output import put_json, put_table
from distill_core.columns import Column
from distill_core.component import Finding, Schema, Source
from distill_core.config import FILE, Config, Table, load_config
from distill_core.errors import DistillError, SpecError, nearest


def list_sources(path: str | None, as_json: bool) -> None:
    """All named sources: name, source, schema, where they are defined."""
    config = load_config(path)
    found = [
        {
            "name": name,
            "source": _bare(table, "source"),
            "schema": _bare(table, "schema"),
            "origin": _origin(config, name),
        }
        for name, table in sorted(config.sources.items())
    ]
    if as_json:
        put_json(found)
    else:
        put_table(["name", "source", "schema", "from"], [list(one.values()) for one in found])


def check_source(name: str, path: str | None, as_json: bool) -> None:
    """What the source finds out about itself; exit code 1 if something is in the way."""
    config = load_config(path)
    if name not in config.sources:
        raise SpecError(
            f"there is no source {name!r} in {config.path or FILE}",
            code="config-unknown",
            hint=nearest(name, config.sources),
        )
    findings = list(_findings(config.sources[name], f"sources.{name}"))
    wrong = any(finding.status == "error" for finding in findings)
    if as_json:
        told = [asdict(finding) for finding in findings]
        put_json({"source": name, "ok": not wrong, "findings": told})
    else:
        rows = [(finding.status, finding.name, finding.text) for finding in findings]
        put_table(["state", "what", "finding"], rows)
    if wrong:
        raise typer.Exit(1)


def _findings(table: Table, path: str) -> Iterator[Finding]:
    source = cast("Source", wire.build("source", table["source"], f"{path}.source"))
    columns: tuple[Column, ...] = ()
    if table.get("schema") is not None:
        schema = cast("Schema", wire.build("schema", table["schema"], f"{path}.schema"))
        columns = schema.all_columns()
    try:
        yield from source.probe(columns)
    except DistillError as error:
        yield Finding("reading", "error", str(error))
    except Exception as error:  # noqa: BLE001 - a source of somebody else may raise anything
        yield Finding("reading", "error", f"{type(error).__name__}: {error}")


def _bare(table: Table, kind: str) -> str | None:
    """The component's name alone: parameters may hold what is not shown."""
    written = table.get(kind)
    name = written.get("name") if isinstance(written, dict) else written
    return None if name is None else str(name)


def _origin(config: Config, name: str) -> str:
    below = f"sources.{name}."
    origins = [one.origin for one in config.settings() if one.path.startswith(below)]
    return ", ".join(dict.fromkeys(origins))
