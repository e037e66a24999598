"""Batches become the groups of a summary: what is rejected and counted is as in a log's reading."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distill_core.batch import Batch, Bools, Ints, Masked
from distill_core.collect import Collector, Rows, null_column
from distill_core.columns import Column
from distill_core.conditions import Condition, evaluate
from distill_core.figures import Key, Place, Values, figure_of
from distill_core.reports import Reading
from distill_core.summary import Measure, Summary, optional, with_duration
from distill_core.tally import Tally, grouped


@dataclass
class _Seen:
    """What notes on a reading need to know of the events: their times, what is not null."""

    first: int | None = None
    last: int | None = None
    there: set[str] = field(default_factory=set)


class Summarizer(Collector):
    """Takes batches in any order; ``summarized`` gives the groups and what was left out.

    ``summary`` is bound; ``columns`` are those of a reading, ``used`` those that the summary is
    computed from. What is held is as much as there are groups (``distinct``: with each value).
    """

    def __init__(
        self,
        columns: Mapping[str, Column],
        summary: Summary,
        *,
        where: Condition | None = None,
        match: Condition | None = None,
        used: Collection[str] = (),
        stream: str | None = None,
        strict: bool = False,
        named: Collection[str] = (),
    ) -> None:
        keep = ["case", "activity", "time", *used]
        super().__init__(columns, where=where, match=match, keep=keep, stream=stream,
                         strict=strict, named=named)  # fmt: skip
        self.summary, self._seen, self._mended = summary, _Seen(), 0
        every = {**columns}
        for measure in summary.measures:
            if measure.column is not None and (lacking := optional(measure.column)):
                every.setdefault(measure.column, lacking)
        self._every = with_duration(every)
        self._by = [Key(group, self._every[group.column]) for group in summary.by]
        width = sum(key.width for key in self._by)
        self._measures = [figure_of(m, self._every, width) for m in summary.measures]
        reduces = [reduce for figure in self._measures for reduce in figure.reduces()]
        self._groups = Tally(width, reduces)

    def _store(self, data: dict[str, Values], arrival: Ints) -> None:
        rows = len(arrival)
        if not rows:
            return
        self._look(data)
        end, time = data.get("end"), data["time"]
        if isinstance(end, Masked) and isinstance(time, Masked):
            early = ~end.null & (end.values < time.values)
            self._mended += int(early.sum())
            data["end"] = Masked(np.maximum(end.values, time.values), end.null)
        seen = Rows(self._every, data, rows)
        keys = [part for key in self._by for part in key.keys(seen.get(key.column.name))]
        figures: list[NDArray[Any]] = []
        for figure in self._measures:
            figures += figure.add(keys, *self._of(figure.measure, seen))
        self._groups.add(keys, figures, rows)

    def _of(self, measure: Measure, seen: Rows) -> tuple[Values | None, Bools]:
        """The values of a measure's column, and which rows count."""
        there = np.ones(len(seen), dtype=bool)
        found: Values | None = None
        if measure.where is not None:
            there, _ = evaluate(measure.where, seen)
        if measure.column is not None:
            if measure.column in self.columns or measure.column == "duration":
                found = seen.get(measure.column)
            else:
                found = null_column(self._every[measure.column], len(seen))
            there = there & ~found.null
        return found, there

    def _look(self, data: Mapping[str, Values]) -> None:
        time, known = data["time"].values, self._seen
        known.first = min(int(time.min()), known.first if known.first is not None else 2**63)
        known.last = max(int(time.max()), known.last if known.last is not None else -(2**63))
        known.there |= {n for n in self.named & data.keys() if not data[n].null.all()}

    def summarized(self, locate: Any = None) -> tuple[Batch, Reading]:
        """The groups, in any order, and the report."""
        keys, figures, rows = self._groups.finish()
        if not rows:
            reduces = [reduce for figure in self._measures for reduce in figure.reduces()]
            rows = 0 if self.summary.by else 1  # a summary of nothing without groups has a row
            figures = [np.zeros(rows, dtype=np.int64) for _ in reduces]
        columns: dict[str, Values] = {}
        at = 0
        for key in self._by:
            columns[key.group.column] = key.values(keys[at : at + key.width])
            at += key.width
        place, at = self._placed(keys, rows), 0
        for figure in self._measures:
            width = len(figure.reduces())
            columns[figure.measure.name] = figure.finish(figures[at : at + width], place, rows)
            at += width
        return Batch(columns, np.arange(rows)), self._report(locate)

    @staticmethod
    def _placed(keys: list[Ints], rows: int) -> Place:
        def place(others: Sequence[Ints], count: int) -> Ints:
            both = [np.concatenate(pair) for pair in zip(keys, others, strict=True)]
            number, _ = grouped(both, rows + count)
            back = np.empty(rows, dtype=np.int64)
            back[number[:rows]] = np.arange(rows)
            return back[number[rows:]]

        return place

    def _report(self, locate: Any) -> Reading:
        counts = {"end_before_time": self._mended} if self._mended else {}
        time, there = self._seen, self._seen.there
        times = [] if time.first is None or time.last is None else [time.first, time.last]
        data = {n: null_column(c, len(times)) for n, c in self.columns.items() if n in self.keep}
        data["time"] = Masked.full(np.array(times, dtype=np.int64))
        for name in there & data.keys():
            data[name] = Masked.full(np.zeros(len(times), dtype=np.int64))
        return self._reading(counts, data, locate)
