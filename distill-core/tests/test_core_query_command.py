"""distill query, named queries, and the parameters that documents name."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from distill_core import wire
from distill_core.config import load_config
from distill_core.errors import SpecError

ROWS = [("ann", "load", "2026-01-05T09:00:00Z"), ("ann", "buy", "2026-01-05T09:04:00Z"),
        ("bob", "load", "2026-01-06T10:00:00Z")]  # fmt: skip
FIELDS = {"name": "fields", "params": {"case": "who", "activity": "what", "time": "at"}}
FILE = """
[sources.shop]
source = { name = "files", params = { path = "shop.ndjson" } }
schema = { name = "fields", params = { case = "who", activity = "what", time = "at" } }

[queries.busy]
source = "shop"
query = { name = "top", params = { by = ["case"] } }
params = { rows = "query.params.n", by = "query.params.by" }

[queries.loads]
query = "activity = 'load'"
params = { zone = "query.params.zone" }
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working directory with a log and its configuration."""
    (tmp_path / "distill.toml").write_text(FILE, "utf-8")
    lines = [json.dumps({"who": w, "what": a, "at": t}) for w, a, t in ROWS]
    (tmp_path / "shop.ndjson").write_text("\n".join(lines), "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def distill(*words):
    line = [sys.executable, "-m", "distill_core.cli", *words]
    done = subprocess.run(line, capture_output=True, text=True, encoding="utf-8", check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("words", "out"),
    [
        ("top --param by=activity --param n=1", '{"activity":"load","events":2}\n'),
        ("busy --param rows=1 --format csv", "case,events\nann,2\n"),
        ("busy --set query.params.since=2026-01-06", '{"case":"bob","events":1}\n'),
        ("count --source shop", '{"events":3}\n'),
    ],
)
def test_a_query_is_asked_by_name(place, words, out):
    """Built-in and named queries, with parameters, of the only source or of the one named."""
    assert distill("query", *words.split()) == (0, out, "")


def test_a_condition_is_a_query(place):
    """A condition gives its events, in a document too."""
    found = distill("query", "activity = 'buy'", "--format", "csv")[1].splitlines()
    assert [line.split(",")[1:3] for line in found] == [["case", "activity"], ["ann", "buy"]]
    code, out, _ = distill("query", "loads", "--source", "shop.ndjson", "--schema",
                           json.dumps(FIELDS))  # fmt: skip
    assert (code, len(out.splitlines())) == (0, 2)


def test_the_plan_is_told_without_reading(place):
    """--explain tells the summary and who computes it."""
    (place / "shop.ndjson").unlink()
    code, out, _ = distill("query", "busy", "--explain", "--json")
    assert code == 0
    assert json.loads(out)["summary"] == {"by": ["case"], "measures": ["events: count"]}
    assert json.loads(out)["summarized"] == "by the source if it can, else here"


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["tpo"], 1, "did you mean 'top'?"),
        (["busy", "--param", "row=1"], 1, "did you mean 'rows'?"),
        (["count", "--source", "shop.ndjson"], 2, "a file needs its schema"),
        (["count", "--config", "empty.toml"], 2, "say which source"),
        (["activity ="], 1, "query.params.where"),
        (["top"], 1, "query.params.by: a value is required"),
    ],
)
def test_what_is_wrong_is_told(place, words, code, told):
    """A wrong name or a missing part is told with what to do."""
    (place / "empty.toml").write_text("", "utf-8")
    found = distill("query", *words)
    assert found[0] == code
    assert told in " ".join(found[2].split())


def test_named_queries_are_checked(place):
    """A query in distill.toml needs a query, not a source; a variable overrides it."""
    config = load_config(environ={"DISTILL_QUERIES__BUSY__QUERY__PARAMS__N": "7"})
    assert config.query("busy")["query"]["params"]["n"] == 7
    assert "queries.busy.query.params.n" in {setting.path for setting in config.settings()}
    with pytest.raises(SpecError, match="did you mean 'busy'"):
        config.query("bus")
    (place / "distill.toml").write_text('[queries.a]\nsource = "shop"\n', "utf-8")
    with pytest.raises(SpecError, match=r"queries\.a: a query is required"):
        load_config()


def test_parameters_are_of_the_type_of_their_fields(place):
    """The schema of a document's parameters is that of the fields, with the document's values."""
    config = load_config(environ={})
    found = config.parameters(config.queries["busy"])
    rows = found["properties"]["rows"]
    assert (rows["type"], rows["minimum"], rows["default"]) == ("integer", 1, 10)
    assert found["properties"]["by"]["default"] == ["case"]
    assert found["additionalProperties"] is False
    assert "required" not in found
    steps = ["elapsed", {"name": "label", "params": {"column": "x", "rules": [
        {"when": "activity = 'a'", "value": "b"}]}}]  # fmt: skip
    paths = {"gap": "transforms.0.params.gap", "when": "transforms.1.params.rules.0.when"}
    document = {"transforms": [{"name": "sessionize"}, steps[1]], "params": paths}
    found = wire.parameters(document)
    assert found["required"] == ["gap"]
    assert found["properties"]["gap"]["format"] == "duration"
    assert found["properties"]["when"]["default"] == "activity = 'a'"


@pytest.mark.parametrize("path", ["query", "query.params.nn", "model.params.x", "nothing.params.x",
                                  "query.params", "transforms.0.params.gap"])  # fmt: skip
def test_a_path_that_leads_nowhere(path):
    """It is an error that names the parameter."""
    with pytest.raises(SpecError, match="leads to no parameter of a component") as caught:
        wire.parameters({"query": "count", "params": {"x": path}})
    assert caught.value.path == "params.x"
