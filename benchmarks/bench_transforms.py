"""sandwich, match, drop_near and segment on a prepared log, beside polars and DuckDB.

    python benchmarks/bench_transforms.py [EVENTS …] [--repeats 5] [--only tasks|memory|growth]

Equal work on ready tables (see ``bench_kernels.py``); answers are compared before a time is
printed. Then the peak memory of each step, in a process of its own whose log came ready made, and
the cost per event of logs that invite quadratic work. Linux: peaks are reset by way of /proc.

Where match with + and negation spends its time, of 85 ms CPU for 1 M events of which 581 k fit a
step: symbols 14, the walk of all starts 27, of the matches chosen 6, of starts tried in vain (how
far they came is reported) 18, choice 5, the new log 8. About 18 of these are binary searches, which
the walks do for each start and state; the rest of the walks is taking and masking arrays a lane
each. polars, with one regular expression a case, takes twice as long, and tells no tries in vain.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import pickle
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import peers_transforms as peers
from bench_kernels import Data, micros
from harness import Contender, measure, table, versions

import distill_core as dl

FOCUS = {"start": "activity = 'focus'", "stop": "activity = 'blur'", "keep": "intervals"}
STEPS: dict[str, Any] = {
    "sandwich, nested": dl.Sandwich(**FOCUS),
    "match, three steps, from every start": dl.Match(
        pattern="focus click blur", skip="to_next", keep="intervals"
    ),
    "match, three steps within 10 s": dl.Match(
        pattern="focus click blur within 10s", skip="to_next", keep="intervals"
    ),
    "match, with + and negation": dl.Match(
        pattern="focus !blur click+ keydown", keep="intervals"
    ),
    "drop_near, adjacent, same target, 2 s": dl.DropNear(
        where="activity = 'mouseover'", near="activity IN ('mouseover', 'click')",
        within="2s", same=["target"],
    ),
    "segment, windows of 5 s": dl.Segment(every="5s"),
}  # fmt: skip
Task = Callable[[Data, Callable[[], Any]], list[Contender]]


def sandwich(data: Data, own: Callable[[], Any]) -> list[Contender]:
    def rows(out: Any) -> dict[str, Any]:
        members = out.data["members"]
        start = np.repeat(out.data["start_id"].values, np.diff(members.offsets))
        return {"start": start, "member": members.values}

    return [
        Contender("distill", own, rows),
        Contender(
            "polars on strings",
            lambda: peers.polars_sandwich(data.polars),
            lambda out: {n: out[n].to_numpy() for n in ("start", "member")},
        ),
        Contender("DuckDB", lambda: peers.duckdb_sandwich(data.con), lambda out: out),
    ]


def three_steps(within: int | None) -> Task:
    def contenders(data: Data, own: Callable[[], Any]) -> list[Contender]:
        def columns(out: Any) -> dict[str, Any]:
            members = out.data["members"].values.reshape(-1, 3)
            return dict(zip(("pos", "click", "blur"), members.T, strict=True))

        return [
            Contender("distill", own, columns),
            Contender(
                "polars on strings",
                lambda: peers.polars_steps(data.polars, within),
                lambda out: {n: out[n].to_numpy() for n in out.columns},
            ),
            Contender("DuckDB", lambda: peers.duckdb_steps(data.con, within), lambda out: out),
        ]

    return contenders


def regex(data: Data, own: Callable[[], Any]) -> list[Contender]:
    def figures(out: Any) -> dict[str, Any]:
        members = out.data["members"]
        begin, end = members.offsets[:-1], members.offsets[1:]
        return {"start": members.values[begin], "stop": members.values[end - 1],
                "clicks": end - begin - 2, "member": members.values}  # fmt: skip

    def polars_matches(out: Any) -> dict[str, Any]:
        spans, members = out
        found = {n: spans[n].to_numpy() for n in spans.columns}
        return found if members is None else found | {"member": members.to_numpy()}

    return [
        Contender("distill", own, figures),
        Contender("polars on strings", lambda: peers.polars_regex(data.polars), polars_matches),
        Contender(
            "polars, spans alone",
            lambda: peers.polars_regex(data.polars, members=False),
            polars_matches,
        ),
        Contender("DuckDB, spans alone", lambda: peers.duckdb_regex(data.con), lambda out: out),
    ]


def drop_near(data: Data, own: Callable[[], Any]) -> list[Contender]:
    def columns(out: Any) -> dict[str, Any]:
        return {"pos": out.positions, "time": out.time}

    return [
        Contender("distill", own, columns),
        Contender(
            "polars on strings",
            lambda: peers.polars_drop_near(data.polars),
            lambda out: {"pos": out["pos"].to_numpy(), "time": micros(out["time"].to_numpy())},
        ),
        Contender(
            "DuckDB",
            lambda: peers.duckdb_drop_near(data.con),
            lambda out: {"pos": out["pos"].to_numpy(), "time": micros(out["time"].to_numpy())},
        ),
    ]


def segment(data: Data, own: Callable[[], Any]) -> list[Contender]:
    def polars_windows(out: Any) -> dict[str, Any]:
        found = {"time": micros(out["window"].to_numpy()), "size": out["size"].to_numpy()}
        return found | ({"member": out["pos"].explode().to_numpy()} if "pos" in out else {})

    def duckdb_windows(out: Any) -> dict[str, Any]:
        found = {"time": out["number"].to_numpy() * 5_000_000, "size": out["size"].to_numpy()}
        if "pos" not in out.column_names:
            return found
        return found | {"member": out["pos"].combine_chunks().flatten().to_numpy()}

    return [
        Contender(
            "distill",
            own,
            lambda out: {
                "time": out.time,
                "size": out.data["size"].values,
                "member": out.data["members"].values,
            },
        ),
        Contender("polars on strings", lambda: peers.polars_segment(data.polars), polars_windows),
        Contender("DuckDB", lambda: peers.duckdb_segment(data.con), duckdb_windows),
        Contender(
            "polars, sizes alone",
            lambda: peers.polars_segment(data.polars, members=False),
            polars_windows,
        ),
        Contender(
            "DuckDB, sizes alone",
            lambda: peers.duckdb_segment(data.con, members=False),
            duckdb_windows,
        ),
    ]


TASKS: dict[str, Task] = dict(
    zip(
        STEPS,
        (sandwich, three_steps(None), three_steps(10_000_000), regex, drop_near, segment),
        strict=True,
    )
)


def tasks(sizes: list[int], repeats: int) -> None:
    """Each task at each size, wall clock and CPU; above 2 M events Distill alone."""
    costs: dict[str, dict[int, float]] = {name: {} for name in TASKS}
    for events in sizes:
        data = Data(events)
        for name, task in TASKS.items():
            contenders = task(data, partial(data.log.apply, STEPS[name]))
            contenders = contenders[: 1 if events > 2_000_000 else None]
            taken: dict[str, list[float]] = {}
            watched = [_watched(one, taken.setdefault(one.name, [])) for one in contenders]
            table(name, events, measure(watched, repeats))
            cpu = {one: float(np.median(found[1:])) for one, found in taken.items()}
            costs[name][events] = cpu["distill"] / events
            print("  CPU, beside distill:",
                  ", ".join(f"{n} {s / cpu['distill']:.2f} ×" for n, s in cpu.items()))  # fmt: skip
        del data
    print("\nCPU of an event, beside 1 M")
    for name, found in costs.items():
        base = found.get(1_000_000)
        if base:
            print(f"  {name}:", ", ".join(f"{n:,}: {c / base:.2f} ×" for n, c in found.items()))


def _watched(contender: Contender, taken: list[float]) -> Contender:
    """The same, and each run's CPU seconds go into ``taken``."""

    def run() -> Any:
        start = time.process_time()
        result = contender.run()
        taken.append(time.process_time() - start)
        return result

    return replace(contender, run=run)


# -- memory ----------------------------------------------------------------------------------------

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


# -- growth ----------------------------------------------------------------------------------------


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
    parser.add_argument("events", nargs="*", type=int)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", choices=["tasks", "memory", "growth"])
    parser.add_argument("--child", nargs=2)
    options = parser.parse_args()
    if options.child:
        child(*options.child)
        return
    print(versions("distill-core", "polars", "duckdb", "pandas", "numpy"), platform.machine())
    sizes = options.events or [10_000, 1_000_000, 10_000_000]
    parts: Mapping[str, Callable[[], None]] = {
        "tasks": lambda: tasks(sizes, options.repeats),
        "memory": lambda: memory(min(sizes, key=lambda n: abs(n - 1_000_000))),
        "growth": lambda: growth(min(options.repeats, 3)),
    }
    for part in [options.only] if options.only else parts:
        parts[part]()


if __name__ == "__main__":
    main()
