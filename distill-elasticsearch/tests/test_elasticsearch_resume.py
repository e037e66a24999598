"""Readings that go on: after a lost point in time, in parts, without indices that are silent."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import numpy as np
import pytest
from elastic_data import START
from elastic_filled import SCHEMA, event, filled
from elastic_reading import COLUMNS, close_snapshot, is_page, on_pages, stored, through_chaos
from hypothesis import example, given
from hypothesis import strategies as st

from distill_core.columns import Column
from distill_core.component import Request, Scan
from distill_core.errors import SourceError
from distill_core.testing.chaos import Rewrite, Status
from distill_elasticsearch import scan
from distill_elasticsearch.connection import Answer
from distill_elasticsearch.decode import Pages
from distill_elasticsearch.failures import Failure
from distill_elasticsearch.mapping import FieldCaps
from distill_elasticsearch.passes import Pass
from distill_elasticsearch.retry import Patience

DATES = {name: {"type": "date"} for name in ("clientTime", "startTime")}


@pytest.fixture(scope="module")
def server(elastic):
    """A server that may be filled."""
    with filled(elastic) as server:
        yield server


@pytest.fixture
def reader(elastic):
    """A reader behind a proxy."""
    with through_chaos(elastic) as found:
        yield found


def rewrite(change):
    def changed(body: bytes) -> bytes:
        answer = json.loads(body)
        change(answer)
        return json.dumps(answer).encode()

    return Rewrite(changed)


# ---- a scan and its memory


class Shuffled:
    """A server of documents (time by id) that loses points in time, and orders ties anew then."""

    def __init__(self, times: dict[str, float], losses: set[int], seed: int) -> None:
        self.times, self.losses, self.asked = times, losses, 0
        self.draw = random.Random(seed)
        self.places: dict[str, int] = {}

    def call(self, method: str, path: str, *, body: Any = None, **_: Any) -> Answer:
        if path.endswith("_pit"):
            order = self.draw.sample(sorted(self.times), len(self.times))
            self.places = {id_: place for place, id_ in enumerate(order)}
            return answer({"id": "x"})
        if path.endswith("_field_caps"):
            return answer({"indices": ["i"]})
        self.asked += 1
        if self.asked in self.losses:
            raise Failure("status", "", 404, root=frozenset({"search_context_missing_exception"}))
        sign = -1 if json.dumps(body["sort"]).find('"desc"') > 0 else 1
        keys = [(sign * self.times[id_], place, id_) for id_, place in self.places.items()
                if fits(self.times[id_], body["query"])]  # fmt: skip
        if after := body.get("search_after"):
            keys = [key for key in keys if key[:2] > (sign * after[0], after[1])]
        hits = [
            {"_index": "i", "_id": id_, "_seq_no": 1, "_source": {}, "sort": [sign * time, place]}
            for time, place, id_ in sorted(keys)[: body["size"]]
        ]
        return answer({"pit_id": "x", "timed_out": False, "hits": {"hits": hits},
                       "_shards": {"total": 1, "successful": 1, "failed": 0}})  # fmt: skip


def answer(told: Any) -> Answer:
    return Answer(200, {}, json.dumps(told).encode())


def fits(time: float, query: Any) -> bool:
    limits = next((one["range"]["t"] for one in query.get("bool", {}).get("filter", ())
                   if "range" in one), {})  # fmt: skip
    tests = {"gte": time.__ge__, "lt": time.__lt__, "lte": time.__le__}
    return all(tests[name](float(limit)) for name, limit in limits.items() if name in tests)


@example([1.0] * 20, {2}, "asc", 0)
@example([1.0] * 20, {2}, "desc", 1)
@given(
    st.lists(st.sampled_from([1.0, 1.8e18]), min_size=8, max_size=30),
    st.sets(st.integers(1, 20), max_size=4),
    st.sampled_from(["asc", "desc"]),
    st.integers(0, 9),
)
def test_each_document_once_though_memory_is_short(times, losses, order, seed):
    """However often the order of ties changes: each document once, or an error of the limit."""
    stored = {f"d{n}": time for n, time in enumerate(times)}
    fake: Any = Shuffled(stored, losses, seed)
    patience = Patience(10)
    snapshot = scan.Snapshot(fake, "i", patience, None)
    snapshot.indices = ("i",)
    scanner = scan.Scanner(
        fake, snapshot, Pages((), documents=True), patience,
        size=4, timeout=1, allow_partial=False, order=order,
    )  # fmt: skip
    part = Pass({"match_all": {}}, FieldCaps("t", {"double": ()}))
    found: list[str] = []
    code = None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("distill_elasticsearch.scan.MAX_SEEN", 6)
        patch.setattr("distill_elasticsearch.retry.SHORTEST", 0.0)
        try:
            for page, good in scanner.scan(part):
                found += [page.ids[row] for row in np.flatnonzero(good)]
        except SourceError as error:
            code = error.code
    assert len(set(found)) == len(found)
    if code is None:
        assert sorted(found) == sorted(stored)
    else:
        assert code == "source-limit"
        assert len(found) > 6


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ({"type": "double"}, 1.8e18),
        ({"type": "float"}, 3.3e9),
        ({"type": "half_float"}, 60_001),
        ({"type": "long"}, 2**63 - 1),
    ],
)
@pytest.mark.parametrize("sort", ["time", "-time"])
def test_a_lost_point_in_time_amid_one_number(elastic, server, reader, kind, value, sort):
    """Numbers that are not told apart from their neighbours are there once, in either order."""
    index = f"resume-{kind['type']}-{value}".replace("+", "")
    rows = [{"t": value, "n": n} for n in range(30)]
    server.fill(index, rows, {"t": kind, "n": {"type": "long"}})
    reader.proxy.plan(on_pages(lambda n, c: close_snapshot(elastic, c) if n == 2 else None))
    columns = (Column("n", ("n",), type="integer"), Column("time", ("t",), type="time", unit="ns"))
    source = reader.source(index, page=10, slices=1)
    batches = source.read(Request(columns, sort=sort), Scan())
    found = [n for batch in batches for n in batch.columns["n"].to_list()]
    assert sorted(found) == list(range(30))


@pytest.mark.parametrize("kind", ["double", "float", "half_float"])
def test_ranges_of_coarse_numbers(server, kind):
    """Where the index rounds a time, its ranges hold each document once all the same."""
    start = 60_000 if kind == "half_float" else 1_700_000_000
    rows = [{"t": start + n % 97 * 7, "n": n} for n in range(500)]
    server.fill(f"resume-coarse-{kind}", rows, {"t": {"type": kind}, "n": {"type": "long"}})
    columns = (Column("n", ("n",), type="integer"), Column("time", ("t",), type="time", unit="s"))
    source = server.source(f"resume-coarse-{kind}", page=20, slices=5)
    batches = source.read(Request(columns), Scan())
    assert sorted(n for b in batches for n in b.columns["n"].to_list()) == list(range(500))


# ---- how far a reading came


ORDERS = [{}, {"sort": "time"}, {"sort": "-time"},
          {"sort": "time", "limit": 350}, {"sort": "-time", "limit": 350}]  # fmt: skip


@pytest.mark.parametrize("ask", ORDERS)
@pytest.mark.parametrize(("often", "rarely"), [
    ("clientTime", "startTime"), ("startTime", "clientTime")])  # fmt: skip
def test_what_is_whole_is_there(server, elastic, reader, ask, often, rarely):
    """What an error says to be whole of a field is whole, in whatever order."""
    index = f"resume-far-{often.lower()}"
    many = [{"n": n, often: START + n // 3} for n in range(900)]
    few = [{"n": 900 + n, rarely: START + 10 * n} for n in range(30)]
    server.fill(index, [*many, *few], {**DATES, "n": {"type": "long"}})
    kept, told = stored(elastic, index), 0
    for fault in range(3, 11, 2):
        reader.proxy.plan(on_pages(lambda n, _, fault=fault: Status(400) if n >= fault else None))
        try:
            reader.read(index, Request(COLUMNS, **ask), page=100, slices=2)
        except SourceError as error:
            found = re.search(r"whose (\w+) is (before )?(\S+)Z( or later)?", str(error))
        else:
            continue
        if found is None:
            continue
        told += 1
        field, before, border, later = found.groups()
        assert bool(before) == (ask.get("sort") != "-time") == (not later)
        micros = int(np.datetime64(border, "us").astype(np.int64))
        rows = {doc: row[4] for doc, row in kept.items() if (row[0] < 900) == (field == often)}
        whole = {doc for doc, time in rows.items() if (time < micros if before else time >= micros)}
        assert whole <= reader.rows.keys()
    assert told


# ---- parts


def test_a_part_of_other_fields_is_an_error(server):
    """A field of the time that is mapped after the splitting: an error, not a pass unread."""
    rows = [{"n": n, **({"clientTime": START + n} if n % 2 else {})} for n in range(10)]
    server.fill("resume-parts", rows, {"clientTime": {"type": "date"}})
    source = server.source("resume-parts")
    parts = source.split(Request(COLUMNS), 3)
    assert sum(len(batch) for part in parts for batch in source.read(part, Scan())) == 10
    server.admin("PUT", "resume-parts/_mapping", {"properties": {"startTime": {"type": "date"}}})
    for part in parts:
        with pytest.raises(SourceError, match="clientTime then, clientTime, startTime now") as told:
            list(source.read(part, Scan()))
        assert told.value.code == "source-conflict"
        assert "split" in str(told.value.hint)
    parts = source.split(Request(COLUMNS), 3)
    assert sum(len(batch) for part in parts for batch in source.read(part, Scan())) == 10


# ---- indices that are silent, and that come


@pytest.fixture
def two(server):
    """Two indices of 300 documents each."""
    for name in ("resume-two-b", "resume-two-c"):
        rows = [{"n": n, "clientTime": START + n} for n in range(300)]
        server.fill(name, rows, {"clientTime": DATES["clientTime"], "n": {"type": "long"}},
                    **{"index.number_of_shards": 2})  # fmt: skip
    return server


def silent(answer):
    answer["indices"].remove("resume-two-c")
    answer["failed_indices"] = 1
    answer["failures"] = [{"indices": ["resume-two-c"], "failure": {}}]


def test_an_index_need_not_tell_its_fields(two, reader):
    """With allow_partial the reading goes on without its fields, and says so."""
    reader.proxy.plan(lambda call: rewrite(silent) if "_field_caps" in call.path else None)
    rows = reader.read("resume-two-*", allow_partial=True)
    assert len(rows) == 600
    assert reader.scan.facts["partial"] == ["resume-two-c: did not tell its fields"]


@pytest.mark.parametrize(("times", "allow"), [(1, False), (1, True), (100, False), (100, True)])
def test_a_silent_index_is_not_deleted(elastic, two, reader, times, allow):
    """One that does not answer after a lost point in time is asked again, or is told of."""
    asked = 0

    def plan(call):
        nonlocal asked
        if is_page(call) and asked == 1:
            asked = 2
            close_snapshot(elastic, call)
        elif "_field_caps" in call.path:
            asked += 1
            return rewrite(silent) if 2 < asked <= 2 + times else None
        return None

    reader.proxy.plan(plan)
    if times > 1 and not allow:
        with pytest.raises(SourceError, match="no answer from resume-two-c") as caught:
            reader.read("resume-two-*", page=100, slices=1, deadline="300ms")
        assert caught.value.code == "source-unavailable"
        return
    assert len(reader.read("resume-two-*", page=100, slices=1, allow_partial=allow)) == 600
    assert reader.scan.facts["snapshot"] == "reopened"
    assert reader.scan.facts.get("partial") == (
        ["resume-two-c: did not answer"] if allow else None
    )  # fmt: skip


def test_an_index_that_comes_while_the_point_in_time_is_lost(elastic, two, reader):
    """Shards are numbered otherwise then, so places would be of others: an error."""

    def plan(page, call):
        if page == 3:
            two.fill("resume-two-a", [{"n": 1, "clientTime": START}])
            close_snapshot(elastic, call)

    reader.proxy.plan(on_pages(plan))
    try:
        with pytest.raises(SourceError, match="resume-two-a came since") as caught:
            reader.read("resume-two-*", page=100, slices=1)
    finally:
        two.delete("resume-two-a")
    assert caught.value.code == "source-conflict"


def test_places_of_another_reading(server):
    """An index that came since does not move places; a place that nobody knows is told so."""
    server.fill("resume-place-b", [event("a", "x", 1), event("b", "y", 2)])
    source = server.source("resume-place-*")
    batches = list(source.read(Request(SCHEMA.all_columns()), Scan()))
    arrivals = [arrival for batch in batches for arrival in batch.arrival.tolist()]
    assert all(re.fullmatch("resume-place-b/_doc/.+", place) for place in source.locate(arrivals))
    server.fill("resume-place-a", [event("c", "z", 3), event("d", "z", 4)])
    source.fingerprint(Request(SCHEMA.all_columns()))
    assert source.locate(arrivals) == [f"resume-place-b (number {n})" for n in (0, 1)]
    far = (7 << 50) | 5
    assert source.locate([far]) == ["index unknown (number 5)"]
    assert server.source("resume-place-b").locate([far]) == ["index unknown (number 5)"]
