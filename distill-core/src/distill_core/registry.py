"""Finds components: the only module that reads entry points.

Plugins are loaded one by one, when somebody first asks, once a process. What fails in one of them
(its import, its registration, a misspelt hook, a call of a hook, what a hook returns) is kept as a
``Failure`` and never stops the others; it is raised when a component is named that is not found.

``DISTILL_PLUGINS=files,userale`` loads only these (by entry point) and the core's own.
"""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points, version
from threading import RLock, Timer
from typing import Any, NoReturn

import pluggy

from distill_core import hookspec
from distill_core.component import KINDS, Component, Kind, Model, Query, Schema, Source, Transform
from distill_core.errors import ComponentNotFound, PluginError, nearest

GROUP = "distill"
CORE = "core"
HOOKS: dict[Kind, str] = {
    "source": "distill_sources", "schema": "distill_schemas", "query": "distill_queries",
    "transform": "distill_transforms", "model": "distill_models",
}  # fmt: skip
BASES: dict[Kind, type[Component]] = {
    "source": Source, "schema": Schema, "query": Query, "transform": Transform, "model": Model,
}  # fmt: skip
KNOWN: dict[tuple[Kind, str], str] = {
    ("source", "files"): "distill-files",
    ("source", "elasticsearch"): "distill-elasticsearch",
    ("schema", "userale"): "distill-userale",
    ("model", "transitions"): "distill-graph",
    ("model", "funnel"): "distill-graph",
    ("model", "paths"): "distill-graph",
    ("model", "sankey"): "distill-graph",
}
"""Components of the project's own distributions, for the pip line of an error."""

HANG = 30.0
"""Seconds after which a plugin that is still loading is reported."""


@dataclass(frozen=True)
class Entry:
    """A component and where it comes from."""

    kind: Kind
    name: str
    cls: type[Component]
    distribution: str
    version: str

    @property
    def origin(self) -> str:
        """Distribution and version, such as ``distill-files 0.1.0``."""
        return f"{self.distribution} {self.version}"


@dataclass(frozen=True)
class Failure:
    """What failed in a plugin; ``stage`` is ``select, import, register`` or the name of a hook."""

    plugin: str
    distribution: str
    version: str
    stage: str
    error: BaseException

    def __str__(self) -> str:
        """Plugin, distribution, version, stage and cause in one line."""
        what = " ".join(f"{type(self.error).__name__}: {self.error}".split())[:500]
        origin = f" ({self.distribution} {self.version})" if self.distribution else ""
        return f"plugin {self.plugin!r}{origin} failed at {self.stage}: {what}"


@dataclass(frozen=True)
class Plugin:
    """A plugin as it was loaded: what it offers, and what failed."""

    name: str
    distribution: str
    version: str
    entries: tuple[Entry, ...] = ()
    failures: tuple[Failure, ...] = ()


_lock = RLock()
_loaded: tuple[Plugin, ...] | None = None
_loading = False


def plugins() -> tuple[Plugin, ...]:
    """All plugins, by name of their entry point; loaded on the first call."""
    global _loaded, _loading  # noqa: PLW0603 - one registry a process
    with _lock:
        if _loaded is None:
            if _loading:
                raise PluginError(
                    "a plugin asked for components while plugins are being loaded",
                    code="plugin-broken",
                    hint="ask inside a method, not when the module is imported",
                )
            _loading = True
            try:
                _loaded = tuple(_load_all())
            finally:
                _loading = False
        return _loaded


def reset() -> None:
    """Forget what is loaded: the next question loads anew (for tests)."""
    global _loaded  # noqa: PLW0603 - one registry a process
    with _lock:
        _loaded = None


def failures() -> tuple[Failure, ...]:
    """All that failed, in the order of the plugins."""
    return tuple(failure for plugin in plugins() for failure in plugin.failures)


def require_all() -> None:
    """Raise PluginError if anything failed in any plugin (``--strict``)."""
    if found := failures():
        raise PluginError(
            "; ".join(str(failure) for failure in found),
            code="plugin-broken",
            hint=_mend(found),
        ) from found[0].error


def components(kind: Kind) -> list[Entry]:
    """The components of a kind, by name; a name that two offer is there twice.

    >>> [entry.cls.__kind__ for entry in components("transform")][:1]
    ['transform']
    """
    entries = [e for plugin in plugins() for e in plugin.entries if e.kind == kind]
    return sorted(entries, key=lambda entry: (entry.name, entry.distribution))


def find(kind: Kind, name: str) -> type[Component]:
    """The class of a component. Raises ComponentNotFound, or PluginError if plugins are broken.

    >>> find("transform", "colapse")
    Traceback (most recent call last):
    distill_core.errors.ComponentNotFound: there is no transform 'colapse' ...
    """
    return find_entry(kind, name).cls


def find_entry(kind: Kind, name: str) -> Entry:
    """A component and where it comes from; raises as ``find``."""
    entries = components(kind)
    found = [entry for entry in entries if entry.name == name]
    if len(found) > 1:
        raise PluginError(
            f"{len(found)} plugins offer a {kind} {name!r}: "
            + " and ".join(entry.origin for entry in found),
            code="component-clash",
            hint="uninstall one of them, or leave one out by DISTILL_PLUGINS",
        )
    if not found:
        _raise_missing(kind, name, [entry.name for entry in entries])
    return found[0]


def _raise_missing(kind: Kind, name: str, names: Sequence[str]) -> NoReturn:
    home = KNOWN.get((kind, name))
    broken = [f for f in failures() if f.stage in ("select", "import", "register", HOOKS[kind])]
    broken = [f for f in broken if f.distribution == home] or broken
    if broken:
        guess = nearest(name, names)
        raise PluginError(
            f"there is no {kind} {name!r}, and {'; '.join(str(failure) for failure in broken)}",
            code="plugin-broken",
            hint=f"{_mend(broken)}; or {guess}" if guess.startswith("did") else _mend(broken),
        ) from broken[0].error
    hint = f"pip install {home}" if home else nearest(name, names)
    raise ComponentNotFound(
        f"there is no {kind} {name!r}", code="component-unknown", hint=hint
    )


def _mend(found: Sequence[Failure]) -> str:
    names = sorted({f.distribution for f in found if f.distribution})
    mend = f"upgrade or uninstall {', '.join(names)}; " if names else ""
    return f"{mend}this is distill-core {version('distill-core')}; see `distill plugins`"


def _load_all() -> Iterator[Plugin]:
    points = sorted(entry_points(group=GROUP), key=lambda p: (p.name != CORE, p.name, _origin(p)))
    wanted = os.environ.get("DISTILL_PLUGINS")
    if wanted is not None:
        names = {name.strip() for name in wanted.split(",")} - {""}
        for name in sorted(names - {point.name for point in points}):
            error = LookupError(f"DISTILL_PLUGINS names {name!r}: no such plugin is installed")
            yield Plugin(name, "", "", failures=(Failure(name, "", "", "select", error),))
        points = [point for point in points if point.name in names | {CORE}]
    for point in points:
        with _watched(point.name):
            plugin = _load(point)
        yield plugin


def _origin(point: EntryPoint) -> tuple[str, str]:
    return (point.dist.name, point.dist.version) if point.dist else ("", "")


def _load(point: EntryPoint) -> Plugin:
    """Load one plugin with a plugin manager of its own, so that nothing touches the others."""
    distribution, number = _origin(point)
    entries: list[Entry] = []
    failed: list[Failure] = []
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspec)
    stage = "import"
    try:
        module = point.load()
        stage = "register"
        manager.register(module)
        _check_marked(module)
        manager.check_pending()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a stranger's code raises
        failed.append(Failure(point.name, distribution, number, stage, error))
        return Plugin(point.name, distribution, number, (), tuple(failed))
    for kind in KINDS:
        try:
            hook = getattr(manager.hook, HOOKS[kind])
            answers = hook() or [None] * len(hook.get_hookimpls())  # pluggy leaves None out
            for cls in _checked(kind, answers):
                type.__setattr__(cls, "__origin__", f"{distribution} {number}")
                entries.append(Entry(kind, cls.__component__, cls, distribution, number))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the same
            failed.append(Failure(point.name, distribution, number, HOOKS[kind], error))
    return Plugin(point.name, distribution, number, tuple(entries), tuple(failed))


def _check_marked(module: Any) -> None:
    """A hook that lacks its marker would be passed over in silence."""
    for name in HOOKS.values():
        function = getattr(module, name, None)
        if function is not None and not hasattr(function, f"{GROUP}_impl"):
            raise TypeError(f"{name} lacks the marker @hookimpl")
    for name in dir(module):
        close = name.startswith("distill_") and inspect.isfunction(getattr(module, name))
        if close and name not in HOOKS.values():
            raise TypeError(f"there is no hook {name!r}: {nearest(name, HOOKS.values())}")


def _checked(kind: Kind, answers: Sequence[Any]) -> list[type[Component]]:
    """The classes that a hook returned, each once; TypeError for anything else."""
    found: dict[type[Component], None] = {}
    for answer in answers:
        if not isinstance(answer, list | tuple):
            raise TypeError(f"{HOOKS[kind]} returned {answer!r:.80}, not a list of classes")
        for cls in answer:
            if not isinstance(cls, type) or not issubclass(cls, BASES[kind]):
                raise TypeError(f"{HOOKS[kind]} returned {cls!r:.80}, which is no {kind} class")
            if inspect.isabstract(cls):
                missing = ", ".join(sorted(cls.__abstractmethods__))
                raise TypeError(f"the {kind} {cls.__name__} is abstract: it lacks {missing}")
            found[cls] = None
    return list(found)


@contextmanager
def _watched(name: str) -> Iterator[None]:
    """Report a plugin that does not come back; there is no way to stop it."""
    report = logging.getLogger(__name__).warning
    timer = Timer(HANG, report, (f"plugin %r is still loading after {HANG:g} s", name))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
