"""Peak memory of sandwich, match, drop_near and segment, and their cost on hard logs.

    python benchmarks/bench_limits.py [EVENTS] [--repeats 3] [--only memory|growth]

The peak of each step, in a process of its own whose log came ready made; and the cost per event of
logs that invite quadratic work. Linux: peaks are reset by way of /proc.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import pickle
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from bench_transforms import FOCUS, STEPS
from events import Data

import distill_core as dl

# arrays go back to the system when they are freed, so that none hides in what was freed before
ENV = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}


def memory(events: int) -> None:
    """How far each step takes the peak beyond the ready log, beside the log's own size."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        path.write_bytes(pickle.dumps(Data(events).log, protocol=5))
        own = path.stat().st_size / 1e6
        print(f"\npeak memory, {events:,} events, beside the log's own {own:.1f} MB")
        for name in STEPS:
            command = [sys.executable, __file__, "--child", name, str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=False, env=ENV)
            if done.returncode:
                sys.exit(f"{name} failed: {done.stderr[-2000:]}")
            grown, kept = json.loads(done.stdout)
            print(f"  {name:<40}{grown:8.1f} MB   {grown / own:5.2f} × "
                  f"(of these the new log {kept:.1f} MB)")  # fmt: skip


def child(name: str, path: str) -> None:
    """One step on a log that came ready; imports and their like are made before."""
    few = dl.EventLog.from_frame(
        pd.DataFrame({"case": ["a"] * 4, "activity": ["focus", "click", "keydown", "blur"],
                      "target": ["x"] * 4, "time": pd.to_datetime([0, 1, 2, 3], utc=True)}),
        case="case", activity="activity", time="time",
    )  # fmt: skip
    few.apply(STEPS[name])
    log = pickle.loads(Path(path).read_bytes())  # noqa: S301 - of this very program
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak is what is there now
    before = _peak()
    out = log.apply(STEPS[name])
    print(json.dumps([_peak() - before, len(pickle.dumps(out, protocol=5)) / 1e6]))


def _peak() -> float:
    """In MB; ``ru_maxrss`` will not do: a process inherits that of the one that started it."""
    found = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) * 1024 / 1e6


def hard(events: int) -> dict[str, Any]:
    """Logs that invite quadratic work."""
    rng = np.random.default_rng(11)
    usual = rng.choice(["mouseover", "click", "focus", "blur", "keydown", "scroll"], size=events)
    half = events // 2
    return {
        "one giant case": _log(usual),
        "all events equal": _log(np.full(events, "focus"), step=0),
        "no match at all": _log(np.where(usual == "blur", "focus",
                                         np.where(usual == "keydown", "click", usual))),
        "nested, half the log deep": _log(np.repeat(["focus", "blur"], [half, events - half])),
    }  # fmt: skip


def _log(activity: Any, step: int = 1) -> Any:
    at = pd.to_datetime(np.arange(len(activity)) * step * 1_000_000, unit="us", utc=True)
    frame = pd.DataFrame(
        {"case": "one", "activity": activity.astype(object), "target": "x", "time": at}
    )
    return dl.EventLog.from_frame(frame, case="case", activity="activity", time="time")


def growth(repeats: int) -> None:
    """CPU of an event at 1 M beside that at 100 k: 1 is linear, 10 quadratic."""
    # members of all levels are quadratic by what they are: own ones, or the outermost alone
    steps = {
        "sandwich, own members": dl.Sandwich(**FOCUS, members="own"),
        "sandwich, outermost": dl.Sandwich(**FOCUS, level="outer"),
        **{name: step for name, step in STEPS.items() if name != "sandwich, nested"},
        "match, latest": dl.Match(pattern="focus click+ blur", restart="latest"),
        "match, a step twice": dl.Match(pattern="focus+ focus blur"),
        "drop_near, anywhere": dl.DropNear(
            where="activity = 'focus'", near="activity = 'blur'", reach="any", same=["target"]
        ),
    }
    cost: dict[tuple[str, str], list[float]] = {}
    for events in (100_000, 1_000_000):
        for case, log in hard(events).items():
            for name, step in steps.items():
                seconds = [_cpu(log, step) for _ in range(repeats)]
                cost.setdefault((case, name), []).append(float(np.median(seconds)) / events)
    print("\nCPU of an event at 1 M, and beside that at 100 k")
    for (case, name), (few, many) in cost.items():
        print(f"  {case:<27}{name:<40}{many * 1e9:8.0f} ns   {many / few:5.2f} ×")


def _cpu(log: Any, step: Any) -> float:
    gc.collect()
    start = time.process_time()
    log.apply(step)
    return time.process_time() - start


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", choices=["memory", "growth"])
    parser.add_argument("--child", nargs=2)
    options = parser.parse_args()
    if options.child:
        child(*options.child)
        return
    if options.only != "growth":
        memory(options.events)
    if options.only != "memory":
        growth(options.repeats)


if __name__ == "__main__":
    main()
