"""The laws of sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import Field

from distill_core.batch import Batch
from distill_core.collect import Rows
from distill_core.columns import Column
from distill_core.component import Request, Scan, Source
from distill_core.conditions import Condition, bind, evaluate, parse
from distill_core.extract import extract
from distill_core.testing.components import ComponentTests
from distill_core.testing.logs import COLUMNS


class Documents(Source):
    """Documents that are in memory already, for tests.

    >>> list(Documents(documents=({"a": 1},)).read(Request(()), Scan()))
    [[{'a': 1}]]
    """

    documents: tuple[Any, ...] = Field(description="the records, in order")
    chunk: int = Field(1000, ge=1, description="how many are handed over at a time")

    def read(self, request: Request, scan: Scan) -> Iterator[Batch | Sequence[Mapping[str, Any]]]:
        for start in range(0, len(self.documents), self.chunk):
            yield list(self.documents[start : start + self.chunk])


class SourceTests(ComponentTests):
    """Subclass, give ``component()`` and ``documents()``: what it holds, in its own order."""

    def component(self) -> Source:
        """The source under test, over these documents."""
        raise NotImplementedError

    def documents(self) -> Sequence[Mapping[str, Any]]:
        """The objects that the source holds, as it would give them as dicts."""
        raise NotImplementedError

    def columns(self) -> Sequence[Column]:
        """The columns that are asked for."""
        return COLUMNS

    def conditions(self) -> Sequence[str]:
        """Conditions on these columns."""
        return (
            "activity = 'click'", "time >= '1970-01-01' AND number > 0", "target IS NULL",
            "NOT (activity = 'click' OR flag)", "score < 1 OR target LIKE 'x%'",
        )  # fmt: skip

    def read(self, where: Condition | None = None, columns: Sequence[Column] = ()) -> Batch:
        """All that the source gives, as one batch in order of arrival."""
        request = Request(tuple(columns or self.columns()), where=where)
        return gathered(self.component().read(request, Scan()), request)

    def test_equal_to_extract(self) -> None:
        """Each value is what ``extract`` reads from the document."""
        found, wanted = self.read(), self.oracle()
        assert columns_of(found) == columns_of(wanted)
        assert {n: m.tolist() for n, m in found.faults.items() if m.any()} == {
            n: m.tolist() for n, m in wanted.faults.items() if m.any()
        }

    def oracle(self) -> Batch:
        """The documents through ``extract``."""
        rows = list(self.documents())
        return extract(rows, list(self.columns()), np.arange(len(rows), dtype=np.int64))

    def test_never_over_filters(self) -> None:
        """Every row for which a condition is true comes, with the same values."""
        specs = {column.name: column for column in self.columns()}
        whole = self.oracle()
        for text in self.conditions():
            condition = bind(parse(text), specs)
            true, _ = evaluate(condition, Rows(specs, whole.columns, len(whole)))
            given = self.read(condition)
            again, _ = evaluate(condition, Rows(specs, given.columns, len(given)))
            assert columns_of(given.take(again)) == columns_of(whole.take(true)), text

    def test_few_columns(self) -> None:
        """A column reads the same alone as with others."""
        whole = columns_of(self.read())
        for column in self.columns():
            assert columns_of(self.read(columns=[column])) == {column.name: whole[column.name]}

    def test_parts_are_the_whole(self) -> None:
        """What ``split`` makes is together the same."""
        source, request = self.component(), Request(tuple(self.columns()))
        parts = [list(source.read(part, Scan())) for part in source.split(request, 3)]
        rows = sum(len(chunk) for part in parts for chunk in part)
        assert rows == len(self.read())

    def test_reads_only(self) -> None:
        """Reading changes nothing that a fingerprint would see."""
        request = Request(tuple(self.columns()))
        before = self.component().fingerprint(request)
        self.read()
        assert self.component().fingerprint(request) == before

    def test_can_be_closed_early(self) -> None:
        """A reader that has enough may stop, and read again later."""
        batches = iter(self.component().read(Request(tuple(self.columns())), Scan()))
        next(batches, None)
        close = getattr(batches, "close", None)
        if close is not None:
            close()
        assert len(self.read()) == len(self.documents())

    def test_locates(self) -> None:
        """Each record can be found again by a text of one line."""
        places = self.component().locate(self.read().arrival.tolist())
        assert len(set(places)) == len(self.documents())
        assert all("\n" not in place for place in places)


def gathered(chunks: Iterator[Any], request: Request) -> Batch:
    """Batches and lists of dicts as one batch, in order of arrival."""
    from distill_core.prepare import join

    done, parts = 0, []
    for chunk in chunks:
        batch = chunk
        if not isinstance(chunk, Batch):
            arrival = np.arange(done, done + len(chunk), dtype=np.int64)
            batch = extract(chunk, list(request.columns), arrival)
        done += len(chunk)
        parts.append(batch)
    if not parts:
        return extract([], list(request.columns), np.zeros(0, dtype=np.int64))
    columns = {n: join([p.columns[n] for p in parts]) for n in parts[0].columns}
    names = {n for p in parts for n in p.faults}
    faults = {n: np.concatenate([p.faults.get(n, np.zeros(len(p), bool)) for p in parts])
              for n in sorted(names)}  # fmt: skip
    whole = Batch(columns, np.concatenate([p.arrival for p in parts]), faults)
    return whole.take(np.argsort(whole.arrival, kind="stable"))


def columns_of(batch: Batch) -> dict[str, list[Any]]:
    """The columns as plain lists."""
    return {name: column.to_list() for name, column in sorted(batch.columns.items())}
