"""The source keeps the laws of the kit, on a real server."""

from __future__ import annotations

from typing import ClassVar

import pytest

from distill_core.testing import SourceTests
from distill_elasticsearch import Elasticsearch

ROWS = [
    {"case": "a", "activity": "click", "time": 0, "number": 7, "target": "x'\"y", "flag": True},
    {"case": "a", "activity": "clíck 🖱", "time": 5.5, "end": 9, "score": 0.5, "user": 12},
    {"case": None, "activity": "stop", "time": "2026-01-05T09:00:00Z", "details": {"b": [1, None]}},
    {"case": "b", "activity": "click", "time": -1, "number": "7", "score": "x", "flag": "false"},
    {"case": "b", "activity": True, "time": "5", "number": 2**53 + 1, "target": None, "order": 2},
    {"case": "", "activity": "click", "time": 3, "number": 1.5, "target": ["x"]},
    {"case": "b", "activity": "click", "time": [7, 2], "target": "\ud800"},
    {},
]
MAPPINGS = {
    "properties": {
        "time": {"type": "date", "format": "strict_date_optional_time||epoch_millis"},
        "number": {"type": "long"}, "score": {"type": "double"}, "flag": {"type": "boolean"},
        "activity": {"type": "keyword"}, "case": {"type": "keyword"},
    }
}  # fmt: skip
SETTINGS = {"index.mapping.ignore_malformed": True, "number_of_shards": 1}


@pytest.fixture(scope="module")
def index(elastic):
    """An index of these rows."""
    elastic.admin("PUT", "kit", {"mappings": MAPPINGS, "settings": SETTINGS})
    elastic.bulk("kit", ROWS)
    yield elastic
    elastic.admin("DELETE", "kit")


class TestElasticsearch(SourceTests):
    """Whole documents, in pages of three."""

    params: ClassVar = {"page": 3, "slices": 2}

    @pytest.fixture(autouse=True)
    def _server(self, index, monkeypatch):
        self.elastic = index
        monkeypatch.setenv("DISTILL_TEST_PASSWORD", index.users["reader"][1])

    def component(self):
        return Elasticsearch(
            index="kit", hosts=self.elastic.url, ca_file=self.elastic.ca,
            username=self.elastic.users["reader"][0], password="env:DISTILL_TEST_PASSWORD",
            **self.params,
        )  # fmt: skip

    def documents(self):
        return ROWS


class TestColumns(TestElasticsearch):
    """The needed columns alone, one document a page."""

    params: ClassVar = {"page": 1, "slices": 3, "fetch": "columns"}
