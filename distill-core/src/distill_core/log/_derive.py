"""Made events, put into their places without a sort."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from distill_core.batch import Array, Bools, Codes, Ints, Lists, Masked
from distill_core.collect import null_column
from distill_core.columns import Column
from distill_core.ids import made_ids
from distill_core.prepare import borders, unite

if TYPE_CHECKING:
    from distill_core.log._log import EventLog, Step

SOURCE_IDS = Column(
    "source_ids", type="ids", description="the source's events that this one is made of"
)


def derive(
    log: EventLog,
    by: Step,
    *,
    at: Ints | None,
    sources: Lists,
    columns: Mapping[str, tuple[Column, Array] | Array],
    drop: Bools | None,
) -> EventLog:
    """See ``EventLog.derive``."""
    assert at is not None, "windows come with the transform that needs them"
    rows, made = len(log), len(at)
    stay = np.ones(rows, dtype=bool) if drop is None else ~drop
    ids = Lists(sources.offsets, log.positions[sources.values])
    table = log.ids.append(made, made_ids(log.ids, by.__component__, by.params_key(), ids))
    pick = _places(stay, at)  # ≥ 0: a row that stays; < 0: made event −1 − pick
    is_made = pick < 0
    number = -1 - pick[is_made]
    source = np.where(is_made, 0, pick)
    source[is_made] = at[number]
    data: dict[str, Array] = {}
    specs = dict(log.columns)
    own = {n: (c if isinstance(c, tuple) else (log.column(n), c)) for n, c in columns.items()}
    own["id"] = (log.columns["id"], Masked.full(np.arange(made, dtype=np.int64) + len(log.ids)))
    own["source_ids"] = (SOURCE_IDS, united_sources(log, sources))
    for name, column in log.data.items():
        if name not in own:
            data[name] = column.take(source)
    for name, (spec, array) in own.items():
        old = log.sources if name == "source_ids" else log.data.get(name)
        data[name] = _merge(spec, old, array, pick, is_made, number)
        specs[name] = spec
    notes = log.notes.derive(made, int((~stay).sum()))
    case = data["case"]
    assert isinstance(case, Codes)
    return log.replace(
        columns=specs, data=data, offsets=borders(case.codes), ids=table, notes=notes
    )


def _places(stay: Bools, at: Ints) -> Ints:
    """The new order: rows that stay, each followed by the events made at it (−1 − number)."""
    made_at = np.bincount(at, minlength=len(stay))
    width = stay + made_at
    first = np.cumsum(width) - width
    pick = np.empty(int(width.sum()), dtype=np.int64)
    kept = np.flatnonzero(stay)
    pick[first[kept]] = kept
    rank = np.arange(len(at)) - np.searchsorted(at, at, side="left")
    pick[first[at] + stay[at] + rank] = -1 - np.arange(len(at))
    return pick


def _merge(
    spec: Column, old: Array | None, new: Array, pick: Ints, is_made: Bools, number: Ints
) -> Array:
    """One column: of the rows that stay from ``old`` (None: the default), of made ones ``new``."""
    stays = pick[~is_made]
    if isinstance(new, Lists):
        return _merge_lists(old if isinstance(old, Lists) else None, new, stays, is_made, number)
    if isinstance(new, Codes):
        head = old.take(stays) if isinstance(old, Codes) else Codes(np.full(len(stays), -1), [])
        both = unite([head, new.take(number)])
        codes = np.empty(len(pick), dtype=np.int32)
        codes[~is_made], codes[is_made] = both.codes[: len(stays)], both.codes[len(stays) :]
        return Codes(codes, both.values, ordered=True)
    base = old.take(stays) if isinstance(old, Masked) else default_column(spec, len(stays))
    assert isinstance(base, Masked)
    values = np.empty(len(pick), dtype=np.result_type(base.values, new.values))
    null = np.empty(len(pick), dtype=bool)
    values[~is_made], null[~is_made] = base.values, base.null
    values[is_made], null[is_made] = new.values[number], new.null[number]
    return Masked(values, null)


def default_column(spec: Column, rows: int) -> Codes | Masked:
    """What a step's column is on events that it did not make: ``count`` 1, all else null."""
    if spec.name == "count":
        return Masked.full(np.ones(rows, dtype=np.int64))
    return null_column(spec, rows)


def _merge_lists(old: Lists | None, new: Lists, stays: Ints, is_made: Bools, number: Ints) -> Lists:
    made = new.take(number)
    head = Lists(np.zeros(len(stays) + 1), np.zeros(0, np.int64), np.ones(len(stays), dtype=bool))
    head = head if old is None else old.take(stays)
    lengths, null = np.empty(len(is_made), dtype=np.int64), np.empty(len(is_made), dtype=bool)
    lengths[is_made], lengths[~is_made] = made.lengths, head.lengths
    null[is_made], null[~is_made] = made.null, head.null
    flat = np.repeat(is_made, lengths)
    values = np.empty(len(flat), dtype=np.int64)
    values[flat], values[~flat] = made.values, head.values
    return Lists(np.concatenate([[0], np.cumsum(lengths)]), values, null)


def united_sources(log: EventLog, sources: Lists) -> Lists:
    """The source's events behind these rows, in order, each once."""
    if "source_ids" not in log.data:
        return Lists(sources.offsets, log.positions.take(sources.values))
    owner = np.repeat(np.arange(len(sources)), sources.lengths)
    inner = log.sources.take(sources.values)
    owner = np.repeat(owner, inner.lengths)
    key = np.lexsort([inner.values, owner])
    again = np.zeros(len(key), dtype=bool)
    same = (owner[key][1:] == owner[key][:-1]) & (inner.values[key][1:] == inner.values[key][:-1])
    again[key[1:][same]] = True
    return Lists(
        np.concatenate([[0], np.cumsum(np.bincount(owner[~again], minlength=len(sources)))]),
        inner.values[~again],
    )
