"""The house: layout, names and dependencies of the packages, and what no file may hold."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = sorted(path.parent.name for path in ROOT.glob("distill-*/pyproject.toml"))
MADE = re.compile(r"^(\..*_cache|\.git|\.venv|\.nox|__pycache__|_build|build|dist|.*\.egg-info)$")
HOSTS = [
    ".".join(parts)
    for parts in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
        ("repo1", "maven", "org"),
        ("deb", "debian", "org"),
    ]
]
LOCKS = re.compile(r"^(.*\.lock|pylock.*\.toml|package-lock\.json|pnpm-lock\.yaml|.*lock\.txt)$")


def files(folder: Path = ROOT) -> Iterator[Path]:
    """All files of the checkout but those that tools make."""
    for path in folder.iterdir():
        if not MADE.match(path.name):
            yield from files(path) if path.is_dir() else [path]


def project(package: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / package / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_packages_are_found() -> None:
    """The tests below look at something."""
    assert {"distill-core", "distill-files", "distill-userale", "distill-graph"} <= set(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_layout(package: str) -> None:
    """A package has its README, its licence, typed sources and tests; its plugin if it has one."""
    folder, name = ROOT / package, package.replace("-", "_")
    plugin = "builtin/plugin.py" if package == "distill-core" else "plugin.py"
    for path in ("README.md", "LICENSE", f"src/{name}/py.typed", f"src/{name}/{plugin}"):
        assert (folder / path).is_file(), f"{package} has no {path}"
    assert (folder / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    tests = [path.name for path in folder.glob("tests/**/test_*.py")]
    short = package.removeprefix("distill-")
    assert tests, f"{package} has no tests"
    assert not [file for file in tests if not file.startswith(f"test_{short}_")]


@pytest.mark.parametrize("package", PACKAGES)
def test_names_are_mechanical(package: str) -> None:
    """Distribution distill-x, import distill_x, entry point x, all of one version."""
    about, short = project(package), package.removeprefix("distill-")
    name = package.replace("-", "_")
    module = f"{name}.builtin.plugin" if short == "core" else f"{name}.plugin"
    assert about["name"] == package
    assert about["entry-points"]["distill"] == {short: module}
    assert about["version"] == project("distill-core")["version"]
    assert [path.name for path in (ROOT / package / "src").iterdir()] == [name]


@pytest.mark.parametrize("package", PACKAGES)
def test_dependencies_are_ranges(package: str) -> None:
    """Nothing is pinned, everything has a lower bound, and a plugin takes every core up to 1."""
    about = project(package)
    extras = about.get("optional-dependencies", {}).values()
    wanted = [*about["dependencies"], *chain.from_iterable(extras)]
    for requirement in wanted:
        assert ">=" in requirement
        assert "==" not in requirement
    if package != "distill-core":
        assert "distill-core>=0.1,<1" in wanted


def test_test_files_have_names_of_their_own() -> None:
    """No two test files share a name, so each can be told by it."""
    names = [path.name for path in files() if path.match("test_*.py")]
    assert sorted(names) == sorted(set(names))


def test_every_test_states_its_claim() -> None:
    """A test function, wherever it is, has a docstring: the claim that it tests."""
    silent = {
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in files()
        if path.match("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        if not ast.get_docstring(node)
    }
    assert not silent


def test_no_registry_is_named() -> None:
    """No file names the host of a package registry: which one is used is the user's affair."""
    named = {
        f"{path.relative_to(ROOT)}: {host}"
        for path in files()
        for host in HOSTS
        if host in path.read_bytes().decode("utf-8", errors="replace")
    }
    assert not named


def test_no_lock_file_is_kept() -> None:
    """A library is tested against what its users would get, so no lock file is kept."""
    ignored = {"uv.lock"}  # uv may leave it; .gitignore keeps it out
    locks = {str(path.relative_to(ROOT)) for path in files() if LOCKS.match(path.name)}
    assert locks <= ignored
