# ruff: noqa: S608  (SQL is made of our own and of quoted names; values are bound)
"""Parquet: its values as JSON would hold them, then read as those of JSON files are.

Times without a zone stay without one (the column's ``zone`` says where they were taken); those
that Parquet knows to be in UTC, and dates, become ISO text.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distill_core.batch import Batch
from distill_core.component import Request, Scan
from distill_core.errors import SourceError
from distill_files.codes import batch_from
from distill_files.engine import connected, literal, quoted
from distill_files.leaves import plan, selected
from distill_files.relaxed import parse

if TYPE_CHECKING:
    import duckdb

_SECONDS = "%Y-%m-%dT%H:%M:%S"


def load_parquet(
    path: Path, name: str, request: Request, first: int, folder: Path,
    threads: int | None, scan: Scan,
) -> Iterator[Batch]:  # fmt: skip
    """The file's batch. SourceError (``source-format``) if it is broken."""
    import duckdb

    found = plan(request.columns, structs=False)
    try:
        with connected([path], folder, threads, scan) as connection:
            there = _view(connection, path)
            tops = [top for top in found.tops if top in there]
            select = ", ".join(["place", *filter(None, [selected(found, tops)])])
            connection.execute(f"CREATE VIEW t0 AS SELECT {select} FROM rows_")
            yield batch_from(connection, [tops], found, request, first, scan, lambda _: [])
    except duckdb.Error as error:
        if not scan.cancelled:
            raise _broken(name) from error


def read_parquet(path: Path, name: str, folder: Path) -> Iterator[dict[str, Any]]:
    """The file's rows as documents."""
    import duckdb

    try:
        with connected([path], folder, 1, Scan()) as connection:
            names = _view(connection, path)
            pairs = ", ".join(f"{literal(n)}, {quoted(n)}" for n in names)
            rows = connection.execute(f"SELECT CAST(json_object({pairs}) AS VARCHAR) FROM rows_")
            while chunk := rows.fetchmany(2048):
                for (text,) in chunk:
                    yield parse(text)
    except duckdb.Error as error:
        raise _broken(name) from error


def _broken(name: str) -> SourceError:
    return SourceError(
        f"{name} is a broken Parquet file, or none", code="source-format", hint="copy it again"
    )


def _view(connection: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    """The view ``rows_``: each column as JSON, and ``place``; the columns' names."""
    file = f"read_parquet({literal(str(path))}, file_row_number=true, hive_partitioning=false)"
    described = connection.execute(f"DESCRIBE SELECT * FROM {file}").fetchall()
    types = {row[0]: row[1] for row in described if row[0] != "file_row_number"}
    columns = ", ".join(f"{_as_json(quoted(n), t)} AS {quoted(n)}" for n, t in types.items())
    connection.execute(
        f"CREATE VIEW rows_ AS SELECT {columns}, file_row_number AS place FROM {file}"
    )
    return list(types)


def _as_json(name: str, type_: str) -> str:
    match type_:
        case "TIMESTAMP WITH TIME ZONE":
            name = f"strftime(make_timestamp(epoch_us({name})), {literal(_SECONDS + '.%fZ')})"
        case "TIMESTAMP_NS":
            name = f"strftime({name}, {literal(_SECONDS + '.%n')})"
        case "TIMESTAMP" | "TIMESTAMP_S" | "TIMESTAMP_MS":
            name = f"strftime(CAST({name} AS TIMESTAMP), {literal(_SECONDS + '.%f')})"
        case "DATE":
            name = f"strftime({name}, '%Y-%m-%d')"
        case "JSON":
            return name
        case _:
            pass
    return f"to_json({name})"
