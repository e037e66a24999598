"""The laws of transforms."""

from __future__ import annotations

import random
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from distill_core.columns import RESERVED
from distill_core.component import Transform
from distill_core.log import EventLog, concat
from distill_core.testing.components import LAWS, ComponentTests
from distill_core.testing.logs import build, documents


class TransformTests(ComponentTests):
    """Subclass, give ``component()``, and where your transform needs other logs ``rows()``."""

    def component(self) -> Transform:
        """The transform under test."""
        raise NotImplementedError

    def rows(self, *, distinct: bool = False) -> st.SearchStrategy[list[dict[str, Any]]]:
        """Documents that logs are made of; ``distinct``: no ties in case, time and order."""
        return documents(distinct=distinct)

    def log(self, rows: list[dict[str, Any]]) -> EventLog:
        """A log of such documents."""
        return build(rows)

    @LAWS
    @given(data=st.data())
    def test_input_untouched(self, data: Any) -> None:
        """The log that goes in is the same afterwards (IM)."""
        log = self.log(data.draw(self.rows()))
        before = log.to_dicts()
        log.apply(self.component())
        assert log.to_dicts() == before

    @LAWS
    @given(data=st.data())
    def test_deterministic(self, data: Any) -> None:
        """Twice the same log gives twice the same result."""
        rows = data.draw(self.rows())
        one, two = (self.log(rows).apply(self.component()) for _ in range(2))
        assert one.to_dicts() == two.to_dicts()
        assert one.steps == two.steps

    @LAWS
    @given(data=st.data(), seed=st.integers(0, 999))
    def test_row_order_irrelevant(self, data: Any, seed: int) -> None:
        """Shuffling rows that differ in case, time or order changes nothing (O)."""
        rows = data.draw(self.rows(distinct=True))
        shuffled = random.Random(seed).sample(rows, len(rows))  # noqa: S311 (no secret)
        one, two = (self.log(r).apply(self.component()) for r in (rows, shuffled))
        assert one.to_dicts() == two.to_dicts()

    def test_empty_log(self) -> None:
        """An empty log gives an empty log that has the step's columns (N)."""
        out = self.log([]).apply(self.component())
        assert len(out) == 0
        assert out.to_dicts() == []

    @LAWS
    @given(data=st.data())
    def test_columns_do_not_depend_on_events(self, data: Any) -> None:
        """A step's columns are there even if it makes nothing (N)."""
        out = self.log(data.draw(self.rows())).apply(self.component())
        assert list(out.columns) == list(self.log([]).apply(self.component()).columns)

    @LAWS
    @given(data=st.data())
    def test_order_of_output(self, data: Any) -> None:
        """The output is in order O: cases by label, each once, rows by time."""
        out = self.log(data.draw(self.rows())).apply(self.component())
        assert out.cases.tolist() == sorted(set(out.cases.tolist()))
        for start, stop in zip(out.offsets[:-1], out.offsets[1:], strict=True):
            assert (np.diff(out.time[start:stop]) >= 0).all()

    @LAWS
    @given(data=st.data())
    def test_report_adds_up(self, data: Any) -> None:
        """out = in − used − dropped + made (R)."""
        log = self.log(data.draw(self.rows()))
        report = log.apply(self.component()).steps[-1]
        dropped = sum(told.count for told in report.dropped.values())
        assert report.out == report.entered - report.used - dropped + report.made

    @LAWS
    @given(data=st.data())
    def test_scope_law(self, data: Any) -> None:
        """apply(whole) = concat(apply(parts)), cut as the scope allows; reports add up (L)."""
        component = self.component()
        log = self.log(data.draw(self.rows()))
        if type(component).scope == "log" or not len(log):
            return
        borders = log.offsets if type(component).scope == "case" else np.arange(len(log) + 1)
        cuts = data.draw(st.sets(st.sampled_from(borders.tolist())))
        edges = sorted({0, len(log), *cuts})
        parts = [log.take(slice(a, b)) for a, b in zip(edges, edges[1:], strict=False)]
        done = [part.apply(component) for part in parts]
        whole = log.apply(component)
        assert concat(done).to_dicts() == whole.to_dicts()
        total = reduce(add, (part.steps[-1] for part in done))
        assert total.to_dict() == whole.steps[-1].to_dict()

    @LAWS
    @given(data=st.data())
    def test_column_law(self, data: Any) -> None:
        """``reads``, the parameters' columns and the reserved ones suffice."""
        component = self.component()
        reads = type(component).reads
        if reads is None:
            return
        log = self.log(data.draw(self.rows()))
        named = {*reads, *component.named_columns(), *RESERVED}
        others = [name for name in log.columns if name not in named]
        whole, least = log.apply(component), log.without(*others).apply(component)
        shared = [name for name in whole.columns if name in least.columns]
        assert set(whole.columns) - set(shared) <= set(others)
        assert [{n: e[n] for n in shared} for e in whole] == least.to_dicts()
        assert whole.steps == least.steps
