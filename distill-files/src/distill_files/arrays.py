"""A file that is one JSON value: an array of records, or a single one; in bounded memory."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from distill_core.component import Scan
from distill_core.errors import SourceError
from distill_core.extract import count_surrogates
from distill_files.lines import MAX_LINE
from distill_files.relaxed import TOKEN, may_hold_surrogates, parse

_CHUNK = 2**20
_SPACE = re.compile("[ \t\r\n]*")
_DECODE = json.JSONDecoder().raw_decode


class _Text:
    """The characters of a file; ``at`` is where the next value begins."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.file, self.name = file, name
        self.decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self.text, self.at, self.ended = "", 0, False

    @property
    def left(self) -> int:
        return len(self.text) - self.at

    def more(self) -> bool:
        """Read on, twice as far each time, so that the work stays linear; False at the end."""
        data = self.file.read(max(_CHUNK, self.left))
        self.ended = not data
        try:
            new = self.decoder.decode(data, final=self.ended)
        except UnicodeDecodeError:
            raise self.error("holds bytes that are no UTF-8") from None
        self.text, self.at = self.text[self.at :] + new, 0
        return not self.ended

    def next(self) -> str:
        """The character that comes after white space, '' at the end."""
        while True:
            self.at = _SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]
            if self.left or not self.more():
                return self.text[self.at : self.at + 1]

    def error(self, what: str) -> SourceError:
        return SourceError(
            f"{self.name} {what}",
            code="source-format",
            hint="it is read as one JSON array; NDJSON, one record a line, survives such damage",
        )


def read_array(file: BinaryIO, name: str, scan: Scan) -> Iterator[Any]:
    """The values of an array, or the one value; SourceError (``source-format``) if it is broken.

    ``name`` is the file's in messages.
    """
    text = _Text(file, name)
    first = text.next()
    if first != "[":
        if first:
            yield _told(_whole(text), text.text, scan)
        return
    text.at += 1
    index = 0
    while text.next() != "]":
        value, raw = _item(text, index)
        yield _told(value, raw, scan)
        match text.next():
            case ",":
                text.at += 1
            case "]":
                pass
            case _:
                raise text.error(f"is broken or cut short after record {index}")
        index += 1
    text.at += 1
    if text.next():
        raise text.error("goes on after the array")


def _whole(text: _Text) -> Any:
    while text.more():
        if text.left > MAX_LINE:
            raise text.error("is one record of more than 64 MiB")
    try:
        return parse(text.text)
    except ValueError:
        raise text.error("is no JSON") from None


def _told(value: Any, raw: str, scan: Scan) -> Any:
    if may_hold_surrogates(raw) and (count := count_surrogates(value)):
        scan.note(surrogates=count)
    return value


def _item(text: _Text, index: int) -> tuple[Any, str]:
    """The next value and its text."""
    while True:
        try:
            value, end = _DECODE(text.text, text.at)
            relaxed = False
        except (ValueError, RecursionError):
            value, end, relaxed = None, _end(text), True
        if end and (end < len(text.text) or text.ended):
            raw, text.at = text.text[text.at : end], end
            try:
                return (parse(raw) if relaxed else value), raw
            except ValueError:
                raise text.error(f"is broken in record {index}") from None
        if text.left > MAX_LINE:
            raise text.error(f"has a record {index} of more than 64 MiB, or is broken there")
        if text.ended:
            raise text.error(f"is broken or cut short in record {index}")
        text.more()


def _end(text: _Text) -> int:
    """Where a value ends that json itself does not take, told by brackets; 0 if it does not."""
    depth = 0
    for found in TOKEN.finditer(text.text, text.at):
        if found["open"]:
            depth += 1
        elif found["close"]:
            depth -= 1
        if found["cut"] or depth < 0:
            return 0
        if depth == 0 and not found["comma"]:
            return found.end()
    return 0
