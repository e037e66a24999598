"""``distill run``: find the pipeline, run it, write the result."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

import typer

from distill_core import registry, wire
from distill_core.cli._output import on_terminal, put, put_json, put_table, say, watched
from distill_core.cli._plan import plan_lines
from distill_core.cli._table import fitted, order_for_people
from distill_core.cli._write import form_of, lines, whole_file, write
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
    as_json: bool = False
    explain: bool = False
    strict: bool = False
    config: str | None = None
    form: str | None = None
    out: str | None = None
    raw: bool = False


def run_pipeline(call: Call) -> None:
    """Run and write; raises DistillError, or typer.BadParameter for wrong usage."""
    params = pairs("--param", call.params)
    config = load_config(call.config)
    run_document(call, _document(call.pipeline, config, params), config)


def run_document(call: Call, document: dict[str, Any], config: Config) -> None:
    """Run a document with all that ``--set`` says, and write."""
    form = form_of(call.form, call.as_json, call.out)
    for path, value in pairs("--set", call.sets).items():
        document = wire.set_path(document, path, value)
    if call.strict:
        registry.require_all()
    pipeline = wire.from_document(
        document, sources=config.sources, pipelines=config.pipelines
    )
    if call.pipeline == "-" and _reads_stdin(pipeline):
        raise typer.BadParameter("stdin cannot be both the pipeline and the events")
    if call.explain:
        plan = pipeline.explain()
        put_json(plan) if call.as_json else put("\n".join(plan_lines(plan)))
        return
    result = _ran(call, pipeline, form)
    told = result.explain() if watched() else "\n".join(_losses(result.meta))
    if told:
        say(told)


def _ran(call: Call, pipeline: Pipeline, form: str | None) -> Result:
    """Run, and write the result where it is wanted; a place that cannot be, is told before."""
    if call.out is None:
        with _progress() as progress:
            result = pipeline.run(strict=call.strict, progress=progress)
        if form is None and on_terminal():
            _put_result(result)
        else:
            for line in lines(result, form or "ndjson", raw=call.raw):
                put(line)
        return result
    with whole_file(call.out) as stream:
        with _progress() as progress:
            result = pipeline.run(strict=call.strict, progress=progress)
        write(stream, lines(result, form or "ndjson", raw=call.raw), call.out)
    if watched():
        say(f"wrote {call.out}")
    return result


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


def pairs(option: str, texts: Sequence[str]) -> dict[str, Any]:
    """NAME=VALUE as it stands on the command line; typer.BadParameter for anything else."""
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
    return config.find(named, params)


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


def _put_result(result: Result) -> None:
    """Tables of the first rows; stderr says what they leave out."""
    if result.kind == "graph":
        _put_part("nodes", result.node_columns, result.nodes, len(result.nodes))
        _put_part("edges", result.edge_columns, result.edges, len(result.edges))
    else:
        rows = list(islice(result.iterate(), SHOWN))
        columns = order_for_people(result.columns) if result.kind == "events" else result.columns
        total = len(result.log) if result.log is not None else len(result.rows)
        _put_part("", columns, rows, total)


def _put_part(
    title: str, columns: Sequence[Column], rows: Sequence[Mapping[str, Any]], total: int
) -> None:
    size = shutil.get_terminal_size()
    first = rows[: max(5, min(SHOWN, size.lines - 6))]
    table = fitted(columns, first, size.columns)
    put_table(table.heads, table.rows, title)
    for told in table.hidden:
        say(told)
    if total > len(first):
        say(f"… {total - len(first):,} more rows; --out FILE, --json or a pipe gives all")
