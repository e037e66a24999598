"""What Windows does otherwise: processes are spawned, zones come from tzdata, backslashes part."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import distill_core as dl
from distill_files import Files
from distill_graph import Transitions
from distill_userale import UserALE, sample_path


def test_pipelines_and_results_travel_to_spawned_processes():
    """A pipeline sent to a spawned process gives the same bytes there; a log comes back whole."""
    pipeline = dl.Pipeline(
        source=Files(path=str(sample_path())), schema=UserALE(), query=dl.Events(limit=200),
        transforms=[dl.Sessionize(gap="10s")], model=Transitions(),
    )  # fmt: skip
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:  # unlike a Pool, tells of a dead worker
        there = pool.submit(dl.Pipeline.run, pipeline).result(timeout=120)
        assert there.to_json() == pipeline.run().to_json()
        log = pipeline.log()
        assert pool.submit(dl.EventLog.to_dicts, log).result(timeout=120) == log.to_dicts()


def test_zones_come_from_tzdata_alone(tmp_path: Path):
    """Where the system has no zones, as on Windows, those of the package tzdata serve."""
    path = tmp_path / "events.ndjson"
    path.write_text('{"c": 1, "a": "x", "t": "2024-06-28T01:15:11"}\n', encoding="utf-8")
    schema = dl.Fields(case="c", activity="a", time="t", zone="Europe/Paris")
    file = tmp_path / "pipeline.json"
    document = dl.to_document(dl.Pipeline(source=Files(path=str(path)), schema=schema))
    file.write_text(json.dumps(document), encoding="utf-8")
    code = "import zoneinfo; assert not zoneinfo.TZPATH; from distill_core.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "run", str(file), "--json"],
        env={**os.environ, "PYTHONTZPATH": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"][0]["time"] == "2024-06-27T23:15:11.000000Z"
