"""Which format a file has, and its records, whichever it is."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

from distill_core.batch import Batch
from distill_core.component import Request, Scan
from distill_core.errors import SourceError
from distill_files.arrays import read_array
from distill_files.blocks import Documents, blocks
from distill_files.columnar import Irregular
from distill_files.csv import read_csv
from distill_files.found import Found
from distill_files.lines import Bad, numbered_lines, read_lines, value_of
from distill_files.ndjson import load, reads_rest
from distill_files.parquet import load_parquet, read_parquet

Format = Literal["ndjson", "json", "csv", "parquet"]

SMALL = 2**21
"""Bytes of a file that is read in plain Python: starting DuckDB would take longer."""

_ENDINGS: dict[str, Format] = {
    ".ndjson": "ndjson", ".jsonl": "ndjson", ".ldjson": "ndjson",
    ".csv": "csv", ".tsv": "csv", ".parquet": "parquet", ".pq": "parquet",
}  # fmt: skip


@dataclass(frozen=True)
class Options:
    """The parameters of ``Files`` that say how a file is read."""

    format: str = "auto"
    flatten: bool = False
    delimiter: str | None = None
    numbers: frozenset[str] = frozenset()
    threads: int | None = None


def format_of(path: Path, found: Found, wanted: str) -> Format:
    """The format: the wanted one, else by ending, else by content. SourceError if none fits."""
    with path.open("rb") as file:
        head = file.read(4)
        if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise SourceError(
                f"{found.written!r} is written in UTF-16 ({found.name})",
                code="source-format",
                hint="write it in UTF-8",
            )
        if head == b"PAR1":
            return "parquet"
        if wanted != "auto":
            return wanted  # type: ignore[return-value]
        name = found.name.lower().removesuffix(".gz").removesuffix(".zst")
        if (known := _ENDINGS.get(Path(name).suffix)) is not None:
            return known
        file.seek(0)
        return _by_content(file, found)


def _by_content(file: BinaryIO, found: Found) -> Format:
    """NDJSON if each line is a value of its own, JSON if all lines are one."""
    lines = (line for _, line in numbered_lines(file))
    first = next(lines, b"{}")
    if first[:1] not in (b"{", b"["):
        raise SourceError(
            f"{found.written!r} is of no format that is known by its content ({found.name})",
            code="source-format",
            hint="say which it is: format='ndjson', 'json', 'csv' or 'parquet'",
        )
    if isinstance(value_of(first, Scan()), Bad) and first[:2] != b'{"':
        return "json"
    if isinstance(value_of(first, Scan()), Bad):
        return "ndjson"
    return "json" if first[:1] == b"[" and next(lines, None) is None else "ndjson"


def read_plain(
    path: Path, found: Found, options: Options, first: int, request: Request, scan: Scan,
    folder: Path,
) -> Iterator[Batch | Documents]:  # fmt: skip
    """The records of an uncompressed file, as batches (documents, if these are asked for)."""
    path = _without_marks(path, folder)
    try:
        if (batches := _fast(path, found, options, first, request, scan, folder)) is not None:
            yield from batches
            return
    except Irregular:
        pass
    # The core itself counts surrogates in documents.
    told = Scan() if request.documents else scan
    yield from blocks(records_of(path, found, options, told, folder), first, request, scan)


def _fast(
    path: Path, found: Found, options: Options, first: int, request: Request, scan: Scan,
    folder: Path,
) -> Iterator[Batch] | None:  # fmt: skip
    """The batches of the fast reader, None if it does not apply. Irregular comes before any."""
    format_ = format_of(path, found, options.format)
    if request.documents or reads_rest(request):
        return None
    if format_ == "parquet":
        return load_parquet(path, found.name, request, first, folder, options.threads, scan)
    if format_ == "csv" or options.flatten or path.stat().st_size <= SMALL:
        return None

    def nulls(records: Sequence[int]) -> list[int]:
        wanted = set(records)
        values = enumerate(records_of(path, found, options, Scan(), folder))
        return [record for record, value in values if record in wanted and value is None]

    layout = "newline_delimited" if format_ == "ndjson" else "array"
    return load(path, layout, request, first, folder, options.threads, scan, nulls)


def _without_marks(path: Path, folder: Path) -> Path:
    """The file by a name that DuckDB does not take for a pattern."""
    if not any(mark in str(path) for mark in "*?["):
        return path
    other = folder / f"plain{path.suffix}"
    try:
        other.symlink_to(path.resolve())
    except OSError:  # not every user of Windows may
        shutil.copyfile(path, other)
    return other


def records_of(
    path: Path, found: Found, options: Options, scan: Scan, folder: Path
) -> Iterator[Any]:
    """The file's records, JSON values or Bad, one by one: the exact reading."""
    match format_of(path, found, options.format):
        case "json":
            with path.open("rb") as file:
                yield from read_array(file, found.name, scan)
        case "parquet":
            yield from read_parquet(path, found.name, folder)
        case format_:
            with path.open("rb") as file:
                for _, value in _numbered(file, format_, found, options, scan):
                    yield value


def _numbered(
    file: BinaryIO, format_: Format, found: Found, options: Options, scan: Scan
) -> Iterator[tuple[int, Any]]:
    """(line, value) of each record of a format whose lines say something."""
    if format_ == "csv":
        return read_csv(file, found.name, options.delimiter, numbers=options.numbers)
    return read_lines(file, scan, flatten=options.flatten)


def line_of(path: Path, found: Found, options: Options, records: Sequence[int]) -> dict[int, int]:
    """The line of each record (ascending); none for formats whose lines say nothing."""
    format_ = format_of(path, found, options.format)
    if format_ in ("json", "parquet"):
        return {}
    wanted, lines = set(records), {}
    with path.open("rb") as file:
        numbered: Iterator[tuple[int, Any]] = numbered_lines(file)
        if format_ == "csv" or options.flatten:
            numbered = _numbered(file, format_, found, options, Scan())
        for record, (number, _) in enumerate(numbered):
            if record in wanted:
                lines[record] = number
            if record >= records[-1]:
                break
    return lines
