"""Tallies of cases as features, and features as a wide or a long table."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distill_core.batch import Bools, Codes, Ints, Masked
from distill_core.builtin._feature_tally import Items, Tally
from distill_core.builtin._rows import Rows
from distill_core.columns import Column, Type
from distill_core.errors import ModelError
from distill_core.prepare import stable_argsort
from distill_core.result import Result

DECIMALS = 9
LARGEST = 50_000_000
"""Cells of a wide table."""

GROUP_OF = {
    "events": "size", "distinct": "size", "duration": "size", "rate": "rates",
    "entropy": "entropy", "count_": "counts", "rate_": "rates", "time_": "times",
    "first_": "since", "since_": "since", "ngram_": "ngrams",
}  # fmt: skip
"""Feature → its group; those that end in ``_`` have a column for each value."""

_TYPES: dict[str, Type] = {"rate": "number", "rate_": "number", "entropy": "number"}
_TIMES = ("duration", "time_", "first_", "since_")
_POINTS = ("first_", "since_")


@dataclass(frozen=True)
class Feature:
    """A figure of each case, or with ``items`` of each item that occurs in it.

    ``null``: where the figure is not known. Of items, ``shown``: the numbers of those that have
    columns; ``absent``: the cases where an item that they do not have is null, and not 0.
    """

    name: str
    values: NDArray[Any]
    null: Bools
    items: Items | None = None
    shown: Sequence[int] = ()
    absent: Bools | None = None

    @property
    def type(self) -> Type:
        return "duration" if self.name in _TIMES else _TYPES.get(self.name, "integer")

    def limited(self, names: set[str]) -> Feature:
        """With columns of these names only."""
        if self.items is None:
            return self
        every = enumerate(self.items.names)
        return replace(self, shown=[n for n, item in every if f"{self.name}{item}" in names])

    def most_frequent(self, top: int) -> Feature:
        """With columns of the ``top`` items that occur most often; of equal ones, by name."""
        if self.items is None:
            return self
        size = len(self.items.names)
        total = np.bincount(self.items.item, self.items.values["count"], minlength=size)
        return replace(self, shown=sorted(np.argsort(-total, kind="stable")[:top].tolist()))


def features_of(tally: Tally, groups: Collection[str]) -> Iterator[Feature]:
    """The features of these groups, in the order of the columns."""
    for name, group in GROUP_OF.items():
        if group in groups:
            yield _feature(name, tally)


def _feature(name: str, tally: Tally) -> Feature:
    found, cases = tally.found, len(tally.cases)
    known = np.zeros(cases, dtype=bool)
    still = tally.duration == 0
    match name:
        case "events":
            return Feature(name, tally.events, known)
        case "distinct":
            return Feature(name, np.bincount(found.case, minlength=cases), known)
        case "duration":
            return Feature(name, tally.duration, known)
        case "rate":
            return Feature(name, _rate(tally.events, tally.duration), still)
        case "entropy":
            return Feature(name, *_entropy(found, cases))
        case "rate_":
            rate = _rate(found.values["count"], tally.duration[found.case])
            return replace(_of(name, found, rate, still), null=still[found.case])
        case "ngram_":
            return _of(name, tally.grams, tally.grams.values["count"], known)
        case _:
            absent = ~known if name in _POINTS else known
            return _of(name, found, found.values[name.rstrip("_")], absent)


def _of(name: str, items: Items, values: NDArray[Any], absent: Bools) -> Feature:
    null = np.zeros(len(values), dtype=bool)
    return Feature(name, values, null, items, range(len(items.names)), absent)


def _rate(count: Ints, duration: Ints) -> NDArray[Any]:
    """Events a second."""
    seconds = np.where(duration == 0, 1, duration) / 1_000_000
    found: NDArray[np.float64] = np.where(duration == 0, 0, count / seconds)
    return np.round(found, DECIMALS)


def _entropy(found: Items, cases: int) -> tuple[NDArray[Any], Bools]:
    """In bits, of the shares of a case's values: log2 N − Σ n log2 n / N; null without a value."""
    count = found.values["count"]
    total = np.bincount(found.case, count, minlength=cases)
    most = int(count.max(initial=0))
    if most < len(count):  # logarithms are dear: one for each count, not for each entry
        part = np.arange(most + 1) * np.log2(np.maximum(np.arange(most + 1), 1))
        part = part[count]
    else:
        part = count * np.log2(count)
    part = np.bincount(found.case, part, minlength=cases)
    some = np.maximum(total, 1)
    return np.round(np.maximum(np.log2(some) - part / some, 0), DECIMALS), total == 0


def wide(tally: Tally, features: Sequence[Feature], only: Sequence[str] | None) -> Result:
    """One row a case; ``only``: exactly these columns, in this order."""
    width = len(only) if only is not None else sum(len(f.shown) or 1 for f in features)
    if len(tally.cases) * width > LARGEST:
        raise ModelError(
            f"{len(tally.cases):,} cases with {width:,} features are more than {LARGEST:,} values",
            code="model-limit",
            hint="say top or only, or layout long",
        )
    columns: dict[str, tuple[Column, Masked]] = {}
    for feature in features:
        for name, values in _columns(feature, len(tally.cases)):
            columns[name] = (Column(name, type=feature.type), values)
    if only is not None:
        known = {feature.name: feature for feature in features}
        columns = {n: columns.get(n) or _absent(known, n) for n in only}
    data: dict[str, Codes | Masked] = {"case": _cases(tally)}
    data |= {name: values for name, (_, values) in columns.items()}
    return Result.table([Column("case"), *(column for column, _ in columns.values())], Rows(data))


def _columns(feature: Feature, cases: int) -> Iterator[tuple[str, Masked]]:
    """The columns of a feature, by name; an item that a case does not have is 0 or null."""
    items = feature.items
    if items is None:
        yield feature.name, Masked(feature.values, feature.null)
        return
    place = np.full(len(items.names), -1)
    place[list(feature.shown)] = np.arange(len(feature.shown))
    at, case, found, unknown = place[items.item], items.case, feature.values, feature.null
    if len(feature.shown) < len(items.names):
        rows = np.flatnonzero(at >= 0)
        at, case, found, unknown = at[rows], case[rows], found[rows], unknown[rows]
    shape = (len(feature.shown), cases)
    cell = at * cases + case
    values = np.zeros(shape, dtype=found.dtype)
    values.ravel()[cell] = found
    null = np.zeros(shape, dtype=bool)
    if feature.absent.any() or unknown.any():  # type: ignore[union-attr]
        null[:] = feature.absent
        null.ravel()[cell] = unknown
    for number, item in enumerate(feature.shown):
        yield f"{feature.name}{items.names[item]}", Masked(values[number], null[number])


def _absent(known: Mapping[str, Feature], name: str) -> tuple[Column, Masked]:
    """The column of an item that the log does not have."""
    feature = known[f"{name.partition('_')[0]}_"]
    assert feature.absent is not None
    values = np.zeros(len(feature.absent), dtype=feature.values.dtype)
    return Column(name, type=feature.type), Masked(values, feature.absent)


def _cases(tally: Tally) -> Codes:
    return Codes(np.arange(len(tally.cases)), tally.cases, ordered=True)


def long(tally: Tally, features: Sequence[Feature]) -> Result:
    """One row a figure that is neither null nor a 0 of an item."""
    parts = [_entries(feature, number, len(tally.cases)) for number, feature in enumerate(features)]
    case, number, item, value = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = stable_argsort(case)  # each feature is sorted by case and item
    names = sorted({name for feature in features if feature.items for name in feature.items.names})
    place = {name: index for index, name in enumerate(names)}
    tables = [np.array([*(place[n] for n in f.items.names), -1]) if f.items else np.array([-1])
              for f in features]  # fmt: skip
    starts = np.cumsum([0, *(len(table) for table in tables)])[:-1]
    of = np.concatenate(tables)[starts[number] + np.where(item < 0, 0, item)]
    data: dict[str, Codes | Masked] = {
        "case": Codes(case[order], tally.cases, ordered=True),
        "feature": Codes(number[order], [feature.name.rstrip("_") for feature in features]),
        "of": Codes(of[order], names, ordered=True),
        "value": Masked.full(value[order]),
    }
    columns = [Column("case"), Column("feature"), Column("of"), Column("value", type="number")]
    return Result.table(columns, Rows(data))


def _entries(feature: Feature, number: int, cases: int) -> tuple[NDArray[Any], ...]:
    """case, feature, item (−1: of the whole case), value of what is shown."""
    items, shows = feature.items, ~feature.null
    if items is None:
        case, item = np.arange(cases), np.full(cases, -1)
    else:
        case, item = items.case, items.item
        chosen = np.zeros(len(items.names), dtype=bool)
        chosen[list(feature.shown)] = True
        shows = shows & chosen[item]
        if feature.name not in _POINTS:
            shows = shows & (feature.values != 0)
    rows = np.flatnonzero(shows)
    value = feature.values[rows].astype(np.float64)
    return case[rows], np.full(len(rows), number), item[rows], value
