"""The source keeps the laws of the kit, by each of its readers."""

from __future__ import annotations

import json

import pytest

from distill_core.testing import SourceTests
from distill_files import Files, formats

ROWS = [
    {"case": "a", "activity": "click", "time": 0, "number": 7, "target": "x'\"y", "flag": True},
    {"case": "a", "activity": "clíck 🖱", "time": 5.5, "end": 9, "score": 0.5, "user": 12},
    {"case": None, "activity": "stop", "time": "2026-01-05T09:00:00Z", "details": {"b": [1, None]}},
    {"case": "b", "activity": "click", "time": -1, "number": "7", "score": "x", "flag": "false"},
    {"case": "b", "activity": True, "time": "5", "number": 2**53 + 1, "target": None, "order": 2},
    {"case": "", "activity": "click", "time": 3, "number": 1.5, "target": ["x"], "details": "t"},
    {},
]


class TestNdjson(SourceTests):
    """Small files are read line by line."""

    smallest = 2**21

    @pytest.fixture(autouse=True)
    def _file(self, tmp_path, monkeypatch):
        self.path = tmp_path / "events.ndjson"
        self.path.write_text("\n".join(map(json.dumps, ROWS)) + "\n", encoding="utf-8")
        monkeypatch.setattr(formats, "SMALL", self.smallest)

    def component(self):
        return Files(path=str(self.path))

    def documents(self):
        return ROWS


class TestNdjsonByDuckdb(TestNdjson):
    """Large files are read by DuckDB into codes."""

    smallest = -1


class TestJson(TestNdjson):
    """One array of records."""

    @pytest.fixture(autouse=True)
    def _file(self, tmp_path):
        self.path = tmp_path / "events.json"
        self.path.write_text(json.dumps(ROWS), encoding="utf-8")
