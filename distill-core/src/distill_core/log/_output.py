"""A log as plain dicts, pandas, Arrow, polars and HTML."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from distill_core.batch import Array, Codes, Lists, Masked, Steps
from distill_core.columns import Column
from distill_core.errors import DistillError
from distill_core.ids import Ids
from distill_core.timetext import time_texts

if TYPE_CHECKING:
    import pandas as pd

    from distill_core.log._log import EventLog

CHUNK = 10_000
TYPE_KEY = b"distill.type"
"""Metadata of an Arrow field that says ``json`` where its text is JSON."""


def id_codes(ids: Ids, column: Masked) -> Codes:
    """References to events as codes of text."""
    used, codes = np.unique(column.values[~column.null], return_inverse=True)
    found = np.full(len(column), -1, dtype=np.int32)
    found[~column.null] = codes
    return Codes(found, ids.texts(used)).sort_values()


def _with_nulls(column: Masked, values: list[Any]) -> list[Any]:
    if not column.null.any():
        return values
    return [None if null else v for v, null in zip(values, column.null.tolist(), strict=True)]


def plain_values(spec: Column, array: Array, ids: Ids) -> list[Any]:
    """One column as plain Python values, as JSON will have them."""
    if isinstance(array, Codes):
        if spec.type != "json":
            return array.to_list()
        return [None if text is None else json.loads(text) for text in array.to_list()]
    if isinstance(array, Steps):
        return array.with_values(ids.texts(array.values)).by_step()
    if isinstance(array, Lists):
        return array.with_values(ids.texts(array.values)).to_list()
    if spec.type == "ids":
        found = np.full(len(array), None, dtype=object)
        found[~array.null] = ids.texts(array.values[~array.null])
        return found.tolist()
    if spec.type == "time":
        return _with_nulls(array, time_texts(array.values))
    return array.to_list()


def _computed(log: EventLog) -> dict[str, Array]:
    arrays = {name: log.data.get(name) for name in log.columns}
    return {n: log.get("duration") if a is None else a for n, a in arrays.items()}


def iterate(log: EventLog) -> Iterator[dict[str, Any]]:
    """Plain dicts, made a chunk at a time."""
    arrays = _computed(log)
    writers: dict[str, Callable[[Any], list[Any]]] = {}
    for name, spec in log.columns.items():
        writers[name] = lambda array, spec=spec: plain_values(spec, array, log.ids)  # type: ignore[misc]
    for start in range(0, len(log), CHUNK):
        part = slice(start, start + CHUNK)
        columns = [writers[name](array.take(part)) for name, array in arrays.items()]
        for row in zip(*columns, strict=True):
            yield dict(zip(arrays, row, strict=True))


def to_dicts(log: EventLog) -> list[dict[str, Any]]:
    """See ``EventLog.to_dicts``."""
    return list(iterate(log))


def to_pandas(log: EventLog) -> pd.DataFrame:
    """See ``EventLog.to_pandas``."""
    import pandas as pd

    from distill_core.log._frame import series_of

    found: dict[str, Any] = {}
    for name, array in _computed(log).items():
        spec = log.columns[name]
        if spec.type in ("ids", "json"):
            found[name] = pd.Series(plain_values(spec, array, log.ids), dtype=object)
        else:
            found[name] = series_of(spec, array)
    return pd.DataFrame(found, index=pd.RangeIndex(len(log)), copy=True)


def to_arrow(log: EventLog) -> Any:
    """See ``EventLog.to_arrow``."""
    pa = _need("pyarrow")
    fields, columns = [], []
    for name, array in _computed(log).items():
        column = _arrow_array(pa, log.columns[name], array, log.ids)
        kind = {TYPE_KEY: b"json"} if log.columns[name].type == "json" else None
        fields.append(pa.field(name, column.type, metadata=kind))
        columns.append(column)
    return pa.table(columns, schema=pa.schema(fields))


def _arrow_array(pa: Any, spec: Column, array: Array, ids: Ids) -> Any:
    if isinstance(array, Codes):
        codes = pa.array(array.codes, mask=array.codes < 0)
        return pa.DictionaryArray.from_arrays(codes, pa.array(array.values.tolist(), pa.string()))
    if isinstance(array, Steps):
        rows = [None if row is None else [*row.items()] for row in plain_values(spec, array, ids)]
        return pa.array(rows, pa.map_(pa.string(), pa.list_(pa.string())))
    if isinstance(array, Lists):
        return pa.array(plain_values(spec, array, ids), pa.list_(pa.string()))
    if spec.type == "ids":
        return pa.array(plain_values(spec, array, ids), pa.string())
    kinds = {"time": pa.timestamp("us", "UTC"), "duration": pa.duration("us")}
    found = pa.array(array.values, mask=array.null)
    return found.cast(kinds[spec.type]) if spec.type in kinds else found


def to_polars(log: EventLog) -> Any:
    """See ``EventLog.to_polars``."""
    return _need("polars").from_arrow(to_arrow(log))


def _need(module: str) -> Any:
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError:
        raise DistillError(
            f"this needs {module}",
            code="arrow-missing",
            hint="pip install 'distill-core[arrow]'",
        ) from None


def to_html(log: EventLog, rows: int = 10) -> str:
    """A summary and the first rows, for notebooks; every value is escaped."""
    names = [*log.columns]
    head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(_short(row[n]))}</td>" for n in names) + "</tr>"
        for row in log.head(rows)
    )
    return (
        f"<p>{len(log):,} events in {log.n_cases:,} cases</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _short(value: Any) -> str:
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 80 else text[:79] + "…"
