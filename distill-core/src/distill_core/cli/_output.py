"""Writing to the terminal or into a pipe: data to stdout, words to stderr."""

from __future__ import annotations

import errno
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from distill_core.errors import DistillError

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    r"""The text with control characters (but tab and line end) as JSON escapes.

    >>> visible("a\x1b[2Jb")
    'a\\u001b[2Jb'
    """
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def say(text: str) -> None:
    """A line of words, to stderr; to nobody where that is closed or full."""
    if sys.stderr is not None:
        with suppress(OSError):
            sys.stderr.write(f"{visible(text)}\n")
            sys.stderr.flush()


def put(text: str) -> None:
    """Data to stdout and a line end: as it is into a pipe, visible on a terminal."""
    with writing():
        sys.stdout.write(f"{visible(text) if on_terminal() else text}\n")


def put_json(value: Any) -> None:
    """A value as JSON on stdout, indented on a terminal."""
    indent = 2 if on_terminal() else None
    put(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent))


def on_terminal() -> bool:
    """Whether a person reads stdout."""
    return sys.stdout is not None and sys.stdout.isatty()


def watched() -> bool:
    """Whether a person reads stderr."""
    return sys.stderr is not None and sys.stderr.isatty()


@contextmanager
def writing() -> Iterator[None]:
    """Writing to stdout: DistillError if it is closed or full (not if its reader had enough)."""
    try:
        if sys.stdout is None:
            raise OSError(errno.EBADF, "stdout is closed")
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise DistillError(
            f"the output could not be written: {error.strerror or error}",
            code="output-failed",
            hint="what is written so far is not the whole",
        ) from error


def put_table(heads: Sequence[str], rows: Iterable[Sequence[Any]], title: str = "") -> None:
    """A table for a person; NO_COLOR counts, nothing in the cells is markup."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if title:
        put(title)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for head in heads:
        table.add_column(Text(in_line(head)), overflow="fold")
    for row in rows:
        table.add_row(*(Text(in_line(cell(value))) for value in row))
    width = None if on_terminal() else 160
    console = Console(file=sys.stdout, width=width, highlight=False, markup=False, emoji=False)
    with writing():
        console.print(table)


def in_line(text: str) -> str:
    r"""The text in one line: line ends and tabs as JSON escapes too.

    >>> in_line("a\nb")
    'a\\nb'
    """
    return visible(text).replace("\n", "\\n").replace("\t", "\\t")


def cell(value: Any) -> str:
    """A value in a table: lists and tables as JSON, null as nothing."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
