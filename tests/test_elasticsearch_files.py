"""The same pipeline over a file and over Elasticsearch gives the same result, ids included."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from elastic import Elastic
from elastic_data import load_recordings, make_template, recorded
from recordings import recording

import distill_core as dl
from distill_elasticsearch import Elasticsearch
from distill_files import Files
from distill_userale import UserALE

NAMES = (
    "userale-2.0.2-shop.ndjson",
    "userale-2.1.1-shop.ndjson",
    "userale-2.3.0-shop.ndjson",
    "userale-2.4.0-shop.ndjson.gz",
    "userale-2.4.0-shop.batches.ndjson.gz",
    "userale-head-shop.ndjson.gz",
    "flagon-sample-data.json",
    "flagon-task-example.json",
)
READERS: list[dict[str, Any]] = [
    {"fetch": "documents", "page": 1000},
    {"fetch": "columns", "page": 333, "slices": 3},
    {"fetch": "documents", "page": 97, "slices": 1},
    {"fetch": "columns", "page": 10_000, "slices": 4},
]
ODD = [  # what a template does not foresee; as text, since not each is what Python would write
    b'{"clientTime": 1795512600000.25, "type": 7, "sessionId": "odd", "browser": {}}',
    b'{"clientTime": [1795512600001, 5], "type": ["a", "b"], "sessionId": "odd"}',
    b'{"clientTime": "2026-11-24T09:30:00.0005Z", "type": "", "sessionId": "odd"}',
    b'{"clientTime": null, "startTime": 1795512600003, "endTime": 3, "type": "x", "userId": "o"}',
    b'{"clientTime": "oops", "startTime": 1795512600003, "type": "x", "sessionId": "odd"}',
    b'{"clientTime": -5, "type": "x", "sessionId": "odd", "count": 1.5, "userAction": "true"}',
    b'{"clientTime": 1795512600004, "type": "click", "userId": "o", "target": "\\u00fc\\ud83d"}',
    b'{"clientTime": 1795512600004, "type": "click", "userId": "o", "microTime": 1e3}',
    b'{"clientTime": 1795512600005, "type": 1.50, "sessionID": 12, "path": []}',
]


def stored(elastic: Elastic, index: str, **params: Any) -> Elasticsearch:
    """What is in the index, read by who may only read."""
    name, password = elastic.users["reader"]
    return Elasticsearch(index=index, hosts=elastic.url, ca_file=elastic.ca,
                         username=name, password=password, **params)  # fmt: skip


def comparable(result: dl.Result) -> dict[str, Any]:
    """The result as JSON, without what tells of the source.

    That is its name and version, where it keeps what was rejected, lines of a file that are no
    documents, and how much of what nobody asked for it gave.
    """
    found: dict[str, Any] = json.loads(result.to_json())
    del found["meta"]["pipeline"]["source"], found["meta"]["versions"]
    told = found["meta"]["reading"]
    rejected = {reason: of["count"] for reason, of in told["rejected"].items()}
    rejected.pop("not_object", None)
    counts = {key: told["counts"][key] for key in ("case_from_user", "end_before_time")
              if key in told["counts"]}  # fmt: skip
    if not found["meta"]["truncated"]:  # who has enough does not count the rest
        found["of"] = told["kept"], rejected, counts, told["foreign"]
        found["nulled"] = {column: of["count"] for column, of in told["nulled"].items()}
    del found["meta"]["reading"]
    return found


def assert_alike(elastic: Elastic, path: Path, index: str, readers: list[dict[str, Any]],
                 **pipeline: Any) -> dl.Result:  # fmt: skip
    """Each way of reading the index gives what the file gives, which is returned."""
    arrays = "flatten" if ".batches." in path.name else "reject"
    schema = pipeline.pop("schema", UserALE())
    files = Files(path=str(path), arrays=arrays)
    wanted = dl.Pipeline(files, schema, stream="web", **pipeline).run()
    for params in readers:
        source = stored(elastic, index, **params)
        found = dl.Pipeline(source, schema, stream="web", **pipeline).run()
        assert comparable(found) == comparable(wanted), params
    return wanted


@pytest.fixture(scope="module")
def indices(elastic: Elastic) -> dict[str, str]:
    """Index by recording."""
    for name in NAMES:
        recording(name)
    make_template(elastic)
    return load_recordings(elastic, NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_recordings(elastic: Elastic, indices: dict[str, str], name: str) -> None:
    """Each recording is the same log, all columns and ids, from its file and from an index."""
    found = assert_alike(elastic, recording(name), indices[name], READERS[:2])
    assert len(found.rows) > 18


class Mixed(NamedTuple):
    """Records of all versions, in a file and in an index."""

    path: Path
    index: str


@pytest.fixture(scope="module")
def mixed(elastic: Elastic, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mixed]:
    """The first 300 records of each recording, and odd ones."""
    lines = [line for name in NAMES if ".batches." not in name
             for line in islice(recorded(name), 300)]  # fmt: skip
    lines = [*lines[:500], *ODD, *lines[500:]]
    made = Mixed(tmp_path_factory.mktemp("mixed") / "mixed.ndjson", "userale-mixed")
    made.path.write_bytes(b"\n".join(lines) + b"\n")
    make_template(elastic)
    elastic.admin("PUT", made.index, {"settings": {"index.mapping.ignore_malformed": True}})
    elastic.bulk(made.index, lines)
    yield made
    elastic.admin("DELETE", made.index)


LEAVES = (
    "activity = 'click'", "activity IN ('focus', 'blur', 'x')", "activity <> 'mouseover'",
    "activity LIKE 'mouse%'", "activity = 'custom'", "activity = '7'", "activity IS NULL",
    "log_type = 'raw'", "log_type IS NULL", "\"user\" LIKE '%-tabber'", '"user" IS NULL',
    "\"case\" LIKE 'session_17955%'", "\"case\" = 'user:o'", "\"case\" IN ('odd', '12')",
    "target LIKE 'button#%'", "target = 'Window'", "matches(target, 'a#.*nav')",
    "time >= '2026-11-24T09:30:00Z'", "time < '2026-11-24T09:25:00.5Z'", "time > '2020-01-01'",
    "user_action", "NOT user_action", "count_suspect", "run_count >= 2", "location_x > 300",
    "location_x <= location_y", '"order" > 500', "micro_time >= 0.5", '"end" IS NOT NULL',
    "logged_duration > INTERVAL '1 second'", "duration >= INTERVAL '10 milliseconds'",
    "page_url LIKE '%/product/%'", "browser_name = 'chrome'", "screen_width = 1366",
    "userale_version IN ('2.0.2', '2.4.0')", "http_session_id IS NOT NULL", "type_change = true",
)  # fmt: skip
STEPS: tuple[dict[str, Any], ...] = (
    {"name": "sessionize", "gap": "5s", "as_case": True},
    {"name": "sessionize", "gap": "30s"},
    {"name": "collapse", "same": ["activity", "target"], "max_gap": "500ms"},
    {"name": "collapse", "same": ["activity"], "into": "interval"},
    {"name": "intervals", "start": "activity = 'focus'", "stop": "activity = 'blur'",
     "key": "target"},
    {"name": "intervals", "start": "activity = 'mousedown'", "stop": "activity = 'mouseup'",
     "pairing": "fifo", "keep": "all", "open": "censor"},
    {"name": "match", "pattern": "focus (input | keydown)+ blur", "within": "60s"},
    {"name": "match", "pattern": "mouseover click", "skip": "to_next", "keep": "intervals"},
    {"name": "segment", "kind": "fixed", "every": "5s"},
    {"name": "where", "condition": "log_type = 'raw'"},
    {"name": "drop_near", "where": "activity = 'focus'", "near": "activity = 'focus'",
     "within": "1ms"},
    {"name": "dedupe"},
    {"name": "elapsed"},
)  # fmt: skip
MODELS: tuple[dict[str, Any] | None, ...] = (
    None, None, {"name": "transitions"}, {"name": "transitions", "node": "target"},
    {"name": "features"}, {"name": "features", "groups": ["size", "ngrams"], "layout": "long"},
    {"name": "sequences"},
)  # fmt: skip
ATTRIBUTES = ("log_type", "target", "details", "path", "location_x", "run_count", "other",
              "element_attributes", "page_load_time", "count_suspect")  # fmt: skip


def condition(draw: random.Random, depth: int = 2) -> str:
    """Some condition as text."""
    if depth == 0 or draw.random() < 0.35:
        return draw.choice(LEAVES)
    if draw.random() < 0.25:
        return f"NOT ({condition(draw, depth - 1)})"
    parts = [f"({condition(draw, depth - 1)})" for _ in range(draw.choice((2, 2, 3)))]
    return f" {draw.choice(('AND', 'OR'))} ".join(parts)


def component(kind: Any, given: dict[str, Any]) -> Any:
    """The component of these parameters and of the name that is among them."""
    params = dict(given)
    return dl.find(kind, params.pop("name"))(**params)


def pipeline(draw: random.Random) -> dict[str, Any]:
    """Some query, steps, model and schema."""
    query: dict[str, Any] = {"name": "events"}
    if draw.random() < 0.75:
        query["where"] = condition(draw)
    if draw.random() < 0.2:
        query["since"] = "2026-11-24T09:20:00Z"
    if draw.random() < 0.4:
        query["limit"] = draw.choice((1, 7, 100, 1_000))
        query["sort"] = draw.choice((None, "time", "-time", "time", "-time"))
    model = draw.choice(MODELS)
    steps = draw.sample(STEPS, draw.choice((0, 1, 1, 2)))
    if model is None and not steps and draw.random() < 0.5:
        query["columns"] = draw.sample(ATTRIBUTES, 3)
    return {
        "query": component("query", query),
        "transforms": [component("transform", step) for step in steps],
        "model": model and component("model", model),
        "schema": UserALE(case=draw.choice(("session", "session", "tab", "user"))),
    }


@pytest.mark.parametrize("seed", range(50))
def test_pipelines(elastic: Elastic, mixed: Mixed, seed: int) -> None:
    """A generated pipeline gives the same over the file and over the index, however it is read."""
    draw = random.Random(seed)
    made = pipeline(draw)
    assert_alike(elastic, mixed.path, mixed.index, draw.sample(READERS, 2), **made)


def test_pipelines_find_something() -> None:
    """The generated pipelines are of all kinds, so that the test before this one says much."""
    made = [pipeline(random.Random(seed)) for seed in range(50)]
    queries = [one["query"] for one in made]
    assert {(q.sort, q.limit is not None) for q in queries} == {
        (None, False), (None, True), ("time", True), ("-time", True)
    }  # fmt: skip
    steps = {type(step).__component__ for one in made for step in one["transforms"]}
    assert steps >= {str(step["name"]) for step in STEPS}
    models = {type(one["model"]).__component__ for one in made if one["model"]}
    assert models == {str(model["name"]) for model in MODELS if model}
    assert sum(q.where is not None for q in queries) > 30
