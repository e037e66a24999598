"""DuckDB as it is used here: in memory, private, nothing but the named files within reach."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from distill_core.component import Scan

if TYPE_CHECKING:
    import duckdb


def quoted(name: str) -> str:
    """A name as a SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as a SQL literal: for our own file names, where no parameter can stand."""
    return "'" + text.replace("'", "''") + "'"


@contextmanager
def connected(
    files: list[Path], folder: Path, threads: int | None, scan: Scan
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that reads ``files`` and uses ``folder``; cancelling the scan interrupts it."""
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
    }
    if threads is not None:
        config["threads"] = threads
    connection = duckdb.connect(":memory:", config=config)
    open_ = [True]
    try:
        paths = ", ".join(literal(str(file)) for file in files)
        connection.execute("SET enable_progress_bar = false")
        connection.execute(f"SET temp_directory = {literal(str(folder / 'spill'))}")
        connection.execute(f"SET allowed_paths = [{paths}]")
        connection.execute(f"SET allowed_directories = [{literal(str(folder))}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        scan.on_cancel(lambda: connection.interrupt() if open_ else None)
        yield connection
    finally:
        open_.clear()
        connection.close()
