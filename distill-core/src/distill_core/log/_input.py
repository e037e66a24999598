"""A log from a DataFrame, a list of dicts or an Arrow table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from distill_core.batch import Batch, Codes, Masked
from distill_core.collect import Collector
from distill_core.columns import RESERVED, RESERVED_TYPES, UNITS, Column, check_columns, snake_case
from distill_core.errors import SchemaError, nearest
from distill_core.frames import natural_type, read_objects, read_series
from distill_core.prepare import Prepared
from distill_core.reports import Reading

Raw = tuple[str, Any]


def read_frame(
    obj: Any, roles: Mapping[str, str], unit: str | None, zone: str | None, *, strict: bool
) -> tuple[Prepared, Reading]:
    """See ``EventLog.from_frame``; ``roles``: name in the log → column of the object."""
    if unit is not None and unit not in UNITS:
        raise SchemaError(f"{unit!r} is no unit", code="schema-invalid", hint="s, ms, us or ns")
    raw, read = _columns_of(obj)
    for name in roles.values():
        if name not in raw:
            raise SchemaError(
                f"there is no column {name!r}", code="column-unknown", hint=nearest(name, raw)
            )
    specs: dict[str, Column] = {}
    data: dict[str, Codes | Masked] = {}
    faults: dict[str, Any] = {}
    for name, source in _names(raw, roles):
        wanted = _wanted(name, raw[source], unit, zone)
        specs[name], data[name], bad = read(name, raw[source], wanted)
        if bad is not None and bad.any():
            faults[name] = bad
    if "case" not in specs:
        specs["case"] = Column("case")
    check_columns(specs.values(), "the object")
    specs["id"] = replace(specs.get("id", Column("id")), type="ids")
    rows = len(next(iter(data.values()))) if data else 0
    collector = Collector(specs, strict=strict)
    collector.add(Batch(data, np.arange(rows, dtype=np.int64), faults))
    return collector.finish()


def _names(raw: Mapping[str, Any], roles: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(name in the log, column of the object): the roles first, then the others."""
    yield from roles.items()
    taken = dict(roles)
    for source in raw:
        if source in roles.values():
            continue
        name = snake_case(str(source))
        if name == "duration" and "end" in roles:
            continue  # what the log computes from end and time
        if name in taken:
            raise SchemaError(
                f"the column {source!r} would be {name!r}, but that is {taken[name]!r}",
                code="column-clash",
                hint="rename or drop it before",
            )
        taken[name] = source
        yield name, source


def _wanted(name: str, raw: Any, unit: str | None, zone: str | None) -> Column | None:
    if name not in RESERVED:
        return None
    kind = RESERVED_TYPES[name][0]
    if name == "id":
        return Column("id", type="string")
    if name == "order":
        return _order(raw)
    return Column(name, type=kind, unit=unit, zone=zone) if kind == "time" else Column(name)  # type: ignore[arg-type]


def _order(raw: Any) -> Column:
    kind = getattr(getattr(raw, "dtype", None), "kind", "O")
    whole = kind in "iu" or (kind == "O" and natural_type(list(raw)) == "integer")
    return Column("order", type="integer" if whole else "number")


def _columns_of(obj: Any) -> tuple[dict[str, Any], Any]:
    """The object's columns by name, and the function that reads one."""
    if hasattr(obj, "dtypes") and hasattr(obj, "iloc"):
        return {str(name): obj[name] for name in obj.columns}, read_series
    if hasattr(obj, "__arrow_c_stream__"):
        return _arrow_columns(obj), read_series
    if isinstance(obj, Sequence) and not isinstance(obj, str | bytes):
        for index, row in enumerate(obj):
            if not isinstance(row, Mapping):
                raise SchemaError(
                    f"row {index} is {type(row).__name__}, not a dict", code="input-type"
                )
        names = dict.fromkeys(name for row in obj for name in row)
        return {str(name): [row.get(name) for row in obj] for name in names}, read_objects
    raise SchemaError(
        f"no event log can be made of {type(obj).__name__}",
        code="input-type",
        hint="give a pandas or polars DataFrame, a pyarrow Table or a list of dicts",
    )


def _arrow_columns(obj: Any) -> dict[str, Any]:
    try:
        import pyarrow as pa
    except ImportError:
        raise SchemaError(
            "reading Arrow objects needs pyarrow",
            code="arrow-missing",
            hint="pip install 'distill-core[arrow]'",
        ) from None
    import pandas as pd

    table = pa.table(obj)
    kinds = {pa.int64(): pd.Int64Dtype(), pa.int32(): pd.Int32Dtype(), pa.int16(): pd.Int16Dtype(),
             pa.int8(): pd.Int8Dtype(), pa.bool_(): pd.BooleanDtype()}  # fmt: skip
    found: dict[str, Any] = {}
    for name in table.column_names:
        column = table[name]
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            column = column.dictionary_encode()
        if pa.types.is_string_view(column.type):
            column = column.cast(pa.large_string()).dictionary_encode()
        found[name] = column.to_pandas(types_mapper=kinds.get)
    return found
