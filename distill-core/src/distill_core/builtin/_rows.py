"""Rows of a table that are made when somebody looks at them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

from distill_core.batch import Codes, Masked
from distill_core.result import Row

_CHUNK = 10_000


class Rows(Sequence[Row]):
    """The rows of columns of equal length, as plain dicts.

    >>> rows = Rows({"who": Codes.of(["a", "b"]), "n": Masked.of([1, None], int)})
    >>> len(rows), rows[-1], list(rows)
    (2, {'who': 'b', 'n': None}, [{'who': 'a', 'n': 1}, {'who': 'b', 'n': None}])
    """

    def __init__(self, columns: dict[str, Codes | Masked]) -> None:
        self._columns = columns

    def __len__(self) -> int:
        return len(next(iter(self._columns.values())))

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, slice):
            return self._dicts(index)
        place = range(len(self))[index]
        (row,) = self._dicts(slice(place, place + 1))
        return row

    def __iter__(self) -> Iterator[Row]:
        for start in range(0, len(self), _CHUNK):
            yield from self._dicts(slice(start, start + _CHUNK))

    def _dicts(self, part: slice) -> list[Row]:
        lists = [column.take(part).to_list() for column in self._columns.values()]
        return [dict(zip(self._columns, row, strict=True)) for row in zip(*lists, strict=True)]
