"""Every task of the project, alike on a developer's machine and in continuous integration.

``nox`` runs what the test command of the README promises: lint, tests, peers, docs, wheels. Further
sessions: ``demo``, ``bench``, ``lowest``. A session makes its own environment; the file itself
runs on any Python that nox runs on, older ones than Distill's too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import nox

ROOT = Path(__file__).parent
PACKAGES = (
    "distill-core",
    "distill-files",
    "distill-userale",
    "distill-graph",
    "distill-elasticsearch",
)
OLDEST = (3, 11)
PLATFORMS = (
    "x86_64-pc-windows-msvc",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
)
WORKERS = ("-n", "2", "--dist", "loadfile")  # the blocks of a page run in order, in one process
PROBE = (
    "import sys, sysconfig as c\n"
    "plain = sys.version_info[3] == 'final' and sys.implementation.name == 'cpython'\n"
    "print(*sys.version_info[:2], int(plain and not c.get_config_var('Py_GIL_DISABLED')))\n"
    "print(getattr(sys, '_base_executable', sys.executable))\n"
)


def _candidates() -> list[str]:
    """Commands and files that may be a Python: this one, those on PATH, those of pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    folders += sorted(pyenv.glob("versions/*/bin")) + sorted(pyenv.glob("pyenv-win/versions/*"))
    names = ["python3", "python", *(f"python3.{minor}" for minor in range(OLDEST[1], 30))]
    found = [sys.executable]
    for folder in folders:
        found += [path for name in names if (path := shutil.which(name, path=str(folder)))]
    if launcher := shutil.which("py"):
        listed = subprocess.run([launcher, "-0p"], capture_output=True, text=True, check=False)
        found += [line.split(maxsplit=1)[-1] for line in listed.stdout.splitlines() if line.strip()]
    return list(dict.fromkeys(found))


def _pythons() -> dict[tuple[int, int], Path]:
    """Version → interpreter, of every Python here that Distill supports.

    Each candidate is asked, since a shim on PATH may exist and yet start nothing.
    """
    found: dict[tuple[int, int], Path] = {}
    for candidate in _candidates():
        try:
            answer = subprocess.run(
                [candidate, "-c", PROBE], capture_output=True, text=True, check=True, timeout=30
            ).stdout.splitlines()
        except (OSError, subprocess.SubprocessError):
            continue
        major, minor, usable = (int(word) for word in answer[0].split())
        if usable and (major, minor) >= OLDEST:
            found.setdefault((major, minor), Path(answer[1]))
    return found


def _use(pythons: dict[tuple[int, int], Path]) -> None:
    """Put the interpreters in front on PATH, so that nox and uv meet them before any shim."""
    folders = [str(path.parent) for path in pythons.values()]
    os.environ["PATH"] = os.pathsep.join([*folders, os.environ.get("PATH", "")])


def _share_index() -> None:
    """Tell uv of the package index that pip is set up with: it reads no settings of pip."""
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    for line in asked.stdout.splitlines():
        name, _, value = line.partition("=")
        if name.endswith(".index-url"):
            os.environ.setdefault("UV_DEFAULT_INDEX", value.strip("'\""))


PYTHONS = _pythons()
VERSIONS = [f"{major}.{minor}" for major, minor in sorted(PYTHONS)] or ["3.11"]
EDGES = list(dict.fromkeys([VERSIONS[0], VERSIONS[-1]]))
_use({version: PYTHONS[version] for version in sorted(PYTHONS)})
_share_index()

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "tests", "peers", "docs", "wheels"]


def _group(name: str) -> list[str]:
    """The requirements of one dependency group of pyproject.toml."""
    return list(nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), name))


def _editable(extra: str = "[arrow,test]") -> list[str]:
    """Arguments that install all packages from the checkout."""
    paths = [f"./{name}{extra if name == 'distill-core' else ''}" for name in PACKAGES]
    return [word for path in paths for word in ("-e", path)]


@nox.session(python=EDGES[-1])
def demo(session: nox.Session) -> None:
    """Run `distill demo` where the user is: it leaves distill-demo.html there."""
    session.install("--quiet", *_editable(extra=""))
    session.chdir(session.invoked_from)
    session.run("distill", "demo", *session.posargs)


@nox.session(python=EDGES)
def tests(session: nox.Session) -> None:
    """Run all tests and docstring examples, on the oldest and on the newest Python here."""
    session.install(*_group("tests"), *_editable())
    session.run("python", "tests/support/chromium.py", "--install")
    session.run("pytest", *WORKERS, *session.posargs)


@nox.session(python=EDGES[0])
def peers(session: nox.Session) -> None:
    """Run the tests beside peers that are not even test dependencies of the packages."""
    session.install(*_group("peers"), *_editable())
    session.run("pytest", "-m", "peers", "tests/differential", *session.posargs)


@nox.session(python=EDGES[0])
def lint(session: nox.Session) -> None:
    """Check style (ruff), types (mypy --strict) and who imports whom (import-linter)."""
    session.install(*_group("lint"), *_editable())
    session.run("ruff", "check")
    session.run("mypy")
    session.run("lint-imports", "--no-cache")


@nox.session(python=EDGES[-1])
def docs(session: nox.Session) -> None:
    """Build the documentation without a warning, then execute every code block in it."""
    session.install(*_group("docs"), *_editable())
    session.run("sphinx-build", "-n", "-W", "--keep-going", "-q", "docs", "docs/_build/html")
    session.run("pytest", "-p", "no:cacheprovider", "docs", "README.md")


@nox.session(python=EDGES[-1])
def wheels(session: nox.Session) -> None:
    """Build the wheels, use them outside of the checkout, resolve them for every platform."""
    session.install(*_group("wheels"))
    with tempfile.TemporaryDirectory(prefix="distill-wheels-") as folder:
        place = Path(folder)
        for name in PACKAGES:
            session.run("uv", "build", "--quiet", "--out-dir", str(place / "dist"), name)
        built = sorted((place / "dist").glob("*.whl"))
        if len(built) != len(PACKAGES):
            session.error(f"{len(built)} wheels of {len(PACKAGES)} packages were built")
        for wheel in built:
            _check_wheel(session, wheel)
        _run_outside(session, place, built)
        _resolve_everywhere(session, place, built)


def _check_wheel(session: nox.Session, wheel: Path) -> None:
    """A wheel is pure Python and holds the marker of typing and the licence."""
    if not wheel.name.endswith("-py3-none-any.whl"):
        session.error(f"{wheel.name} is not pure Python")
    inside = zipfile.ZipFile(wheel).namelist()
    for ending in ("/py.typed", "/licenses/LICENSE"):
        if not any(name.endswith(ending) for name in inside):
            session.error(f"{wheel.name} holds no {ending.rpartition('/')[2]}")


def _run_outside(session: nox.Session, place: Path, built: list[Path]) -> None:
    """Install the wheels in a new environment, far from the checkout, and run the demo there."""
    session.chdir(place)
    own = str(Path(session.bin) / "python")
    session.run("uv", "venv", "--quiet", "--python", own, "env")
    scripts = place / "env" / ("Scripts" if os.name == "nt" else "bin")
    python, command = scripts / "python", scripts / "distill"
    session.run("uv", "pip", "install", "--quiet", "--python", str(python), *map(str, built))
    session.run(str(command), "plugins", external=True)
    session.run(str(command), "demo", external=True, silent=True)
    if not (place / "distill-demo.html").is_file():
        session.error("`distill demo` left no distill-demo.html")
    session.chdir(ROOT)


def _resolve_everywhere(session: nox.Session, place: Path, built: list[Path]) -> None:
    """Everything the wheels need must be there as wheels, on all platforms, for both Pythons."""
    wanted = place / "wanted.in"
    extras = {"distill_core": "[arrow,test]"}
    names = [(wheel.name.partition("-")[0], wheel) for wheel in built]
    lines = [f"{name}{extras.get(name, '')} @ {wheel.as_uri()}" for name, wheel in names]
    wanted.write_text("\n".join(lines), encoding="utf-8")
    for platform in PLATFORMS:
        for version in EDGES:
            session.run(
                *("uv", "pip", "compile", "--quiet", "--only-binary", ":all:"),
                *("--python-platform", platform, "--python-version", version),
                str(wanted),
                silent=True,
            )
            session.log(f"wheels for all dependencies: {platform}, Python {version}")


@nox.session(python=EDGES[0])
def lowest(session: nox.Session) -> None:
    """Run the tests with the oldest dependencies that the packages admit."""
    session.install(*_group("tests"), "--resolution", "lowest-direct", *_editable())
    session.run("python", "tests/support/chromium.py", "--install")
    session.run("pytest", *WORKERS, *session.posargs)


@nox.session(python=EDGES[-1])
def bench(session: nox.Session) -> None:
    """Run the benchmarks: answers are compared first, then ratios are printed."""
    session.install(*_group("bench"), *_editable())
    for script in sorted(Path("benchmarks").glob("bench_*.py")):
        session.run("python", str(script), *session.posargs)
