"""Records as a source, and the recordings where they are."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from recordings import recording

from distill_core.component import Request, Scan, Source
from distill_core.log import EventLog
from distill_core.pipeline import Pipeline
from distill_userale import UserALE, sample_path

FILES = {
    "2.0.2": "userale-2.0.2-shop.ndjson",
    "2.1.1": "userale-2.1.1-shop.ndjson",
    "2.3.0": "userale-2.3.0-shop.ndjson",
    "2.4.0": "userale-2.4.0-shop.ndjson.gz",
    "head": "userale-head-shop.ndjson.gz",
    "sample": str(sample_path()),
    "flagon-sample": "flagon-sample-data.json",
    "flagon-task": "flagon-task-example.json",
}


class Records(Source):
    """Records in memory, as a source gives them."""

    records: list[Any]

    def read(self, request: Request, scan: Scan) -> Iterator[list[Any]]:
        yield self.records


def _read(records: list[Any], schema: UserALE | None = None, **options: Any) -> EventLog:
    return Pipeline(Records(records=records), schema or UserALE(), **options).log()


@pytest.fixture(scope="session")
def source() -> type[Records]:
    """The source of given records."""
    return Records


@pytest.fixture(scope="session")
def read() -> Callable[..., EventLog]:
    """A function: records, schema → log."""
    return _read


@pytest.fixture(scope="session")
def recorded() -> Callable[[str], list[Any]]:
    """A function: a recording's name → its records. Recordings are not shipped with the code."""
    kept: dict[str, list[Any]] = {}

    def load(name: str) -> list[Any]:
        path = Path(FILES[name])
        path = path if path.is_absolute() else recording(FILES[name])
        if name not in kept:
            data = path.read_bytes()
            text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
            lines = text.splitlines() if "ndjson" in path.name else []
            kept[name] = [json.loads(line) for line in lines] or json.loads(text)
        return kept[name]

    return load
