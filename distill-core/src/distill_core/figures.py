"""Groups as keys of a tally, measures as its figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distill_core.batch import Bools, Codes, Ints, Masked
from distill_core.collect import null_column
from distill_core.columns import Column
from distill_core.errors import DistillError, TransformError
from distill_core.grids import YEARS, CalendarGrid, FixedGrid
from distill_core.params import MICROSECOND, Calendar
from distill_core.summary import Group, Measure
from distill_core.tally import Reduce, Tally, Texts, added, greatest, least

Values = Codes | Masked
Place = Callable[[Sequence[Ints], int], Ints]
"""The groups of combinations of keys, by their own keys."""

_BITS = 32
_MANTISSA = 53
_LOWEST = 1_100
"""No float has an exponent below minus this."""


def grid_of(group: Group) -> FixedGrid | CalendarGrid:
    """The windows of a group with ``every``."""
    if isinstance(group.every, Calendar):
        return CalendarGrid(group.every, group.every, group.zone)
    assert group.every is not None
    every = group.every // MICROSECOND
    return FixedGrid(every, every)


class Key:
    """A group as keys of a tally, whose int64 are equal where values are."""

    width = 2

    def __init__(self, group: Group, column: Column) -> None:
        self.group, self.column, self.texts = group, column, Texts()

    def keys(self, found: Values) -> list[Ints]:
        """The keys of each row."""
        if isinstance(found, Codes):
            return [self.texts.codes(found), np.zeros(len(found), dtype=np.int64)]
        values = found.values
        if self.group.every is not None:
            values = _begins(self.group, values, found.null)
        plain = _int64(values)
        return [np.where(found.null, 0, plain), found.null.astype(np.int64)]

    def values(self, keys: Sequence[Ints]) -> Values:
        """What the keys stand for."""
        like = null_column(self.column, 0)
        if isinstance(like, Codes):
            return Codes(keys[0], self.texts.texts)
        return Masked(_back(keys[0], like.values.dtype), keys[1].astype(bool))


def _begins(group: Group, time: Ints, null: Bools) -> Ints:
    """The begin of the window of each time."""
    grid, found = grid_of(group), np.zeros(len(time), dtype=np.int64)
    try:
        number, place = np.unique(grid.span(time[~null])[1], return_inverse=True)
        begin = grid.bounds(number)[0]
    except TransformError as error:
        raise DistillError(error.message, code=error.code, hint=error.hint) from None
    if (begin < YEARS[0]).any():
        raise DistillError(
            "a window would begin before the year 1", code="window-limit",
            hint="choose shorter windows, or leave events of that time out by where",
        )  # fmt: skip
    found[~null] = begin[place]
    return found


def _int64(values: NDArray[Any]) -> Ints:
    """Values as int64, equal where they are; 0.0 and −0.0 are."""
    return (values + 0.0).view(np.int64) if values.dtype.kind == "f" else values.astype(np.int64)


def _back(keys: Ints, dtype: Any) -> NDArray[Any]:
    return keys.view(np.float64) if dtype == np.float64 else keys.astype(dtype)


class Figure:
    """A measure: its figures in the tally of the groups, and what they come to."""

    def __init__(self, measure: Measure) -> None:
        self.measure = measure

    def reduces(self) -> list[Reduce]:
        """How its figures merge in the tally of the groups."""
        return [added]

    def add(self, keys: list[Ints], found: Values | None, there: Bools) -> list[NDArray[Any]]:
        """The figures of these rows, of which ``there`` count."""
        return [there.astype(np.int64)]

    def finish(self, figures: Sequence[Any], place: Place, count: int) -> Values:
        """The measure of each group."""
        return Masked.full(figures[0])


class _Extreme(Figure):
    def __init__(self, measure: Measure, column: Column) -> None:
        super().__init__(measure)
        self.like = null_column(column, 0)
        self.of: Reduce = least if measure.op == "min" else greatest
        self.texts = Texts()

    def reduces(self) -> list[Reduce]:
        of = self.texts.extreme(self.of) if isinstance(self.like, Codes) else self.of
        return [added, of]

    def add(self, keys: list[Ints], found: Values | None, there: Bools) -> list[NDArray[Any]]:
        if isinstance(found, Codes):
            return [there.astype(np.int64), self.texts.codes(_only(found, there))]
        assert found is not None
        values = found.values + 0.0 if found.values.dtype.kind == "f" else found.values
        if values.dtype.kind == "b":
            values = values.astype(np.int64)
        edge = self.of(np.zeros(0, dtype=np.int64), 1, values[:0])
        return [there.astype(np.int64), np.where(there, values, edge)]

    def finish(self, figures: Sequence[Any], place: Place, count: int) -> Values:
        if isinstance(self.like, Codes):
            return Codes(figures[1], self.texts.texts).sort_values()
        null = figures[0] == 0
        values = np.where(null, 0, figures[1]).astype(self.like.values.dtype)
        return Masked(values, null)


def _only(column: Codes, there: Bools) -> Codes:
    return Codes(np.where(there, column.codes, -1), column.values)


class _Sum(Figure):
    """Of whole numbers: upper and lower bits apart, so that nothing overflows."""

    def reduces(self) -> list[Reduce]:
        return [added, added, added]

    def add(self, keys: list[Ints], found: Values | None, there: Bools) -> list[NDArray[Any]]:
        assert isinstance(found, Masked)
        values = np.where(there, found.values, 0)
        return [there.astype(np.int64), values >> _BITS, values & (2**_BITS - 1)]

    def finish(self, figures: Sequence[Any], place: Place, count: int) -> Values:
        pairs = zip(figures[1].tolist(), figures[2].tolist(), strict=True)
        totals = [(high << _BITS) + low for high, low in pairs]
        if any(not -(2**63) <= total < 2**63 for total in totals):
            raise _beyond(self.measure)
        return Masked(np.array(totals, dtype=np.int64), figures[0] == 0)


class _Distinct(Figure):
    """Combinations of groups and values in a tally of their own."""

    def __init__(self, measure: Measure, column: Column, width: int) -> None:
        super().__init__(measure)
        self.key = Key(Group(column.name), column)
        self.pairs = Tally(width + self.key.width)

    def add(self, keys: list[Ints], found: Values | None, there: Bools) -> list[NDArray[Any]]:
        assert found is not None
        rows = int(there.sum())
        if rows:
            chosen = [key[there] for key in keys]
            self.pairs.add([*chosen, *self.key.keys(found.take(there))], [], rows)
        return [np.zeros(len(there), dtype=np.int64)]

    def finish(self, figures: Sequence[Any], place: Place, count: int) -> Values:
        keys, _, rows = self.pairs.finish()
        groups = place(keys[: len(keys) - self.key.width], rows)
        return Masked.full(np.bincount(groups, minlength=count).astype(np.int64))


class _NumberSum(Figure):
    """Of floats: their mantissas are added for each exponent, which is exact in any order."""

    def __init__(self, measure: Measure, width: int) -> None:
        super().__init__(measure)
        self.parts = Tally(width + 1, [added, added])

    def add(self, keys: list[Ints], found: Values | None, there: Bools) -> list[NDArray[Any]]:
        assert isinstance(found, Masked)
        rows = int(there.sum())
        if rows:
            fraction, exponent = np.frexp(found.values[there])
            whole = np.ldexp(fraction, _MANTISSA).astype(np.int64)
            chosen = [*(key[there] for key in keys), exponent.astype(np.int64)]
            self.parts.add(chosen, [whole >> _BITS, whole & (2**_BITS - 1)], rows)
        return [there.astype(np.int64)]

    def finish(self, figures: Sequence[Any], place: Place, count: int) -> Values:
        keys, parts, rows = self.parts.finish()
        totals = [0] * count
        if rows:
            groups = place(keys[:-1], rows).tolist()
            sums = zip(groups, keys[-1].tolist(), *(p.tolist() for p in parts), strict=True)
            for group, exponent, high, low in sums:
                totals[group] += ((high << _BITS) + low) << (exponent + _LOWEST)
        try:
            values = [total / 2 ** (_LOWEST + _MANTISSA) for total in totals]  # rounds once
        except OverflowError:
            raise _beyond(self.measure) from None
        return Masked(np.array(values, dtype=np.float64), figures[0] == 0)


def _beyond(measure: Measure) -> DistillError:
    return DistillError(
        f"the sum {measure.name!r} is greater than its type can hold",
        code="summary-limit",
        hint="sum over smaller groups",
    )


def figure_of(measure: Measure, columns: Mapping[str, Column], width: int) -> Figure:
    """What computes a measure; ``width``: how many keys the groups have."""
    if measure.column is None or measure.op == "count":
        return Figure(measure)
    column = columns[measure.column]
    if measure.op == "distinct":
        return _Distinct(measure, column, width)
    if measure.op == "sum":
        return _NumberSum(measure, width) if column.type == "number" else _Sum(measure)
    return _Extreme(measure, column)
