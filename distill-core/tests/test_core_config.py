"""distill.toml: what it may say, what overrides it, what is shown of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from distill_core.config import load_config, load_pipeline
from distill_core.errors import SpecError
from distill_core.wire import from_document, read

FILE = """
[sources.web]
source = { name = "files", params = { path = "logs/*.ndjson" } }
schema = "userale"

[sources.my-store]
source = { name = "store", params = { hosts = ["https://ann:pw@host:1"], password = "hunter2" } }

[pipelines.visits]
source = "web"
transforms = [{ name = "sessionize", params = { gap = "30m" } }]
params = { gap = "transforms.0.params.gap" }
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working directory with the file."""
    (tmp_path / "distill.toml").write_text(FILE, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_found_in_the_working_directory(place):
    """The file of the working directory counts unless another is named; there need be none."""
    (place / "other.toml").write_text('[sources.a]\nsource = "x"\n', "utf-8")
    assert set(load_config(environ={}).sources) == {"web", "my-store"}
    assert set(load_config(environ={"DISTILL_CONFIG": "other.toml"}).sources) == {"a"}
    assert set(load_config("other.toml", {"DISTILL_CONFIG": "no.toml"}).sources) == {"a"}
    (place / "distill.toml").unlink()
    none = load_config(environ={})
    assert none.path is None
    assert {setting.origin for setting in none.settings()} == {"default"}
    with pytest.raises(SpecError, match=r"there is no file 'no\.toml'"):
        load_config("no.toml", {})


def test_a_named_pipeline_with_its_parameters(place):
    """A parameter is set at its path; the configured source is written out; nothing is kept."""
    config = load_config(environ={})
    document = config.document("visits", {"gap": "5m"})
    assert document["transforms"][0]["params"]["gap"] == "5m"
    assert document["source"]["name"] == "files"
    assert document["schema"] == "userale"
    assert "params" not in document
    assert config.document("visits")["transforms"][0]["params"]["gap"] == "30m"
    with pytest.raises(SpecError, match="did you mean 'gap'"):
        config.document("visits", {"gapp": "5m"})
    with pytest.raises(SpecError, match="did you mean 'visits'"):
        config.document("visit")


def test_a_variable_overrides_the_file(place):
    """A variable sets the value at its path, finds keys however they are spelt, makes new ones."""
    environ = {
        "DISTILL_SOURCES__WEB__SOURCE__PARAMS__PATH": "other.ndjson",
        "DISTILL_SOURCES__MY_STORE__SOURCE__PARAMS__HOSTS__0": "https://b",
        "DISTILL_PIPELINES__VISITS__TRANSFORMS__0__PARAMS__AS_CASE": "false",
        "DISTILL_PLUGINS": "files",
        "OTHER": "x",
    }
    config = load_config(environ=environ)
    assert config.sources["web"]["source"]["params"] == {"path": "other.ndjson"}
    assert config.sources["my-store"]["source"]["params"]["hosts"] == ["https://b"]
    assert config.pipelines["visits"]["transforms"][0]["params"]["as_case"] is False
    found = {setting.path: setting.origin for setting in config.settings()}
    name = "DISTILL_SOURCES__WEB__SOURCE__PARAMS__PATH"
    assert found["sources.web.source.params.path"] == f"environment {name}"
    assert found["sources.web.schema"] == "file distill.toml"


def test_secrets_are_masked(place):
    """What is shown holds no secret, by its key or inside an address; a reference is shown."""
    environ = {"DISTILL_SOURCES__MY_STORE__SOURCE__PARAMS__API_KEY": "env:KEY"}
    shown = {s.path: s.value for s in load_config(environ=environ).settings()}
    assert shown["sources.my-store.source.params.password"] == "***"
    assert shown["sources.my-store.source.params.hosts.0"] == "https://***@host:1"
    assert shown["sources.my-store.source.params.api_key"] == "env:KEY"
    assert "hunter2" not in str(shown)
    assert "pw" not in str(shown)


@pytest.mark.parametrize(
    ("text", "path", "says"),
    [
        ("a = [", None, "no TOML"),
        ("[source.web]", "source", "did you mean 'sources'"),
        ("sources = 3", "sources", "is a table"),
        ("[sources]\nweb = 3", "sources.web", "a table"),
        ("[sources.web]\nschema = 'userale'", "sources.web", "a source is required"),
        ("[sources.web]\nsource = 'a'\nshema = 'b'", "sources.web.shema", "did you mean 'schema'"),
        ("[pipelines.a]\nsource = 'a'\nparams = { gap = 3 }", "pipelines.a.params", "and path"),
        ("[shapes.a]\nsource = 'a'", "shapes", "there are: pipelines, queries, sources"),
    ],
)
def test_faults_have_a_path(place, text, path, says):
    """What is wrong in the file is told with its place."""
    (place / "distill.toml").write_text(text, "utf-8")
    with pytest.raises(SpecError, match=says) as caught:
        load_config(environ={})
    assert (caught.value.path, caught.value.code) == (path, "config-invalid")


def test_a_variable_that_leads_nowhere(place):
    """A variable with an impossible path is an error that names it."""
    environ = {"DISTILL_PIPELINES__VISITS__TRANSFORMS__7__NAME": "x"}
    with pytest.raises(SpecError, match="DISTILL_PIPELINES__VISITS__TRANSFORMS__7__NAME"):
        load_config(environ=environ)


def test_a_pipeline_is_opened_from_python(place):
    """`load_pipeline` opens a file, or what is configured, with its parameters, as `run` does."""
    (place / "short.toml").write_text(
        'source = { name = "files", params = { path = "a.ndjson" } }\n'
        'schema = { name = "fields", params = { case = "c", activity = "a", time = "t" } }\n'
        'transforms = [{ name = "sessionize", params = { gap = "30m" } }]\n'
        'params = { gap = "transforms.0.params.gap" }\n',
        "utf-8",
    )
    for named in ("short.toml", Path("short.toml")):
        found = load_pipeline(named, {"gap": "10m"})
        assert found.transforms[0].gap == timedelta(minutes=10)
    assert load_pipeline("visits").transforms[0].gap == timedelta(minutes=30)
    with pytest.raises(SpecError, match="did you mean 'visits'"):
        load_pipeline("visit")


def test_a_path_where_a_document_is_wanted():
    """Who gives a path to `from_document`, or no schema to `read`, is told what opens a file."""
    for call in (lambda: from_document("short.toml"), lambda: from_document(Path("short.toml")),
                 lambda: read("short.toml")):  # fmt: skip
        with pytest.raises(SpecError, match=r"dl\.load_pipeline opens a file"):
            call()
