"""UserALE.js logs from files: the same events as from memory, with their lines."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from recordings import recording

import distill_core as dl
from distill_core.testing import Documents
from distill_files import Files
from distill_userale import UserALE, sample_path

NAMES = {
    "userale-2.0.2-shop.ndjson": 2685,
    "userale-2.1.1-shop.ndjson": 2556,
    "userale-2.3.0-shop.ndjson": 2778,
    "userale-2.4.0-shop.ndjson.gz": 8388,
    "userale-head-shop.ndjson.gz": 4704,
    "flagon-sample-data.json": 19,
    "flagon-task-example.json": 1336,
}


def records(path: Path) -> list[Any]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    if ".ndjson" in path.name:
        return [json.loads(line) for line in text.splitlines()]
    return json.loads(text)


def same_as_in_memory(path: Path, **params: Any) -> dl.EventLog:
    """The log of the file, after comparing it with that of its records."""
    source = Documents(documents=tuple(records(path)))
    plain = dl.Pipeline(source, UserALE()).log()
    log = dl.Pipeline(Files(path=str(path), **params), UserALE()).log()
    assert log.to_dicts() == plain.to_dicts()
    one, two = log.reading, plain.reading
    assert (one.read, one.kept, one.counts) == (two.read, two.kept, two.counts)
    assert {k: v.count for k, v in one.rejected.items()} == {
        k: v.count for k, v in two.rejected.items()
    }
    return log


@pytest.mark.parametrize("name", NAMES)
def test_recordings(name) -> None:
    """A recording read from its file is the log of its records, and has all it should."""
    assert len(same_as_in_memory(recording(name))) == NAMES[name]


def test_sample() -> None:
    """The sample reads by name; what was rejected is told with its line."""
    log = same_as_in_memory(sample_path())
    lines = [json.dumps(record) for record in records(sample_path())]
    for reason, word in (("no_time", '"wish"'), ("no_case", '"heartbeat"')):
        told = log.reading.rejected[reason].samples
        numbers = [n for n, line in enumerate(lines, 1) if word in line and '"userId"' not in line]
        assert list(told) == [f"{sample_path().name}:{n}" for n in numbers]
    assert dl.read(str(sample_path()), schema="userale").to_dicts() == log.to_dicts()


def test_posted_arrays() -> None:
    """A file of posted arrays, each a line, is the same log as its records one a line."""
    one = recording("userale-2.4.0-shop.ndjson.gz")
    arrays = recording("userale-2.4.0-shop.batches.ndjson.gz")
    whole = dl.Pipeline(Files(path=str(arrays), arrays="flatten"), UserALE()).log()
    assert whole.to_dicts() == dl.Pipeline(Files(path=str(one)), UserALE()).log().to_dicts()


@pytest.mark.parametrize(
    ("where", "count"),
    [
        ("activity = 'dialog-open'", 4),
        ("\"case\" = 'session_1795512588092'", 112),
        ("\"user\" LIKE '%-idler' AND activity = 'click'", None),
        ("order > 500", None),
        ("count_suspect", 0),
        ("logged_duration < INTERVAL '0 seconds'", 3),
        ("location_x > 300 AND NOT user_action", 0),
    ],
)
def test_conditions(where, count) -> None:
    """A condition gives the same events whether the file or the core applies it."""
    query = dl.find("query", "events")(where=where)
    found = dl.Pipeline(Files(path=str(sample_path())), UserALE(), query).log()
    whole = dl.read(str(sample_path()), schema="userale")
    assert found.to_dicts() == whole.where(where).to_dicts()
    assert len(found) == (len(found) if count is None else count)
    assert len(found) or count == 0


def test_twins_collapse() -> None:
    """Collapsing raw focus and blur records of one moment takes away what the report counts.

    The moment is time and order: one window is focused twice in a millisecond.
    """
    raw = "log_type = 'raw' AND activity IN ('focus', 'blur')"
    log = dl.read(str(sample_path()), schema="userale").where(raw)
    rows = dl.find("model", "userale_quality")().compute(log).rows
    twins = next(row["count"] for row in rows if row["check"] == "twin")
    same = ("activity", "target", "path")
    step = dl.find("transform", "collapse")(same=(*same, "time", "order"))
    assert len(log) - len(log.apply(step)) == twins == 248
