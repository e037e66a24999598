"""Columns ↔ pandas: the log's own frame, and columns that come from a Series."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from distill_core.batch import Array, Bools, Codes, Lists, Masked
from distill_core.collect import blank_to_null
from distill_core.columns import RESERVED_TYPES, Column
from distill_core.errors import TransformError
from distill_core.frames import array_of_series
from distill_core.prepare import mend_end
from distill_core.timetext import time_texts

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


def joined_text(columns: Sequence[Codes]) -> Codes:
    """One column of texts: the columns' values joined by ``|``, null where one is null."""
    found, *others = columns
    for column in others:
        found = _pairs(found, column)
    return found


def as_text(column: Column, array: Codes | Masked) -> Codes:
    """The column's values as JSON writes them, without quotes; "" is null."""
    if isinstance(array, Codes):
        return blank_to_null(array)
    codes, values = factorized(array)
    if column.type == "time":
        return Codes(codes, time_texts(values))
    return Codes(codes, [json.dumps(value) for value in values.tolist()])


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


def own_copy(frame: pd.DataFrame) -> pd.DataFrame:
    """A copy to change; from pandas 3 on it shares memory until then."""
    import pandas as pd

    return frame.copy(deep=int(pd.__version__.partition(".")[0]) < 3)


def mask_of(keep: Any, rows: int) -> Bools:
    """A mask over the rows from an array or Series of booleans; a null is not true."""
    series = hasattr(keep, "to_numpy")
    found = keep.to_numpy(dtype=bool, na_value=False) if series else np.asarray(keep)
    if found.dtype != bool or found.shape != (rows,):
        raise TransformError(
            f"a mask over {rows} events is {rows} booleans, not {found.dtype} {found.shape}",
            code="column-type",
        )
    return found


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
        _check_reserved(name, spec, array)
        specs[name] = spec
        data[name] = array.sort_values() if isinstance(array, Codes) else array
    counts = mend_end(data) if "end" in new else {}
    return log.replace(columns=specs, data=data, notes=log.notes.count(counts))


def _check_reserved(name: str, spec: Column, array: Array) -> None:
    """Raise if a reserved column would be of a type that it never has, or an activity null."""
    allowed = RESERVED_TYPES.get(name, (spec.type,))
    if spec.type not in allowed:
        raise TransformError(
            f"column {name!r} would be {spec.type}",
            code="column-type",
            hint=f"its type is {' or '.join(allowed)}",
        )
    if name == "activity" and array.null.any():
        raise TransformError(
            "no event is without an activity, but the new column has nulls",
            code="column-type",
            hint="drop these events before",
        )


def with_frame(log: EventLog, frame: pd.DataFrame, reason: str) -> EventLog:
    """See ``EventLog.with_frame``."""
    before = log.frame
    if not frame.index.isin(before.index).all() or not frame.index.is_unique:
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
        if name not in frame.columns or not frame[name].equals(before[name][rows]):
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
        and (name not in before.columns or not frame[name].equals(before[name][rows]))
    }
    gone = [n for n in before.columns if n not in frame.columns]
    return out.without(*gone).with_columns(**changed)
