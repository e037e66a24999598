"""The source ``files``."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import Field, PrivateAttr

from distill_core.batch import Batch
from distill_core.component import Request, Scan, Source
from distill_files.blocks import Documents
from distill_files.formats import Options, format_of, line_of, read_plain
from distill_files.found import Found, find
from distill_files.inflate import plain_file
from distill_files.lines import blank_lines

FILE_BITS = 40
"""A record's arrival is the file's number · 2^40 + the record's number in it, both from 0."""


class _Seen:
    """What reading found out on the way: no part of what a source is, so all are equal."""

    def __init__(self) -> None:
        self.formats: dict[str, str] = {}
        self.blank: list[int] = []

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Seen)

    def __hash__(self) -> int:
        return hash(_Seen)


class Files(Source, name="files"):
    """Reads files of this machine: NDJSON, JSON, CSV, Parquet, also compressed (gzip, zstd).

    A pattern (``logs/**/*.ndjson.gz``) stands for all files that match, in the order of their
    names; ``-`` is standard input. Raises SourceError: ``source-missing`` if there is no such
    file, ``source-format`` if it cannot be read as its format, ``source-limit`` if compressed data
    grows beyond all measure.

    >>> Files(path="logs/*.ndjson").format
    'auto'
    """

    path: str | tuple[str, ...] = Field(
        description="A file, a pattern (*, ?, [], ** for any directories), - for standard input; "
        "or several of these"
    )
    format: Literal["auto", "ndjson", "json", "csv", "parquet"] = Field(
        "auto", description="auto: by the name's ending, else by the content"
    )
    arrays: Literal["reject", "flatten"] = Field(
        "reject",
        description="An NDJSON line that is a list, such as a posted batch: reject it, since it is "
        "no object, or take each of its items as a record",
    )
    delimiter: str | None = Field(
        None, min_length=1, max_length=1,
        description="What parts the cells of CSV; by default what the header has most of: , ; tab",
    )  # fmt: skip
    threads: int | None = Field(
        None, ge=1, description="How many threads read a file; by default one a core"
    )

    _seen: _Seen = PrivateAttr(default_factory=_Seen)

    @property
    def formats(self) -> dict[str, str]:
        """Name of each file that has been read → its format; ``distill inspect`` tells it."""
        return dict(self._seen.formats)

    def read(self, request: Request, scan: Scan) -> Iterator[Batch | Documents]:
        """One batch a clean file, else batches of some thousand records."""
        files = self._files()
        chosen = range(len(files)) if request.part is None else request.part["files"]
        with tempfile.TemporaryDirectory(prefix="distill-", ignore_cleanup_errors=True) as name:
            for number in chosen:
                folder = Path(name) / str(number)
                folder.mkdir(mode=0o700)
                yield from self._read_file(files[number], number, request, scan, folder)
                if scan.cancelled:
                    return

    def _read_file(
        self, found: Found, number: int, request: Request, scan: Scan, folder: Path
    ) -> Iterator[Batch | Documents]:
        plain = plain_file(found, folder, number)
        self._seen.formats[found.name] = format_of(plain, found, self.format)
        if found.is_stdin:
            self._seen.blank[:] = blank_lines(plain)
        yield from read_plain(
            plain, found, self._options(request), number << FILE_BITS, request, scan, folder
        )
        if plain.parent == folder:
            plain.unlink()

    def split(self, request: Request, n: int) -> Sequence[Request]:
        """Parts of whole files, of about equal size."""
        files = self._files()
        sizes = [0 if file.is_stdin else Path(file.path).stat().st_size for file in files]
        parts: list[list[int]] = [[] for _ in range(max(1, min(n, len(files))))]
        for number in sorted(range(len(files)), key=lambda i: -sizes[i]):
            min(parts, key=lambda part: sum(sizes[i] for i in part)).append(number)
        return [replace(request, part={"files": sorted(part)}) for part in parts if part]

    def fingerprint(self, request: Request) -> str | None:
        """Of the files' names, sizes and times of change; None for standard input."""
        digest = hashlib.blake2b(self.model_dump_json().encode(), digest_size=16)
        for file in self._files():
            if file.is_stdin:
                return None
            status = Path(file.path).stat()
            told = f"{os.path.realpath(file.path)}\0{status.st_size}\0{status.st_mtime_ns}\0"
            digest.update(told.encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def locate(self, arrivals: Sequence[int]) -> list[str]:
        """``web.ndjson:12``: the line; ``web.json[11]``: the item, where lines say nothing."""
        files = self._files()
        by_file: dict[int, list[int]] = {}
        for arrival in arrivals:
            by_file.setdefault(arrival >> FILE_BITS, []).append(arrival & (2**FILE_BITS - 1))
        told: dict[int, str] = {}
        for number, records in by_file.items():
            places = self._places(files[number], sorted(set(records)))
            told |= {(number << FILE_BITS) + record: place for record, place in places.items()}
        return [told[arrival] for arrival in arrivals]

    def _places(self, found: Found, records: list[int]) -> dict[int, str]:
        with tempfile.TemporaryDirectory(prefix="distill-", ignore_cleanup_errors=True) as name:
            if found.is_stdin:
                lines: dict[int, int] = line_of_stdin(records, self._seen.blank)
            else:
                plain = plain_file(found, Path(name), 0)
                lines = line_of(plain, found, self._options(), records)
        return {r: f"{found.label}:{lines[r]}" if r in lines else f"{found.label}[{r}]"
                for r in records}  # fmt: skip

    def _files(self) -> list[Found]:
        return find([self.path] if isinstance(self.path, str) else self.path)

    def _options(self, request: Request | None = None) -> Options:
        """CSV has text alone: what is a time in numbers is told by the columns asked for."""
        columns = request.columns if request else ()
        timed = [c for c in columns if c.unit and c.type in ("time", "duration")]
        return Options(self.format, self.arrays == "flatten", self.delimiter,
                       frozenset(path for column in timed for path in column.paths),
                       self.threads)  # fmt: skip


def line_of_stdin(records: Sequence[int], blank: Sequence[int]) -> dict[int, int]:
    """The lines of NDJSON records, from the numbers of the blank lines."""
    found: dict[int, int] = {}
    for record in records:
        line = record + 1
        for number in blank:
            if number > line:
                break
            line += 1
        found[record] = line
    return found
