"""NDJSON a line at a time: exact for every input, and the measure for the fast reader."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from distill_core.component import Scan
from distill_core.extract import count_surrogates
from distill_files.relaxed import may_hold_surrogates, parse

MAX_LINE = 64 * 2**20
"""Bytes of a record; a longer one is rejected, and never held in memory."""

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Bad:
    """A record that could not be read, and why."""

    reason: str


def numbered_lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """(number from 1, content) of each line that is not blank; a BOM at the start is left out.

    A line longer than MAX_LINE comes cut, but still longer than that.
    """
    number = 0
    while line := file.readline(MAX_LINE + 1):
        number += 1
        if number == 1:
            line = line.removeprefix(_BOM)
        rest = line
        while len(rest) > MAX_LINE and not rest.endswith(b"\n"):
            rest = file.readline(MAX_LINE + 1)
        if len(line) <= MAX_LINE:
            line = line.strip()
        if line:
            yield number, line


def value_of(line: bytes, scan: Scan) -> Any:
    """The JSON value of a line, or Bad: ``corrupt`` (no JSON, no UTF-8) or ``too_long``."""
    if len(line) > MAX_LINE:
        return Bad("too_long")
    try:
        text = line.decode("utf-8")
        value = parse(text)
    except ValueError:
        return Bad("corrupt")
    if may_hold_surrogates(text) and (count := count_surrogates(value)):
        scan.note(surrogates=count)
    return value


def read_lines(file: BinaryIO, scan: Scan, *, flatten: bool = False) -> Iterator[tuple[int, Any]]:
    """(line number, value or Bad) of each record; ``flatten``: a list's items are records."""
    for number, line in numbered_lines(file):
        value = value_of(line, scan)
        if flatten and isinstance(value, list):
            for item in value:
                yield number, item
        else:
            yield number, value


def blank_lines(path: Path) -> list[int]:
    """The numbers of the lines that are blank, from 1."""
    found: list[int] = []
    expected = 1
    with path.open("rb") as file:
        for number, _ in numbered_lines(file):
            found += range(expected, number)
            expected = number + 1
    return found
