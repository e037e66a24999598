"""The documentation tells of everything that is there: hooks, components, parameters, codes."""

from __future__ import annotations

import importlib.util
import inspect
import re
import tomllib
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

import distill_core as dl
from distill_core import errors
from distill_core.component import KINDS
from distill_core.registry import components, failures

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
ENTRIES = [entry for kind in KINDS for entry in components(kind)]


@cache
def generator() -> ModuleType:
    """docs/_reference.py, which is no package."""
    spec = importlib.util.spec_from_file_location("_reference", DOCS / "_reference.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The generated pages, by name."""
    folder = tmp_path_factory.mktemp("generated")
    generator().write_all(folder)
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def test_every_plugin_of_the_project_loads() -> None:
    """No plugin is broken, so the tests below see all components."""
    assert not failures()
    assert {entry.distribution for entry in ENTRIES} >= {
        "distill-core",
        "distill-files",
        "distill-userale",
        "distill-graph",
        "distill-elasticsearch",
    }


def test_every_hook_has_a_page_with_its_arguments(pages: dict[str, str]) -> None:
    """Each hook of the specification has a page with its exact signature, and is in the table."""
    names = generator().hook_names()
    assert len(names) == len(KINDS)
    table = (DOCS / "reference" / "hooks.md").read_text(encoding="utf-8")
    for name in names:
        assert f"def {name}() -> list[type[" in pages[f"{name}.md"]
        assert f"[`{name}`](generated/{name}.md)" in table


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.kind}-{entry.name}")
def test_every_component_is_documented(entry, pages: dict[str, str]) -> None:
    """A component's section has its name, kind, docstring, an example and each parameter."""
    text = pages[f"{generator().PLURAL[entry.kind]}.md"]
    section = re.split(r"^## ", text, flags=re.MULTILINE)
    (own,) = [part for part in section if part.startswith(f"`{entry.name}`\n")]
    assert f"*{entry.kind}*" in own
    assert inspect.getdoc(entry.cls) in own
    assert ">>>" in own, f"{entry.name} shows no example"
    for name, field in entry.cls.model_fields.items():
        assert f"| `{field.alias or name}` |" in own


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.kind}-{entry.name}")
def test_every_parameter_is_described(entry) -> None:
    """Each parameter says in words what it means."""
    assert not [name for name, field in entry.cls.model_fields.items() if not field.description]


def test_every_code_is_documented_and_used(pages: dict[str, str]) -> None:
    """Each code of an error has a section, and the code names each code that it raises."""
    for code, meaning in errors.CODES.items():
        assert f"## {code}\n\n{meaning}\n" in pages["errors.md"]
    raised = {
        code
        for path in ROOT.glob("distill-*/src/**/*.py")
        for code in re.findall(r"\bcode=\"([a-z-]+)\"", path.read_text(encoding="utf-8"))
    }
    assert raised <= set(errors.CODES)


def test_every_public_name_is_documented() -> None:
    """Each name of `distill_core` is told of, or is a component or an error, which have pages."""
    text = "".join(path.read_text(encoding="utf-8") for path in DOCS.glob("**/*.md"))
    elsewhere: list[object] = [*(entry.cls for entry in ENTRIES), *vars(errors).values()]
    unknown = [
        name
        for name in dl.__all__
        if not re.search(rf"\b(dl|distill_core)\.{name}\b", text)
        if getattr(dl, name) not in elsewhere
    ]
    assert not unknown


def test_every_public_method_has_a_docstring() -> None:
    """A public method of a public class has a docstring, its own or that of what it overrides."""
    classes = [getattr(dl, name) for name in dl.__all__]
    silent = [
        f"{cls.__name__}.{name}"
        for cls in [*classes, *(entry.cls for entry in ENTRIES)]
        if inspect.isclass(cls)
        for name, member in inspect.getmembers(cls, inspect.isroutine)
        if not name.startswith("_") and inspect.isfunction(getattr(member, "__func__", member))
        if member.__module__.startswith("distill_") and not inspect.getdoc(member)
    ]
    assert not silent


def test_every_page_is_reachable() -> None:
    """Each page of the documentation is in the table of contents of its folder."""
    for folder in ("tutorial", "how-to", "reference", "explanation"):
        index = (DOCS / folder / "index.md").read_text(encoding="utf-8")
        names = {path.stem for path in (DOCS / folder).glob("*.md")} - {"index"}
        assert not [name for name in names if not re.search(rf"^{name}$", index, re.MULTILINE)]


def test_types_of_parameters_are_told_once() -> None:
    """The table for plugin authors has each type of parameter in one row."""
    page = (DOCS / "how-to" / "write-a-plugin.md").read_text(encoding="utf-8")
    types = re.findall(r"^\| (`dl\.\w+`) \|", page, flags=re.MULTILINE)
    assert "`dl.Input`" in types
    assert len(types) == len(set(types))


def test_the_reference_says_how_it_is_read_without_being_built() -> None:
    """Its index and the README name the command that builds it and the one that needs no build."""
    for page in (DOCS / "reference" / "index.md", ROOT / "README.md"):
        text = page.read_text(encoding="utf-8")
        assert "nox -s docs`" in text
        assert "`distill describe " in text


def test_the_architecture_names_the_modules() -> None:
    """The order of modules on the page on architecture is the one that import-linter keeps."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = [
        contract
        for contract in settings["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    ]
    page = (DOCS / "explanation" / "architecture.md").read_text(encoding="utf-8")
    (line,) = [line for line in page.splitlines() if line.startswith("`errors` · ")]
    layers = [layer.strip("()") for layer in reversed(contract["layers"])]
    beside = {"builtin", "testing"}
    assert re.findall(r"`(\w+)`", line) == [
        layer for layer in layers if layer not in beside and not layer.startswith("_")
    ]


def test_every_line_of_the_semantics_is_tested() -> None:
    """Each code on the page on semantics is named by a test in tests/semantics."""
    page = (DOCS / "explanation" / "semantics.md").read_text(encoding="utf-8")
    codes = re.findall(r"^\*\*([A-Z]{1,2}\d*)\b", page, flags=re.MULTILINE)
    assert len(codes) == len(set(codes))
    tests = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "tests/semantics").glob("test_*.py")
    )
    told = re.compile("|".join(rf"\b({code})\b|def test_({code.lower()})_" for code in codes))
    named = {name.upper() for found in told.findall(tests) for name in found if name}
    assert not set(codes) - named
