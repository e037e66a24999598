"""The parameter type Input: what it takes, how it is written, checked, run and told."""

from __future__ import annotations

import json
import pickle
import tomllib
from hashlib import blake2b
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel, Field

from distill_core import registry, wire
from distill_core.builtin.append import Append
from distill_core.builtin.fields import Fields
from distill_core.builtin.patch import Patch
from distill_core.builtin.where import Where
from distill_core.columns import Column
from distill_core.component import Model, Source, Transform
from distill_core.config import load_config
from distill_core.errors import ComponentNotFound, ConditionError, SpecError, TransformError
from distill_core.inputs import Input
from distill_core.log import EventLog
from distill_core.params import Secret
from distill_core.pipeline import Pipeline
from distill_core.result import Result

SCHEMA = Fields(case="who", activity="what", time="at", unit="ms", columns=["v"])


class Inner(BaseModel, extra="forbid"):
    """Part of a parameter."""

    log: Input


class Store(Source):
    """Documents that are given; notes each reading."""

    readings: ClassVar[list[str]] = []

    name: str = "store"
    documents: tuple[Any, ...] = ()
    key: Secret | None = None

    def read(self, request, scan):
        self.readings.append(self.name)
        yield list(self.documents)


class Counts(Transform):
    """Tells how many events other logs have; takes inputs in every place."""

    first: Input | None = None
    more: tuple[Input, ...] = ()
    named: dict[str, Input] = Field(default_factory=dict)
    inner: Inner | None = None

    def apply(self, log):
        every = [self.first, *self.more, *self.named.values(), self.inner and self.inner.log]
        return log.tell(sizes={"of": [len(one.log()) for one in every if one is not None]})


class Twice(Model):
    """A model with an input."""

    other: Input

    def compute(self, log):
        row = {"n": len(log), "m": len(self.other.log())}
        return Result.table([Column(name, type="integer") for name in row], [row])


@pytest.fixture(autouse=True)
def _plugin(monkeypatch):
    core = [plugin for plugin in registry.plugins() if plugin.name == "core"]
    kinds = {"source": [Store], "transform": [Counts, Append, Patch], "model": [Twice]}
    known = {(entry.kind, entry.name) for plugin in core for entry in plugin.entries}
    entries = tuple(
        registry.Entry(kind, cls.__component__, cls, "distill-tests", "1.0")
        for kind, classes in kinds.items()
        for cls in classes
        if (kind, cls.__component__) not in known
    )
    mine = registry.Plugin("tests", "distill-tests", "1.0", entries)
    monkeypatch.setattr(registry, "_loaded", (*core, mine))
    monkeypatch.setattr(Store, "readings", [])


def rows(n: int, **more: Any) -> tuple[dict[str, Any], ...]:
    return tuple({"who": "ann", "what": "x", "at": t, "v": str(t), **more} for t in range(n))


def pipeline(n: int, *steps: Transform, name: str = "store", **more: Any) -> Pipeline:
    return Pipeline(Store(name=name, documents=rows(n)), SCHEMA, transforms=steps, **more)


SOURCE = {"name": "store", "params": {"name": "web", "documents": list(rows(2))}}
WEB = {"source": SOURCE, "schema": wire.to_document(pipeline(0))["schema"]}


def document(other: Any, step: str = "append", **params: Any) -> dict[str, Any]:
    """A pipeline document with one step that has an input."""
    return {**WEB, "transforms": [{"name": step, "params": {"other": other, **params}}]}


def test_a_log_a_pipeline_or_a_document():
    """In Python an input is a log, a pipeline, its document or an input; it gives a log."""
    inner = pipeline(3)
    for given in (inner, inner.log(), wire.to_document(inner), Input(inner)):
        step = Counts(first=given)
        assert isinstance(step.first, Input)
        assert len(step.first.log()) == 3
    with pytest.raises(SpecError, match="a log, a pipeline, its document, or the name"):
        Counts(first=7)
    with pytest.raises(SpecError, match=r"schema: a schema is required"):
        Counts(first={"source": "store"})


def test_a_model_plays_no_part():
    """The pipeline runs up to its model, which is not written either."""
    inner = pipeline(3, model=Twice(other=pipeline(1, name="unread")))
    step = Counts(first=inner)
    assert len(step.first.log()) == 3
    assert Store.readings == ["store"]
    assert step == Counts(first=pipeline(3))


def test_equality_and_pickles():
    """Inputs are equal if their pipelines, or the events of their logs, are."""
    one = Counts(first=pipeline(3), more=[pipeline(2).log()], inner={"log": pipeline(1)})
    assert pickle.loads(pickle.dumps(one)) == one
    assert hash(one.first) == hash(pickle.loads(pickle.dumps(one)).first)
    log = pipeline(2).log()
    assert Input(log) == Input(pipeline(2).log())
    assert Input(log) != Input(pipeline(3).log())
    assert Input(log) != Input(log.without("v"))
    assert Input(log) != Input(pipeline(2))
    assert Input(pipeline(2)) != Input(pipeline(3))
    assert Input(log) != 5


def test_written_and_read_back():
    """The written form is the document with defaults; JSON and TOML read it back."""
    outer = pipeline(1, Append(other=pipeline(2, Append(other=pipeline(3)), name="b")))
    written = wire.to_document(outer)
    other = written["transforms"][0]["params"]["other"]
    assert other == wire.to_document(outer.transforms[0].other.given)
    assert wire.from_document(written) == outer
    assert wire.from_document(json.loads(wire.to_json(outer))) == outer
    assert wire.from_document(tomllib.loads(wire.to_toml(outer))) == outer


@pytest.mark.parametrize("where", ["first", "more.1", "named.a", "inner.log"])
def test_a_log_has_no_written_form(where):
    """A log is an error where a document is written, with its path; results show its hash."""
    log = pipeline(2).log()
    params = {
        "first": {"first": log}, "more.1": {"more": [pipeline(1), log]},
        "named.a": {"named": {"a": log}}, "inner.log": {"inner": {"log": log}},
    }[where]  # fmt: skip
    outer = pipeline(1, Counts(**params))
    with pytest.raises(SpecError, match="a log is not written out") as caught:
        wire.to_document(outer)
    assert caught.value.path == f"transforms.0.params.{where}"
    deep = pipeline(1, Counts(first=outer))
    with pytest.raises(SpecError) as caught:
        wire.to_json(deep)
    assert caught.value.path == f"transforms.0.params.first.transforms.0.params.{where}"
    written = str(outer.run().meta["pipeline"])
    assert str(Input(log).plain()) in written


def test_a_secret_inside_is_not_written():
    """A literal secret of an inner source has no written form, and shows nowhere."""
    inner = Pipeline(Store(key="hunter2"), SCHEMA)
    outer = pipeline(1, Append(other=inner))
    with pytest.raises(SpecError, match="a secret is not written out") as caught:
        wire.to_document(outer)
    assert caught.value.path == "transforms.0.params.other.source.params.key"
    assert "hunter2" not in outer.run().to_json() + repr(outer) + outer.transforms[0].params_key()
    given = {**WEB, "source": {"name": "store", "params": {"key": "hunter2"}}}
    with pytest.raises(SpecError) as caught:
        wire.from_document(document(given))
    assert caught.value.path == "transforms.0.params.other.source.params.key"
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("other", "path", "code"),
    [
        ({**WEB, "source": "stor"}, "source", "component-unknown"),
        ({**WEB, "source": {"name": "store", "params": {"pth": 1}}}, "source.params.pth",
         "param-invalid"),
        ({**WEB, "shema": 1}, "shema", "spec-invalid"),
        ({"source": SOURCE}, "schema", "spec-invalid"),
        ({**WEB, "transforms": [{"name": "where", "params": {"condition": "a ="}}]},
         "transforms.0.params.condition", "condition-syntax"),
        (document({**WEB, "model": "twic"}), "transforms.0.params.other.model",
         "component-unknown"),
        (5, "", "param-invalid"),
        ("wb", "", "config-unknown"),
    ],
)  # fmt: skip
def test_every_fault_has_its_path(other, path, code):
    """An error inside the inner document is what it is there, with the path of both."""
    with pytest.raises((SpecError, ComponentNotFound, ConditionError)) as caught:
        wire.from_document(document(other))
    where = f"transforms.0.params.other.{path}".rstrip(".")
    assert (caught.value.path, caught.value.code) == (where, code)


def test_params_key():
    """Ids are made of the document, of a log of its events' ids; both stay as they are."""
    key = json.loads(Counts(first=pipeline(2)).params_key())
    assert key == {"first": wire.to_document(pipeline(2))}
    for log in (pipeline(2).log(), pipeline(3).log(), pipeline(0).log()):
        numbers = b"".join(int(event["id"], 16).to_bytes(8, "little") for event in log)
        digest = blake2b(numbers, digest_size=8).hexdigest()
        assert json.loads(Counts(first=log).params_key()) == {"first": {"log": digest}}


def test_run_reads_the_input_first():
    """The inner pipelines are read before the outer one, once; logs are not read."""
    deep = pipeline(1, name="deep")
    inner = pipeline(2, Append(other=deep), name="inner")
    outer = pipeline(4, Counts(first=inner, more=[pipeline(5).log()], inner={"log": deep}),
                     Append(other=pipeline(1, name="last")), name="outer")  # fmt: skip
    Store.readings.clear()
    result = outer.run()
    assert Store.readings == ["deep", "inner", "deep", "last", "outer"]
    assert result.meta["steps"][0]["sizes"] == {"of": [3, 5, 1]}
    assert len(result.rows) == 5
    Store.readings.clear()
    assert len(outer.log()) == 5
    assert Store.readings == ["deep", "inner", "deep", "last", "outer"]


def test_a_model_has_inputs_too():
    """A model's input is read first, and checked."""
    found = pipeline(2, model=Twice(other=pipeline(3, name="other"))).run()
    assert found.rows == [{"n": 2, "m": 3}]
    assert Store.readings == ["other", "store"]
    wrong = pipeline(2, model=Twice(other=pipeline(3, Where(condition="nope = 1"))))
    with pytest.raises(ConditionError) as caught:
        wrong.run()
    assert caught.value.path == "model.params.other.transforms.0.params.condition"


def test_check_and_plan_check_the_input():
    """A misspelt column of the inner pipeline is found before anything is read, with its path."""
    wrong = pipeline(1, Where(condition="v = 'x'"),
                     Append(other=pipeline(1, Where(condition="nope = 1"))))  # fmt: skip
    for look in (wrong.check, wrong.plan, wrong.run, wrong.log):
        with pytest.raises(ConditionError) as caught:
            look()
        path = "transforms.1.params.other.transforms.0.params.condition"
        assert (caught.value.path, caught.value.code) == (path, "condition-column")
    key = pipeline(1, Patch(other=pipeline(1), key=["v"], columns=["nope"]))
    with pytest.raises(TransformError) as caught:
        key.check()
    assert caught.value.path == "transforms.0.params.columns"
    assert not Store.readings


def test_columns_after_an_input():
    """check knows the columns that another log brings, so later steps may name them."""
    schema = Fields(case="who", activity="what", time="at", unit="ms", columns=["w"])
    inner = Pipeline(Store(documents=rows(1, w="y")), schema)
    outer = pipeline(1, Append(other=inner), Where(condition="w = 'y'"))
    assert {"v", "w"} <= set(outer.check())
    assert [event["w"] for event in outer.log()] == ["y"]


def test_meta_tells_how_the_input_was_read():
    """The step's report has the inner reading and its steps; versions name its components."""
    store = Store(documents=(*rows(2), 7))
    inner = Pipeline(store, SCHEMA, transforms=[Where(condition="v = '1'")])
    meta = pipeline(1, Append(other=inner)).run().meta
    told = meta["steps"][0]["other"]
    assert (told["reading"]["read"], told["reading"]["rejected"]["not_object"]["count"]) == (3, 1)
    assert [(step["transform"], step["out"]) for step in told["steps"]] == [("where", 1)]
    assert meta["reading"]["read"] == 1


def test_explained():
    """Plan and result tell of inputs in words and as plain values, one inside the other too."""
    from distill_core.cli._plan import plan_lines

    inner = pipeline(2, Append(other=pipeline(3, name="deep").log()))
    outer = pipeline(1, Append(other=inner))
    plan = outer.explain()
    path = "transforms.0.params.other"
    assert plan["inputs"] == {path: inner.explain()}
    assert plan["inputs"][path]["inputs"] == {path: {"log": "3 events"}}
    assert "inputs" not in pipeline(1).explain()
    lines = list(plan_lines(plan))
    at = lines.index(f"{path}:")
    assert lines[at + 1] == "  source: store"
    assert lines[-2:] == [f"  {path}:", "    log: 3 events"]
    told = outer.run().explain().splitlines()
    assert told == [
        "read 1 records, kept 1", "step 0 append: 1 in, 6 out", "  made: 5",
        "  other: read 2 records, kept 2", "  other: step 0 append: 2 in, 5 out",
        "  other:   made: 3", "  other:   other: read 3 records, kept 3",
    ]  # fmt: skip


def test_strict_reaches_the_input():
    """Strict reading is strict in inputs; the error says which one it was."""
    inner = Pipeline(Store(documents=(*rows(2), 7)), SCHEMA)
    with pytest.raises(Exception, match="record-rejected") as caught:
        pipeline(1, Append(other=inner)).run(strict=True)
    assert caught.value.path == "transforms.0.params.other"


def test_names_of_the_configuration(tmp_path):
    """A name is a configured pipeline, else a configured source; both may use others."""
    file = tmp_path / "distill.toml"
    params = 'case = "who", activity = "what", time = "at", unit = "ms"'
    schema = f'schema = {{ name = "fields", params = {{ {params} }} }}'
    file.write_text(
        f'[sources.web]\nsource = "store"\n{schema}\n'
        '[pipelines.clicks]\nsource = "web"\nparams = { what = "transforms.0.params.condition" }\n'
        'transforms = [{ name = "where", params = { condition = "activity = \'x\'" } }]\n'
        '[pipelines.all]\nsource = "web"\n'
        'transforms = [{ name = "append", params = { other = "clicks" } }]\n'
        '[pipelines.one]\nsource = "web"\n'
        'transforms = [{ name = "append", params = { other = "two" } }]\n'
        '[pipelines.two]\nsource = "web"\n'
        'transforms = [{ name = "append", params = { other = "one" } }]\n',
        "utf-8",
    )
    config = load_config(str(file), {})
    names = {"sources": config.sources, "pipelines": config.pipelines}
    web = wire.from_document({"source": "web"}, **names)
    clicks = wire.from_document(config.document("clicks"), **names)
    assert web.schema == clicks.schema == Fields(case="who", activity="what", time="at", unit="ms")
    for other, meant in (("web", web), ("clicks", clicks), ({"source": "web"}, web)):
        found = wire.from_document(document(other), **names)
        assert found.transforms[0].other == Input(meant)
    every = wire.from_document(config.document("all"), **names)
    assert every.transforms[0].other == Input(clicks)
    with pytest.raises(SpecError, match="cannot read itself: two → one → two") as caught:
        wire.from_document(config.document("one"), **names)
    assert caught.value.path == ".".join(["transforms.0.params.other"] * 3)
    with pytest.raises(SpecError, match="did you mean 'clicks'") as caught:
        wire.from_document(document("click"), **names)
    assert caught.value.path == "transforms.0.params.other"


def test_settings_hide_secrets_of_inputs(tmp_path):
    """What a component inside an input calls a secret is masked where settings are shown."""
    file = tmp_path / "distill.toml"
    file.write_text(
        '[pipelines.a]\nsource = "store"\n[[pipelines.a.transforms]]\nname = "append"\n'
        '[pipelines.a.transforms.params.other]\nschema = "fields"\n'
        '[pipelines.a.transforms.params.other.source]\nname = "store"\n'
        'params = { key = "hunter2", name = "n" }\n',
        "utf-8",
    )
    shown = {s.path.rpartition(".")[2]: s.value for s in load_config(str(file), {}).settings()
             if s.path.endswith(("params.key", "params.name"))}  # fmt: skip
    assert shown == {"key": "***", "name": "n"}


def test_json_schema_and_description():
    """Tools see an object or a text of the format pipeline; describe has words and an example."""
    from distill_core.cli._describe import example, type_text

    schema = wire.component_schema(Append)
    assert schema["properties"]["other"]["type"] == ["object", "string"]
    assert schema["properties"]["other"]["format"] == "pipeline"
    assert type_text(schema["properties"]["other"], schema).startswith("pipeline (")
    assert 'other = "web"' in example(Twice, "model", "twice")
    assert "transform.append" in wire.document_schema()["$defs"]


def test_a_component_without_inputs_stays_the_same():
    """Nothing is copied where nothing is read before."""
    step = Where(condition="v = 'x'")
    outer = pipeline(1, step)
    assert outer._with_earlier(lambda earlier: earlier).transforms[0] is step
    assert isinstance(Input(pipeline(1).log()).log(), EventLog)
