"""The laws of schemas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from distill_core.batch import Batch
from distill_core.columns import check_columns
from distill_core.component import Schema, Selection
from distill_core.extract import extract
from distill_core.log import EventLog
from distill_core.plan import plan_reading
from distill_core.reading import read
from distill_core.testing.components import ComponentTests
from distill_core.testing.sources import Documents


class SchemaTests(ComponentTests):
    """Subclass, give ``component()`` and ``documents()``: some records as the source has them."""

    def component(self) -> Schema:
        """The schema under test."""
        raise NotImplementedError

    def documents(self) -> Sequence[Any]:
        """Records of this schema, odd ones among them."""
        raise NotImplementedError

    def read(self, chunk: int, needed: set[str] | None = None) -> EventLog:
        """The log of the documents, in chunks of so many."""
        plan = plan_reading(self.component(), Selection(), needed)
        source = Documents(documents=tuple(self.documents()), chunk=chunk)
        return read(source, self.component(), plan)

    def test_columns_agree(self) -> None:
        """The columns have an activity, a time and a case or user, and no name twice."""
        check_columns(self.component().all_columns())

    def test_columns_are_described(self) -> None:
        """Every attribute says what it is."""
        known = {"id", "case", "activity", "time", "end", "order", "user", "stream"}
        bare = [c.name for c in self.component().columns() if not c.description]
        assert not set(bare) - known, f"columns without description: {bare}"

    def test_reads_something(self) -> None:
        """The documents give events."""
        assert len(self.read(1000)) > 0

    @pytest.mark.parametrize("chunk", [1, 2, 7])
    def test_cuts_change_nothing(self, chunk: int) -> None:
        """However the batches are cut, log and counts are the same."""
        whole, cut = self.read(1000), self.read(chunk)
        assert cut.to_dicts() == whole.to_dicts()
        assert cut.reading == whole.reading

    def test_wanted_columns_suffice(self) -> None:
        """A reading of few columns gives these the same values."""
        whole = self.read(1000)
        for column in self.component().columns():
            least = self.read(1000, {column.name})
            if column.name in least.columns and column.name in whole.columns:
                kept = [{n: event[n] for n in least.columns} for event in whole]
                assert least.to_dicts() == kept

    def test_parse_fills_only_its_own(self) -> None:
        """parse keeps the rows and the columns that have paths as they are."""
        schema = self.component()
        columns = [column for column in schema.all_columns() if column.paths]
        rows = [d for d in self.documents() if isinstance(d, Mapping)]
        wanted = frozenset(c.name for c in schema.all_columns())
        batch = extract(rows, columns, np.arange(len(rows), dtype=np.int64), wanted)
        parsed = schema.parse(batch)
        assert isinstance(parsed, Batch)
        assert len(parsed) == len(batch)
        for name, column in batch.columns.items():
            assert parsed.columns[name].to_list() == column.to_list()

    def test_detect_is_a_share(self) -> None:
        """detect says how surely documents are of this schema, 0 to 1."""
        cls = type(self.component())
        rows = [d for d in self.documents() if isinstance(d, Mapping)]
        assert 0 <= cls.detect([]) <= 1
        assert 0 <= cls.detect(rows) <= 1
