"""Executes the code blocks of the documentation, each document in a folder of its own.

``python`` runs (with ``>>>``: its output is compared), ``sh`` must succeed, in ``console`` each
``$`` line runs and its output is compared, ``json`` and ``toml`` must be valid. A block with a
caption is written to the file that the caption names (and, if it is Python, not run). ``text``
and ``powershell`` are shown only. Any other language is an error, so that no block goes unexecuted
unnoticed.
"""

from __future__ import annotations

import doctest
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sybil import Document, Example, Region, Sybil
from sybil.parsers.myst import CodeBlockParser, PythonCodeBlockParser
from sybil.sybil import SybilCollection

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
SHOWN_ONLY = {"text", "powershell"}


class Blocks:
    """One parser for all blocks, so that they run in the order of the page."""

    def __init__(self, languages: Iterable[str], *, others: bool) -> None:
        runners = {"sh": run_shell, "console": run_console, "json": check_json,
                   "toml": check_toml, "ndjson": check_ndjson}  # fmt: skip
        self.checks = set(runners.values())
        self.others = others
        self.known = set(runners) | {"python"} | SHOWN_ONLY
        self.parsers = [
            PythonCodeBlockParser(doctest_optionflags=FLAGS)
            if language == "python"
            else CodeBlockParser(language, runners[language])
            for language in languages
        ]

    def __call__(self, document: Document) -> Iterator[Region]:
        for parser in self.parsers:
            for region in parser(document):
                if caption(region) and region.evaluator not in self.checks:
                    region.evaluator = keep
                yield region
        for found in re.finditer(r"^```(\S+)(?: (\S+))?$", document.text, flags=re.MULTILINE):
            language = found[2] if found[1] == "{code-block}" else found[1]
            if language not in self.known and not language.startswith("{") and self.others:
                raise ValueError(f"{document.path}: nobody knows how to check {language!r}")


def environment() -> dict[str, str]:
    """The commands of this environment first, plain output, UTF-8."""
    folders = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    plain = {"NO_COLOR": "1", "COLUMNS": "100", "PYTHONUTF8": "1"}
    return {**os.environ, **plain, "PATH": os.pathsep.join(folders)}


def shell(command: str) -> str:
    """What a command prints; it must succeed."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env=environment(),
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def run_shell(example: Example) -> None:
    """Run a block of commands."""
    shell(example.parsed)


def run_console(example: Example) -> str | None:
    """Run each line after ``$`` and compare what it prints."""
    check = doctest.OutputChecker()
    for part in re.split(r"^\$ ", example.parsed, flags=re.MULTILINE)[1:]:
        command, _, wanted = part.partition("\n")
        got = shell(command)
        if not check.check_output(wanted.rstrip("\n"), got.rstrip("\n"), FLAGS):
            return f"$ {command}\nexpected:\n{wanted}\ngot:\n{got}"
    return None


def check_json(example: Example) -> None:
    """Valid JSON; written to the file of its caption."""
    json.loads(example.parsed)
    keep(example)


def check_ndjson(example: Example) -> None:
    """Valid JSON on each line; written to the file of its caption."""
    for line in example.parsed.splitlines():
        json.loads(line)
    keep(example)


def check_toml(example: Example) -> None:
    """Valid TOML; written to the file of its caption."""
    tomllib.loads(example.parsed)
    keep(example)


def keep(example: Example) -> None:
    """Write the block to the file that its caption names."""
    if name := caption(example.region):
        Path(name).write_text(example.parsed, encoding="utf-8")


def caption(region: Region) -> str | None:
    """The caption of a block, if it has one."""
    found: str | None = region.lexemes.get("options", {}).get("caption")
    return found


def enter(namespace: dict[str, Any]) -> None:
    """Begin a document in an empty folder."""
    folder = tempfile.TemporaryDirectory(prefix="distill-docs-")
    namespace["_place"] = folder, Path.cwd()
    os.chdir(folder.name)


def leave(namespace: dict[str, Any]) -> None:
    """End a document: back to where pytest was."""
    folder, before = namespace["_place"]
    os.chdir(before)
    folder.cleanup()


SERVED = "**/*your-elasticsearch.md"
ALL = ("python", "sh", "console", "json", "ndjson", "toml")
root = Path(__file__).parents[2]
pages = Sybil(
    parsers=[Blocks(ALL, others=True)],
    path=str(root / "docs"),
    pattern="**/*.md",
    excludes=["_build/**", "reference/generated/**", SERVED],
    setup=enter,
    teardown=leave,
)
# These pages read a real server; the fixture says where the one for tests is.
served = Sybil(
    parsers=[Blocks(ALL, others=True)],
    path=str(root / "docs"),
    pattern=SERVED,
    setup=enter,
    teardown=leave,
    fixtures=["elastic_shop"],
)
# The commands of READMEs set up the checkout itself; the tests of the house look after them.
readmes = Sybil(
    parsers=[Blocks(("python", "json", "toml"), others=True)],
    path=str(root),
    patterns=["README.md", "distill-*/README.md"],
    setup=enter,
    teardown=leave,
)

collect = SybilCollection([pages, served, readmes]).pytest()
