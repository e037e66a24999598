"""Rows of several streams in the order of time: all of them, and none copied again and again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distill_core.batch import Batch, Masked
from distill_core.errors import SourceError
from distill_elasticsearch import found
from distill_elasticsearch.arrival import Arrivals
from distill_elasticsearch.decode import Page
from distill_elasticsearch.found import Found, in_order, out_of_order

PAGES = st.lists(st.lists(st.integers(0, 5), max_size=4), max_size=4)


def page(times: Any, first: int = 0) -> Found:
    values = np.array(times, dtype=np.int64)
    column = Masked(values, np.zeros(len(values), dtype=bool))
    arrival = np.arange(first, first + len(values))
    return Found(Batch({"time": column}, arrival, {}, frozenset({"time"})), values)


def streams(told: list[list[list[int]]], sign: int) -> list[list[Found]]:
    """Streams of pages with these times, put in order; each row has an arrival of its own."""
    made, first = [], 0
    for pages in told:
        times = sorted((time for one in pages for time in one), reverse=sign < 0)
        made.append([])
        for one in pages:
            made[-1].append(page(times[: len(one)], first))
            times, first = times[len(one) :], first + len(one)
    return made


@given(st.lists(PAGES, min_size=1, max_size=3), st.sampled_from([1, -1]))
def test_all_rows_come_in_order(told: list[list[list[int]]], sign: int) -> None:
    """Each row once, by time and else by stream and page; one time never in two batches."""
    made = streams(told, sign)
    batches = [one.item for one in in_order([iter(pages) for pages in made], sign)]
    times = [batch.columns["time"].values.tolist() for batch in batches if len(batch)]
    whole = [
        (sign * int(time), int(arrival))
        for pages in made for one in pages
        for time, arrival in zip(one.times, one.item.arrival, strict=True)
    ]  # fmt: skip
    given_ = [
        (sign * int(time), int(arrival))
        for batch in batches
        for time, arrival in zip(batch.columns["time"].values, batch.arrival, strict=True)
    ]
    assert sorted(given_) == sorted(whole)
    assert [time for time, _ in given_] == sorted(time for time, _ in whole)
    for one, other in zip(times, times[1:], strict=False):
        assert set(one).isdisjoint(other)


@pytest.mark.parametrize("ordered", [True, False])
def test_a_long_run_of_one_time_is_not_copied_at_each_page(
    monkeypatch: pytest.MonkeyPatch, ordered: bool
) -> None:
    """What is joined in all grows as the rows do, though nothing can be given before the end."""
    joined = 0

    def join(parts: list[Any]) -> Any:
        nonlocal joined
        joined += sum(map(len, parts))
        return real(parts)

    real = found.join
    monkeypatch.setattr(found, "join", join)

    def pages() -> Iterator[Found]:
        for number in range(100):
            yield page([7] * 10, 10 * number)

    rows = in_order([pages(), iter([page([9])])], 1) if ordered else out_of_order(pages(), 1)
    assert sum(len(one.item) for one in rows) == 1000 + ordered
    assert joined <= 3000


def test_a_document_without_a_number_is_told() -> None:
    """An index that tells no sequence numbers is named: nothing else has the order of writing."""
    told = Page(
        index=["a", "b"], ids=["1", "2"], seq_no=[3, None], sort=[[1, 0], [2, 0]],
        sources=[{}, {}], timed_out=False, terminated_early=False, shards=1, failed=0,
        failures=[], pit_id=None, total=None,
    )  # fmt: skip
    with pytest.raises(SourceError, match="'b' tells no sequence numbers") as caught:
        Arrivals(["a", "b"]).of(told)
    assert caught.value.code == "source-format"
