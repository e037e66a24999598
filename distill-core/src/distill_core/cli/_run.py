"""``distill run``: find the pipeline, run it, write the result."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from distill_core import registry, wire
from distill_core.cli._output import on_terminal, put, put_json, put_table, say, watched
from distill_core.columns import Column
from distill_core.config import Config, load_config
from distill_core.errors import SourceError
from distill_core.explain import explain
from distill_core.pipeline import Pipeline
from distill_core.reading import Progress
from distill_core.result import Result

SHOWN = 40
"""The most rows of a table on a terminal."""


@dataclass(frozen=True)
class Call:
    """What the command line asks for."""

    pipeline: str
    sets: Sequence[str]
    params: Sequence[str]
    as_json: bool
    explain: bool
    strict: bool
    config: str | None


def run_pipeline(call: Call) -> None:
    """Run and write; raises DistillError, or typer.BadParameter for wrong usage."""
    sets, params = _pairs("--set", call.sets), _pairs("--param", call.params)
    config = load_config(call.config)
    document = _document(call.pipeline, config, params)
    for path, value in sets.items():
        document = wire.set_path(document, path, value)
    if call.strict:
        registry.require_all()
    pipeline = wire.from_document(
        document, sources=config.sources, pipelines=config.pipelines
    )
    if call.pipeline == "-" and _reads_stdin(pipeline):
        raise typer.BadParameter("stdin cannot be both the pipeline and the events")
    if call.explain:
        _put_plan(pipeline.explain(), call.as_json)
        return
    with _progress() as progress:
        result = pipeline.run(strict=call.strict, progress=progress)
    if call.as_json:
        put(result.to_json())
    elif on_terminal():
        _put_result(result)
    else:
        _put_rows(result)
    told = result.explain() if watched() else "\n".join(_losses(result.meta))
    if told:
        say(told)


def _losses(meta: Mapping[str, Any], inside: str = "") -> Iterator[str]:
    """What readings lost, which is said even if nobody seems to look: data would vanish unsaid."""
    reading = meta.get("reading")
    amiss = ("rejected", "nulled", "notes")
    if reading and (any(reading[name] for name in amiss) or not reading["kept"]):
        yield from (f"{inside}{line}" for line in explain({"reading": reading}).splitlines())
    for step in meta.get("steps", []):
        for name, value in step.items():
            if isinstance(value, Mapping) and "reading" in value:  # another log
                yield from _losses(value, f"{inside}step {step['step']} {name}: ")


def _pairs(option: str, texts: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise typer.BadParameter(f"{text!r} is not NAME=VALUE", param_hint=option)
        found[name.strip()] = wire.parse_value(value)
    return found


def _document(named: str, config: Config, params: Mapping[str, Any]) -> dict[str, Any]:
    if named == "-":
        if sys.stdin is None:
            raise SourceError("stdin is closed", code="source-missing", hint="give a file instead")
        return config.with_params(wire.parse(sys.stdin.read(), name="stdin"), params)
    if named in config.pipelines:
        return config.document(named, params)
    is_file = Path(named).suffix.lower() in (".toml", ".json") or Path(named).is_file()
    return config.with_params(wire.load(named), params) if is_file else config.document(named)


def _reads_stdin(pipeline: Pipeline) -> bool:
    path = getattr(pipeline.source, "path", None)
    return path == "-" or (isinstance(path, list | tuple) and "-" in path)


@contextmanager
def _progress() -> Iterator[Progress | None]:
    """A line on stderr that tells how far the reading is; None where nobody looks at it."""
    if not watched():
        yield None
        return
    last = time.monotonic()

    def tell(done: int, total: int | None) -> None:
        nonlocal last
        if time.monotonic() - last >= 0.1:
            last = time.monotonic()
            sys.stderr.write(f"\rread {done:,}{f' of {total:,}' if total else ''}\x1b[K")
            sys.stderr.flush()

    try:
        yield tell
    finally:
        sys.stderr.write("\r\x1b[K")


def _put_plan(plan: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        put_json(plan)
        return
    for line in _plan_lines(plan):
        put(line)


def _plan_lines(plan: Mapping[str, Any]) -> Iterator[str]:
    for key, value in plan.items():
        if key == "inputs":
            for path, inner in value.items():
                yield f"{path}:"
                yield from (f"  {line}" for line in _plan_lines(inner))
        elif isinstance(value, Mapping):
            yield f"{key}:"
            for name, item in value.items():
                yield f"  {name} ← {', '.join(item) if item else '(made)'}"
        elif isinstance(value, list):
            yield f"{key}: {' → '.join(value) or 'none'}"
        else:
            yield f"{key}: {'none' if value is None else value}"


def _put_rows(result: Result) -> None:
    for row in result.iterate():
        put(json.dumps(row, ensure_ascii=False, allow_nan=False, separators=(",", ":")))


def _put_result(result: Result) -> None:
    if result.kind == "graph":
        _put_part("nodes", result.node_columns, result.nodes)
        _put_part("edges", result.edge_columns, result.edges)
    else:
        _put_part("", result.columns, result.rows)


def _put_part(title: str, columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> None:
    """The first rows, without columns that are null in all of them."""
    room = max(5, min(SHOWN, shutil.get_terminal_size().lines - 6))
    first = rows[:room]
    used = [c for c in columns if any(row.get(c.name) is not None for row in first)] or columns
    heads = [f"{c.name} (us)" if c.type == "duration" else c.name for c in used]
    put_table(heads, ([row.get(c.name) for c in used] for row in first), title)
    if len(rows) > room:
        say(f"… {len(rows) - room:,} more rows; --json or a pipe gives all")
