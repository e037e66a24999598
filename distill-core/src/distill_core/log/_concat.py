"""Several logs as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from distill_core.batch import Array, Codes, Lists, Masked, Steps
from distill_core.columns import Column
from distill_core.errors import SchemaError
from distill_core.ids import Ids
from distill_core.log._derive import default_column
from distill_core.log._log import EventLog
from distill_core.prepare import join, prepare


def concat(logs: Sequence[EventLog]) -> EventLog:
    """One log of several, in order O; at equal case, time and order the earlier log comes first.

    Columns that a log lacks are null there (``count`` is 1). Ids stay as they are. The result
    carries no reports. A column that is null throughout a log takes the type that it has in the
    others; else SchemaError is raised if a column has different types.

    >>> one, two = (EventLog.from_frame([{"c": c, "a": "x", "t": 0}], case="c", activity="a",
    ...             time="t", unit="s") for c in "ba")
    >>> concat([one, two]).cases.tolist()
    ['a', 'b']
    """
    if not logs:
        raise SchemaError("there is no log to join", code="input-type")
    specs, data, ids = stack(logs)
    found = prepare(specs, data, ids=ids)
    return EventLog(specs, found.data, found.offsets, ids)


def stack(logs: Sequence[EventLog]) -> tuple[dict[str, Column], dict[str, Array], Ids]:
    """The logs' columns one below the other, for ``prepare``; raises as ``concat``."""
    specs = _joined_specs(logs)
    ids, shifts = _joined_ids(logs)
    data: dict[str, Array] = {}
    for name, spec in specs.items():
        parts = [_part(log, name, spec, shift) for log, shift in zip(logs, shifts, strict=True)]
        data[name] = _join_lists(parts) if isinstance(parts[0], Lists) else join(parts)
    return specs, data, ids


def _joined_specs(logs: Sequence[EventLog]) -> dict[str, Column]:
    specs: dict[str, Column] = {}
    for index, log in enumerate(logs):
        for name in log.data:
            column = log.columns[name]
            known = specs.setdefault(name, column)
            if known.type != column.type:
                if _all_null(log, name):
                    continue
                if all(_all_null(other, name) for other in logs[:index]):
                    specs[name] = column
                    continue
                if name == "order":
                    specs[name] = replace(known, type="number")
                    continue
                raise SchemaError(
                    f"column {name!r} is {known.type} in one log and {column.type} in another",
                    code="column-type",
                    hint="rename one of them",
                )
    return specs


def _all_null(log: EventLog, name: str) -> bool:
    """Whether the log has no value there: its type then says nothing."""
    return name not in log.data or bool(log.data[name].null.all())


def _joined_ids(logs: Sequence[EventLog]) -> tuple[Ids, list[int]]:
    """One table of ids, and how far each log's positions move; parts of one log share theirs."""
    ids, shifts = Ids(), []
    seen: dict[int, int] = {}
    for log in logs:
        if id(log.ids) not in seen:
            seen[id(log.ids)] = len(ids)
            ids = ids.join(log.ids)
        shifts.append(seen[id(log.ids)])
    return (logs[0].ids if len(seen) == 1 else ids), shifts


def _part(log: EventLog, name: str, spec: Column, shift: int) -> Array:
    if name == "source_ids":
        found: Array = log.sources
    elif name in log.data and (log.columns[name].type == spec.type or not _all_null(log, name)):
        found = log.data[name]
    elif name in ("members", "steps") and spec.type == "ids":
        rows = len(log)
        return Lists(np.zeros(rows + 1), np.zeros(0, np.int64), np.ones(rows, dtype=bool))
    else:
        return default_column(spec, len(log))
    if isinstance(found, Lists):
        return found.with_values(found.values + shift)
    if isinstance(found, Codes):
        return found
    if spec.type == "ids":
        return Masked(np.where(found.null, 0, found.values + shift), found.null)
    if spec.type == "number":
        return Masked(found.values.astype(np.float64), found.null)
    return found


def _join_lists(parts: Sequence[Array]) -> Lists:
    lists = [part for part in parts if isinstance(part, Lists)]
    return Steps.join(lists) if any(isinstance(p, Steps) for p in lists) else Lists.join(lists)
