"""Starting up is cheap: what is not imported, proved in a new interpreter."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

HEAVY = {"pandas", "duckdb", "sqlglot", "networkx", "scipy", "typer", "rich", "polars", "pyarrow"}
REPORT = "import json, sys; sys.stderr.write(json.dumps(sorted(sys.modules)))"
COMMAND = """
import sys
sys.argv = ["distill", "--help"]
try:
    from distill_core.cli import main
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
finally:
    sys.stdout.flush()
"""


def loaded(code: str) -> set[str]:
    """The top-level modules that are loaded after this code, in an interpreter of its own."""
    before = os.times()
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{REPORT}"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    after = os.times()
    used = sum(after[2:4]) - sum(before[2:4])
    print(f"{used:.2f} s of processor time")
    assert done.returncode == 0, done.stderr
    modules: list[str] = json.loads(done.stderr.splitlines()[-1])
    return {name.partition(".")[0] for name in modules}


def test_import_is_light() -> None:
    """`import distill_core` loads no heavy library, and no other package of Distill."""
    others = {"distill_files", "distill_userale", "distill_graph", "distill_elasticsearch"}
    assert not loaded("import distill_core") & (HEAVY | others)


def test_names_resolve_on_first_use() -> None:
    """Each name that the package offers is there when it is asked for; `dir` tells them all."""
    code = (
        "import distill_core as dl\n"
        "assert dl.__all__ == sorted(dl.__all__)\n"
        "assert all(getattr(dl, name) is not None for name in dl.__all__)\n"
        "assert set(dl.__all__) <= set(dir(dl))"
    )
    assert "distill_core" in loaded(code)


def test_unknown_name_is_an_attribute_error() -> None:
    """A name that is not there raises AttributeError, as from any module."""
    import distill_core

    with pytest.raises(AttributeError, match="no_such_name"):
        _ = distill_core.no_such_name


@pytest.mark.parametrize("package", ["files", "userale", "graph"])
def test_plugin_module_is_light(package: str) -> None:
    """The module with a plugin's hooks loads no heavy library: that waits for its first use."""
    assert not loaded(f"import distill_{package}.plugin") & HEAVY


def test_help_is_light() -> None:
    """`distill --help` exits with 0 and loads neither pandas nor a reader of data."""
    assert not loaded(COMMAND) & (HEAVY - {"typer", "rich"})
