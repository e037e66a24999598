# ruff: noqa: S608  (SQL is made of our own names; values are bound)
"""From tables in DuckDB to dictionaries and numbers in numpy, a leaf at a time.

A table has, for leaf i, its JSON texts ``c<i>`` or, where plain numbers (words by number) come as
``n<i>``, the rest of them; and ``place``, the record's number in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from distill_core.batch import Batch, Ints, Masked
from distill_core.component import Request, Scan
from distill_files import sql
from distill_files.columnar import Numbers, Part, Texts, batch_of, decoded, plain_texts
from distill_files.leaves import Kind, Plan

if TYPE_CHECKING:
    import duckdb


Nulls = Callable[[Sequence[int]], list[int]]
"""Of these records (by number) those that are null."""


def batch_from(
    connection: duckdb.DuckDBPyConnection,
    tables: Sequence[Sequence[str]],
    found: Plan,
    request: Request,
    first: int,
    scan: Scan,
    nulls: Nulls,
) -> Batch:
    """The batch of tables ``t0``, ``t1`` … (the top-level keys in each), null records left out."""
    rows = connection.execute("SELECT count(*) FROM t0").fetchall()[0][0]
    names = {top: f"t{number}" for number, tops in enumerate(tables) for top in tops}
    places = np.arange(rows, dtype=np.int64)
    whole = len(tables) == 1
    if request.where is not None and whole and _filtered(connection, found, tables[0], request):
        names = dict.fromkeys(names, "kept")
        places = _places(connection)
    parts = parts_of(connection, names, found, len(places))
    batch = batch_of(parts, found, request.columns, first + places)
    null = nulls(places[empty].tolist()) if len(empty := null_rows(parts)) else []
    for place in null:
        scan.reject("not_object", first + place)
    scan.progress(rows)
    return batch.take(~np.isin(places, null)) if null else batch


def _filtered(
    connection: duckdb.DuckDBPyConnection, found: Plan, tops: Sequence[str], request: Request
) -> bool:
    """Make the table ``kept`` of the records that may be asked for, if they are few."""
    assert request.where is not None
    columns = {column.name: column for column in request.columns}
    if not request.where.columns <= columns.keys():
        return False
    where, values = sql.compile(request.where, columns, found)
    if where == "TRUE":
        return False
    names = [f"c{i}" for i in range(len(found.leaves))]
    names += [f"n{i}" for i, leaf in enumerate(found.leaves) if leaf.coded]
    absent = [name for name in names if found.leaves[int(name[1:])].keys[0] not in tops]
    table = f"(SELECT {', '.join(['*', *(f'NULL AS {name}' for name in absent)])} FROM t0)"
    null = " AND ".join(f"{name} IS NULL" for name in names)
    test = f"({where}) OR ({null})"  # null records come, to be counted
    share = f"SELECT count(*) FILTER (WHERE {test}) * 2 <= count(*) FROM {table}"
    if not connection.execute(share, values).fetchall()[0][0]:
        return False
    connection.execute(f"CREATE TABLE kept AS SELECT * FROM {table} WHERE {test}", values)
    return True


def parts_of(
    connection: duckdb.DuckDBPyConnection, tables: Mapping[str, str], found: Plan, rows: int
) -> dict[int, Part]:
    """Each leaf's values; ``tables``: top-level key → the table that has it, if one has.

    Two cursors, each with a leaf at a time, keep both cores of a small machine busy.
    """

    def fetch(index: int) -> Part:
        leaf = found.leaves[index]
        table = tables.get(leaf.keys[0])
        if table is None:
            return Texts(np.full(rows, -1, dtype=np.int32), [])
        with connection.cursor() as cursor:
            if index in empty:
                texts = Texts(np.full(rows, -1, dtype=np.int32), [], plain=True)
            else:
                texts = _texts(cursor, f"c{index}", table, leaf.kind)
            if not leaf.coded:
                return texts
            numbers = cursor.execute(f"SELECT n{index} AS n FROM {table}").fetchnumpy()["n"]
            if leaf.number:
                return Numbers(_masked(numbers), texts)
            return _with_words(np.ma.filled(numbers, -1), leaf.words, texts)

    empty = _without_rest(connection, tables, found)
    longest = sorted(range(len(found.leaves)), key=lambda index: found.leaves[index].coded)
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(longest, pool.map(fetch, longest), strict=True))


def _without_rest(
    connection: duckdb.DuckDBPyConnection, tables: Mapping[str, str], found: Plan
) -> set[int]:
    """The leaves that have nothing but plain numbers, or words by number."""
    coded: dict[str, list[int]] = {}
    for index, leaf in enumerate(found.leaves):
        if leaf.coded and leaf.keys[0] in tables:
            coded.setdefault(tables[leaf.keys[0]], []).append(index)
    empty: set[int] = set()
    for table, leaves in coded.items():
        counts = ", ".join(f"count(c{index})" for index in leaves)
        found_ = connection.execute(f"SELECT {counts} FROM {table}").fetchall()[0]
        empty |= {index for index, count in zip(leaves, found_, strict=True) if not count}
    return empty


def _places(connection: duckdb.DuckDBPyConnection) -> Ints:
    found: Any = connection.execute("SELECT place FROM kept").fetchnumpy()["place"]
    return np.asarray(found, dtype=np.int64)


def null_rows(parts: Mapping[int, Part]) -> Any:
    """Positions of the rows of which nothing is known: null records, and those with other keys."""
    first, *others = parts.values()
    rows = np.flatnonzero(_is_null(first))
    for part in others:
        if len(rows):
            rows = rows[_is_null(part)[rows]]
    return rows


def _texts(cursor: duckdb.DuckDBPyConnection, column: str, table: str, kind: Kind) -> Texts:
    """A column by dictionary, sorted: codes must not depend on who came first."""
    words = f"d_{table}_{column}"
    cursor.execute(
        f"CREATE TABLE {words} AS "
        f"SELECT DISTINCT {column} AS x FROM {table} WHERE {column} IS NOT NULL ORDER BY 1"
    )
    ordered: Any = cursor.execute(f"SELECT x FROM {words}").fetchnumpy()["x"]
    texts: list[str] = ordered.tolist()
    found: Any = cursor.execute(
        f"SELECT t.place AS place, coalesce(d.rowid, -1)::INTEGER AS code "
        f"FROM {table} t LEFT JOIN {words} d ON t.{column} = d.x"
    ).fetchnumpy()
    cursor.execute(f"DROP TABLE {words}")
    codes = _by_place(found["place"], found["code"])
    if kind == "VARCHAR":
        return Texts(codes, plain_texts(texts), plain=True)
    return Texts(codes, list(map(decoded, texts)))


def _with_words(codes: Any, words: Sequence[str], rest: Texts) -> Texts:
    """Known words by number (−1: none), and the texts that are none of them, in one dictionary."""
    values = sorted({*plain_texts(list(words)), *rest.values})
    place = {value: index for index, value in enumerate(values)}
    known = np.array([place[word] for word in words] + [-1], dtype=np.int32)[codes]
    if rest.values:
        other = np.array([place[value] for value in rest.values] + [-1], dtype=np.int32)
        known = np.maximum(known, other[rest.codes])
    return Texts(known, values, plain=True)


def _by_place(place: Any, codes: Any) -> Any:
    """The codes in the order of the records: a join gives them in any."""
    place, codes = np.ma.getdata(place), np.ma.getdata(codes)
    if (place[1:] > place[:-1]).all():
        return codes
    if len(place) == place.max() + 1:
        found = np.empty_like(codes)
        found[place] = codes
        return found
    return codes[np.argsort(place)]


def _masked(found: Any) -> Masked:
    if isinstance(found, np.ma.MaskedArray):
        return Masked(found.filled(0), np.ma.getmaskarray(found))
    return Masked.full(found)


def _is_null(part: Part) -> Any:
    if isinstance(part, Texts):
        return part.codes < 0
    return part.values.null & (part.rest.codes < 0)
