"""Batches become one prepared log: first the condition, then rejection, and each is counted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distill_core.batch import Batch, Bools, Codes, Ints, Masked
from distill_core.columns import Column
from distill_core.conditions import Condition, evaluate
from distill_core.errors import SchemaError
from distill_core.notes import notes_of
from distill_core.prepare import Prepared, join, prepare
from distill_core.reports import SAMPLES, Counted, Reading

BLANK_IS_NULL = ("id", "case", "activity", "user", "stream")


class Rows:
    """A batch as conditions see it."""

    def __init__(self, columns: Mapping[str, Column], data: Mapping[str, Any], rows: int) -> None:
        self.columns, self._data, self._rows = columns, data, rows

    def __len__(self) -> int:
        return self._rows

    def get(self, name: str) -> Codes | Masked:
        if name == "duration":
            time, end = self._data["time"], self._data["end"]
            span = np.maximum(end.values - time.values, 0)
            return Masked(np.where(end.null | time.null, 0, span), end.null | time.null)
        return self._data[name]  # type: ignore[no-any-return]


class Samples:
    """How many records for each reason, and the first of them by arrival."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.first: dict[str, Ints] = {}

    def add(self, reason: str, arrivals: NDArray[np.int64]) -> None:
        if len(arrivals):
            known = self.first.get(reason, np.zeros(0, dtype=np.int64))
            self.counts[reason] = self.counts.get(reason, 0) + len(arrivals)
            self.first[reason] = np.sort(np.concatenate([known, arrivals]))[:SAMPLES]

    def told(self, locate: Any) -> dict[str, Counted]:
        """Reason → count and places, in the order of the reasons' names."""
        return {
            reason: Counted(count, tuple(locate(self.first[reason].tolist())))
            for reason, count in sorted(self.counts.items())
        }


class Collector:
    """Takes batches in any order; ``finish`` gives the prepared log and what was left out.

    ``where`` is bound to ``columns``; ``keep`` names the columns that the log shall have, the
    others serve the condition only; ``named`` those that the report notes if they are all null.
    """

    def __init__(
        self,
        columns: Mapping[str, Column],
        *,
        where: Condition | None = None,
        match: Condition | None = None,
        keep: Sequence[str] | None = None,
        stream: str | None = None,
        strict: bool = False,
        named: Collection[str] = (),
    ) -> None:
        self.columns, self.named = dict(columns), frozenset(named)
        self.where, self.match, self.strict, self.stream = where, match, strict, stream
        self.keep = [n for n in columns if keep is None or n in keep]
        self.rejected, self.nulled = Samples(), Samples()
        self.read = self.foreign = self.filtered = self.case_from_user = self.kept = 0
        self._parts: list[tuple[dict[str, Codes | Masked], Ints]] = []

    def add(self, batch: Batch) -> int:
        """Take a batch; returns how many of its rows are kept."""
        self.read += len(batch)
        if self.match is not None:
            true, _ = evaluate(self.match, Rows(self.columns, batch.columns, len(batch)))
            self.foreign += int((~true).sum())
            batch = batch.take(true)
        data = self._filled(batch)
        from_user = self._case_from_user(data)
        if self.where is not None:
            true, _ = evaluate(self.where, Rows(self.columns, data, len(batch)))
            self.filtered += int((~true).sum())
            batch, from_user = batch.take(true), from_user[true]
            data = {name: column.take(true) for name, column in data.items()}
        good = self._reject(batch, data)
        self.case_from_user += int((from_user & good).sum())
        for name in self.keep:
            if name in batch.faults:
                self.nulled.add(name, batch.arrival[batch.faults[name] & good])
        whole = bool(good.all())
        kept = {n: data[n] if whole else data[n].take(good) for n in self.keep}
        arrival = batch.arrival if whole else batch.arrival[good]
        self._store(kept, arrival)
        self.kept += len(arrival)
        return len(arrival)

    def _store(self, data: dict[str, Codes | Masked], arrival: Ints) -> None:
        """What becomes of the rows that are kept."""
        self._parts.append((data, arrival))

    def _filled(self, batch: Batch) -> dict[str, Codes | Masked]:
        data: dict[str, Codes | Masked] = {}
        for name, column in self.columns.items():
            found = batch.columns.get(name)
            if found is None:
                found = null_column(column, len(batch))
            if name == "stream" and self.stream is not None:
                found = Codes(np.zeros(len(batch), dtype=np.int32), [self.stream], ordered=True)
            if name in BLANK_IS_NULL and isinstance(found, Codes):
                found = blank_to_null(found)
            data[name] = found
        return data

    def _case_from_user(self, data: dict[str, Codes | Masked]) -> Bools:
        case, user = data["case"], data.get("user")
        if not isinstance(case, Codes) or not isinstance(user, Codes):
            return np.zeros(len(case), dtype=bool)
        from_user = case.null & ~user.null
        if from_user.any():
            base = len(case.values)
            values = [*case.values, *(f"user:{value}" for value in user.values)]
            data["case"] = Codes(np.where(from_user, user.codes + base, case.codes), values)
        return from_user

    def _reject(self, batch: Batch, data: Mapping[str, Codes | Masked]) -> Bools:
        good = np.ones(len(batch), dtype=bool)
        required = [n for n, c in self.columns.items() if c.required]
        for name in dict.fromkeys(["time", "activity", "case", *required]):
            null = data[name].null & good
            if not null.any():
                continue
            fault = batch.faults.get(name, np.zeros(len(batch), dtype=bool))
            for reason, rows in ((f"no_{name}", null & ~fault), (f"bad_{name}", null & fault)):
                self.rejected.add(reason, batch.arrival[rows])
            good &= ~null
        return good

    def enough(self, sort: str | None, limit: int | None) -> bool:
        """Whether rows that come later, in this order of time, cannot be among the first."""
        if sort is None or limit is None or self.kept < limit or not self._parts:
            return False
        times = np.concatenate([part[0]["time"].values for part in self._parts])
        return bool(np.sort(times if sort == "time" else -times)[limit - 1 : limit]
                    < (times[-1] if sort == "time" else -times[-1]))  # fmt: skip

    def _limited(self, sort: str | None, limit: int | None) -> None:
        """Keep the first ``limit`` rows in this order (None: of arrival)."""
        if limit is None or self.kept <= limit:
            return
        arrival = np.concatenate([part[1] for part in self._parts])
        time = np.concatenate([part[0]["time"].values for part in self._parts])
        keys = {None: [arrival], "time": [arrival, time], "-time": [-arrival, -time]}[sort]
        chosen = np.zeros(len(arrival), dtype=bool)
        chosen[np.lexsort(keys)[:limit]] = True
        start, parts = 0, []
        for data, places in self._parts:
            rows = chosen[start : start + len(places)]
            parts.append(({n: c.take(rows) for n, c in data.items()}, places[rows]))
            start += len(places)
        self._parts = parts

    def finish(
        self, locate: Any = None, *, sort: str | None = None, limit: int | None = None
    ) -> tuple[Prepared, Reading]:
        """The log's parts, and the report; ``locate`` turns arrivals into places."""
        self._limited(sort, limit)
        if not self._parts:
            empty = {name: null_column(self.columns[name], 0) for name in self.keep}
            self._parts = [(empty, np.zeros(0, dtype=np.int64))]
        data = {name: join([p[0][name] for p in self._parts]) for name in self.keep}
        arrival = np.concatenate([p[1] for p in self._parts])
        self._parts = []
        columns = {name: self.columns[name] for name in self.keep}
        prepared = prepare(columns, data, arrival)
        counts = dict(prepared.counts)
        if limit is not None and self.kept > limit:
            counts["beyond_limit"] = self.kept - limit
        return prepared, self._reading(counts, data, locate)

    def _reading(
        self, counts: dict[str, int], data: Mapping[str, Codes | Masked], locate: Any
    ) -> Reading:
        """The report, with notes on ``data``; strict: SchemaError if there is anything amiss."""
        locate = locate or (lambda arrivals: [str(a) for a in arrivals])
        if self.case_from_user:
            counts["case_from_user"] = self.case_from_user
        reading = Reading(
            read=self.read + sum(self.rejected.counts.get(r, 0) for r in self._unread),
            kept=self.kept,
            foreign=self.foreign,
            filtered=self.filtered,
            rejected=self.rejected.told(locate),
            nulled=self.nulled.told(locate),
            counts=counts,
        )
        if self.strict:
            self._raise_first(reading)
        columns = {name: self.columns[name] for name in self.keep}
        return replace(reading, notes=notes_of(columns, data, reading, self.named))

    def _raise_first(self, reading: Reading) -> None:
        """Raise SchemaError for what is first in the source, if anything is amiss."""
        amiss = [
            (int(samples.first[reason][0]), what, code, reason, told[reason])
            for what, code, samples, told in (
                ("record", "record-rejected", self.rejected, reading.rejected),
                ("value", "cell-unreadable", self.nulled, reading.nulled),
            )
            for reason in told
        ]
        if amiss:
            _, what, code, reason, counted = min(amiss, key=lambda found: found[0])
            raise SchemaError(
                f"strict reading: {what} at {counted.samples[0]} is rejected as {reason!r}, "
                f"the first of {sum(found[4].count for found in amiss)} in all",
                code=code,
                hint="read without strict to have them counted and left out",
            )

    _unread: tuple[str, ...] = ()

    def reject(self, reason: str, arrivals: NDArray[np.int64]) -> None:
        """Count records that never were documents."""
        self.rejected.add(reason, arrivals)
        self._unread = tuple(dict.fromkeys([*self._unread, reason]))


def blank_to_null(column: Codes) -> Codes:
    """The same texts, with null for ""."""
    blank = np.flatnonzero(column.values == "")
    if not len(blank):
        return column
    codes = np.where(np.isin(column.codes, blank), np.int32(-1), column.codes)
    return Codes(codes, column.values, ordered=column.ordered)


_DTYPES: Mapping[str, Any] = {
    "integer": np.int64, "number": np.float64, "boolean": np.bool_,
    "time": np.int64, "duration": np.int64, "ids": np.int64,
}  # fmt: skip


def null_column(column: Column, rows: int) -> Codes | Masked:
    """A column of nulls, of the column's type."""
    if column.type in ("string", "json") or column.name == "id":
        return Codes(np.full(rows, -1, dtype=np.int32), [], ordered=True)
    return Masked(np.zeros(rows, dtype=_DTYPES[column.type]), np.ones(rows, dtype=bool))
