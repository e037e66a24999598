"""What DuckDB has read becomes the batch that ``extract`` would make of the same records.

A dictionary's texts are decoded once each and then read by ``read_values``; plain numbers are
converted in numpy. So nothing here knows what a value means, but for numbers that are plain.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distill_core.batch import Batch, Bools, Codes, Ints, Masked
from distill_core.columns import UNITS, Column
from distill_core.extract import (
    MAX_DEPTH,
    Constant,
    Field,
    Path,
    Template,
    read_values,
    too_deep,
)
from distill_files.leaves import Keys, Plan
from distill_files.relaxed import parse


@dataclass(frozen=True)
class Texts:
    """Values by dictionary: ``codes`` (−1 is null) into decoded JSON values.

    ``plain``: they are distinct texts, sorted by code point, which a column of texts takes as is.
    """

    codes: NDArray[Any]
    values: list[Any]
    plain: bool = False

    def map(self, change: Callable[[Any], Any]) -> Texts:
        """The same rows with changed values; a value that becomes None is null."""
        values = [None if value is None else change(value) for value in self.values]
        return Texts(self.codes, values).nulls_out()

    def nulls_out(self) -> Texts:
        gone = [index for index, value in enumerate(self.values) if value is None]
        if not gone:
            return self
        return Texts(np.where(np.isin(self.codes, gone), -1, self.codes), self.values)


@dataclass(frozen=True)
class Numbers:
    """Plain numbers, and by dictionary what is none of them; a row is in one of the two."""

    values: Masked
    rest: Texts


Part = Texts | Numbers


class Irregular(Exception):
    """The fast reader cannot read this file exactly."""


class Ambiguous(Exception):
    """A column read as VARCHAR has a text that may have been another JSON value."""


def decoded(text: str) -> Any:
    """The value of a JSON text as DuckDB writes it. Irregular if it is nested too deep."""
    if text[0] == '"' and "\\" not in text:
        return text[1:-1]
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = parse(text)
    nested = text.count("[") + text.count("{") if text[0] in "[{" else 0
    if nested > MAX_DEPTH - 3 and too_deep([[value]]):  # in its record, at most one level down
        raise Irregular
    return value


_ODD = re.compile(
    r"[\[{].*|-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?|-?(nan|inf|infinity)", re.IGNORECASE | re.DOTALL
)


def plain_texts(texts: list[str]) -> list[str]:
    """The texts, if each is what ``extract`` reads of any JSON value that has it; or Ambiguous.

    A text that is no number and no list or object can only have been a text, true or false.
    """
    for text in texts:
        if text[:1] in "[{-0123456789nNiI" and _ODD.fullmatch(text) and not _is_own_text(text):
            raise Ambiguous
    return texts


def _is_own_text(text: str) -> bool:
    if text.removeprefix("-").isdigit():
        return len(text) <= 4300
    return text[0] not in "[{" and text == repr(float(text)) and math.isfinite(float(text))


def batch_of(
    parts: Mapping[int, Part], plan: Plan, columns: Sequence[Column], arrival: Ints
) -> Batch:
    """The batch of the leaves' parts."""
    filled: dict[str, Codes | Masked] = {}
    faults: dict[str, Bools] = {}
    for column in columns:
        if column.name not in plan.paths:
            continue
        found = [_of_path(path, parts, plan, len(arrival)) for path in plan.paths[column.name]]
        filled[column.name], mask = _coalesced([p for each in found for p in each], column)
        if mask.any():
            faults[column.name] = mask
    return Batch(filled, arrival, faults)


def _of_path(path: Path, parts: Mapping[int, Part], plan: Plan, rows: int) -> list[Part]:
    """The parts of a path, the first not null of which is its value."""
    match path:
        case Constant():
            return [Texts(np.zeros(rows, dtype=np.int32), [path.text])]
        case Template():
            fields = [_texts(_of_path(f, parts, plan, rows)) for f in path.fields]
            return [_joined(fields).map(lambda values: path.fill(list(values)))]
        case Field():
            places = [(path.text,)] + ([path.keys] if "." in path.text else [])
            return [_part(keys, parts, plan) for keys in places]
        case _:
            raise TypeError(path)


def _part(keys: Keys, parts: Mapping[int, Part], plan: Plan) -> Part:
    index = plan.leaf_of(keys)
    part = parts[index]
    deeper = keys[len(plan.leaves[index].keys) :]
    if not deeper:
        return part
    assert isinstance(part, Texts)
    return part.map(lambda value: _inside(value, deeper))


def _inside(value: Any, keys: Keys) -> Any:
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _texts(parts: Sequence[Part]) -> Texts:
    """The first not null of several dictionaries."""
    first, *others = [part for part in parts if isinstance(part, Texts)]
    if not others:
        return first
    codes, values = first.codes, list(first.values)
    for part in others:
        shifted = np.where(part.codes < 0, -1, part.codes + len(values))
        codes = np.where(codes < 0, shifted, codes)
        values += part.values
    return Texts(codes, values)


def _joined(fields: Sequence[Texts]) -> Texts:
    """Several dictionaries as one of tuples; null where one is null."""
    first, *others = fields
    found = first.map(lambda value: (value,))
    for part in others:
        null = (found.codes < 0) | (part.codes < 0)
        pair = found.codes.astype(np.int64) * max(len(part.values), 1) + part.codes
        pairs, codes = np.unique(np.where(null, -1, pair), return_inverse=True)
        split = [divmod(p, len(part.values)) if p >= 0 else None for p in pairs.tolist()]
        values = [(*found.values[p[0]], part.values[p[1]]) if p else None for p in split]
        found = Texts(codes, values).nulls_out()
    return found


def _coalesced(parts: Sequence[Part], column: Column) -> tuple[Codes | Masked, Bools]:
    """The column: of each row the first part that is not null, read as the column's type."""
    if all(isinstance(part, Texts) for part in parts):
        return _read(_texts(parts), column)
    arrays = [each for part in parts for each in _arrays(part, column)]
    values = arrays[0][0].values.copy()
    open_, bad = arrays[0][0].null & ~arrays[0][1], arrays[0][1].copy()
    for array, faults in arrays[1:]:
        take = open_ & (faults | ~array.null)
        values[take], bad[take] = array.values[take], faults[take]
        open_ &= ~take
    return Masked(values, open_ | bad), bad


def _arrays(part: Part, column: Column) -> list[tuple[Masked, Bools]]:
    """The part's values as the column's type; where a value is a fault it is null."""
    if isinstance(part, Texts):
        array, faults = _read(part, column)
        assert isinstance(array, Masked)
        return [(array, faults)]
    found = [_plain(part.values, column)]
    if part.rest.values:
        found += _arrays(part.rest, column)
    return found


def _read(part: Texts, column: Column) -> tuple[Codes | Masked, Bools]:
    if part.plain and column.type in ("string", "ids"):
        none = np.zeros(len(part.codes), dtype=bool)
        return Codes(part.codes, part.values, ordered=True), none
    array, faults = read_values(part.values, column)
    codes = part.codes
    bad = np.append(faults, False)[codes] if faults.any() else np.zeros(len(codes), dtype=bool)
    if isinstance(array, Codes):
        if np.array_equal(array.codes, np.arange(len(array.codes))):
            return Codes(codes, array.values, ordered=True), bad  # as DuckDB sorted them
        table = np.append(array.codes, np.int32(-1))
        return Codes(table[codes], array.values, ordered=True), bad
    values = np.append(array.values, np.zeros(1, array.values.dtype))[codes]
    return Masked(values, np.append(array.null, True)[codes]), bad


_LAST = 253_402_300_799_999_999  # the last microsecond of the year 9999


def _plain(numbers: Masked, column: Column) -> tuple[Masked, Bools]:
    """Plain numbers as times, durations, integers or numbers, as ``read_values`` has them."""
    values, null = numbers.values, numbers.null
    none = np.zeros(len(values), dtype=bool)
    if column.type in ("integer", "number"):
        return numbers, none
    if column.unit is None:
        return Masked(np.zeros_like(values), np.ones_like(null)), ~null
    scale, is_time = UNITS[column.unit], column.type == "time"
    factor = max(scale // 1000, 1)
    highest, lowest = (_LAST, 0) if is_time else (2**63 - 1, -(2**63))
    good = (values >= -(-lowest // factor)) & (values <= highest // factor)
    micros = np.where(good, values, 0) * factor
    if scale < 1000:
        micros, left = np.divmod(micros, 1000)
        micros += (left > 500) | ((left == 500) & (micros % 2 == 1))
        good &= micros <= highest
    faults = ~good & ~null
    return Masked(np.where(faults | null, 0, micros), faults | null), faults
