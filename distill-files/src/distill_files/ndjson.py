# ruff: noqa: S608  (SQL is made of our own and of quoted names; values are bound)
"""The fast reader of NDJSON and JSON arrays: DuckDB parses, dictionaries come as codes.

It reads strictly: whatever makes DuckDB complain (a corrupt line, a key that occurs twice, a lone
surrogate …) is Irregular, and the file is then read by the exact reader instead.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from distill_core.batch import Batch, Masked
from distill_core.component import Request, Scan
from distill_core.extract import Rest, parse_path
from distill_files.columnar import Numbers, Part, Texts, batch_of, decoded
from distill_files.engine import connected, literal
from distill_files.leaves import Plan, column_types, plan, rivals, rounds, selected

if TYPE_CHECKING:
    import duckdb

IN_MEMORY = 64 * 2**20
"""Bytes of a file whose columns are kept in memory; those of a larger one go to a private file."""

Broken = Callable[[Sequence[int]], list[int]]
"""Of these records (by number) those that are null."""


class Irregular(Exception):
    """The fast reader cannot read this file exactly."""


def load(
    path: Path, layout: str, request: Request, first: int, folder: Path,
    threads: int | None, scan: Scan, nulls: Broken,
) -> Iterator[Batch]:  # fmt: skip
    """The file's batch. ``layout``: ``newline_delimited`` or ``array``; ``first``: its first place.

    Raises Irregular before a batch comes, never after.
    """
    if any(isinstance(parse_path(p), Rest) for c in request.columns for p in c.paths):
        raise Irregular
    import duckdb

    try:
        yield _load(path, layout, request, first, folder, threads, scan, nulls, structs=True)
    except duckdb.Error as error:
        if scan.cancelled:
            return
        if "Expected OBJECT" not in str(error):
            raise Irregular from error
    else:
        return
    try:
        yield _load(path, layout, request, first, folder, threads, scan, nulls, structs=False)
    except duckdb.Error as error:
        if not scan.cancelled:
            raise Irregular from error


def _load(
    path: Path, layout: str, request: Request, first: int, folder: Path,
    threads: int | None, scan: Scan, nulls: Broken, *, structs: bool,
) -> Batch:  # fmt: skip
    found = plan(request.columns, structs=structs)
    if not found.leaves:
        raise Irregular
    with connected([path], folder, threads, scan) as connection:
        tables = _tables(connection, path, layout, found, folder)
        rows = connection.execute("SELECT count(*) FROM t0").fetchall()[0][0]
        parts = _parts(connection, tables, found, rows)
    batch = batch_of(parts, found, request.columns, first + np.arange(rows, dtype=np.int64))
    empty = np.flatnonzero(np.all([_is_null(part) for part in parts.values()], axis=0))
    null = nulls(empty.tolist()) if len(empty) else []
    for row in null:
        scan.reject("not_object", first + row)
    if null:
        keep = np.ones(rows, dtype=bool)
        keep[null] = False
        batch = batch.take(keep)
    scan.progress(rows)
    return batch


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
    select = (
        f"SELECT {selected(found, tops)} FROM read_json($1, format={literal(layout)}, "
        f"records=true, compression='none', columns={column_types(found, tops)})"
    )
    if path.stat().st_size <= IN_MEMORY:
        connection.execute(f"CREATE TABLE t{number} AS {select}", [str(path)])
        return
    target = literal(str(folder / f"{path.name}.{number}.parquet"))
    connection.execute(
        f"COPY ({select}) TO {target} "
        "(FORMAT parquet, COMPRESSION uncompressed, ROW_GROUP_SIZE 61440)",
        [str(path)],
    )
    connection.execute(f"CREATE VIEW t{number} AS FROM read_parquet({target})")


def _parts(
    connection: duckdb.DuckDBPyConnection, tables: list[list[str]], found: Plan, rows: int
) -> dict[int, Part]:
    """Each leaf's values. Two cursors, each with a leaf at a time, keep both cores busy."""
    where = {top: f"t{number}" for number, tops in enumerate(tables) for top in tops}

    def fetch(index: int) -> Part:
        leaf = found.leaves[index]
        if leaf.keys[0] not in where:
            return Texts(np.full(rows, -1, dtype=np.int32), [])
        with connection.cursor() as cursor:
            texts = _texts(cursor, f"c{index}", where[leaf.keys[0]], rows)
            if leaf.number is None:
                return texts
            numbers = cursor.execute(f"SELECT n{index} AS n FROM {where[leaf.keys[0]]}")
            return Numbers(_masked(numbers.fetchnumpy()["n"]), texts)

    with ThreadPoolExecutor(2) as pool:
        return dict(enumerate(pool.map(fetch, range(len(found.leaves)))))


def _texts(cursor: duckdb.DuckDBPyConnection, column: str, table: str, rows: int) -> Texts:
    """A column by dictionary. ORDER BY: codes must not depend on who came first."""
    if not cursor.execute(f"SELECT count({column}) FROM {table}").fetchall()[0][0]:
        return Texts(np.full(rows, -1, dtype=np.int32), [])
    cursor.execute(
        f"CREATE TYPE e_{column} AS ENUM "
        f"(SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY 1)"
    )
    cursor.execute(f"SELECT unnest(enum_range(NULL::e_{column})) AS x")
    texts: Any = cursor.fetchnumpy()["x"]
    cursor.execute(
        f"SELECT coalesce(CAST(enum_code(CAST({column} AS e_{column})) AS INTEGER), -1) AS x "
        f"FROM {table}"
    )
    codes: Any = cursor.fetchnumpy()["x"]
    return Texts(codes, [decoded(text) for text in texts])


def _masked(found: Any) -> Masked:
    if isinstance(found, np.ma.MaskedArray):
        return Masked(found.filled(0), np.ma.getmaskarray(found))
    return Masked.full(found)


def _is_null(part: Part) -> Any:
    if isinstance(part, Texts):
        return part.codes < 0
    return part.values.null & (part.rest.codes < 0)
