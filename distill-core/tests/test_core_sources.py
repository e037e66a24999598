"""``distill sources``: which there are, and whether one can be read."""

from __future__ import annotations

import json
import os

import pytest
from folder import plugin
from plugins import distill as call

import distill_core as dl
from distill_core.testing import Documents

FILE = """
[sources.web]
source = { name = "files", params = { path = "log.ndjson", password = "env:PW" } }
schema = { name = "fields", params = { case = "who", activity = "what", time = "at", unit = "s" } }

[sources.gone]
source = { name = "files", params = { path = "gone.ndjson" } }

[sources.odd]
source = { name = "many", params = { n = "x" } }
"""


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    """The folder of the plugin of these tests."""
    return plugin(tmp_path_factory.mktemp("plugin"))


@pytest.fixture
def sources(target, tmp_path, monkeypatch):
    """``distill sources`` in a working directory with a log and a configuration."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("DISTILL_")]:
        monkeypatch.delenv(name)
    (tmp_path / "log.ndjson").write_text('{"who": "ann", "what": "open", "at": 0}\n', "utf-8")
    (tmp_path / "distill.toml").write_text(FILE, "utf-8")

    def run(*arguments, **environ):
        return call("sources", *arguments, targets=[target], DISTILL_PLUGINS="tests", **environ)

    return run


def test_list_tells_names_and_origins(sources):
    """Each named source is there once, with its schema and where it is from; no parameters are."""
    done = sources("list", "--json", DISTILL_SOURCES__ENV__SOURCE="many")
    assert done.returncode == 0, done.stderr
    found = {one["name"]: one for one in json.loads(done.stdout)}
    assert list(found) == ["env", "gone", "odd", "web"]
    origin = "file distill.toml"
    assert found["web"] == {
        "name": "web", "source": "files", "schema": "fields", "origin": origin
    }  # fmt: skip
    assert found["gone"]["schema"] is None
    assert found["env"]["origin"] == "environment DISTILL_SOURCES__ENV__SOURCE"
    told = sources("list")
    assert told.returncode == 0
    assert "web" in told.stdout
    assert "log.ndjson" not in told.stdout


def test_check_reads_a_record(sources):
    """A source that can be read is well, exit code 0, in words and as JSON."""
    done = sources("check", "web", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "source": "web",
        "ok": True,
        "findings": [{"name": "reading", "status": "ok", "text": "a record was read"}],
    }
    assert "a record was read" in sources("check", "web").stdout


def test_check_of_an_empty_source_warns(sources, tmp_path):
    """Where there are no records it can be read all the same: a warning, exit code 0."""
    (tmp_path / "log.ndjson").write_text("", "utf-8")
    done = sources("check", "web", "--json")
    assert done.returncode == 0, done.stderr
    (finding,) = json.loads(done.stdout)["findings"]
    assert finding["status"] == "warning"


def test_check_fails_where_it_cannot_be_read(sources):
    """What reading raises is a finding, on stdout as all others, and the exit code is 1."""
    done = sources("check", "gone", "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert found["ok"] is False
    assert [one["status"] for one in found["findings"]] == ["error"]
    assert "gone.ndjson" in found["findings"][0]["text"]
    assert "error" in sources("check", "gone").stdout


@pytest.mark.parametrize(
    ("name", "told"),
    [("wev", "did you mean 'web'"), ("odd", "sources.odd.source.params.n")],
)
def test_check_tells_what_the_file_has_wrong(sources, name, told):
    """A name that is not there, and a parameter that is wrong, are errors with their place."""
    done = sources("check", name)
    assert done.returncode == 1
    assert told in done.stderr


def test_a_source_tells_what_it_knows():
    """A source's own probe takes the place of reading a record, and gets the schema's columns."""

    class Store(Documents):
        def probe(self, columns):
            yield dl.Finding("rights", "warning", f"reads {len(columns)}, could write")

    store = Store(documents=())
    columns = dl.Fields(case="a", activity="b", time="c").all_columns()
    (finding,) = store.probe(columns)
    assert finding == dl.Finding("rights", "warning", f"reads {len(columns)}, could write")
