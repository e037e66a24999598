"""The values of a column read at once, where their types allow; to the bit as ``values`` says.

Python is called once a column, or once a distinct text, not once a value: a hundredfold of what a
column of a page costs otherwise. What is mixed is read value by value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any

import numpy as np

from distill_core.batch import Bools, Codes, Ints, Masked
from distill_core.columns import UNITS, Column
from distill_core.extract.jsontext import canonical_all, mended
from distill_core.extract.values import DTYPES, INT64, YEARS, Read, read_each, reader

_TEXT = ("string", "ids", "json")

Found = tuple[Codes | Masked, Bools]


def read_values(values: Sequence[Any], column: Column) -> Found:
    """The column of JSON values (also aware datetimes, timedeltas), and where they are faults.

    None is null and no fault. SchemaError if the column's zone does not exist.

    >>> array, faults = read_values(["7", 7, 1.9, None], Column("n", type="integer"))
    >>> array.to_list(), faults.tolist()
    ([7, 7, None, None], [False, False, True, False])
    """
    read = reader(column)
    types = set(map(type, values)) - {type(None)}
    if column.type in _TEXT:
        texts = _texts(values, types, column)
        if texts is not None:
            return _codes(texts), np.zeros(len(values), dtype=bool)
    elif types == {str}:
        return _by_text(values, column, read)
    else:
        array = _numbers(values, types, column)
        if array is not None:
            return array
    return _one_by_one(values, column, read)


def _one_by_one(values: Iterable[Any], column: Column, read: Read) -> Found:
    found, bad = read_each(values, read)
    faults = np.zeros(len(found), dtype=bool)
    faults[bad] = True
    if column.type in _TEXT:
        return Codes.of(found), faults
    return Masked.of(found, DTYPES[column.type]), faults


def _texts(values: Sequence[Any], types: set[type], column: Column) -> Sequence[Any] | None:
    """The values as texts (lone surrogates are still in plain ones); None if not at once."""
    as_is = str if column.type != "json" else None
    if types <= {as_is}:
        return values
    found = canonical_all([v for v in values if v is not None and type(v) is not as_is])
    if found is None:
        return None
    rest = iter(found)
    return [v if v is None or type(v) is as_is else next(rest) for v in values]


def _numbered(values: Sequence[Any]) -> tuple[Ints, list[Any]]:
    """Where each value is among the distinct ones, from 1; null is 0."""
    place: defaultdict[Any, int] = defaultdict(count(1).__next__)
    place[None] = 0
    numbers = np.fromiter(map(place.__getitem__, values), dtype=np.int64, count=len(values))
    distinct = list(place)
    return numbers, distinct[1:]


def _codes(texts: Sequence[Any]) -> Codes:
    """Codes with a sorted dictionary, of texts and None."""
    numbers, distinct = _numbered(texts)
    if not "".join(distinct).isascii():
        distinct = list(map(mended, distinct))
    names = sorted(set(distinct))
    place = {name: index for index, name in enumerate(names)}
    table = np.full(len(distinct) + 1, -1, dtype=np.int32)
    table[1:] = np.fromiter(map(place.__getitem__, distinct), dtype=np.int32, count=len(distinct))
    return Codes(table[numbers], names, ordered=True)


def _by_text(values: Sequence[Any], column: Column, read: Read) -> Found:
    """Texts that mean numbers, times …: each distinct one is read once."""
    numbers, distinct = _numbered(values)
    array, faults = _one_by_one([None, *distinct], column, read)
    return array.take(numbers), faults[numbers]


def _numbers(values: Sequence[Any], types: set[type], column: Column) -> Found | None:
    """Numbers and booleans by numpy; None if there are others, or one that int64 cannot hold."""
    fitting: set[type] = {int}
    if column.type == "boolean":
        fitting = {bool}
    elif column.type == "number":
        fitting = {int, float}
    if not types <= fitting:
        return None
    null = np.fromiter((v is None for v in values), dtype=bool, count=len(values))
    filled = [0 if v is None else v for v in values] if null.any() else values
    try:
        plain = np.array(filled, dtype=DTYPES[column.type])
    except OverflowError:
        return None
    good = np.ones(len(values), dtype=bool)
    if column.type == "number":
        good = np.isfinite(plain)
    elif column.type in ("time", "duration"):
        plain, good = _micros(plain, column)
    faults = ~good & ~null
    null |= faults
    plain[null] = 0
    return Masked(plain, null), faults


def _micros(numbers: Ints, column: Column) -> tuple[Ints, Bools]:
    """Whole numbers in the column's unit as µs, and which of them are times or durations."""
    if column.unit is None:
        return numbers, np.zeros(len(numbers), dtype=bool)
    allowed = range(YEARS.stop) if column.type == "time" else INT64
    scale = UNITS[column.unit]
    if scale < 1000:
        micros, left = np.divmod(numbers, 1000 // scale)
        half = 500 // scale
        micros += (left > half) | ((left == half) & (micros % 2 == 1))
        return micros, (numbers >= allowed.start) & (micros < allowed.stop)
    factor = scale // 1000
    good = (numbers >= -(-allowed.start // factor)) & (numbers <= (allowed.stop - 1) // factor)
    return np.where(good, numbers, 0) * factor, good
