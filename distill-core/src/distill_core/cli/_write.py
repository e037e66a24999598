"""A result as text: NDJSON, JSON, CSV, or its picture; to stdout or into a file."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import typer

from distill_core.errors import DistillError
from distill_core.result import Result

FORMS = ("ndjson", "json", "csv")
ENDINGS = {".ndjson": "ndjson", ".json": "json", ".csv": "csv", ".html": "html"}
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


def form_of(form: str | None, as_json: bool, out: str | None) -> str | None:
    """The form that is asked for: by --format or --json, else by the ending of --out.

    Raises typer.BadParameter if they contradict each other, or say nothing that is known.
    """
    if form is not None and form not in FORMS:
        raise typer.BadParameter(f"{form!r} is none of {', '.join(FORMS)}", param_hint="--format")
    if as_json and form not in (None, "json"):
        raise typer.BadParameter(f"--json and --format {form} are two forms")
    found = "json" if as_json else form
    if found is not None or out is None:
        return found
    ending = Path(out).suffix.lower()
    if ending not in ENDINGS:
        raise typer.BadParameter(
            f"{out!r} ends in none of {', '.join(ENDINGS)}: say --format", param_hint="--out"
        )
    return ENDINGS[ending]


def lines(result: Result, form: str, *, raw: bool = False) -> Iterator[str]:
    """The text in this form, a row at a time where it has rows, without the last line end.

    >>> from distill_core.columns import Column
    >>> table = Result.table([Column("who"), Column("n", type="integer")],
    ...                      [{"who": "=1+1", "n": -2}, {"who": None, "n": 3}])
    >>> list(lines(table, "csv"))
    ['who,n', "'=1+1,-2", ',3']
    """
    match form:
        case "json":
            yield result.to_json()
        case "csv":
            yield from _csv(result, raw)
        case "html":
            from distill_core.picture import page

            picture = result.plot()
            yield page(picture.title, [picture]).removesuffix("\n")
        case _:
            for row in result.iterate():
                yield json.dumps(row, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _csv(result: Result, raw: bool) -> Iterator[str]:
    """A head and the rows (of a graph its edges); what looks like a formula is made text."""
    columns = result.edge_columns if result.kind == "graph" else result.columns
    names = [column.name for column in columns]
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="")

    def written(cells: Sequence[Any]) -> str:
        line.seek(0)
        line.truncate()
        writer.writerow([_cell(value, raw) for value in cells])
        return line.getvalue()

    yield written(names)
    for row in result.iterate():
        yield written([row.get(name) for name in names])


def _cell(value: Any, raw: bool) -> Any:
    if isinstance(value, str):
        return f"'{value}" if not raw and value.startswith(FORMULA) else value
    if isinstance(value, bool | Mapping | Sequence):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    return value


@contextmanager
def whole_file(out: str) -> Iterator[IO[str]]:
    """A file that is there under its name only when all of it is written, and on the disk.

    Until then it is ``OUT.partial``. Raises DistillError (output-failed) if it cannot be made or
    written; whatever goes wrong, the partial file is removed and one that was there stays.
    """
    partial = Path(f"{out}.partial")
    try:
        with _told(out):
            stream = partial.open("w", encoding="utf-8", newline="")
        try:
            yield stream
            with _told(out):
                stream.flush()
                os.fsync(stream.fileno())
        finally:
            with _told(out):
                stream.close()
        with _told(out):
            partial.replace(out)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise


def write(stream: IO[str], texts: Iterator[str], out: str) -> None:
    """Each text and a line end, into the file that will be ``out``."""
    for text in texts:
        with _told(out):
            stream.write(f"{text}\n")


@contextmanager
def _told(out: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DistillError(
            f"{out!r} cannot be written: {error.strerror or error}",
            code="output-failed",
            hint="nothing of it is left; name another place by --out, or make room",
        ) from error
