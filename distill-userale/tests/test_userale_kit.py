"""The laws that every schema and model keeps."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import strategies as st

from distill_core.component import Selection
from distill_core.log import EventLog
from distill_core.plan import plan_reading
from distill_core.reading import read
from distill_core.testing import Documents, ModelTests, SchemaTests
from distill_userale import UserALE, UseraleQuality, sample_path

ODD: list[Any] = [
    None,
    [],
    {"wish": "p20", "from": "drag"},
    {"logType": "custom", "clientTime": 1, "userAction": False},
    {"logType": "interval", "startTime": 9, "endTime": 5, "count": 0, "sessionId": "s"},
    {"logType": "raw", "clientTime": 9, "microTime": 7, "sessionID": "s", "attributes": {"a": 1}},
]


class TestUserALE(SchemaTests):
    """The schema, on records of the sample and odd ones."""

    def component(self) -> UserALE:
        return UserALE()

    def documents(self) -> Sequence[Any]:
        with gzip.open(sample_path(), "rt", encoding="utf-8") as lines:
            return [*(json.loads(line) for _, line in zip(range(40), lines, strict=False)), *ODD]


class TestUserALEByTab(TestUserALE):
    """The same where a case is a tab, with a column of the user's own."""

    def component(self) -> UserALE:
        return UserALE.model_validate(
            {"case": "tab", "extra": [{"name": "load", "paths": ["details.pageLoadTime"]}]}
        )


class TestUseraleQuality(ModelTests):
    """The report, on logs that the schema makes of small records."""

    def component(self) -> UseraleQuality:
        return UseraleQuality()

    def rows(self, *, distinct: bool = False) -> st.SearchStrategy[list[dict[str, Any]]]:
        record = st.fixed_dictionaries(
            {
                "logType": st.sampled_from(["raw", "interval", "custom"]),
                "type": st.sampled_from(["click", "focus", "load"]),
                "userAction": st.booleans(),
                "clientTime": st.integers(0, 9000),
                "sessionID": st.sampled_from(["s", "t"]),
                "pageUrl": st.sampled_from(["/a", "/b"]),
                "details": st.sampled_from([None, {"window": True}]),
            },
            optional={"userId": st.just("u"), "duration": st.integers(-1, 1)},
        )
        key = ("sessionID", "clientTime")
        unique = (lambda r: tuple(r[k] for k in key)) if distinct else None
        return st.lists(record, max_size=10, unique_by=unique)

    def log(self, rows: list[dict[str, Any]]) -> EventLog:
        plan = plan_reading(UserALE(), Selection(), set(UseraleQuality.reads or ()))
        return read(Documents(documents=tuple(rows)), UserALE(), plan)


@pytest.mark.parametrize("row", ODD[:4])
def test_odd_records_are_odd(row) -> None:
    """The first of the odd records above are no events."""
    plan = plan_reading(UserALE(), Selection())
    assert not len(read(Documents(documents=(row,)), UserALE(), plan))
