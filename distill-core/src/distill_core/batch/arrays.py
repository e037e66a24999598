"""One value a row: text by dictionary, or a plain array with nulls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Codes:
    """Text by dictionary: ``codes`` (int32, −1 is null) point into ``values`` (str objects).

    ``values`` may be given as a function without arguments, called on first use. ``ordered`` says
    that the values are distinct and sorted by code point, as in every log.

    >>> Codes(np.array([0, -1, 1]), ["a", "b"]).to_list()
    ['a', None, 'b']
    """

    def __init__(
        self,
        codes: NDArray[Any],
        values: Sequence[str] | NDArray[Any] | Callable[[], Sequence[str] | NDArray[Any]],
        *,
        ordered: bool = False,
    ) -> None:
        self.codes = np.asarray(codes, dtype=np.int32)
        self._values = values
        self.ordered = ordered

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def values(self) -> NDArray[Any]:
        """The dictionary: an object array of str."""
        found = self._values() if callable(self._values) else self._values
        if isinstance(found, np.ndarray) and found.dtype == object:
            return found
        values = np.empty(len(found), dtype=object)
        values[:] = list(found)
        return values

    def __reduce__(self) -> tuple[Any, ...]:
        return (_codes, (self.codes, self.values, self.ordered))

    @property
    def null(self) -> Bools:
        return self.codes < 0

    def take(self, rows: NDArray[Any] | slice) -> Codes:
        """The same column for these rows (positions, mask or slice); the dictionary is shared."""
        found = Codes(taken(self.codes, rows), self._values, ordered=self.ordered)
        if "values" in self.__dict__:
            found.__dict__["values"] = self.values
        return found

    def to_list(self) -> list[str | None]:
        """The texts, None where there is none."""
        values = [*self.values, None]
        return [values[code] for code in self.codes.tolist()]

    def sort_values(self) -> Codes:
        """The same column with a dictionary of distinct values sorted by code point."""
        if self.ordered:
            return self
        values = sorted(set(self.values.tolist()))
        place = {value: index for index, value in enumerate(values)}
        table = np.array([place[v] for v in self.values] + [-1], dtype=np.int32)
        return Codes(table[self.codes], values, ordered=True)

    @classmethod
    def of(cls, texts: Sequence[str | None]) -> Codes:
        """Codes of plain texts, with a sorted dictionary."""
        values = sorted({text for text in texts if text is not None})
        place: dict[str | None, int] = {value: index for index, value in enumerate(values)}
        place[None] = -1
        codes = np.fromiter((place[t] for t in texts), dtype=np.int32, count=len(texts))
        return cls(codes, values, ordered=True)


def taken(array: NDArray[Any], rows: NDArray[Any] | slice) -> NDArray[Any]:
    """``array[rows]``; for positions numpy has a faster way."""
    if isinstance(rows, np.ndarray) and rows.dtype.kind == "i":
        return array.take(rows)
    return array[rows]


def _codes(codes: NDArray[Any], values: NDArray[Any], ordered: bool) -> Codes:
    return Codes(codes, values, ordered=ordered)


@dataclass(frozen=True, eq=False)
class Masked:
    """Plain values and where they are null; times and durations are int64 µs.

    Under a null the value is 0 (NaN never occurs: it is a null).

    >>> Masked(np.array([1, 0]), np.array([False, True])).to_list()
    [1, None]
    """

    values: NDArray[Any]
    null: Bools

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: NDArray[Any] | slice) -> Masked:
        """The same column for these rows (positions, a mask or a slice)."""
        values = taken(self.values, rows)
        return Masked(
            values, taken(self.null, rows) if self.null.any() else np.zeros(len(values), bool)
        )

    def to_list(self) -> list[Any]:
        """The values, None where there is none; times and durations in µs."""
        pairs = zip(self.values.tolist(), self.null.tolist(), strict=True)
        return [None if null else value for value, null in pairs]

    @classmethod
    def full(cls, values: NDArray[Any]) -> Masked:
        """Values without any null."""
        return cls(values, np.zeros(len(values), dtype=bool))

    @classmethod
    def of(cls, values: Sequence[Any], dtype: Any) -> Masked:
        """Plain Python values, None for null."""
        null = np.fromiter((v is None for v in values), dtype=bool, count=len(values))
        filled = [0 if v is None else v for v in values]
        return cls(np.array(filled, dtype=dtype), null)
