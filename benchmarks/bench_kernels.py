"""Transforms and transitions on a prepared log, beside polars, pandas, DuckDB, pm4py, flagon.

    python benchmarks/bench_kernels.py [EVENTS …] [--repeats 5] [--only features …]

The peers get their tables ready, too: rows sorted by case and time, times as timestamps. Equal
work: the same labels, pairs, runs and figures come out, and are compared before a time is printed.
"""

from __future__ import annotations

import argparse
import platform
import sys
from typing import Any

import numpy as np
import pandas as pd
import peers
from events import Data, growth, micros, timed
from harness import Contender, versions

import distill_core as dl
from distill_graph.transitions import Transitions

try:
    import pm4py
except ImportError:
    pm4py = None


def sessionize(data: Data) -> list[Contender]:
    step = dl.Sessionize(gap="30m")

    def own() -> Any:
        out = data.log.apply(step)
        _ = out.data["case"].values  # labels are made when somebody looks at them
        return out

    def labels(out: Any) -> dict[str, Any]:
        case = out.data["case"]
        return {"session": case.values[case.codes]}

    return [
        Contender("distill", own, labels),
        Contender(
            "polars on strings",
            lambda: peers.polars_sessionize(data.polars),
            lambda out: {"session": np.array(out["session"].to_list(), dtype=object)},
        ),
        Contender(
            "DuckDB",
            lambda: peers.duckdb_sessionize(data.con),
            lambda out: {"session": np.asarray(out["session"], dtype=object)},
        ),
        Contender(
            "pandas on strings",
            lambda: peers.pandas_sessionize(data.pandas),
            lambda out: {"session": out["session"].to_numpy(dtype=object)},
        ),
    ]


def intervals(data: Data) -> list[Contender]:
    step = dl.Intervals(start="activity = 'focus'", stop="activity = 'blur'", keep="intervals")

    def pairs(out: Any) -> dict[str, Any]:
        return {"began": out.time, "ended": out.last}

    return [
        Contender("distill", lambda: data.log.apply(step), pairs),
        Contender(
            "polars on strings",
            lambda: peers.polars_intervals(data.polars),
            lambda out: {
                "began": micros(out["before"].to_numpy()),
                "ended": micros(out["time"].to_numpy()),
            },
        ),
        Contender(
            "DuckDB",
            lambda: peers.duckdb_intervals(data.con),
            lambda out: {"began": out["began"], "ended": out["us"]},
        ),
        Contender(
            "pandas on strings",
            lambda: peers.pandas_intervals(data.pandas),
            lambda out: {
                "began": micros(out["before"].dt.tz_localize(None)),
                "ended": micros(out["time"].dt.tz_localize(None)),
            },
        ),
    ]


def collapse(data: Data) -> list[Contender]:
    step = dl.Collapse(same=["activity", "target"])
    names = ("case", "activity", "target")
    rows = list(zip(*(data.frame[n].tolist() for n in names), strict=True))

    def counts(out: Any) -> dict[str, Any]:
        return {"count": out.data["count"].values, "us": out.time}

    return [
        Contender("distill", lambda: data.log.apply(step), counts),
        Contender(
            "polars on strings",
            lambda: peers.polars_collapse(data.polars),
            lambda out: {"count": out["count"].to_numpy(), "us": micros(out["time"].to_numpy())},
        ),
        Contender(
            "DuckDB", lambda: peers.duckdb_collapse(data.con), lambda out: {"count": out["count"]}
        ),
        Contender(
            "pandas on strings",
            lambda: peers.pandas_collapse(data.pandas),
            lambda out: {"count": out["count"].to_numpy()},
        ),
        Contender(
            "flagon's algorithm",
            lambda: peers.flagon_collapse(rows),
            lambda out: {"count": np.array([row[2] for row in out])},
        ),
    ]


def transitions(data: Data) -> list[Contender]:
    model = Transitions()

    def figures(source: Any, target: Any, **more: Any) -> dict[str, Any]:
        edges = [f"{a} → {b}" for a, b in zip(source, target, strict=True)]
        return {
            "edge": np.array(edges),
            **{k: np.rint(np.asarray(v, float)).astype(int) for k, v in more.items()},
        }

    def table_of(out: Any, target: str) -> dict[str, Any]:
        return figures(
            list(out["source" if "source" in out else "activity"]),
            list(out[target]),
            **{n: np.asarray(out[n]) for n in ("count", "cases", "total")},
            mean=np.asarray(out["mean"]),
            median=np.asarray(out["median"]),
        )

    def own(result: Any) -> dict[str, Any]:
        edges = pd.DataFrame(list(result.edges))
        return figures(
            edges["source"],
            edges["target"],
            **{n: edges[n] for n in ("count", "cases", "total", "mean", "median")},
        )

    def pm4py_answer(out: Any) -> dict[str, Any]:
        keys = sorted(out[0])
        return {
            **figures([a for a, _ in keys], [b for _, b in keys], count=[out[0][k] for k in keys])
        }

    activities, cases = data.frame["activity"].tolist(), data.frame["case"].tolist()
    found = [
        Contender("distill", lambda: model.compute(data.log), own),
        Contender(
            "polars on strings",
            lambda: peers.polars_transitions(data.polars),
            lambda out: table_of({n: out[n].to_list() for n in out.columns}, "target_"),
        ),
        Contender(
            "DuckDB",
            lambda: peers.duckdb_transitions(data.con),
            lambda out: table_of(out, "target"),
        ),
        Contender(
            "pandas on strings",
            lambda: peers.pandas_transitions(data.pandas),
            lambda out: table_of(out, "after"),
        ),
        Contender(
            "flagon's algorithm (counts)",
            lambda: peers.flagon_transitions(activities, cases),
            lambda out: figures(
                *zip(*sorted(out), strict=True), count=[out[k] for k in sorted(out)]
            ),
        ),
    ]
    if pm4py is not None:
        frame = data.frame.rename(
            columns={
                "case": "case:concept:name",
                "activity": "concept:name",
                "time": "time:timestamp",
            }
        )
        frame = frame.astype({"case:concept:name": str, "concept:name": str})
        found.append(Contender("pm4py", lambda: peers.pm4py_transitions(frame), pm4py_answer))
    return found


def features(data: Data) -> list[Contender]:
    model = dl.Features(groups=["size", "counts", "entropy"])
    names = sorted(set(data.frame["activity"]))
    bits: list[Any] = []

    def figures(out: Any, duration: Any, prefix: str = "") -> dict[str, Any]:
        found = {n: np.asarray(out[f"{prefix}{n}"]).astype(int) for n in names}
        found |= {n: np.asarray(out[n]).astype(int) for n in ("events", "distinct")}
        bits.append(np.asarray(out["entropy"], float))
        if np.abs(bits[-1] - bits[0]).max() > 1e-8:  # floats are compared with the first answer's
            sys.exit("another entropy")
        return {**found, "duration": np.asarray(duration).astype(int)}

    def own(result: Any) -> dict[str, Any]:
        out = result.to_pandas()
        return figures(out, out["duration"].astype("m8[us]").astype("int64"), "count_")

    return [
        Contender("distill", lambda: model.compute(data.log), own),
        Contender(
            "polars on strings",
            lambda: peers.polars_features(data.polars),
            lambda out: figures(out, out["duration"].dt.total_microseconds()),
        ),
        Contender(
            "DuckDB",
            lambda: peers.duckdb_features(data.con),
            lambda out: figures(out, out["duration"]),
        ),
        Contender(
            "pandas on strings",
            lambda: peers.pandas_features(data.pandas),
            lambda out: figures(out, out["duration"].astype("m8[us]").astype("int64")),
        ),
    ]


TASKS = {
    "sessionize": sessionize,
    "intervals": intervals,  # nested
    "collapse": collapse,
    "transitions": transitions,  # counts, cases, total, mean, median
    "features": features,  # events, duration, entropy, counts
}


def main() -> None:
    """Run the tasks at each size; with several sizes print the cost per event, too."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", nargs="*", type=int, default=[10_000, 1_000_000, 10_000_000])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=[*TASKS], default=[*TASKS])
    options = parser.parse_args()
    print(
        versions("distill-core", "polars", "duckdb", "pandas", "pm4py", "numpy"), platform.machine()
    )
    costs: dict[str, dict[int, float]] = {name: {} for name in options.only}
    for events in options.events:
        data = Data(events)
        for name in options.only:
            contenders = TASKS[name](data)
            # above 2 M the peers' answers are known, and so is their memory
            contenders = contenders[: 1 if events > 2_000_000 else None]
            costs[name][events] = timed(name, events, contenders, options.repeats)
        del data
    growth(costs)


if __name__ == "__main__":
    main()
