"""NDJSON into a prepared log, beside DuckDB's CREATE TABLE AS of the same columns, polars, pandas.

    python benchmarks/bench_load.py [EVENTS …] [--repeats 3] [--folder /tmp]

Each run is a process of its own, so that the peak of its memory is its own; imports are not timed.
Distill's log is sorted, coded and has its rejects counted; the peers' tables are as they come.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from generate import write
from harness import table, versions

COLUMNS = {
    "sessionID": "VARCHAR", "type": "VARCHAR", "clientTime": "BIGINT", "microTime": "DOUBLE",
    "userId": "VARCHAR", "target": "VARCHAR", "pageUrl": "VARCHAR", "pageTitle": "VARCHAR",
    "toolName": "VARCHAR", "logType": "VARCHAR",
}  # fmt: skip


def distill(path: str) -> Any:
    import duckdb  # noqa: F401  (imports are not timed, and it would be imported on first use)

    import distill_core as dl
    from distill_files.source import Files

    others = [
        n for n in COLUMNS if n not in {"sessionID", "type", "clientTime", "microTime", "userId"}
    ]
    schema = dl.Fields(case="sessionID", activity="type", time="clientTime", unit="ms",
                       order="microTime", user="userId", columns=others)  # fmt: skip
    pipeline = dl.Pipeline(source=Files(path=path), schema=schema)
    yield
    log = pipeline.log()
    yield [len(log), int(log.time.sum() % 2**53), log.n_cases]


def duckdb(path: str) -> Any:
    import duckdb

    con = duckdb.connect()
    columns = "{" + ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items()) + "}"
    yield
    con.execute(f"CREATE TABLE t AS SELECT * FROM read_json(?, columns={columns}, "
                "format='newline_delimited', ignore_errors=true)", [path])  # fmt: skip
    found = con.sql(
        "SELECT count(*), sum(clientTime * 1000)::HUGEINT, count(DISTINCT sessionID) FROM t"
    )
    rows, total, cases = found.fetchall()[0]
    yield [rows, total % 2**53, cases]


def polars(path: str) -> Any:
    import polars as pl

    kinds = {"VARCHAR": pl.String, "BIGINT": pl.Int64, "DOUBLE": pl.Float64}
    yield
    df = pl.scan_ndjson(path, schema={n: kinds[k] for n, k in COLUMNS.items()}).collect()
    yield [len(df), int((df["clientTime"] * 1000).sum()) % 2**53, df["sessionID"].n_unique()]


def pandas(path: str) -> Any:
    import pandas as pd

    yield
    df = pd.read_json(path, lines=True)[list(COLUMNS)]
    total = int((df["clientTime"].astype("int64") * 1000).sum())
    yield [len(df), total % 2**53, df["sessionID"].nunique()]


CONTENDERS = {
    "distill": distill,
    "DuckDB CREATE TABLE AS": duckdb,
    "polars": polars,
    "pandas": pandas,
}


def child(name: str, path: str) -> None:
    """Run one contender; print seconds, peak memory and its answer."""
    steps = CONTENDERS[name](path)
    next(steps)
    start, cpu = time.perf_counter(), time.process_time()
    answer = next(steps)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    print(
        json.dumps(
            [seconds, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, answer]
        )
    )


def run(name: str, path: Path) -> tuple[float, float, float, Any]:
    """One contender in its own process."""
    command = [sys.executable, __file__, "--child", name, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{name} failed: {done.stderr[-2000:]}")
    seconds, cpu, memory, answer = json.loads(done.stdout)
    return seconds, cpu, memory, answer


def main() -> None:
    """Compare the contenders at each size, then the cost of an event between sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", nargs="*", type=int)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--child", nargs=2)
    options = parser.parse_args()
    if options.child:
        child(*options.child)
        return
    print(versions("distill-core", "duckdb", "polars", "pandas"))
    costs: list[tuple[int, float]] = []
    for events in options.events or [10_000, 1_000_000, 10_000_000]:
        path = write(events, options.folder / f"distill-bench-{events}.ndjson")
        names = [
            n
            for n in CONTENDERS
            if events <= 2_000_000 or n in ("distill", "DuckDB CREATE TABLE AS")
        ]
        rounds = [{name: run(name, path) for name in names} for _ in range(options.repeats)]
        answers = {name: rounds[0][name][3] for name in names}
        if any(answer != answers["distill"] for answer in answers.values()):
            sys.exit(f"the contenders disagree: {answers}")
        seconds, cpu = (
            {name: statistics.median(found[name][i] for found in rounds) for name in names}
            for i in (0, 1)
        )
        memory = {name: max(found[name][2] for found in rounds) for name in names}
        table("load", events, seconds, f" ({path.stat().st_size / 1e6:,.0f} MB of NDJSON)")
        own, peer = cpu["distill"], "DuckDB CREATE TABLE AS"
        print("  CPU, beside distill:", ", ".join(f"{n} {c / own:.2f} ×" for n, c in cpu.items()))
        ratios = (
            statistics.median(found["distill"][i] / found[peer][i] for found in rounds)
            for i in (0, 1)
        )
        print("  distill beside {}: wall {:.2f} ×, CPU {:.2f} ×".format(peer, *ratios))
        print("  peak memory, MB:", ", ".join(f"{n} {m:,.0f}" for n, m in memory.items()))
        costs.append((events, seconds["distill"] / events))
        path.unlink() if events > 2_000_000 else None
    base = dict(costs).get(1_000_000)
    if base:
        print(
            "\ncost of an event, beside 1 M:",
            ", ".join(f"{n:,}: {c / base:.2f} ×" for n, c in costs),
        )


if __name__ == "__main__":
    main()
