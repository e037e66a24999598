"""Columns in numpy: what sources hand over, what a log holds and what kernels compute on.

``Codes`` is text by dictionary, ``Masked`` a plain array with nulls, ``Lists`` several integers a
row. All are immutable by agreement: nobody writes into an array that came from one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
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
        found = Codes(_taken(self.codes, rows), self._values, ordered=self.ordered)
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


def _taken(array: NDArray[Any], rows: NDArray[Any] | slice) -> NDArray[Any]:
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
        values = _taken(self.values, rows)
        return Masked(
            values, _taken(self.null, rows) if self.null.any() else np.zeros(len(values), bool)
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


class Lists:
    """Several integers a row: ``offsets`` (int64, rows + 1) into one flat array of ``values``.

    ``null`` marks rows that have no list (an empty list is something else); None: no row.

    Rows that were taken are views: ``starts`` and ``lengths`` say where in a ``pool`` each list
    lies, and offsets and values are made when somebody looks at them.

    >>> lists = Lists(np.array([0, 2, 2]), np.array([7, 8]))
    >>> lists.to_list(), lists.take(np.array([1, 0, 0])).values
    ([[7, 8], []], array([7, 8, 7, 8]))
    """

    null: Bools

    def __init__(
        self, offsets: NDArray[Any], values: NDArray[Any], null: Bools | None = None
    ) -> None:
        offsets = np.asarray(offsets, dtype=np.int64)
        null = np.zeros(len(offsets) - 1, dtype=bool) if null is None else null
        vars(self).update(offsets=offsets, values=np.asarray(values), null=null)

    @classmethod
    def view(cls, starts: Ints, lengths: Ints, pool: NDArray[Any], null: Bools) -> Lists:
        """Lists that begin at these places of the pool, and are so long."""
        found = Lists.__new__(Lists)
        vars(found).update(starts=starts, lengths=lengths, pool=pool, null=null)
        return found

    def __len__(self) -> int:
        return len(self.null)

    @cached_property
    def starts(self) -> Ints:
        """Where in the pool each list begins."""
        return self.offsets[:-1]

    @cached_property
    def lengths(self) -> Ints:
        return np.diff(self.offsets)

    @cached_property
    def pool(self) -> NDArray[Any]:
        """What the lists are parts of."""
        return self.values

    @cached_property
    def offsets(self) -> Ints:
        offsets = np.zeros(len(self) + 1, dtype=np.int64)
        np.cumsum(self.lengths, out=offsets[1:])
        return offsets

    @cached_property
    def values(self) -> NDArray[Any]:
        starts, offsets = self.starts, self.offsets
        shift = starts - offsets[:-1]
        if not len(starts) or (shift == shift[0]).all():  # side by side already
            first = int(shift[0]) if len(starts) else 0
            return self.pool[first : first + int(offsets[-1])]
        if offsets[-1] == len(starts) and (self.lengths == 1).all():
            return self.pool.take(starts)
        places = np.repeat(shift, self.lengths)
        places += np.arange(offsets[-1])
        return self.pool.take(places)

    def __reduce__(self) -> tuple[Any, ...]:
        return (Lists, (self.offsets, self.values, self.null))

    def take(self, rows: NDArray[Any] | slice) -> Lists:
        """The same column for these rows (positions, a mask or a slice)."""
        lengths, null = _taken(self.lengths, rows), _taken(self.null, rows)
        return Lists.view(_taken(self.starts, rows), lengths, self.pool, null)

    def to_list(self) -> list[list[int] | None]:
        """The lists of positions, None where there is none."""
        flat, borders, null = self.values.tolist(), self.offsets.tolist(), self.null.tolist()
        spans = zip(borders, borders[1:], null, strict=False)
        return [None if missing else flat[a:b] for a, b, missing in spans]

    def with_values(self, values: NDArray[Any]) -> Lists:
        """The same lists of other values."""
        return Lists(self.offsets, values, self.null)

    @classmethod
    def single(cls, values: NDArray[Any]) -> Lists:
        """One integer a row."""
        return Lists(np.arange(len(values) + 1, dtype=np.int64), values)

    @classmethod
    def join(cls, parts: Sequence[Lists]) -> Lists:
        """The rows of all parts, one part after the other."""
        lengths = np.concatenate([part.lengths for part in parts])
        return Lists(
            np.concatenate([[0], np.cumsum(lengths)]),
            np.concatenate([part.values for part in parts]),
            np.concatenate([part.null for part in parts]),
        )


class Steps(Lists):
    """Lists whose values belong to steps: ``numbers`` says to which, value by value.

    ``names``: one tuple of steps for each pattern; numbers count through all of them. A row is of
    the pattern of its first value.

    >>> Steps(np.array([0, 2]), np.array([7, 8]), np.array([0, 2]), (("a", "b", "c"),)).by_step()
    [{'a': [7], 'b': [], 'c': [8]}]
    """

    def __init__(
        self,
        offsets: NDArray[Any],
        values: NDArray[Any],
        numbers: NDArray[Any],
        names: tuple[tuple[str, ...], ...],
        null: Bools | None = None,
    ) -> None:
        super().__init__(offsets, values, null)
        self.numbers, self.names = np.asarray(numbers, dtype=np.int64), names

    def __reduce__(self) -> tuple[Any, ...]:
        return (Steps, (self.offsets, self.values, self.numbers, self.names, self.null))

    def take(self, rows: NDArray[Any] | slice) -> Steps:
        flat = Lists(self.offsets, np.arange(len(self.values)), self.null).take(rows)
        chosen = flat.values
        return Steps(
            flat.offsets, self.values[chosen], self.numbers[chosen], self.names, flat.null
        )

    def with_values(self, values: NDArray[Any]) -> Steps:
        return Steps(self.offsets, values, self.numbers, self.names, self.null)

    def by_step(self) -> list[dict[str, list[Any]] | None]:
        """Each row as a dict of lists, a list for each step of its pattern."""
        pattern = [names for names in self.names for _ in names]
        flat = [name for names in self.names for name in names]
        values, numbers = self.values.tolist(), self.numbers.tolist()
        borders, found = self.offsets.tolist(), list[dict[str, list[Any]] | None]()
        for start, stop, null in zip(borders, borders[1:], self.null.tolist(), strict=False):
            first = pattern[numbers[start]] if stop > start else ()
            row: dict[str, list[Any]] = {name: [] for name in first}
            for value, number in zip(values[start:stop], numbers[start:stop], strict=True):
                row[flat[number]].append(value)
            found.append(None if null else row)
        return found

    @classmethod
    def join(cls, parts: Sequence[Lists]) -> Steps:
        """One after the other; a part without steps has null rows only."""
        names: list[tuple[str, ...]] = []
        numbers: list[NDArray[Any]] = []
        for part in parts:
            if isinstance(part, Steps):
                shift = 0
                if part.names != tuple(names[: len(part.names)]):
                    shift = sum(map(len, names))
                    names += part.names
                numbers.append(part.numbers + shift)
        joined = Lists.join(parts)
        every = np.concatenate(numbers) if numbers else np.zeros(0, dtype=np.int64)
        return cls(joined.offsets, joined.values, every, tuple(names), joined.null)


Array = Codes | Masked | Lists


@dataclass(frozen=True)
class Batch:
    """Columns of some documents, by name, in the order of the source.

    ``arrival`` (int64) is each row's place in the source; ``faults`` marks the rows where a value
    was there but not readable as its column's type (it is null then); ``wanted`` names the columns
    that the reading needs.
    """

    columns: Mapping[str, Codes | Masked]
    arrival: Ints
    faults: Mapping[str, Bools] = field(default_factory=dict)
    wanted: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.arrival)

    def take(self, rows: NDArray[Any] | slice) -> Batch:
        """The same batch for these rows (positions, a mask or a slice)."""
        return Batch(
            {name: column.take(rows) for name, column in self.columns.items()},
            self.arrival[rows],
            {name: mask[rows] for name, mask in self.faults.items()},
            self.wanted,
        )
