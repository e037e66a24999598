"""Keys of starts and stops: numbers that are equal where the keys are, and their text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from distill_core.batch import Codes, Ints
from distill_core.log import EventLog
from distill_core.log._output import plain_values
from distill_core.prepare import join


def key_codes(
    log: EventLog, sets: Sequence[tuple[str, ...]], rows: Ints, *, nulls_equal: bool
) -> list[Ints]:
    """A number for each row and set of columns, equal where the values are; −1: one is null."""
    found = [np.zeros(len(rows), dtype=np.int64) for _ in sets]
    null = [np.zeros(len(rows), dtype=bool) for _ in sets]
    for place in range(len(sets[0]) if sets else 0):
        codes = _column_codes(log, [names[place] for names in sets], rows)
        width = max(int(c.max(initial=-1)) for c in codes) + 2
        for i, each in enumerate(codes):
            null[i] |= each < 0
            found[i] = found[i] * width + each + 1
        found = _dense(found)
    return [f if nulls_equal else np.where(n, -1, f) for f, n in zip(found, null, strict=True)]


def _column_codes(log: EventLog, names: list[str], rows: Ints) -> list[Ints]:
    column = join([log.get(name).take(rows) for name in names])
    if isinstance(column, Codes):
        codes = column.codes.astype(np.int64)
    else:
        codes = np.unique(column.values, return_inverse=True)[1].astype(np.int64)
        codes[column.null] = -1
    return np.split(codes, len(names))


def _dense(parts: list[Ints]) -> list[Ints]:
    """Small numbers, so that the next column's do not run over."""
    if max((int(p.max(initial=0)) for p in parts), default=0) < 1 << 31:
        return parts
    codes = np.unique(np.concatenate(parts), return_inverse=True)[1].astype(np.int64)
    return np.split(codes, len(parts))


def key_texts(log: EventLog, names: tuple[str, ...], rows: Ints, key: Ints) -> Codes:
    """The keys of these rows as text: one column's own text, of several a JSON list."""
    _, first, codes = np.unique(key, return_index=True, return_inverse=True)
    columns = [
        plain_values(log.column(name), log.get(name).take(rows[first]), log.ids) for name in names
    ]
    tuples = [*zip(*columns, strict=True)]
    texts = [_text(values[0]) if len(names) == 1 else _text([*values]) for values in tuples]
    known = Codes.of(texts)
    return Codes(known.codes[codes], known.values, ordered=True)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
