"""Columns of pandas, Arrow and plain Python objects, as the log's arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from distill_core.batch import Codes, Ints, Masked
from distill_core.columns import Column, Type
from distill_core.errors import SchemaError
from distill_core.extract import read_values
from distill_core.extract.jsontext import MAX_DEPTH, Unreadable, canonical

if TYPE_CHECKING:
    import pandas as pd

_SIMPLE: Mapping[str, tuple[Type, Any]] = {
    "i": ("integer", np.int64), "u": ("integer", np.int64),
    "f": ("number", np.float64), "b": ("boolean", np.bool_),
}  # fmt: skip


_NESTED = {dict, list, tuple, set, frozenset, np.ndarray}
_READY = {str, int, float, bool, type(None)}
_MOST_DIGITS = 400
"""Before the point of a Decimal: more than any number has, few enough to write out."""


def array_of_series(
    name: str, series: pd.Series[Any], column: Column | None = None
) -> tuple[Column, Codes | Masked]:
    """Column and array of a Series, its type by its dtype; faults raise SchemaError."""
    column, array, faults = read_series(name, series, column)
    if faults is not None and faults.any():
        raise SchemaError(
            f"column {name!r} has {int(faults.sum())} values that are no {column.type}",
            code="cell-unreadable",
        )
    return column, array


def read_series(
    name: str, series: pd.Series[Any], column: Column | None = None
) -> tuple[Column, Codes | Masked, Any]:
    """(column, array, faults or None) of a Series; with ``column`` its type is wanted."""
    import pandas as pd

    dtype, faults = series.dtype, None
    kind = getattr(dtype, "kind", "O")
    if isinstance(dtype, pd.CategoricalDtype) and dtype.categories.dtype.kind in "OUT":
        codes = series.cat.codes.to_numpy().astype(np.int32)
        values = np.array([str(v) for v in dtype.categories], dtype=object)
        found: Codes | Masked = Codes(codes, values)
        natural: Type = "string"
    elif kind == "M":
        return _read_times(name, series, column)
    elif kind == "m":
        null = series.isna().to_numpy()
        found, natural = Masked(np.where(null, 0, _micros(series)), null), "duration"
    elif kind in _SIMPLE and not _beyond_int64(series):
        natural, plain = _SIMPLE[kind]
        null = series.isna().to_numpy()
        found = Masked(series.to_numpy(dtype=plain, na_value=plain(0)), null)
        if natural == "number" and not np.isfinite(found.values).all():
            faults = ~np.isfinite(found.values)
            found = Masked(np.where(faults, 0, found.values), null | faults)
    else:
        return read_objects(name, _objects(series), column)
    if column is None or column.type == natural:
        return column or Column(name, type=natural), found, faults
    return read_objects(name, found.to_list(), column)


def _objects(series: pd.Series[Any]) -> list[Any]:
    null = series.isna().tolist()
    return [None if missing else v for v, missing in zip(series.array, null, strict=True)]


def _beyond_int64(series: pd.Series[Any]) -> bool:
    """Whether there are whole numbers that numpy would wrap around to negative ones."""
    return series.dtype.kind == "u" and bool((series > np.iinfo(np.int64).max).any())


def _micros(series: pd.Series[Any]) -> Ints:
    """Times or lengths of time in µs, rounded half to even, as their text would be read."""
    if series.dt.unit != "ns":
        return series.dt.as_unit("us").array.asi8  # type: ignore[no-any-return]
    micros, rest = np.divmod(series.array.asi8, 1000)
    return micros + ((rest > 500) | ((rest == 500) & (micros % 2 == 1)))  # type: ignore[no-any-return]


def _read_times(
    name: str, series: pd.Series[Any], column: Column | None
) -> tuple[Column, Codes | Masked, Any]:
    zone = column.zone if column else None
    if getattr(series.dtype, "tz", None) is None:
        if zone is None:
            raise SchemaError(
                f"the times in column {name!r} have no zone",
                code="cell-unreadable",
                hint="say where they were taken: zone='UTC'",
            )
        try:
            series = series.dt.tz_localize(zone)
        except (ValueError, KeyError):  # at a change of clocks, or there is no such zone
            return read_objects(name, _objects(series), column)
    null = series.isna().to_numpy()
    found = Masked(np.where(null, 0, _micros(series)), null)
    return column or Column(name, type="time"), found, None


def read_objects(
    name: str, values: Sequence[Any], column: Column | None = None
) -> tuple[Column, Codes | Masked, Any]:
    """(column, array, faults) of plain Python values; the type by what they are."""
    column = column or Column(name, type=natural_type(values))
    plain = [_plain(value) for value in values]
    if column.type == "time" and column.zone is None:  # a date is its midnight, as in conditions
        plain = [f"{v}T00:00:00Z" if type(of) is date else v
                 for v, of in zip(plain, values, strict=True)]  # fmt: skip
    array, faults = read_values(plain, column)
    return column, array, faults


def natural_type(values: Sequence[Any]) -> Type:
    """The narrowest type that holds all values; mixed ones are text."""
    kinds = {type(value) for value in values if value is not None}
    if not kinds:
        return "string"
    if kinds <= {bool, np.bool_}:
        return "boolean"
    if all(issubclass(k, int | np.integer) and k is not bool for k in kinds):
        return "integer"
    if all(issubclass(k, int | float | np.number | Decimal) and k is not bool for k in kinds):
        return "number"
    if all(issubclass(k, datetime | date) for k in kinds):
        return "time"
    if all(issubclass(k, timedelta) for k in kinds):
        return "duration"
    return "json" if kinds & _NESTED and str not in kinds else "string"


def _plain(value: Any, depth: int = MAX_DEPTH) -> Any:
    """A value as JSON would hold it; times and lengths as text that means the same.

    Sets are in the order of their items' JSON text. What is nested too deep stays as it is: the
    reading finds it unreadable.
    """
    if type(value) in _READY or depth < 0:
        return value
    match value:
        case datetime() | date() | time():
            return value.isoformat() if value == value else None  # noqa: PLR0124 - pandas' NaT
        case timedelta():
            return f"{value // timedelta(microseconds=1)}us"
        case np.generic():
            return value.item()
        case Decimal():
            return _number(value)
        case dict():
            return {name: _plain(inner, depth - 1) for name, inner in value.items()}
        case set() | frozenset():
            return sorted((_plain(inner, depth - 1) for inner in value), key=_json_text)
        case list() | tuple():
            return [_plain(inner, depth - 1) for inner in value]
        case np.ndarray():
            return _plain(value.tolist(), depth)
        case _:
            return value


def _number(value: Decimal) -> int | float:
    if not value.is_finite() or value.adjusted() > _MOST_DIGITS:
        return math.nan  # a fault in every column
    return int(value) if value == value.to_integral_value() else float(value)


def _json_text(value: Any) -> str:
    try:
        return canonical(value)
    except Unreadable as fault:
        return fault.kept or ""
