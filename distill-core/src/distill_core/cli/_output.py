"""Writing to the terminal or into a pipe: data to stdout, words to stderr."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    r"""The text with control characters (but tab and line end) as JSON escapes.

    >>> visible("a\x1b[2Jb")
    'a\\u001b[2Jb'
    """
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def say(text: str) -> None:
    """A line of words, to stderr."""
    sys.stderr.write(f"{visible(text)}\n")


def put(text: str) -> None:
    """Data to stdout and a line end: as it is into a pipe, visible on a terminal."""
    sys.stdout.write(f"{visible(text) if on_terminal() else text}\n")


def put_json(value: Any) -> None:
    """A value as JSON on stdout, indented on a terminal."""
    indent = 2 if on_terminal() else None
    put(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent))


def on_terminal() -> bool:
    """Whether a person reads stdout."""
    return sys.stdout.isatty()


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
        table.add_column(Text(visible(head)), overflow="fold")
    for row in rows:
        table.add_row(*(Text(visible(cell(value))) for value in row))
    width = None if on_terminal() else 160
    Console(file=sys.stdout, width=width, highlight=False, markup=False, emoji=False).print(table)


def cell(value: Any) -> str:
    """A value in a table: lists and tables as JSON, null as nothing."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
