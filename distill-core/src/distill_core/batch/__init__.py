"""Columns in numpy: what sources hand over, what a log holds and what kernels compute on.

``Codes`` is text by dictionary, ``Masked`` a plain array with nulls, ``Lists`` several integers a
row. All are immutable by agreement: nobody writes into an array that came from one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from distill_core.batch.arrays import Bools, Codes, Ints, Masked
from distill_core.batch.lists import Lists, Steps

__all__ = ["Array", "Batch", "Bools", "Codes", "Ints", "Lists", "Masked", "Steps"]

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
