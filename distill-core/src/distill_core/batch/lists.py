"""Several integers a row, and the steps of a pattern that they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distill_core.batch.arrays import Bools, Ints, taken


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
        lengths, null = taken(self.lengths, rows), taken(self.null, rows)
        return Lists.view(taken(self.starts, rows), lengths, self.pool, null)

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
