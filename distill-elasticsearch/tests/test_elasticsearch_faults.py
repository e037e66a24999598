"""Whatever happens on the way, a reading has each document once, or ends with an error."""

from __future__ import annotations

import json
import random
import re
import time
from collections import Counter
from itertools import product

import elasticsearch
import numpy as np
import pytest
from elastic_data import load_made_up
from elastic_reading import COLUMNS, close_snapshot, on_pages, state, stored, through_chaos
from elasticsearch.helpers import scan as scan_of_everybody

from distill_core.component import Request
from distill_core.errors import SourceError
from distill_core.testing.chaos import Fin, Hang, Reset, Slow, Status

INDEX = "faults-events"
COUNT = 20_000
CUTS = [kind(when) for kind, when in product((Reset, Fin), ("before", "after", "mid"))]
BUSY = b'{"error":{"type":"es_rejected_execution_exception","reason":"queue is full"},"status":429}'


@pytest.fixture(scope="module")
def events(elastic):
    """What 20,000 documents hold, by id; reading them has changed nothing."""
    load_made_up(elastic, INDEX, COUNT, shards=2)
    before = state(elastic, INDEX)
    found = stored(elastic, INDEX)
    assert len(found) == COUNT
    yield found
    assert state(elastic, INDEX) == before
    elastic.admin("DELETE", INDEX)


@pytest.fixture
def reader(elastic):
    """A reader behind a proxy."""
    with through_chaos(elastic) as found:
        yield found


@pytest.fixture
def hasty(monkeypatch):
    """Waits between tries are a thousandth of what they are."""
    monkeypatch.setattr("distill_elasticsearch.retry.SHORTEST", 0.000_25)
    monkeypatch.setattr("distill_elasticsearch.retry.LONGEST", 0.01)


def answer(status, **headers):
    """An error that the server itself could answer with."""
    made = {"x-elastic-product": "Elasticsearch", "content-type": "application/json"}
    return Status(status, BUSY, made | {k.replace("_", "-"): v for k, v in headers.items()})


def test_every_page_is_hit_by_every_kind(reader, events, hasty):
    """RST and FIN before, after and amid the answer, six times at each of 51 pages: exact."""
    tries = Counter()

    def plan(_, call):
        asked = json.dumps({**json.loads(call.body), "pit": None})
        tries[asked] += 1
        return CUTS[tries[asked] - 1] if tries[asked] <= len(CUTS) else None

    reader.proxy.plan(on_pages(plan))
    assert reader.read(INDEX, page=400) == events
    assert len(tries) >= 50
    assert set(tries.values()) == {len(CUTS) + 1}
    assert reader.scan.facts["retries"] == len(CUTS) * len(tries)
    assert "snapshot" not in reader.scan.facts


@pytest.mark.parametrize("seed", range(4))
def test_faults_at_random(reader, events, seed):
    """Any fault at any few requests, be they pages or not, in any way of reading: exact."""
    draw = random.Random(seed)
    hits = {draw.randrange(1, 32): draw.choice([*CUTS, answer(429), answer(503)]) for _ in range(5)}
    # A point in time whose opening is not heard of would stay open for a minute.
    reader.proxy.plan(lambda call: None if "_pit" in call.path else hits.get(call.number))
    ways = {"slices": draw.randint(1, 3), "fetch": draw.choice(["documents", "columns"])}
    assert reader.read(INDEX, **ways) == events
    hit = [call for call in reader.proxy.calls if call.fault]
    assert reader.scan.facts["retries"] >= len([c for c in hit if c.path.startswith("/_search")])


@pytest.mark.parametrize("fault", [Reset("after"), Fin("mid")], ids=str)
def test_the_reader_that_everybody_uses_loses_rows(elastic, reader, events, fault):
    """One answer that does not arrive: helpers.scan ends without an error and lacks a page."""
    reader.proxy.plan(lambda call: fault if call.number == 5 else None)
    client = elasticsearch.Elasticsearch(reader.proxy.url, basic_auth=elastic.users["reader"])
    with client:
        theirs = {hit["_id"] for hit in scan_of_everybody(client, index=INDEX, size=1000)}
    assert len(theirs) == COUNT - 1000
    reader.proxy.plan(on_pages(lambda page, _: fault if page == 5 else None))
    assert reader.read(INDEX) == events


@pytest.mark.parametrize(
    ("status", "seconds", "wait"), [(429, 1, None), (503, 1, "1"), (503, 5, None), (429, 5, "1")]
)
def test_a_storm_passes(reader, events, status, seconds, wait):
    """A server that turns all away for a while, with or without Retry-After: exact."""
    end = None

    def plan(page, _):
        nonlocal end
        if page < 3:
            return None
        end = end or time.monotonic() + seconds
        storm = answer(status, **({"retry_after": wait} if wait else {}))
        return storm if time.monotonic() < end else None

    reader.proxy.plan(on_pages(plan))
    assert reader.read(INDEX) == events
    assert reader.scan.facts["retries"] >= 1


@pytest.mark.parametrize(
    ("fault", "code", "told"),
    [
        (answer(429), "source-overloaded", "queue is full"),
        (answer(429, retry_after="60"), "source-overloaded", "queue is full"),
        (answer(503), "source-unavailable", "503"),
        (Reset("after"), "source-unavailable", "closed the connection"),
        (Hang(), "source-unavailable", "within 0.5 s"),
        (Slow(1), "source-unavailable", "within 0.5 s"),
    ],
    ids=["429", "429 for a minute", "503", "reset", "hangs", "slow"],
)
@pytest.mark.parametrize("slices", [1, 2])
def test_the_deadline(reader, events, fault, code, told, slices):
    """A fault that stays is an error at the deadline, which says how far the reading came."""
    reader.proxy.plan(on_pages(lambda page, _: fault if page > 7 else None))
    began = time.monotonic()
    with pytest.raises(SourceError, match=told) as caught:
        reader.read(INDEX, deadline="1s", timeout="500ms", slices=slices)
    assert time.monotonic() - began < 5
    assert caught.value.code == code
    text = str(caught.value)
    assert f"after {len(reader.rows):,} documents" in text
    assert 5_000 <= len(reader.rows) <= 7_000
    assert all(events[doc] == row for doc, row in reader.rows.items())
    moment = np.datetime64(re.search(r"clientTime is before (\S+)Z", text)[1], "us").astype(int)
    whole = {doc for doc, row in events.items() if row[4] < moment}
    assert whole <= reader.rows.keys()
    assert slices > 1 or len(whole) >= 6_996  # all but those of one time


def test_a_slow_node_passes(reader, events):
    """A node that gives a byte a second, or nothing: the page is asked for again, exact."""
    slow = {3: Slow(1), 4: Hang(), 5: Slow(1), 12: Hang(), 13: Slow(5)}
    reader.proxy.plan(on_pages(lambda page, _: slow.get(page)))
    assert reader.read(INDEX, timeout="1s", slices=1) == events
    assert reader.scan.facts["retries"] == len(slow)


def test_faults_before_the_first_page(reader, events):
    """What is asked before pages is asked again too: fields, mappings, counts."""
    seen = set()

    def plan(call):
        path = call.path.partition("?")[0]
        if path in seen or "_pit" in path:
            return None
        seen.add(path)
        return Reset("mid")

    reader.proxy.plan(plan)
    assert reader.read(INDEX) == events
    assert {path.rpartition("/")[2] for path in seen} == {"_field_caps", "_mapping", "_search"}


def test_an_opening_that_is_not_heard_of(elastic, reader):
    """The answer to the opening of a point in time is lost, or cut: another is opened; exact."""
    load_made_up(elastic, "faults-few", 3_000)
    faults = iter([Reset("after"), Fin("mid"), answer(503), Reset("before")])
    reader.proxy.plan(lambda call: next(faults, None) if "_pit" in call.path else None)
    assert reader.read("faults-few") == stored(elastic, "faults-few")
    assert "snapshot" not in reader.scan.facts
    elastic.admin("DELETE", "faults-few")  # and with it the points in time whose ids nobody knows


@pytest.mark.parametrize("sort", [None, "time", "-time"])
def test_a_lost_point_in_time(elastic, reader, events, sort):
    """The point in time expires time and again: exact, and the report says so."""

    def plan(page, call):
        if page % 4 == 2:
            close_snapshot(elastic, call)

    reader.proxy.plan(on_pages(plan))
    request = Request(COLUMNS, sort=sort, limit=7_500 if sort else None)
    rows = reader.read(INDEX, request)
    if sort is None:
        assert rows == events
    assert all(events[doc] == row for doc, row in rows.items())
    if sort:
        times = sorted(row[4] for row in events.values())
        border = times[7_500] if sort == "time" else times[-7_501]
        inside = {doc for doc, row in events.items()
                  if (row[4] < border if sort == "time" else row[4] > border)}  # fmt: skip
        assert inside <= rows.keys()
    assert reader.scan.facts["snapshot"] == "reopened"
