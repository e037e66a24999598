"""Plain dicts → a batch: for each column the first of its paths that is not null, read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from distill_core.batch import Batch, Bools, Codes, Ints, Masked
from distill_core.columns import Column
from distill_core.extract.bulk import read_values
from distill_core.extract.paths import Constant, Field, Path, Rest, Template, parse_path

Documents = Sequence[Mapping[str, Any]]


def extract(
    documents: Documents,
    columns: Sequence[Column],
    arrival: Ints,
    wanted: Collection[str] = frozenset(),
) -> Batch:
    """The columns that have paths, read from documents (what is no mapping was rejected before).

    The first path whose value is not null decides, readable or not. An unreadable value is null
    and marked in ``Batch.faults``. ``arrival`` (int64): the documents' places in the source.
    ``*`` is what none of ``columns`` reads.

    >>> column = Column("user", paths=("userId", "=nobody"))
    >>> batch = extract([{"userId": 7}, {}], [column], np.arange(2))
    >>> batch.columns["user"].to_list()
    ['7', 'nobody']
    """
    filled: dict[str, Codes | Masked] = {}
    faults: dict[str, Bools] = {}
    paths = {c.name: [parse_path(path) for path in c.paths] for c in columns if c.paths}
    read = frozenset().union(*(path.roots for found in paths.values() for path in found))
    for column in columns:
        if not column.paths:
            continue
        found = [Rest(read) if isinstance(p, Rest) else p for p in paths[column.name]]
        filled[column.name], mask = read_values(_first(documents, found), column)
        if mask.any():
            faults[column.name] = mask
    return Batch(filled, np.asarray(arrival, dtype=np.int64), faults, frozenset(wanted))


def _first(documents: Documents, paths: Sequence[Path]) -> list[Any]:
    """For each document the first of its values that is not null."""
    path, *others = paths
    values = _values(documents, path)
    for other in others:
        if type(None) not in set(map(type, values)):
            break
        open_ = [index for index, value in enumerate(values) if value is None]
        found = _values([documents[index] for index in open_], other)
        for index, value in zip(open_, found, strict=True):
            values[index] = value
    return values


def _values(documents: Documents, path: Path) -> list[Any]:
    """``path.get`` of all documents, by as few calls as there may be."""
    match path:
        case Constant():
            return [path.text] * len(documents)
        case Field():
            return _field(documents, path)
        case Template():
            rows = zip(*(_field(documents, field) for field in path.fields), strict=True)
            return [path.fill(list(row)) for row in rows]
        case _:
            return [path.get(document) for document in documents]


def _field(documents: Documents, field: Field) -> list[Any]:
    text = field.text
    values = [document.get(text) for document in documents]
    if "." not in text or not documents:
        return values
    inner: Sequence[Any] = documents
    for key in field.keys:
        if not set(map(type, inner)) <= {dict, type(None)}:  # lists, texts, other mappings
            return [field.get(document) for document in documents]
        inner = [None if outer is None else outer.get(key) for outer in inner]
    return [deep if value is None else value for value, deep in zip(values, inner, strict=True)]
