"""Make distributions of strangers and install them as users do, into a folder of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "{version}"
dependencies = ["distill-core>=0.1,<1"]

[project.entry-points.distill]
{entry} = "{module}.plugin"

[tool.hatch.build.targets.wheel]
packages = ["{module}"]
"""


def install(folder: Path, name: str, plugin: str, version: str = "1.2.3", **modules: str) -> Path:
    """Install a distribution whose ``plugin.py`` is this; the folder to put on PYTHONPATH."""
    module = name.replace("-", "_")
    project = folder / name
    package = project / module
    package.mkdir(parents=True)
    entry = name.removeprefix("distill-")
    text = PYPROJECT.format(name=name, version=version, module=module, entry=entry)
    (project / "pyproject.toml").write_text(text, "utf-8")
    for file, source in {"__init__": "", "plugin": plugin, **modules}.items():
        (package / f"{file}.py").write_text(source, "utf-8")
    target = folder / f"{name}-installed"
    subprocess.run(
        [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--offline", "--no-deps",
         "--no-build-isolation", "--python", sys.executable, "--target", str(target), str(project)],
        check=True,
    )  # fmt: skip
    return target


def distill(
    *arguments: str, targets: list[Path], stdin: str = "", **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run ``distill`` in an interpreter that finds what is installed in these folders."""
    return python("-m", "distill_core.cli", *arguments, targets=targets, stdin=stdin, **environ)


def python(
    *arguments: str, targets: list[Path], stdin: str = "", **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run an interpreter that finds what is installed in these folders; errors are warnings too."""
    path = os.pathsep.join(map(str, targets))
    return subprocess.run(
        [sys.executable, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": path, **environ},
        check=False,
    )
