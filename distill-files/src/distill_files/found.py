"""From the paths that a user wrote to the files that are there."""

from __future__ import annotations

import glob
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from distill_core.errors import SourceError

_NETWORK = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+://")


@dataclass(frozen=True)
class Found:
    """A file; ``written`` is the path as the user wrote it, ``label`` what reports call it."""

    path: str
    written: str
    label: str = ""

    @property
    def name(self) -> str:
        """The file's name without its directories; ``-`` is standard input."""
        return Path(self.path).name or self.path

    @property
    def is_stdin(self) -> bool:
        return self.path == "-"


def find(paths: Sequence[str]) -> list[Found]:
    """The files, those of a pattern sorted by name, each once. SourceError if one is not there."""
    found: dict[str, Found] = {}
    for written in paths:
        for file in _matches(written):
            found.setdefault("-" if file.is_stdin else os.path.realpath(file.path), file)
    return _labelled(list(found.values()))


def _labelled(files: list[Found]) -> list[Found]:
    """Each file is called by its name, with as many of its folders as tell it from others."""
    parts = [file.name if file.is_stdin else Path(file.path).absolute().parts for file in files]
    labels = [file.name for file in files]
    for depth in range(2, max((len(part) for part in parts), default=0) + 1):
        taken = Counter(labels)
        if len(taken) == len(files):
            break
        labels = ["/".join(part[-depth:]) if taken[label] > 1 else label
                  for part, label in zip(parts, labels, strict=True)]  # fmt: skip
    return [replace(file, label=label) for file, label in zip(files, labels, strict=True)]


def _matches(written: str) -> list[Found]:
    if written == "-":
        return [Found("-", "-")]
    if _NETWORK.match(written):
        raise SourceError(
            f"{written.partition(':')[0]} is no place that files are read from",
            code="source-missing",
            hint="download it first: only files of this machine are read",
        )
    path = os.path.expanduser(written)  # noqa: PTH111 (a pattern is no Path)
    if not os.path.lexists(path) and "\\" in path:
        path = path.replace("\\", "/")  # written on Windows
    if Path(path).is_dir():
        raise SourceError(
            f"{written!r} is a directory",
            code="source-format",
            hint=f"name the files in it: {str(Path(written) / '*.ndjson')!r}",
        )
    if Path(path).exists():
        return [Found(path, written)]
    if glob.has_magic(path):
        names = sorted(glob.glob(path, recursive=True))  # noqa: PTH207 (absolute patterns, too)
        names = [name for name in names if not Path(name).is_dir()]
        if names:
            return [Found(name, written) for name in names]
        raise SourceError(
            f"no file matches {written!r}",
            code="source-missing",
            hint=f"the working directory is {Path.cwd()}; ** means any directories",
        )
    raise SourceError(
        f"there is no file {written!r}",
        code="source-missing",
        hint=f"the working directory is {Path.cwd()}",
    )
