"""The laws of models."""

from __future__ import annotations

import json
import random
from functools import reduce
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from distill_core.columns import RESERVED
from distill_core.component import Mergeable, Model
from distill_core.log import EventLog
from distill_core.picture import Picture
from distill_core.pipeline import compute
from distill_core.result import Result
from distill_core.testing.components import LAWS, ComponentTests
from distill_core.testing.logs import build, documents


class ModelTests(ComponentTests):
    """Subclass, give ``component()``, and where your model needs other logs ``rows()``."""

    def component(self) -> Model:
        """The model under test."""
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
        """The log that goes in is the same afterwards."""
        log = self.log(data.draw(self.rows()))
        before = log.to_dicts()
        compute(self.component(), log)
        assert log.to_dicts() == before

    @LAWS
    @given(data=st.data())
    def test_result_is_plain(self, data: Any) -> None:
        """The result is JSON, byte for byte the same each time, and has what its columns say."""
        rows = data.draw(self.rows())
        one, two = (compute(self.component(), self.log(rows)) for _ in range(2))
        assert one.to_json() == two.to_json()
        assert json.loads(one.to_json()) == one.to_dict()
        check_rows(one)

    @LAWS
    @given(data=st.data(), seed=st.integers(0, 999))
    def test_row_order_irrelevant(self, data: Any, seed: int) -> None:
        """Shuffling rows that differ in case, time or order changes nothing."""
        rows = data.draw(self.rows(distinct=True))
        shuffled = random.Random(seed).sample(rows, len(rows))  # noqa: S311 (no secret)
        one, two = (compute(self.component(), self.log(r)).to_dict() for r in (rows, shuffled))
        assert one == two

    def test_empty_log(self) -> None:
        """An empty log gives a result of the same kind and columns."""
        result = compute(self.component(), self.log([]))
        check_rows(result)
        assert isinstance(result.plot(), Picture)

    @LAWS
    @given(data=st.data())
    def test_draws(self, data: Any) -> None:
        """Every result has a picture that needs no network."""
        picture = compute(self.component(), self.log(data.draw(self.rows()))).plot()
        assert isinstance(picture, Picture)
        shown = picture._repr_html_()
        assert "src=" not in shown.replace("src='data:", "").replace('src="data:', "")

    @LAWS
    @given(data=st.data(), seed=st.integers(0, 999))
    def test_merge_law(self, data: Any, seed: int) -> None:
        """compute(whole) = finish(combined partials), however the log is cut between cases."""
        model = self.component()
        log = self.log(data.draw(self.rows()))
        if not isinstance(model, Mergeable) or not len(log):
            return
        cuts = data.draw(st.sets(st.sampled_from(log.offsets.tolist())))
        edges = sorted({0, len(log), *cuts})
        parts = [log.take(slice(a, b)) for a, b in zip(edges, edges[1:], strict=False)]
        random.Random(seed).shuffle(parts)  # noqa: S311 (no secret)
        state = reduce(model.combine, [model.partial(part) for part in parts])
        assert model.finish(state).to_dict() == model.compute(log).to_dict()

    @LAWS
    @given(data=st.data())
    def test_column_law(self, data: Any) -> None:
        """``reads``, the parameters' columns and the reserved ones suffice."""
        model = self.component()
        reads = type(model).reads
        if reads is None:
            return
        log = self.log(data.draw(self.rows()))
        named = {*reads, *model.named_columns(), *RESERVED}
        least = log.without(*(name for name in log.columns if name not in named))
        assert compute(model, least).to_dict() == compute(model, log).to_dict()


def check_rows(result: Result) -> None:
    """Every row has exactly the columns that the result declares."""
    parts = [(result.columns, result.rows if result.kind != "graph" else ())]
    parts += [(result.node_columns, result.nodes), (result.edge_columns, result.edges)]
    for columns, rows in parts:
        for row in rows:
            assert list(row) == [column.name for column in columns]
