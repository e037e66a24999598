"""The laws of queries."""

from __future__ import annotations

from datetime import UTC, datetime

from distill_core.columns import DURATION, Column
from distill_core.component import Query, Selection
from distill_core.conditions import bind
from distill_core.testing.components import ComponentTests
from distill_core.testing.logs import COLUMNS

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


class QueryTests(ComponentTests):
    """Subclass, give ``component()``, and ``columns()`` if it names others than the kit's."""

    def component(self) -> Query:
        """The query under test."""
        raise NotImplementedError

    def columns(self) -> tuple[Column, ...]:
        """The columns of a schema that the query fits."""
        return COLUMNS

    def test_selects(self) -> None:
        """It gives a selection of columns that are there, with a condition that fits them."""
        found = self.component().select(NOW)
        assert isinstance(found, Selection)
        known = {column.name: column for column in self.columns()} | {"duration": DURATION}
        assert set(found.columns) <= set(known)
        if found.where is not None:
            bind(found.where, known)
        if found.summary is not None:
            assert found.summary.bound(known).table(known)

    def test_depends_on_nothing_but_now(self) -> None:
        """The same moment gives the same selection."""
        assert self.component().select(NOW) == self.component().select(NOW)
