"""Answers that are not whole, points in time that are lost, indices that go or disagree."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from elastic_data import START, load_made_up
from elastic_reading import (
    COLUMNS,
    Reader,
    close_snapshot,
    is_page,
    on_pages,
    state,
    stored,
    through_chaos,
)

from distill_core.columns import Column
from distill_core.component import Request
from distill_core.conditions import bind, parse
from distill_core.errors import SourceError
from distill_core.testing.chaos import Rewrite, Status

INDEX = "faults-answers"
COUNT = 6_000


@pytest.fixture(scope="module")
def events(elastic):
    """What 6,000 documents hold, by id; reading them has changed nothing."""
    load_made_up(elastic, INDEX, COUNT)
    before = state(elastic, INDEX)
    yield stored(elastic, INDEX)
    assert state(elastic, INDEX) == before
    elastic.admin("DELETE", INDEX)


@pytest.fixture
def reader(elastic):
    """A reader behind a proxy."""
    with through_chaos(elastic) as found:
        yield found


@pytest.fixture
def made(elastic):
    """Make an index, which is gone after the test."""
    names = []

    def make(name, documents, *, shards=1, **properties):
        settings = {"number_of_shards": shards, "number_of_replicas": 0}
        mappings = {"properties": {name: {"type": kind} for name, kind in properties.items()}}
        elastic.admin("DELETE", f"{name}?ignore_unavailable=true")
        elastic.admin("PUT", name, {"settings": settings, "mappings": mappings})
        names.append(name)
        elastic.bulk(name, documents)
        return name

    yield make
    if names:
        elastic.admin("DELETE", f"{','.join(names)}?ignore_unavailable=true")


# ---- parts of an answer are missing


def failed(answer):
    reason = {"type": "node_not_connected_exception", "reason": "gone"}
    answer["_shards"]["failed"] = 1
    answer["_shards"]["failures"] = [{"shard": 0, "index": INDEX, "node": "x", "reason": reason}]
    answer["hits"]["hits"] = []
    if "total" in answer["hits"]:
        answer["hits"]["total"] = {"value": 0, "relation": "eq"}


def untold(answer):
    answer["_shards"]["failed"] = 1


def late(answer):
    answer["timed_out"] = True
    del answer["hits"]["hits"][10:]


def early(answer):
    answer["terminated_early"] = True
    del answer["hits"]["hits"][10:]


LACKS = {
    failed: f"{INDEX}[0]: node_not_connected_exception gone",
    untold: "1 of 1 shards did not answer",
    late: "the server stopped before it was through",
    early: "the server stopped before it was through",
}


def rewrite(change):
    def changed(body: bytes) -> bytes:
        answer = json.loads(body)
        change(answer)
        return json.dumps(answer).encode()

    return Rewrite(changed)


@pytest.mark.parametrize("change", LACKS)
@pytest.mark.parametrize("page", [1, 3])
def test_a_page_that_is_not_whole(reader, events, change, page):
    """A shard failed, or the search was cut short: an error before a row of that page."""
    reader.proxy.plan(on_pages(lambda n, _: rewrite(change) if n == page else None))
    with pytest.raises(SourceError) as caught:
        reader.read(INDEX, slices=1)
    assert caught.value.code == "source-partial"
    assert LACKS[change] in str(caught.value)
    assert len(reader.rows) == 1000 * (page - 1)
    assert len(reader.pages) == page
    assert all("allow_partial_search_results=false" in call.path for call in reader.pages)


@pytest.mark.parametrize("change", LACKS)
def test_pages_that_need_not_be_whole(reader, events, change):
    """With allow_partial the reading goes on, lists what was missing, and asks the server so."""
    reader.proxy.plan(on_pages(lambda n, _: rewrite(change) if n == 3 else None))
    reader.read(INDEX, slices=1, allow_partial=True)
    # What was cut short begins again behind its last hit; a page without hits is the last one.
    assert len(reader.rows) == (2000 if change is failed else COUNT)
    assert reader.scan.facts["partial"] == [LACKS[change]]
    searches = [call for call in reader.proxy.calls if "_search" in call.path]
    assert all("allow_partial_search_results=true" in call.path for call in searches)


@pytest.mark.parametrize("change", LACKS)
def test_counts_that_are_not_whole(elastic, reader, events, change):
    """The same for what is asked before pages: a shard's documents are not taken for none."""
    reader.proxy.plan(
        lambda call: rewrite(change) if call.path.startswith(f"/{INDEX}/_search") else None
    )
    for ask in (lambda: reader.read(INDEX), lambda: reader.source(INDEX).fingerprint(Request(()))):
        with pytest.raises(SourceError) as caught:
            ask()
        assert caught.value.code == "source-partial"
    assert not reader.pages


def test_fields_that_are_not_all_told(reader, events):
    """An index that does not tell its fields could keep the time in another way: an error."""

    def change(answer):
        answer["failed_indices"] = 1
        answer["failures"] = [{"indices": [INDEX], "failure": {}}]

    reader.proxy.plan(lambda call: rewrite(change) if "_field_caps" in call.path else None)
    with pytest.raises(SourceError, match="did not tell their fields") as caught:
        reader.read(INDEX)
    assert caught.value.code == "source-partial"


def test_a_shard_that_is_down(elastic, reader):
    """A shard that is really not there: an error; with allow_partial what the others have."""
    settings = {
        "number_of_shards": 2, "number_of_replicas": 0, "index.write.wait_for_active_shards": 0,
        "index.routing.allocation.total_shards_per_node": 1,
    }  # fmt: skip
    elastic.admin("PUT", "down-red?wait_for_active_shards=0", {"settings": settings})
    try:
        load_made_up(elastic, "down-green", 1500)
        events = stored(elastic, "down-green")
        with pytest.raises(SourceError) as caught:
            reader.read("down-*", deadline="500ms")
        assert caught.value.code in {"source-partial", "source-unavailable"}
        assert not reader.rows
        assert reader.read("down-*", allow_partial=True) == events
        assert any("down-red" in told for told in reader.scan.facts["partial"])
    finally:
        elastic.admin("DELETE", "down-red,down-green?ignore_unavailable=true")


@pytest.mark.parametrize("spoil", [lambda body: body[:-40], lambda _: b"<html>", lambda _: b""])
def test_an_answer_that_is_spoilt(reader, events, spoil):
    """An answer that was cut on the way, unnoticed by HTTP, is asked for again: exact."""
    hit = set()

    def plan(call):
        kind = call.path.partition("?")[0]
        if kind in hit or "_pit" in kind:
            return None
        hit.add(kind)
        return Rewrite(spoil)

    reader.proxy.plan(plan)
    assert reader.read(INDEX) == events
    assert len(hit) >= 4


# ---- points in time are lost


def times(count):
    """Documents of odd times: 5,000 of one, several in one, of two fields, and none at all."""
    for n in range(count):
        one = {"n": n, "session": f"s{n % 7}"}
        if n % 10 < 5:
            one["clientTime"] = START
        elif n % 10 == 5:
            one["clientTime"] = [START + n, START - 5, START + 2 * n]
        elif n % 10 == 6:
            one["clientTime"] = START + n % 40
        elif n % 10 < 9:
            one["startTime"] = START + n // 100
        yield one


@pytest.mark.parametrize("slices", [1, 3])
@pytest.mark.parametrize("every", [2, 5])
def test_a_lost_point_in_time_among_equal_times(elastic, reader, made, slices, every):
    """It is lost in each pass, several times, amid thousands of one time: each document once."""
    dates = {"clientTime": "date", "startTime": "date", "n": "integer", "session": "keyword"}
    index = made("faults-times", (json.dumps(one).encode() for one in times(10_000)), **dates)
    events, passes = stored(elastic, index), {}

    def plan(_, call):
        asked = json.loads(call.body)
        kind = json.dumps(asked["sort"])
        passes[kind] = passes.get(kind, 0) + 1
        if passes[kind] in range(every, 5 * every, every):
            close_snapshot(elastic, call)

    reader.proxy.plan(on_pages(plan))
    rows = reader.read(index, page=500, slices=slices)
    assert {doc: row[:4] for doc, row in rows.items()} == {
        doc: row[:4] for doc, row in events.items()
    }
    assert len(rows) == 10_000
    with_time = {doc for doc, row in rows.items() if row[4] is not None}
    assert with_time == {doc for doc, row in events.items() if row[4] is not None}
    assert len(with_time) == 8_000  # several times in one field are none
    assert all(rows[doc] == events[doc] for doc in with_time)
    assert len(passes) == 3
    assert reader.scan.facts["snapshot"] == "reopened"
    lost = [call for call in reader.pages if call.status == 404]
    assert len(lost) >= 5


def test_a_node_that_left_is_a_lost_point_in_time(reader, events):
    """Servers say it as 404 or as 500 of an odd state: a new point in time is opened, exact."""
    product = {"x-elastic-product": "Elasticsearch", "content-type": "application/json"}

    def said(status, kind, reason):
        why = {"type": kind, "reason": reason}
        error = {"type": "search_phase_execution_exception", "reason": "all shards failed",
                 "root_cause": [why], "failed_shards": [{"shard": 0, "reason": why}]}  # fmt: skip
        return Status(status, json.dumps({"error": error, "status": status}).encode(), product)

    faults = {
        2: said(404, "search_context_missing_nodes_exception", "nodes have left: [x]"),
        4: said(500, "illegal_state_exception", "node [x] is not available"),
    }
    reader.proxy.plan(on_pages(lambda page, _: faults.get(page)))
    assert reader.read(INDEX, slices=1) == events
    assert sum("_pit" in call.path for call in reader.proxy.calls) == 4  # 3 opened, 1 given back


def test_points_in_time_are_lost_for_ever(elastic, reader, events):
    """A server that loses each at once: an error at the deadline that says so."""
    reader.proxy.plan(on_pages(lambda _, call: close_snapshot(elastic, call)))
    with pytest.raises(SourceError, match="loses each point in time") as caught:
        reader.read(INDEX, deadline="500ms")
    assert caught.value.code == "source-unavailable"
    assert not reader.rows


def test_a_partly_lost_point_in_time(reader, events):
    """A shard that lost it, where shards may be missing: a new one, as nothing need be missing."""
    lost = {"type": "search_context_missing_exception", "reason": "No search context found"}

    def change(answer):
        answer["_shards"]["failed"] = 1
        answer["_shards"]["failures"] = [{"shard": 0, "index": INDEX, "reason": lost}]
        answer["hits"]["hits"] = []

    reader.proxy.plan(on_pages(lambda n, _: rewrite(change) if n in {2, 3} else None))
    assert reader.read(INDEX, slices=1, allow_partial=True) == events
    assert reader.scan.facts["snapshot"] == "reopened"
    assert "partial" not in reader.scan.facts


def test_too_many_of_one_time(elastic, reader, events, made, monkeypatch):
    """What is remembered of one time is limited: an error if the point in time is lost then."""
    monkeypatch.setattr("distill_elasticsearch.scan.MAX_SEEN", 1_500)
    same = ({"n": n, "clientTime": START + n // 4_000} for n in range(8_000))
    index = made("faults-same", same, clientTime="date")
    expected = stored(elastic, index)
    assert reader.read(index, slices=1) == expected
    # Page 7: the one before it began another time, of which 200 were delivered.
    reader.proxy.plan(on_pages(lambda n, c: close_snapshot(elastic, c) if n == 7 else None))
    assert reader.read(index, slices=1, page=700) == expected
    reader.proxy.plan(on_pages(lambda n, c: close_snapshot(elastic, c) if n == 4 else None))
    with pytest.raises(SourceError, match=r"amid more than 1,500 documents of one") as caught:
        reader.read(index, slices=1)
    assert caught.value.code == "source-limit"


@pytest.mark.parametrize("field", ["clientTime", "other"])
def test_losses_without_an_end(elastic, reader, made, field):
    """The point in time is lost again and again before anything new comes: an error, no loop."""
    index = made("faults-loop", ({"n": n, field: START} for n in range(2_000)), clientTime="date")
    reader.proxy.plan(
        on_pages(lambda n, call: close_snapshot(elastic, call) if n % 2 == 0 else None)
    )
    with pytest.raises(SourceError, match="before anything new came") as caught:
        reader.read(index, page=500)
    assert caught.value.code == "source-unavailable"
    assert len(reader.rows) == 500


# ---- indices go, or do not go together


def test_an_index_is_deleted(elastic, reader, made):
    """The index that is read is deleted: an error that names it, and says how far it came."""
    index = made("faults-gone", ({"n": n, "clientTime": START + n} for n in range(5_000)),
                 clientTime="date")  # fmt: skip
    reader.proxy.plan(
        on_pages(lambda page, _: elastic.admin("DELETE", index) and None if page == 3 else None)
    )
    with pytest.raises(SourceError, match=r"faults-gone.*2,000 documents.*faults-gone") as caught:
        reader.read(index, slices=1)
    assert caught.value.code == "source-missing"
    assert len(reader.rows) == 2_000


def test_an_index_of_a_pattern_is_deleted(elastic, reader, made):
    """A pattern that means fewer indices than at the beginning is an error, not fewer rows."""
    for name in "ab":
        made(f"faults-part-{name}", ({"n": n, "clientTime": START + n} for n in range(2_500)),
             clientTime="date")  # fmt: skip
    reader.proxy.plan(
        on_pages(
            lambda page, _: elastic.admin("DELETE", "faults-part-b") and None if page == 3 else None
        )
    )
    with pytest.raises(SourceError, match=r"no such index \[faults-part-b\]") as caught:
        reader.read("faults-part-*", slices=1)
    assert caught.value.code == "source-missing"


def test_times_that_disagree(reader, made):
    """The time is a number here and a text there: an error names field, types and indices."""
    made("faults-long", [{"n": 1, "clientTime": START}], clientTime="long")
    made("faults-text", [{"n": 2, "clientTime": str(START)}], clientTime="keyword")
    with pytest.raises(SourceError) as caught:
        reader.read("faults-long,faults-text")
    assert caught.value.code == "source-conflict"
    assert "'clientTime'" in str(caught.value)
    assert "keyword in faults-text; long in faults-long" in str(caught.value)
    assert not reader.pages


def test_other_fields_that_disagree(reader, made):
    """A field of two types that is only in a condition is not asked for: the answer is right."""
    made("faults-long", [{"n": n, "clientTime": START, "x": n} for n in range(20)],
         clientTime="date", x="long")  # fmt: skip
    made("faults-text", [{"n": n, "clientTime": START, "x": str(n)} for n in range(20, 40)],
         clientTime="date", x="keyword")  # fmt: skip
    columns = (*COLUMNS, Column("size", paths=("x",), type="integer"))
    where = bind(parse("size >= 9 AND size < 31 AND n <> 15"), {c.name: c for c in columns})
    reader.read("faults-long,faults-text", Request(columns, where))
    found = {row[0] for row in reader.rows.values()}
    assert set(range(9, 31)) - {15} <= found
    queries = [json.loads(call.body)["query"] for call in reader.pages]
    assert all('"x"' not in json.dumps(query) for query in queries)


def test_pages_follow_each_other(reader, events):
    """Without faults, each page begins where the one before it ended, and none is asked twice."""
    assert reader.read(INDEX, slices=1) == events
    asked = [json.loads(call.body).get("search_after") for call in reader.pages if is_page(call)]
    assert asked[0] is None
    assert all(one < other for one, other in pairwise(asked[1:]))
    assert reader.scan.facts == {}


def test_directly_and_by_proxy(elastic, events):
    """The proxy makes no difference where it does nothing: read directly, it is the same."""
    assert Reader(elastic).read(INDEX) == events
