# ruff: noqa: S608  (SQL is made of our own and of quoted names; values are bound)
"""The fast reader of NDJSON and JSON arrays: DuckDB parses, dictionaries come as codes.

It reads strictly: whatever makes DuckDB complain (a corrupt line, a key that occurs twice, a lone
surrogate …) is Irregular, and the file is then read by the exact reader instead.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from distill_core.batch import Batch
from distill_core.component import Request, Scan
from distill_core.extract import Rest, parse_path
from distill_files.codes import Nulls, batch_from
from distill_files.columnar import Ambiguous, Irregular
from distill_files.engine import connected, literal
from distill_files.leaves import Plan, column_types, plan, rivals, rounds, selected
from distill_files.words import with_words

if TYPE_CHECKING:
    import duckdb

IN_MEMORY = 64 * 2**20
"""Bytes of a file whose columns are kept in memory; those of a larger one go to a private file."""


def load(
    path: Path, layout: str, request: Request, first: int, folder: Path,
    threads: int | None, scan: Scan, nulls: Nulls,
) -> Iterator[Batch]:  # fmt: skip
    """The file's batch. ``layout``: ``newline_delimited`` or ``array``; ``first``: its first place.

    Raises Irregular before a batch comes, never after.
    """
    import duckdb

    structs = texts = True
    while True:
        found = plan(request.columns, structs=structs, texts=texts)
        if request.where is None:  # SQL compares texts
            found = with_words(found, path)
        try:
            yield _load(path, layout, found, request, first, folder, threads, scan, nulls)
        except duckdb.InterruptException:
            return
        except Ambiguous:
            texts = False
        except (duckdb.InvalidInputException, duckdb.OutOfMemoryException) as error:
            if not structs or "Expected OBJECT" not in str(error):
                raise Irregular from error
            structs = False  # where an object is usual there is something else
        else:
            return
        for file in folder.glob("*.parquet"):
            file.unlink()


def reads_rest(request: Request) -> bool:
    """Whether ``*`` is asked for: then whole documents are needed."""
    return any(isinstance(parse_path(p), Rest) for c in request.columns for p in c.paths)


def _load(
    path: Path, layout: str, found: Plan, request: Request, first: int, folder: Path,
    threads: int | None, scan: Scan, nulls: Nulls,
) -> Batch:  # fmt: skip
    if not found.leaves:
        raise Irregular
    with connected([path], folder, threads, scan) as connection:
        tables = _tables(connection, path, layout, found, folder)
        return batch_from(connection, tables, found, request, first, scan, nulls)


def _tables(
    connection: duckdb.DuckDBPyConnection, path: Path, layout: str, found: Plan, folder: Path
) -> list[list[str]]:
    """Read the file into tables ``t0``, ``t1`` …; the top-level keys in each.

    Keys that differ in case alone need a reading each, so one is made only for those that occur.
    """
    rare = {top for top in rivals(found.tops) if not _occurs(top, path, 2**20)}
    tables = rounds([top for top in found.tops if top not in rare]) or [[]]
    with ThreadPoolExecutor(1) as pool:
        # The search needs one core for a while, DuckDB the other.
        late = pool.submit(lambda: [top for top in sorted(rare) if _occurs(top, path)])
        for number, tops in enumerate(tables):
            _read_table(connection, path, layout, found, tops, folder, number)
        more = rounds(late.result())
    for number, tops in enumerate(more, len(tables)):
        _read_table(connection, path, layout, found, tops, folder, number)
    return tables + more


def _occurs(top: str, path: Path, within: int | None = None) -> bool:
    """Whether the key stands in the file (in its first bytes): as a text at least."""
    texts = {json.dumps(top).encode(), json.dumps(top, ensure_ascii=False).encode()}
    longest = max(map(len, texts))
    tail = b""
    with path.open("rb") as file:
        while chunk := file.read(2**18):
            if any(text in tail + chunk for text in texts):
                return True
            if within is not None and file.tell() >= within:
                return False
            tail = chunk[-longest:]
    return False


def _read_table(
    connection: duckdb.DuckDBPyConnection, path: Path, layout: str, found: Plan,
    tops: list[str], folder: Path, number: int,
) -> None:  # fmt: skip
    columns, view = _spooled(found, tops)
    select = (
        f"SELECT {columns} FROM (SELECT {selected(found, tops)} FROM read_json($1, "
        f"format={literal(layout)}, records=true, compression='none', "
        f"columns={column_types(found, tops)}))"
    )
    if path.stat().st_size <= IN_MEMORY:
        connection.execute(f"CREATE TABLE m{number} AS {select}", [str(path)])
        table = f"(SELECT *, rowid AS place FROM m{number})"
    else:
        target = literal(str(folder / f"{path.name}.{number}.parquet"))
        connection.execute(
            f"COPY ({select}) TO {target} "
            "(FORMAT parquet, COMPRESSION uncompressed, ROW_GROUP_SIZE 61440)",
            [str(path)],
        )
        scan = f"read_parquet({target}, file_row_number=true)"
        table = f"(SELECT * EXCLUDE file_row_number, file_row_number AS place FROM {scan})"
    connection.execute(f"CREATE VIEW t{number} AS SELECT {view} FROM {table}")


def _spooled(found: Plan, tops: Sequence[str]) -> tuple[str, str]:
    """SELECT lists: from the leaves to what is written, and from that back to the leaves.

    What is neither a plain number nor a known word is rare: of all leaves it is one list, since
    each column costs time, one of nulls too.
    """
    there = [(i, leaf.coded) for i, leaf in enumerate(found.leaves) if leaf.keys[0] in tops]
    rare = [f"c{index}" for index, coded in there if coded]
    if not rare:
        return "*", "*"
    names = ", ".join(f"n{index}" if coded else f"c{index}" for index, coded in there)
    some = " OR ".join(f"{name} IS NOT NULL" for name in rare)
    back = ", ".join(f"rest[{number}] AS {name}" for number, name in enumerate(rare, 1))
    written = f"{names}, CASE WHEN {some} THEN [{', '.join(rare)}] END AS rest"
    return written, f"{names}, {back}, place"
