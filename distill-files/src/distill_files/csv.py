"""CSV: a header, then records whose cells are text."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator
from typing import Any, BinaryIO

from distill_core.errors import SourceError
from distill_files.lines import MAX_LINE, Bad

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_BYTE = re.compile("[\udc80-\udcff]")


def read_csv(
    file: BinaryIO, name: str, delimiter: str | None = None, *, numbers: Collection[str] = ()
) -> Iterator[tuple[int, Any]]:
    """(line number, record) of each row; an empty cell is null, a cell too many or too few Bad.

    ``numbers``: columns whose cells are numbers where they are written as such (times). Raises
    SourceError (``source-format``) if the header names a column twice.
    """
    csv.field_size_limit(MAX_LINE)
    # Bytes that are no UTF-8 come as lone surrogates and make their row, not the file, corrupt.
    text = io.TextIOWrapper(file, "utf-8-sig", "surrogateescape", newline="")
    rows = _rows(text, delimiter)
    _, header = next(rows, (0, []))
    if isinstance(header, Bad) or len(set(header)) < len(header):
        raise SourceError(
            f"the header of {name} is unreadable, or names a column twice", code="source-format"
        )
    for line, row in rows:
        if isinstance(row, Bad) or len(row) != len(header) or any(map(_BYTE.search, row)):
            yield line, Bad("corrupt")
            continue
        pairs = zip(header, row, strict=True)
        yield line, {key: _number(cell) if key in numbers else cell
                     for key, cell in pairs if cell != "" and key}  # fmt: skip
    text.detach()


def _rows(text: io.TextIOWrapper, delimiter: str | None) -> Iterator[tuple[int, Any]]:
    first = text.readline()
    if delimiter is None:
        delimiter = max(",;\t", key=first.count)
    reader = csv.reader(_again(first, text), delimiter=delimiter)
    line = 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield line, Bad("corrupt")
        else:
            if row:
                yield line, row
        line = reader.line_num + 1


def _again(first: str, rest: io.TextIOWrapper) -> Iterator[str]:
    if first:
        yield first
    yield from rest


def _number(cell: str) -> Any:
    if not _NUMBER.fullmatch(cell):
        return cell
    try:
        return int(cell)
    except ValueError:
        return float(cell)
