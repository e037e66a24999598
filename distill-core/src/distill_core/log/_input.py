"""A log from a DataFrame, a list of dicts or an Arrow table."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from distill_core.batch import Batch, Bools, Codes, Masked
from distill_core.collect import Collector
from distill_core.columns import RESERVED, RESERVED_TYPES, UNITS, Column, check_columns, snake_case
from distill_core.errors import SchemaError, nearest
from distill_core.frames import natural_type, read_objects, read_series
from distill_core.log._arrow import arrow_table, read_column
from distill_core.prepare import Prepared
from distill_core.reports import Reading

Raw = tuple[str, Any]


def read_frame(
    obj: Any, roles: Mapping[str, str], unit: str | None, zone: str | None, *, strict: bool
) -> tuple[Prepared, Reading]:
    """See ``EventLog.from_frame``; ``roles``: name in the log → column of the object."""
    if unit is not None and unit not in UNITS:
        raise SchemaError(f"{unit!r} is no unit", code="schema-invalid", hint="s, ms, us or ns")
    raw, json = _columns_of(obj, roles)
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
        if wanted is None and source in json:
            wanted = Column(name, type="json")
        specs[name], data[name], bad = _read(name, raw[source], wanted)
        if name == "time" and bad is not None:
            _check_times(raw[source], source, specs[name], data[name].null, bad)
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
    has_end = "end" in roles or "end" in map(snake_case, map(str, raw))
    for source in raw:
        if source in roles.values():
            continue
        name = snake_case(str(source))
        if name == "duration" and has_end:
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


def _read(name: str, raw: Any, wanted: Column | None) -> tuple[Column, Codes | Masked, Any]:
    reads: Any = read_objects if isinstance(raw, list) else read_series
    return reads(name, raw, wanted)  # type: ignore[no-any-return]


def _check_times(raw: Any, source: str, column: Column, null: Bools, bad: Bools) -> None:
    """Raise if no time could be read, and one could with a unit or a zone."""
    if not bad.any() or not null.all():
        return
    for spec, what, hint in (
        (replace(column, unit=column.unit or "ms"), "are numbers without a unit",
         "say what they count: unit='ms'"),
        (replace(column, zone=column.zone or "UTC"), "have no zone",
         "say where they were taken: zone='UTC'"),
    ):  # fmt: skip
        if spec != column and not _read("time", raw, spec)[1].null.all():
            raise SchemaError(
                f"no time could be read: those in column {source!r} {what}",
                code="cell-unreadable",
                hint=hint,
            )


def _columns_of(obj: Any, roles: Mapping[str, str]) -> tuple[Mapping[str, Any], Collection[str]]:
    """The object's columns by name, as lists or Series, and which are known to be JSON."""
    if hasattr(obj, "iloc") and hasattr(obj, "columns"):
        names = _distinct(obj.columns)
        return {name: obj.iloc[:, place] for place, name in enumerate(names)}, ()
    if hasattr(obj, "__arrow_c_stream__"):
        table = arrow_table(obj)
        names = _distinct(table.column_names)
        read = [read_column(table.field(i), table.column(i)) for i in range(len(names))]
        raw = {name: values for name, (values, _) in zip(names, read, strict=True)}
        return raw, [name for name, (_, is_json) in zip(names, read, strict=True) if is_json]
    if isinstance(obj, Sequence) and not isinstance(obj, str | bytes):
        for index, row in enumerate(obj):
            if not isinstance(row, Mapping):
                raise SchemaError(
                    f"row {index} is {type(row).__name__}, not a dict", code="input-type"
                )
        if not obj:
            return {name: [] for name in roles.values()}, ()
        keys = dict.fromkeys(name for row in obj for name in row)
        pairs = zip(_distinct(keys), keys, strict=True)
        return {name: [row.get(key) for row in obj] for name, key in pairs}, ()
    lazy = hasattr(obj, "collect")
    raise SchemaError(
        f"no event log can be made of {type(obj).__name__}",
        code="input-type",
        hint="collect it first: frame.collect()" if lazy
        else "give a pandas or polars DataFrame, a pyarrow Table or a list of dicts",
    )  # fmt: skip


def _distinct(names: Iterable[Any]) -> list[str]:
    """The names as text; an error if two of them are one."""
    found: dict[str, Any] = {}
    for name in names:
        if str(name) in found:
            raise SchemaError(
                f"the columns {found[str(name)]!r} and {name!r} have one name",
                code="column-clash",
                hint="rename or drop one of them before",
            )
        found[str(name)] = name
    return list(found)
