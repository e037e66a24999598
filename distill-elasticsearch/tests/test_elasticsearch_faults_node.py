"""A server that stands still, is killed, or lacks a shard: exact, or an error that says so."""

from __future__ import annotations

import threading
import time

import pytest
from elastic_data import load_made_up
from elastic_reading import Reader, comes_true, open_contexts, state, stored

from distill_core.errors import SourceError

INDEX = "faults-node"


@pytest.fixture
def server(own_elastic):
    """A server with 20,000 documents that may be stopped; what is read stays as it is."""
    load_made_up(own_elastic, INDEX, 20_000)
    before = state(own_elastic, INDEX)
    yield own_elastic
    own_elastic.revive()
    assert state(own_elastic, INDEX) == before
    own_elastic.admin("DELETE", INDEX)


def test_a_server_stands_still(server):
    """Stopped for 12 s: exact. Stopped for good: an error at the deadline."""
    reader, events = Reader(server), stored(server, INDEX)
    timer = threading.Timer(12, server.resume)
    for number, _ in enumerate(reader.batches(INDEX, timeout="3s")):
        if number == 3:
            server.pause()
            timer.start()
    timer.join()
    assert reader.rows == events
    assert reader.scan.facts["retries"] >= 1
    batches = reader.batches(INDEX, timeout="500ms", deadline="1s")
    next(batches)
    server.pause()
    began = time.monotonic()
    with pytest.raises(SourceError, match=r"within 0\.5 s") as caught:
        for _ in batches:
            pass
    assert caught.value.code == "source-unavailable"
    # Giving the point in time back may take 5 s; in vain, here: it expires by itself.
    assert time.monotonic() - began < 8


def test_a_server_is_killed(server):
    """SIGKILL and a new start amid a reading: exact, and the report says so."""
    reader, events = Reader(server), stored(server, INDEX)
    restart = threading.Thread(target=server.restart)
    for number, _ in enumerate(reader.batches(INDEX)):
        if number == 3:
            server.kill()
            restart.start()
    restart.join()
    assert reader.rows == events
    assert reader.scan.facts["snapshot"] == "reopened"
    assert comes_true(lambda: open_contexts(server) == 0)
