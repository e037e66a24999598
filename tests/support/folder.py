"""A plugin in a folder, as an installer leaves it: a source called ``files``, and traps."""

from __future__ import annotations

from pathlib import Path

PLUGIN = """
from distill_core.hookspec import hookimpl

@hookimpl
def distill_sources():
    from distill_tests.parts import Lines, Many, Waits
    return [Lines, Many, Waits]

@hookimpl
def distill_models():
    from distill_tests.parts import graph, wrong
    return [graph, wrong]
"""
PARTS = '''
from __future__ import annotations
import json, os, sys, threading
from pathlib import Path
import distill_core as dl
from pydantic import Field

class Lines(dl.Source, name="files"):
    """NDJSON, a line at a time."""
    path: str = Field(description="a file, or - for stdin")
    password: dl.Secret | None = None
    def read(self, request, scan):
        text = sys.stdin.read() if self.path == "-" else Path(self.path).read_text("utf-8")
        scan.note(format="ndjson")
        yield [json.loads(line) for line in text.splitlines()]

class Many(dl.Source):
    """As many events as asked for."""
    n: int = 1
    def read(self, request, scan):
        yield [{"who": f"w{i}", "what": "click", "at": i} for i in range(self.n)]

class Waits(dl.Source):
    """Never comes back."""
    def read(self, request, scan):
        sys.stderr.write("ready\\n")
        sys.stderr.flush()
        threading.Event().wait()
        yield []

@dl.model
def graph(log: dl.EventLog) -> dl.Result:
    """Two nodes."""
    name = dl.Column("id")
    edges = [dl.Column("source"), dl.Column("target")]
    return dl.Result.graph([{"id": "a"}, {"id": "b"}], [{"source": "a", "target": "b"}],
                           node_columns=[name], edge_columns=edges)

@dl.model
def wrong(log: dl.EventLog) -> dl.Result:
    """Raises what nobody expects."""
    raise ZeroDivisionError("by zero\\nand more")
'''


def plugin(folder: Path) -> Path:
    """Write the distribution ``distill-tests``; the folder to put on PYTHONPATH."""
    files = {
        "distill_tests/__init__.py": "",
        "distill_tests/plugin.py": PLUGIN,
        "distill_tests/parts.py": PARTS,
        "distill_tests-1.0.dist-info/METADATA": "Name: distill-tests\nVersion: 1.0\n",
        "distill_tests-1.0.dist-info/entry_points.txt": (
            "[distill]\ntests = distill_tests.plugin\n"
        ),
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder
