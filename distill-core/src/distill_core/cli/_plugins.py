"""``distill plugins``: what is installed, what is broken."""

from __future__ import annotations

from collections import Counter
from typing import Any

import typer

from distill_core.cli._output import put, put_json, put_table, say
from distill_core.component import KINDS
from distill_core.errors import PluginError, nearest
from distill_core.registry import HOOKS, Plugin, components, failures, plugins


def list_plugins(as_json: bool) -> None:
    """All plugins: a table, then what failed and why, in words."""
    found = plugins()
    if as_json:
        put_json([_plain(plugin) for plugin in found])
        return
    rows = [(p.name, p.distribution, p.version, _offer(p), "broken" if p.failures else "")
            for p in found]  # fmt: skip
    put_table(["plugin", "distribution", "version", "offers", "state"], rows)
    for problem in _problems():
        put(problem)


def show_plugin(name: str, as_json: bool) -> None:
    """One plugin, by its entry point or its distribution."""
    found = [p for p in plugins() if name in (p.name, p.distribution)]
    if not found:
        names = [p.name for p in plugins()]
        raise PluginError(
            f"there is no plugin {name!r}", code="component-unknown", hint=nearest(name, names)
        )
    if as_json:
        put_json(_plain(found[0]))
        return
    for plugin in found:
        put(f"{plugin.name}: {plugin.distribution} {plugin.version}")
        if plugin.entries:
            put_table(["kind", "name", "what it does"],
                      [(e.kind, e.name, summary(e.cls)) for e in plugin.entries])  # fmt: skip
        for failure in plugin.failures:
            say(str(failure))


def check_plugins(as_json: bool) -> None:
    """Exit code 1 if there are problems."""
    problems = _problems()
    if as_json:
        put_json({"problems": problems})
    else:
        for problem in problems:
            say(problem)
        if not problems:
            put("all plugins are well")
    if problems:
        raise typer.Exit(1)


def summary(cls: type) -> str:
    """The first line of the docstring."""
    return (cls.__doc__ or "").strip().partition("\n")[0]


def _problems() -> list[str]:
    problems = [str(failure) for failure in failures()]
    for kind in KINDS:
        entries = components(kind)
        counts = Counter(entry.name for entry in entries)
        for name in sorted(name for name, count in counts.items() if count > 1):
            origins = " and ".join(entry.origin for entry in entries if entry.name == name)
            problems.append(f"the {kind} {name!r} is offered by {origins}")
    return problems


def _offer(plugin: Plugin) -> str:
    counts = Counter(entry.kind for entry in plugin.entries)
    several = {kind: HOOKS[kind].removeprefix("distill_") for kind in KINDS}
    return ", ".join(f"{n} {k if n == 1 else several[k]}" for k in KINDS if (n := counts[k]))


def _plain(plugin: Plugin) -> dict[str, Any]:
    return {
        "plugin": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "components": [{"kind": entry.kind, "name": entry.name} for entry in plugin.entries],
        "failures": [{"stage": failure.stage, "message": str(failure)}
                     for failure in plugin.failures],
    }  # fmt: skip
