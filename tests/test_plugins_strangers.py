"""Distributions of strangers, really installed: one adds to Distill, the others are broken."""

from __future__ import annotations

import json

import pytest
from plugins import distill, install, python

GOOD = """
from distill_core.hookspec import hookimpl

@hookimpl
def distill_sources():
    from distill_till.parts import Tape
    return [Tape]

@hookimpl
def distill_schemas():
    from distill_till.parts import Till
    return [Till]

@hookimpl
def distill_transforms():
    from distill_till.parts import DropVoid
    return [DropVoid]

@hookimpl
def distill_models():
    from distill_till.parts import keys_pressed
    return [keys_pressed]
"""
PARTS = """
from __future__ import annotations
from collections import Counter
import distill_core as dl

class Tape(dl.Source):
    "The tape of a till."
    keys: str = "open,void,pay"
    def read(self, request, scan):
        yield [{"receipt": "r1", "key": k, "at": i} for i, k in enumerate(self.keys.split(","))]

class Till(dl.Schema):
    "Documents of a till."
    def columns(self):
        return (dl.Column("case", ("receipt",)), dl.Column("activity", ("key",)),
                dl.Column("time", ("at",), type="time", unit="s", required=True))

class DropVoid(dl.Transform):
    "Without what was taken back."
    scope = "event"
    def apply(self, log):
        return log.keep((log.to_pandas()["activity"] != "void").to_numpy(), "void")

@dl.model(name="keys_pressed")
def keys_pressed(log: dl.EventLog, least: int = 1) -> dl.Result:
    "How often each key was pressed."
    counts = Counter(event["activity"] for event in log)
    rows = [{"key": k, "n": n} for k, n in sorted(counts.items()) if n >= least]
    return dl.Result.table([dl.Column("key"), dl.Column("n", type="integer")], rows)
"""
RAISES = "raise RuntimeError('no licence file')\n"
EXITS = "import sys\nsys.exit('bye')\n"
MISSPELT = """
from distill_core.hookspec import hookimpl

@hookimpl
def distill_transfroms():
    return []
"""
CLASH = """
from distill_core.hookspec import hookimpl

@hookimpl
def distill_schemas():
    from distill_core.component import Schema
    from distill_core.columns import Column
    class Till(Schema):
        def columns(self):
            return ()
    return [Till]
"""
JUNK = """
from distill_core.hookspec import hookimpl
from distill_core.component import Model, Transform

@hookimpl
def distill_models():
    return ["no class"]

@hookimpl
def distill_schemas():
    return {}

@hookimpl
def distill_sources():
    return [Transform]

@hookimpl
def distill_queries():
    raise ValueError("on call")

class Fine(Transform):
    def apply(self, log):
        return log

class Half(Model):
    pass

@hookimpl
def distill_transforms():
    return [Fine]
"""
PLUGINS = {"till": GOOD, "raises": RAISES, "exits": EXITS, "misspelt": MISSPELT, "clash": CLASH,
           "junk": JUNK}  # fmt: skip
DOCUMENT = {
    "source": "tape",
    "schema": "till",
    "transforms": ["drop_void"],
    "model": {"name": "keys_pressed", "params": {"least": 1}},
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Folders in which the strangers are installed, by entry point."""
    folder = tmp_path_factory.mktemp("strangers")
    return {
        name: install(folder, f"distill-{name}", text, **({"parts": PARTS} if text is GOOD else {}))
        for name, text in PLUGINS.items()
    }


def run(installed, *names, document=None, **environ):
    """``distill run`` of the document with these strangers installed."""
    text = json.dumps(document or DOCUMENT)
    targets = [installed[name] for name in names]
    return distill("run", "-", "--json", targets=targets, stdin=text, **environ)


def test_a_stranger_adds_all_kinds(installed):
    """A plugin adds source, schema, transform and model; nothing else changes for it."""
    done = run(installed, "till")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["rows"] == [{"key": "open", "n": 1}, {"key": "pay", "n": 1}]
    assert result["meta"]["versions"]["distill-till"] == "1.2.3"
    assert result["meta"]["steps"][0]["dropped"]["void"]["count"] == 1
    listed = distill("describe", "model", "--json", targets=[installed["till"]])
    assert {"keys_pressed"} <= {entry["name"] for entry in json.loads(listed.stdout)}


def test_one_definition_from_python_and_command_line(installed):
    """The command line writes, byte for byte, what the library says in Python."""
    code = (
        "import sys\n"
        "from distill_till.parts import Tape, Till, DropVoid, keys_pressed\n"
        "import distill_core as dl\n"
        "p = dl.Pipeline(Tape(), Till(), transforms=[DropVoid()], model=keys_pressed(least=1))\n"
        "sys.stdout.write(p.run().to_json() + '\\n')\n"
    )
    done = python("-c", code, targets=[installed["till"]])
    assert done.returncode == 0, done.stderr
    assert done.stdout == run(installed, "till").stdout


def test_the_list_of_plugins_says_why_one_is_broken(installed):
    """`distill plugins` tells on stdout what is wrong with a plugin, and the hook meant."""
    done = distill("plugins", targets=[installed["misspelt"]])
    assert done.returncode == 0, done.stderr
    assert "broken" in done.stdout
    assert "did you mean 'distill_transforms'?" in done.stdout


def test_broken_plugins_stop_nobody(installed):
    """With every sort of broken plugin installed, other work goes on and gives the same bytes."""
    broken = ("raises", "exits", "misspelt", "junk")
    done = run(installed, "till", *broken)
    assert done.returncode == 0, done.stderr
    assert done.stdout == run(installed, "till").stdout
    fine = run(installed, "till", *broken, document={**DOCUMENT, "transforms": ["fine"]})
    assert fine.returncode == 0, fine.stderr


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("raises", "schema", "failed at import: RuntimeError: no licence file"),
        ("exits", "model", "failed at import: SystemExit: bye"),
        ("misspelt", "transforms", "distill_transfroms"),
        ("junk", "model", "distill_models returned 'no class', which is no model class"),
        ("junk", "schema", "distill_schemas returned {}, not a list of classes"),
        ("junk", "source", "distill_sources: TypeError: distill_sources returned <class"),
        ("junk", "query", "failed at distill_queries: ValueError: on call"),
    ],
)
def test_naming_a_component_of_a_broken_plugin(installed, name, kind, says):
    """Whoever names what is not found is told which plugin is broken, its version and why."""
    wanted = ["theirs"] if kind == "transforms" else "theirs"
    done = run(installed, "till", name, document={**DOCUMENT, kind: wanted})
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert f"(distill-{name} 1.2.3)" in done.stderr
    assert says in done.stderr
    assert "code: plugin-broken" in done.stderr


def test_the_cause_is_chained(installed):
    """In Python the error has the plugin's own error as its cause."""
    code = (
        "from distill_core import PluginError, find\n"
        "try:\n    find('model', 'theirs')\n"
        "except PluginError as error:\n    print(repr(error.__cause__))\n"
    )
    done = python("-c", code, targets=[installed["raises"]], DISTILL_PLUGINS="raises")
    assert done.stdout.strip() == "RuntimeError('no licence file')", done.stderr


def test_two_that_share_a_name(installed):
    """A name that two offer is an error only for who asks for it, and it names both."""
    done = run(installed, "till", "clash")
    assert done.returncode == 1
    assert "distill-clash 1.2.3 and distill-till 1.2.3" in done.stderr
    assert "code: component-clash" in done.stderr
    fields = {"name": "fields", "params": {"case": "receipt", "activity": "key", "time": "at",
                                           "unit": "s"}}  # fmt: skip
    assert run(installed, "till", "clash", document={**DOCUMENT, "schema": fields}).returncode == 0
    chosen = run(installed, "till", "clash", DISTILL_PLUGINS="till")
    assert chosen.returncode == 0, chosen.stderr


def test_what_loads_can_be_restricted(installed):
    """DISTILL_PLUGINS loads only what it names and the core; a wrong name in it is told."""
    targets = [installed["till"], installed["raises"]]
    done = distill("plugins", "--json", targets=targets, DISTILL_PLUGINS="till,tile")
    found = {plugin["plugin"]: plugin["failures"] for plugin in json.loads(done.stdout)}
    assert set(found) == {"core", "till", "tile"}
    assert "no such plugin is installed" in found["tile"][0]["message"]


def test_plugins_tells_what_is_broken(installed):
    """`distill plugins` shows all, `check` and `run --strict` fail; each problem is one line."""
    targets = [installed[name] for name in PLUGINS]
    listed = distill("plugins", targets=targets)
    assert listed.returncode == 0
    checked = distill("plugins", "check", "--json", targets=targets)
    assert checked.returncode == 1
    problems = json.loads(checked.stdout)["problems"]
    assert len([problem for problem in problems if "1.2.3" in problem]) == 8
    assert set(problems) <= set(listed.stdout.splitlines())
    shown = distill("plugins", "show", "distill-junk", targets=targets)
    assert "fine" in shown.stdout
    strict = distill("run", "-", "--strict", targets=targets, stdin=json.dumps(DOCUMENT))
    assert strict.returncode == 1
    assert "code: plugin-broken" in strict.stderr


def test_components_know_their_origin(installed):
    """A class says which distribution and version it comes from."""
    code = "import distill_core as dl; print(dl.find('schema', 'till').__origin__)"
    done = python("-c", code, targets=[installed["till"]])
    assert done.stdout.strip() == "distill-till 1.2.3", done.stderr
