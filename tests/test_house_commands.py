"""The two commands of the README, and .ci/run, which must be the second of them."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
POSIX = pytest.mark.skipif(os.name == "nt", reason="a POSIX shell runs these")


def section(heading: str) -> str:
    """The text under a heading of the README."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL)
    assert len(found) == 1, f"README.md has {len(found)} headings {heading!r}"
    return found[0]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)\n```$", text, flags=re.MULTILINE | re.DOTALL)


def stub(path: Path, body: str) -> None:
    """A little script that stands for a program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def place(tmp_path: Path, readme: str) -> Path:
    """A folder with nothing but .ci/run and this README."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    (tmp_path / "README.md").write_text(readme, encoding="utf-8")
    return tmp_path


def run_ci(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(folder / ".ci" / "run")],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("heading", ["Run it", "Test it"])
def test_heading_has_one_command_for_each_shell(heading: str) -> None:
    """Under the heading the first block is one line of sh, and there is one line for PowerShell."""
    text = section(heading)
    assert text.lstrip().startswith("```sh\n")
    for language in ("sh", "powershell"):
        (command,) = blocks(text, language)
        assert "\n" not in command


def test_install_names_every_package() -> None:
    """Under "Install it" pip installs each package of the checkout into the .venv of Run it."""
    (commands,) = blocks(section("Install it"), "text")
    packages = {f"./{path.parent.name}" for path in ROOT.glob("distill-*/pyproject.toml")}
    assert packages <= set(commands.split())
    assert commands.startswith("python3 -m venv .venv\n.venv/bin/python -m pip install ./")


@POSIX
@pytest.mark.parametrize(
    ("heading", "calls"), [("Run it", ["nox -s demo"]), ("Test it", ["nox "])]
)
def test_command_sets_up_and_runs(tmp_path: Path, heading: str, calls: list[str]) -> None:
    """On a machine with nothing but python3 the command makes .venv, installs nox, and runs it."""
    note = f'echo "$(basename "$0") $*" >> "{tmp_path}/calls"'
    tool = f"printf '#!/bin/sh\\n%s\\n' '{note}' > .venv/bin"
    make = f"mkdir -p .venv/bin; {tool}/python; {tool}/nox; chmod +x .venv/bin/*"
    stub(tmp_path / "system" / "python3", f"{note}\n{make}")
    (command,) = blocks(section(heading), "sh")
    path = f"{tmp_path / 'system'}{os.pathsep}/usr/bin{os.pathsep}/bin"
    subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True, env={"PATH": path})
    assert (tmp_path / "calls").read_text(encoding="utf-8").splitlines() == [
        "python3 -m venv --clear .venv",
        "python -m pip install --quiet nox uv",
        *calls,
    ]


@POSIX
def test_command_keeps_an_environment_that_works(tmp_path: Path) -> None:
    """An existing .venv with pip is used as it is; python3 is not asked for another."""
    note = f'echo "$(basename "$0") $*" >> "{tmp_path}/calls"'
    stub(tmp_path / ".venv/bin/python", note)
    stub(tmp_path / ".venv/bin/nox", note)
    (command,) = blocks(section("Test it"), "sh")
    subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True)
    assert "python3" not in (tmp_path / "calls").read_text(encoding="utf-8")


@POSIX
def test_ci_runs_the_test_command_to_the_letter(tmp_path: Path) -> None:
    """.ci/run gives the block under "Test it" to sh, unchanged, wherever it is called from."""
    (command,) = blocks(section("Test it"), "sh")
    stub(tmp_path / "fake" / "sh", 'printf "%s\\n" "$#" "$1" "$2"')
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    path = f"{tmp_path / 'fake'}{os.pathsep}{os.environ['PATH']}"
    done = run_ci(place(tmp_path, readme), PATH=path)
    assert done.returncode == 0
    assert done.stdout == f"+ {command}\n2\n-c\n{command}\n"


@POSIX
@pytest.mark.parametrize("code", [0, 3])
def test_ci_fails_as_the_command_fails(tmp_path: Path, code: int) -> None:
    """The exit code of .ci/run is that of the command, which runs in the checkout."""
    readme = f"## Run it\n\n```sh\nexit 9\n```\n\n## Test it\n\n```sh\npwd && exit {code}\n```\n"
    done = run_ci(place(tmp_path, readme))
    assert done.returncode == code
    assert done.stdout.splitlines()[-1] == str(tmp_path)


@POSIX
@pytest.mark.parametrize(
    "readme", ["# x\n", "## Test it\n\n```python\n1\n```\n", "## Run it\n\n```sh\ntrue\n```\n"]
)
def test_ci_fails_without_a_command(tmp_path: Path, readme: str) -> None:
    """A README without an sh block under "Test it" is a failure, not a success that did nothing."""
    done = run_ci(place(tmp_path, readme))
    assert done.returncode == 1
    assert "Test it" in done.stderr
