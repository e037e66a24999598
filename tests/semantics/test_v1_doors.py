"""V1: the library and the command line give the same bytes, each time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import distill_core as dl
from distill_files import Files
from distill_graph import Transitions
from distill_userale import UserALE, sample_path


def pipelines() -> dict[str, dl.Pipeline]:
    parts = {"source": Files(path=str(sample_path())), "schema": UserALE()}
    steps = [
        dl.Collapse(same=["activity", "target", "time"]),
        dl.Intervals(start="activity = 'focus'", stop="activity = 'blur'", key=["target"]),
        dl.Sessionize(gap="10s"),
    ]
    return {
        "events": dl.Pipeline(**parts, query=dl.Events(limit=300), transforms=steps),
        "graph": dl.Pipeline(**parts, transforms=steps, model=Transitions()),
    }


def command(pipeline: dl.Pipeline, folder: Path) -> bytes:
    file = folder / "pipeline.json"
    file.write_text(json.dumps(dl.to_document(pipeline)), encoding="utf-8")
    line = [sys.executable, "-m", "distill_core.cli", "run", str(file), "--json"]
    return subprocess.run(line, capture_output=True, check=True).stdout


def test_v1_the_same_bytes_from_both_doors(tmp_path: Path) -> None:
    """V1: the library's dict and the command line's JSON are equal; re-running is byte-equal."""
    for name, pipeline in pipelines().items():
        own = pipeline.run()
        assert own.to_json() == pipeline.run().to_json(), name
        out = command(pipeline, tmp_path)
        assert out == own.to_json().encode() + b"\n", name
        assert json.loads(out) == own.to_dict(), name
