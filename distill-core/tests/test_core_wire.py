"""The written form of pipelines: what is read, what is written, what every error says."""

from __future__ import annotations

import json
import tomllib
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from distill_core import registry, wire
from distill_core.builtin.events import Events
from distill_core.builtin.fields import Fields
from distill_core.columns import Column
from distill_core.component import Model, Source, Transform
from distill_core.conditions import Condition
from distill_core.errors import ComponentNotFound, ConditionError, PluginError, SpecError
from distill_core.params import Duration, Secret
from distill_core.pipeline import Pipeline
from distill_core.result import Result


class Rule(BaseModel, extra="forbid"):
    """When and what."""

    when: Condition
    value: str = "yes"


class Memory(Source):
    """Documents that are given."""

    documents: tuple[dict[str, Any], ...] = ()
    key: Secret | None = None

    def read(self, request, scan):
        yield list(self.documents)


class Shift(Transform, name="shift"):
    """Has parameters of every sort."""

    gap: Duration = Field(description="how long")
    side: Literal["left", "right"] = "left"
    limit: int | None = 3
    rules: tuple[Rule, ...] = ()
    name: str = "x"

    def apply(self, log):
        return log


class Broken(Transform):
    """Its validator is wrong."""

    n: int = 0

    def model_post_init(self, context):
        raise KeyError("n")

    def apply(self, log):
        return log


class Size(Model):
    """How many events there are."""

    def compute(self, log):
        return Result.table([Column("events", type="integer")], [{"events": len(log)}])


@pytest.fixture(autouse=True)
def _plugin(monkeypatch):
    core = [plugin for plugin in registry.plugins() if plugin.name == "core"]
    kinds = {"source": [Memory], "transform": [Shift, Broken], "model": [Size]}
    entries = tuple(
        registry.Entry(kind, cls.__component__, cls, "distill-tests", "1.0")
        for kind, classes in kinds.items()
        for cls in classes
    )
    mine = registry.Plugin("tests", "distill-tests", "1.0", entries)
    monkeypatch.setattr(registry, "_loaded", (*core, mine))


FIELDS = {"name": "fields", "params": {"case": "who", "activity": "what", "time": "at"}}
DOCUMENT = {
    "source": {"name": "memory", "params": {"key": "env:KEY"}},
    "schema": FIELDS,
    "query": {"name": "events", "params": {"where": "activity = 'click'", "since": "2026-01-01"}},
    "transforms": [{"name": "shift", "params": {"gap": "30m", "rules": [{"when": "case = 'a'"}]}}],
    "model": "size",
    "stream": "web",
}


def test_a_document_is_a_pipeline():
    """The document means what the same pipeline written in Python means."""
    schema = Fields(case="who", activity="what", time="at")
    query = Events(where="activity = 'click'", since="2026-01-01")
    steps = [Shift(gap="30m", rules=[{"when": "case = 'a'"}])]
    source = Memory(key="env:KEY")
    expected = Pipeline(source, schema, query, steps, Size(), stream="web")
    assert wire.from_document(DOCUMENT) == expected


def test_written_out_with_defaults_and_read_back():
    """`to_document` says every default; what it says is read back as an equal pipeline."""
    pipeline = wire.from_document(DOCUMENT)
    document = wire.to_document(pipeline)
    assert document["transforms"][0]["params"]["side"] == "left"
    assert document["source"]["params"]["key"] == "env:KEY"
    assert wire.from_document(document) == pipeline
    assert wire.from_document(wire.parse(wire.to_json(pipeline))) == pipeline
    assert wire.from_document(tomllib.loads(wire.to_toml(pipeline))) == pipeline


@given(
    gap=st.integers(0, 10**12).map(lambda n: f"{n}us"),
    limit=st.none() | st.integers(-(2**53), 2**53),
    name=st.text(st.characters(codec="utf-8")),
    value=st.text(st.characters(codec="utf-8", exclude_characters="\0")),
)
def test_round_trip(gap, limit, name, value):
    """Whatever the parameters, JSON gives the pipeline back; TOML too, or says that it cannot."""
    step = Shift(gap=gap, limit=limit, name=name, rules=[{"when": {"op": "eq", "column": "case",
                                                                  "value": value}}])  # fmt: skip
    pipeline = Pipeline(Memory(), Fields(user="u", activity="a", time="t"), transforms=[step])
    assert wire.from_document(json.loads(wire.to_json(pipeline))) == pipeline
    if limit is None:  # whose default is 3
        with pytest.raises(SpecError, match=r"transforms\.0\.params: .*TOML"):
            wire.to_toml(pipeline)
    else:
        assert wire.from_document(tomllib.loads(wire.to_toml(pipeline))) == pipeline


def step(**params: object) -> dict[str, object]:
    """A document with one step."""
    steps = [{"name": "shift", "params": {"gap": "1s", **params}}]
    return {"source": "memory", "schema": FIELDS, "transforms": steps}


@pytest.mark.parametrize(
    ("document", "path", "code", "says"),
    [
        ([], None, "spec-invalid", "a pipeline is a table"),
        ({"schema": FIELDS}, "source", "spec-invalid", "memory"),
        ({"source": "memory"}, "schema", "spec-invalid", "fields"),
        ({"source": "memory", "shema": FIELDS}, "shema", "spec-invalid", "did you mean 'schema'?"),
        ({"source": 7, "schema": FIELDS}, "source", "spec-invalid", "a source is a name"),
        ({"source": {}, "schema": FIELDS}, "source.name", "spec-invalid", "is required"),
        ({"source": {"name": "memory", "parms": {}}, "schema": FIELDS}, "source.parms",
         "spec-invalid", "did you mean 'params'?"),
        ({"source": "memory", "schema": FIELDS, "transforms": "shift"}, "transforms",
         "spec-invalid", "a list"),
        ({"source": "memory", "schema": FIELDS, "stream": 1}, "stream", "spec-invalid", "a name"),
        ({"source": "memory", "schema": FIELDS, "transforms": ["shft"]}, "transforms.0",
         "component-unknown", "did you mean 'shift'?"),
        ({"source": "memory", "schema": FIELDS, "transforms": ["shift"]},
         "transforms.0.params.gap", "param-invalid", "a value is required (how long)"),
        (step(gap="30x"), "transforms.0.params.gap", "param-invalid", "'30x' is no duration"),
        (step(gapp="30m"), "transforms.0.params.gapp", "param-invalid", "did you mean 'gap'?"),
        (step(side="up"), "transforms.0.params.side", "param-invalid", "'left' or 'right'"),
        (step(name=7), "transforms.0.params.name", "param-invalid", "needs quotes"),
        (step(limit="x", side="up"), "transforms.0.params.side", "param-invalid",
         "also wrong: limit"),
        (step(rules=[{"value": "a"}]), "transforms.0.params.rules.0.when", "param-invalid",
         "required"),
        (step(rules=[{"when": "a = 1", "vlue": "a"}]), "transforms.0.params.rules.0.vlue",
         "param-invalid", "there is no 'vlue' here"),
        (step(rules=[{"when": "a = 'b' AND"}]), "transforms.0.params.rules.0.when",
         "condition-syntax", ""),
        ({"source": {"name": "memory", "params": {"key": "hunter2"}}, "schema": FIELDS},
         "source.params.key", "param-invalid", "env:NAME"),
    ],
)  # fmt: skip
def test_every_fault_has_its_path(document, path, code, says):
    """An error names the place in the document, a stable code and what to do."""
    with pytest.raises((SpecError, ComponentNotFound, ConditionError)) as caught:
        wire.from_document(document)
    assert (caught.value.path, caught.value.code) == (path, code)
    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_broken_component_is_named():
    """A component that fails to read its parameters is named with its place; the cause is kept."""
    with pytest.raises(PluginError, match=r"transforms\.0\.params: 'broken' .*KeyError") as caught:
        wire.from_document({"source": "memory", "schema": FIELDS, "transforms": ["broken"]})
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_literal_secret_is_never_written():
    """A pipeline with a secret given as itself has no document."""
    pipeline = Pipeline(Memory(key="hunter2"), Fields(user="u", activity="a", time="t"))
    for write in (wire.to_document, wire.to_json, wire.to_toml):
        with pytest.raises(SpecError, match=r"source\.params\.key") as caught:
            write(pipeline)
        assert "hunter2" not in str(caught.value)


def test_a_configured_source_brings_its_schema():
    """A bare source is a configured one first; its schema counts unless the document has one."""
    sources = {"web": {"source": "memory", "schema": FIELDS}}
    found = wire.from_document({"source": "web"}, sources=sources)
    assert found == wire.from_document({"source": "memory", "schema": FIELDS})
    other = {"name": "fields", "params": {"user": "u", "activity": "a", "time": "t"}}
    found = wire.from_document({"source": "web", "schema": other}, sources=sources)
    assert found.schema == Fields(user="u", activity="a", time="t")
    with pytest.raises(SpecError, match="did you mean 'web'") as caught:
        wire.from_document({"source": "wb"}, sources=sources)
    assert (caught.value.code, caught.value.path) == ("config-unknown", "source")


def test_set_path_changes_a_copy():
    """A value is set deep inside, tables are made on the way, the given document stays."""
    before = json.dumps(DOCUMENT)
    found = wire.set_path(DOCUMENT, "transforms.0.params.gap", "5m")
    found = wire.set_path(found, "model.params.n", 1)
    found = wire.set_path(found, "query.params.limit", 7)
    assert found["transforms"][0]["params"]["gap"] == "5m"
    assert found["model"] == {"name": "size", "params": {"n": 1}}
    assert found["query"]["params"]["limit"] == 7
    assert json.dumps(DOCUMENT) == before


@pytest.mark.parametrize(
    "path", ["", "transforms..gap", "transforms.1.params.gap", "transforms.x", "stream.0.a.b",
             "transforms.0.params.gap.x.y"],
)  # fmt: skip
def test_set_path_leads_somewhere(path):
    """A path that leads nowhere is an error, not a new key somewhere."""
    document = {**DOCUMENT, "stream": 5}
    document["transforms"] = [{"name": "shift", "params": {"gap": 5}}]
    with pytest.raises(SpecError):
        wire.set_path(document, path, 1)


@pytest.mark.parametrize("text", ["{", "[1, 2]", '{"a": NaN', "a = ", "\ufeff{"])
def test_text_that_is_no_document(text):
    """Text that is neither JSON nor TOML is a clean error."""
    with pytest.raises(SpecError) as caught:
        wire.parse(text)
    assert caught.value.code == "spec-invalid"


def test_files(tmp_path):
    """Documents are read from .toml and .json, a byte order mark is passed over."""
    (tmp_path / "a.toml").write_text('source = "web"\n', "utf-8")
    (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf{"source": "web"}')
    assert wire.load(tmp_path / "a.toml") == wire.load(tmp_path / "a.json") == {"source": "web"}
    (tmp_path / "b.json").write_bytes(b"\xff")
    for name in ("b.json", "c.json", "a.txt", "."):
        with pytest.raises(SpecError):
            wire.load(tmp_path / name)


def test_the_schema_of_documents_accepts_what_is_read():
    """The published JSON Schema has each component, its required parameters, and no other key."""
    schema = wire.document_schema()
    shift = schema["$defs"]["transform.shift"]
    assert shift["required"] == ["gap"]
    assert shift["properties"]["gap"]["format"] == "duration"
    assert shift["properties"]["rules"]["items"]["$ref"] == "#/$defs/transform.shift/$defs/Rule"
    assert "Rule" in shift["$defs"]
    assert wire.component_schema(Shift)["title"] == "shift"
    assert wire.component_schema(Shift)["$defs"]["Rule"]


def test_a_value_nested_without_end_is_text():
    """A value that is too deep to be read as JSON is text, as what is no JSON is."""
    text = "[" * 100_000
    assert wire.parse_value(text) == text
