"""Columns ↔ pandas: the log's own frame, and columns that come from a Series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from distill_core.batch import Array, Codes, Lists, Masked
from distill_core.columns import Column
from distill_core.errors import TransformError
from distill_core.frames import array_of_series

if TYPE_CHECKING:
    import pandas as pd

    from distill_core.log._log import EventLog

FIXED = ("id", "case", "time", "order")
"""Columns that decide order, cases and identity."""


def factorized(column: Masked) -> tuple[NDArray[np.int32], NDArray[Any]]:
    """Codes (−1: null) and the sorted distinct values of a plain column."""
    values, codes = np.unique(column.values[~column.null], return_inverse=True)
    found = np.full(len(column), -1, dtype=np.int32)
    found[~column.null] = codes
    return found, values


def joined_text(columns: Sequence[Codes | Masked]) -> Codes:
    """One column of texts: the columns' values joined by ``|``, null where one is null."""
    found: Codes | None = None
    for column in columns:
        text = column if isinstance(column, Codes) else as_text(column)
        found = text if found is None else _pairs(found, text)
    assert found is not None
    return found


def as_text(column: Masked) -> Codes:
    """Whole numbers in decimal, others as JSON writes them."""
    codes, values = factorized(column)
    kind = column.values.dtype.kind
    texts = [str(v).lower() if kind == "b" else str(v) for v in values.tolist()]
    return Codes(codes, texts)


def _pairs(one: Codes, two: Codes) -> Codes:
    width = len(two.values) or 1
    null = one.null | two.null
    key = np.where(null, -1, one.codes.astype(np.int64) * width + two.codes)
    used, codes = np.unique(key[~null], return_inverse=True)
    texts = [f"{_escape(one.values[k // width])}|{_escape(two.values[k % width])}" for k in used]
    found = np.full(len(key), -1, dtype=np.int32)
    found[~null] = codes
    return Codes(found, texts)


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|")


def series_of(column: Column, array: Array) -> pd.Series[Any]:
    """A Series over the same memory where that is possible."""
    import pandas as pd

    if isinstance(array, Codes):
        array = array.sort_values()
        kind = pd.CategoricalDtype(pd.Index(array.values, dtype=object))
        return pd.Series(pd.Categorical.from_codes(array.codes, dtype=kind))
    if isinstance(array, Lists):
        return pd.Series(array.to_list(), dtype=object)
    if column.type in ("time", "duration"):
        values = array.values.astype("datetime64[us]" if column.type == "time" else "m8[us]")
        if array.null.any():
            values[array.null] = "NaT"
        series = pd.Series(values)
        return series.dt.tz_localize("UTC") if column.type == "time" else series
    if column.type == "number":
        return pd.Series(np.where(array.null, np.nan, array.values))
    if column.type == "boolean":
        return pd.Series(pd.arrays.BooleanArray(array.values, array.null, copy=True))
    values = np.where(array.null, 0, array.values)
    return pd.Series(pd.arrays.IntegerArray(values, array.null.copy()))


def to_frame(log: EventLog) -> pd.DataFrame:
    """See ``EventLog.frame``."""
    import pandas as pd

    columns = {name: series_of(log.columns[name], array) for name, array in log.data.items()
               if not isinstance(array, Lists)}  # fmt: skip
    return pd.DataFrame(columns, index=pd.RangeIndex(len(log)), copy=False)


def with_columns(log: EventLog, new: Mapping[str, Any]) -> EventLog:
    """See ``EventLog.with_columns``."""
    specs, data = dict(log.columns), dict(log.data)
    for name, given in new.items():
        if name in FIXED or name == "duration":
            raise TransformError(
                f"column {name!r} cannot be replaced",
                code="column-clash",
                hint="it decides order, cases or identity; with_case makes other cases",
            )
        if isinstance(given, tuple):
            spec, array = given
        else:
            spec, array = array_of_series(name, given, specs.get(name))
        if len(array) != len(log):
            raise TransformError(
                f"column {name!r} has {len(array)} values for {len(log)} events",
                code="column-type",
            )
        specs[name] = spec
        data[name] = array.sort_values() if isinstance(array, Codes) else array
    return log.replace(columns=specs, data=data)


def with_frame(log: EventLog, frame: pd.DataFrame, reason: str) -> EventLog:
    """See ``EventLog.with_frame``."""
    if not frame.index.isin(log.frame.index).all() or not frame.index.is_unique:
        raise TransformError(
            "the frame has rows that are not the log's own, or has one twice",
            code="input-type",
            hint="keep the index of log.frame; made events come from derive",
        )
    frame = frame.sort_index()
    rows = np.zeros(len(log), dtype=bool)
    rows[frame.index.to_numpy()] = True
    for name in FIXED:
        if name not in log.data:
            continue
        if name not in frame.columns or not frame[name].equals(log.frame[name][rows]):
            raise TransformError(
                f"column {name!r} was changed or removed",
                code="column-clash",
                hint="it decides order, cases or identity; with_case makes other cases",
            )
    out = log if rows.all() else log.keep(rows, reason)
    changed = {
        str(name): frame[name].reset_index(drop=True)
        for name in frame.columns
        if name not in FIXED
        and (name not in log.frame.columns or not frame[name].equals(log.frame[name][rows]))
    }
    gone = [n for n in log.frame.columns if n not in frame.columns]
    return out.without(*gone).with_columns(**changed)
