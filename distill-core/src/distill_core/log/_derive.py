"""Made events, put into their places without a sort."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from distill_core.batch import Array, Bools, Codes, Ints, Lists, Masked, Steps
from distill_core.collect import null_column
from distill_core.columns import Column
from distill_core.ids import made_ids, window_ids
from distill_core.prepare import unite

if TYPE_CHECKING:
    from distill_core.log._log import EventLog, Step

BLOCK = 1 << 16
"""Values that are looked through for repetitions at a time, or one list if that is longer."""

SPARE = 4
"""So many times its lists' length is a pool of lists at most."""

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
    lose: Mapping[str, Bools],
) -> EventLog:
    """See ``EventLog.derive``."""
    made, gone = len(sources), np.zeros(len(log), dtype=bool) if drop is None else drop
    notes = log.notes.derive(made, int(np.count_nonzero(gone)))
    for reason, rows in lose.items():
        left = log.positions if rows.all() else log.positions.take(np.flatnonzero(rows))
        notes = notes.drop(reason, left)
        gone = gone | rows
    own = {n: (c if isinstance(c, tuple) else (log.column(n), c)) for n, c in columns.items()}
    if at is None:
        case, time = _windows(own)
        origin, place = _window_places(log, ~gone, case, time)
        labels = log.data["case"].take(origin[place])
        assert isinstance(labels, Codes)
        hashes = window_ids(by.__component__, by.params_key(), labels, time)
        own = _blank(log, made) | own
    else:
        ids = positions_of(log, sources)
        hashes = made_ids(log.ids, by.__component__, by.params_key(), ids)
        origin, place = _places(~gone, at)
    own["id"] = (log.columns["id"], Masked.full(np.arange(made, dtype=np.int64) + len(log.ids)))
    if at is not None and "source_ids" not in log.data:
        own["source_ids"] = (SOURCE_IDS, ids)  # events that nothing made are their own source
    else:
        own["source_ids"] = (SOURCE_IDS, united_sources(log, sources))
    specs, data = dict(log.columns), dict[str, Array]()
    data |= {n: c.take(origin) for n, c in log.data.items() if n not in own}
    for name, (spec, array) in own.items():
        if isinstance(array, Lists):
            data[name] = _merge_lists(log, name, array, origin, place)
        else:
            data[name] = _merge(spec, log.data.get(name), array, origin, place)
        specs[name] = spec
    offsets = np.searchsorted(origin, log.offsets)
    offsets = offsets[np.append(True, np.diff(offsets) > 0)]
    table = log.ids.append(made, hashes)
    return log.replace(columns=specs, data=data, offsets=offsets, ids=table, notes=notes)


def _windows(own: dict[str, tuple[Column, Array]]) -> tuple[Ints, Ints]:
    """Number of the case and time of each window; the case leaves ``own``."""
    case, time = own.pop("case")[1], own["time"][1]
    assert isinstance(case, Masked) and isinstance(time, Masked)  # noqa: PT018 (for mypy)
    back = (case.values[1:] == case.values[:-1]) & (time.values[1:] < time.values[:-1])
    if back.any() or (case.values[1:] < case.values[:-1]).any():
        raise ValueError("windows come in the order of their cases and times")
    return case.values, time.values


def _window_places(log: EventLog, stay: Bools, case: Ints, time: Ints) -> tuple[Ints, Ints]:
    """As ``_places``: windows precede the rows of their case that do not lie before their time."""
    first, end = log.offsets[:-1], log.offsets[1:]
    rows = np.flatnonzero(stay)
    if not len(rows):
        return first[case], np.arange(len(case))
    before = _first_not_before(log, case, time)
    place = np.searchsorted(rows, before) + np.arange(len(case))
    origin = np.empty(len(rows) + len(case), dtype=np.int64)
    others = np.ones(len(origin), dtype=bool)
    others[place] = False
    origin[place] = np.minimum(before, end[case] - 1)
    origin[others] = rows
    return origin, place


def _first_not_before(log: EventLog, case: Ints, time: Ints) -> Ints:
    """For each case and time the first row of the case at or after that time, else its end."""
    start, end, times = log.offsets[:-1], log.offsets[1:], log.time
    if not len(case):
        return case
    first, last = times[start], times[end - 1]
    width = last - first + 2
    if float(width.astype(np.float64).sum()) > 2**62:
        pairs = zip(case.tolist(), time.tolist(), strict=True)
        rows = [start[c] + np.searchsorted(times[start[c] : end[c]], t) for c, t in pairs]
        return np.array(rows, dtype=np.int64)
    # one search for all: the times of each case are lifted above those of the case before it
    lift = np.cumsum(width) - width - first
    asked = np.clip(time, first[case], last[case] + 1) + lift[case]
    found: Ints = np.searchsorted(times + lift[log.case_of], asked)
    return found


def _blank(log: EventLog, rows: int) -> dict[str, tuple[Column, Array]]:
    """What windows have in the log's columns where nobody says more."""
    found: dict[str, tuple[Column, Array]] = {}
    for name, column in log.data.items():
        spec = log.columns[name]
        if isinstance(column, Codes):
            found[name] = (spec, Codes(np.full(rows, -1), column.values, ordered=True))
        elif isinstance(column, Lists):
            found[name] = (spec, _no_lists(rows))
        else:
            found[name] = (spec, default_column(spec, rows))
    del found["case"]
    return found


def _places(stay: Bools, at: Ints) -> tuple[Ints, Ints]:
    """The new order: the row that each event comes from, and which of them are made ones.

    Made events follow the row that they are made at, if that stays, else take its place.
    """
    made = np.zeros(len(stay), dtype=bool)
    made[at] = True
    if (np.diff(at) > 0).all() and not stay[at].any():  # each takes the place of its row
        origin = np.flatnonzero(stay | made)
        return origin, np.flatnonzero(made.take(origin))
    width = stay + np.bincount(at, minlength=len(stay))
    origin = np.repeat(np.arange(len(stay)), width)
    rank = np.arange(len(at)) - np.searchsorted(at, at)
    return origin, np.searchsorted(origin, at) + stay[at] + rank


def _merge(
    spec: Column, old: Array | None, new: Codes | Masked, origin: Ints, place: Ints
) -> Codes | Masked:
    """One column: ``old`` (None: the default) by row, but ``new`` at the places of made events."""
    rows = len(origin)
    if rows == len(place):  # nothing stays: what is made is all there is, in order
        return _alone(old, new)
    if isinstance(new, Codes):
        if not isinstance(old, Codes):
            old, origin = Codes(np.full(1, -1), []), np.zeros(rows, dtype=np.int64)
        both = unite([old, new])
        codes = both.codes[: len(old)].take(origin)
        codes[place] = both.codes[len(old) :]
        return Codes(codes, both.values, ordered=True)
    base = old.take(origin) if isinstance(old, Masked) else default_column(spec, rows)
    assert isinstance(base, Masked)
    values = base.values.astype(np.result_type(base.values, new.values), copy=False)
    values[place], base.null[place] = new.values, new.null
    return Masked(values, base.null)


def _alone(old: Array | None, new: Codes | Masked) -> Codes | Masked:
    """``new`` with the dictionary, or the type, that it has beside ``old``."""
    if isinstance(new, Codes):
        none = Codes(np.zeros(0), old.values if isinstance(old, Codes) else [])
        return unite([none, new])
    if not isinstance(old, Masked):
        return new
    kind = np.result_type(old.values, new.values)
    return Masked(new.values.astype(kind, copy=False), new.null)


def default_column(spec: Column, rows: int) -> Codes | Masked:
    """What a step's column is on events that it did not make: ``count`` 1, all else null."""
    if spec.name == "count" and spec.type == "integer":
        return Masked.full(np.ones(rows, dtype=np.int64))
    return null_column(spec, rows)


def _merge_lists(log: EventLog, name: str, new: Lists, origin: Ints, place: Ints) -> Lists:
    """Lists by row, but ``new`` at the places of made events."""
    rows, old = len(origin), log.data.get(name)
    if rows == len(place) and not isinstance(old, Steps) and not isinstance(new, Steps):
        return new  # nothing stays
    if not isinstance(old, Lists) and name != "source_ids":
        return _lists_at(place, new, rows)
    if isinstance(old, Steps) or isinstance(new, Steps):
        assert isinstance(old, Lists)
        order = origin.copy()
        order[place] = len(old) + np.arange(len(new))
        return Steps.join([old, new]).take(order)
    if isinstance(old, Lists):
        pool, base = old.pool, old.take(origin)
        starts, lengths, null = base.starts, base.lengths, base.null
    else:  # events that nothing made are their own source
        pool, starts = log.positions, origin.astype(np.int64)
        lengths, null = np.ones(rows, dtype=np.int64), np.zeros(rows, dtype=bool)
    starts[place] = new.starts + len(pool)
    lengths[place], null[place] = new.lengths, new.null
    merged = Lists.view(starts, lengths, np.concatenate([pool, new.pool]), null)
    if len(merged.pool) > SPARE * int(lengths.sum()):  # too much of it belongs to nobody any more
        return Lists(merged.offsets, merged.values, null)
    return merged


def _no_lists(rows: int) -> Lists:
    return Lists(np.zeros(rows + 1), np.zeros(0, dtype=np.int64), np.ones(rows, dtype=bool))


def _lists_at(place: Ints, new: Lists, rows: int) -> Lists:
    """``new`` at these places, which rise, and null elsewhere."""
    offsets, null = np.zeros(rows + 1, dtype=np.int64), np.ones(rows, dtype=bool)
    offsets[place + 1], null[place] = new.lengths, new.null
    np.cumsum(offsets, out=offsets)
    if isinstance(new, Steps):
        return Steps(offsets, new.values, new.numbers, new.names, null)
    return Lists(offsets, new.values, null)


def positions_of(log: EventLog, rows: Lists) -> Lists:
    """These rows as places in the table of ids."""
    return rows.with_values(log.positions.take(rows.values))


def united_sources(log: EventLog, sources: Lists) -> Lists:
    """The source's events behind these rows, in order, each once."""
    if "source_ids" not in log.data:
        return positions_of(log, sources)
    rows, inner = sources.values, log.sources
    if not (len(rows) and rows[0] == 0 and len(rows) == len(log) and (np.diff(rows) == 1).all()):
        inner = inner.take(rows)
    found = Lists(inner.offsets.take(sources.offsets), inner.values)
    return _each_once(found)


def _each_once(lists: Lists) -> Lists:
    """The lists, each value where it is first."""
    falls = np.zeros(len(lists.values) + 1, dtype=bool)
    np.less_equal(lists.values[1:], lists.values[:-1], out=falls[1:-1])
    falls[lists.offsets] = False  # from list to list
    if not falls.any():
        return lists
    before = np.cumsum(falls, dtype=np.int64).take(lists.offsets)
    rows = np.flatnonzero(before[1:] > before[:-1])  # the others rise
    some = lists.take(rows)
    again, first = list[Ints](), 0
    while first < len(rows):
        begin = some.offsets[first]
        last = max(int(np.searchsorted(some.offsets, begin + BLOCK, "right")) - 1, first + 1)
        values = some.values[begin : some.offsets[last]]
        again.append(_repeated(values, some.lengths[first:last]) + begin)
        first = last
    shift = np.repeat(some.starts - some.offsets[:-1], some.lengths)
    gone = np.concatenate(again)
    gone += shift[gone]
    stays = np.ones(len(lists.values) + 1, dtype=bool)
    stays[gone + 1] = False
    stays[0] = False  # so that the sum counts what comes before
    offsets = np.cumsum(stays, dtype=np.int64).take(lists.offsets)
    return Lists(offsets, lists.values[np.flatnonzero(stays[1:])])


def _repeated(values: Ints, lengths: Ints) -> Ints:
    """Places of the values that their list has already, by one sort of a single number."""
    size = (len(values) - 1).bit_length()
    values = values - values.min()
    key = np.repeat(np.arange(len(lengths)) << int(values.max()).bit_length(), lengths)
    key = np.sort((key + values) << size | np.arange(len(values)), kind="stable")  # nearly sorted
    same = np.flatnonzero(key[1:] >> size == key[:-1] >> size) + 1
    return key[same] & ((1 << size) - 1)
