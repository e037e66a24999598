"""Plain dicts → a batch: for each column the first of its paths that is not null, read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from distill_core.batch import Batch, Bools, Codes, Ints, Masked
from distill_core.columns import Column
from distill_core.extract.paths import Rest, parse_path
from distill_core.extract.values import read_values


def extract(
    documents: Sequence[Mapping[str, Any]],
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
        gets = [(Rest(read) if isinstance(p, Rest) else p).get for p in paths[column.name]]
        filled[column.name], mask = read_values(_first(documents, gets), column)
        if mask.any():
            faults[column.name] = mask
    return Batch(filled, np.asarray(arrival, dtype=np.int64), faults, frozenset(wanted))


def _first(documents: Sequence[Mapping[str, Any]], gets: Sequence[Any]) -> list[Any]:
    """For each document the first of its values that is not null."""
    get, *others = gets
    values = [get(document) for document in documents]
    for other in others:
        values = [
            other(document) if value is None else value
            for value, document in zip(values, documents, strict=True)
        ]
    return values
