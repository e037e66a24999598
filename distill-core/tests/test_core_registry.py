"""The registry in one process; tests/test_plugins_* install real distributions."""

from __future__ import annotations

import logging
import sys
import threading
from importlib.metadata import EntryPoint
from types import ModuleType

import pytest

from distill_core import registry
from distill_core.builtin.events import Events
from distill_core.component import Model, Schema, Transform
from distill_core.errors import ComponentNotFound, PluginError
from distill_core.hookspec import hookimpl
from distill_core.registry import failures, find, plugins


class Fine(Transform):
    """Does nothing."""

    def apply(self, log):
        return log


class Half(Model):
    """Lacks compute."""


@pytest.fixture
def load(monkeypatch):
    """Load exactly these plugins: a module's functions, or a function that is the module's code."""

    def load(**given):
        points = []
        for name, content in given.items():
            module = ModuleType(f"plugin_{name}")
            for key, value in content.items():
                setattr(module, key, value)
            monkeypatch.setitem(sys.modules, module.__name__, module)
            points.append(EntryPoint(name, module.__name__, "distill"))
        monkeypatch.setattr(registry, "entry_points", lambda **_: points)
        monkeypatch.delenv("DISTILL_PLUGINS", raising=False)
        registry.reset()
        return plugins()

    yield load
    monkeypatch.undo()
    registry.reset()


def hook(name, answer):
    """A hook of this name that gives this answer."""
    namespace = {"answer": answer}
    exec(f"def {name}():\n    return answer", namespace)  # noqa: S102 - a function by name
    return {name: hookimpl(namespace[name])}


def test_a_component_is_found(load):
    """A class that a hook returns is found by kind and name, and listed once."""
    load(one=hook("distill_transforms", [Fine, Fine]))
    assert find("transform", "fine") is Fine
    assert [entry.name for entry in registry.components("transform")] == ["fine"]
    assert failures() == ()


@pytest.mark.parametrize(
    ("content", "stage", "says"),
    [
        (hook("distill_transforms", None), "distill_transforms", "returned None"),
        (hook("distill_transforms", [Half]), "distill_transforms", "no transform class"),
        (hook("distill_models", [Half]), "distill_models", "abstract: it lacks compute"),
        (hook("distill_transforms", [Fine()]), "distill_transforms", "no transform class"),
        (hook("distill_transforms", "Fine"), "distill_transforms", "not a list"),
        (hook("distill_transform", [Fine]), "register",
         "no hook 'distill_transform': did you mean 'distill_transforms'"),
        ({"distill_transforms": lambda: [Fine]}, "register", "lacks the marker @hookimpl"),
        ({"distill_transfroms": lambda: [Fine]}, "register", "did you mean 'distill_transforms'"),
        ({"distill_models": hookimpl(lambda log: [log])}, "register", "log"),
    ],
)
def test_what_a_plugin_may_not_do(load, content, stage, says):
    """Each fault of a plugin is kept with its stage and told; the other plugin's work goes on."""
    load(bad=content, good=hook("distill_queries", [Events]))
    (failure,) = failures()
    assert failure.stage == stage
    assert says in str(failure)
    assert find("query", "events") is Events


def test_not_found(load):
    """The nearest name, or the line that installs what is known; broken plugins come first."""
    load(one=hook("distill_transforms", [Fine]))
    with pytest.raises(ComponentNotFound, match="did you mean 'fine'"):
        find("transform", "fin")
    with pytest.raises(ComponentNotFound, match="pip install distill-graph"):
        find("model", "transitions")
    load(one=hook("distill_transforms", [Fine]), bad=hook("distill_transforms", [1]))
    with pytest.raises(PluginError, match=r"'bad'.*no transform class.*did you mean 'fine'"):
        find("transform", "fin")
    with pytest.raises(ComponentNotFound):  # the hook for models is not the broken one
        find("model", "fin")
    with pytest.raises(PluginError, match="'bad'"):
        registry.require_all()


def test_loaded_once(load):
    """Plugins are loaded when first asked for, once, by however many threads."""
    calls = []

    def distill_schemas():
        calls.append(1)
        return []

    load(one={})
    registry.reset()
    sys.modules["plugin_one"].distill_schemas = hookimpl(distill_schemas)
    threads = [threading.Thread(target=plugins) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == [1]


def test_a_plugin_that_asks_while_it_is_loaded(load):
    """A plugin that needs other components to say what it offers fails, without a loop."""

    def distill_schemas():
        return [find("schema", "fields")]

    load(one={"distill_schemas": hookimpl(distill_schemas)})
    assert ["while plugins are being loaded" in str(failure) for failure in failures()] == [True]


def test_a_plugin_that_hangs_is_reported(load, monkeypatch, caplog):
    """A plugin that does not come back is named in the log, as nothing can stop it."""
    told = threading.Event()

    class Tell(logging.Handler):
        def emit(self, record):
            told.set()

    def distill_schemas():
        assert told.wait(10)
        return []

    handler = Tell()
    logging.getLogger("distill_core.registry").addHandler(handler)
    monkeypatch.setattr(registry, "HANG", 0.01)
    load(slow={"distill_schemas": hookimpl(distill_schemas)})
    logging.getLogger("distill_core.registry").removeHandler(handler)
    assert failures() == ()
    assert "plugin 'slow' is still loading" in caplog.text


def test_the_core_comes_through_the_same_door():
    """The built-in components are offered by an ordinary plugin, with an origin."""
    registry.reset()
    core = next(plugin for plugin in plugins() if plugin.name == "core")
    assert core.failures == ()
    assert {"events", "fields", "collapse"} <= {entry.name for entry in core.entries}
    assert find("schema", "fields").__origin__ == f"distill-core {core.version}"
    assert issubclass(find("schema", "fields"), Schema)
