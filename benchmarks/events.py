"""The same prepared events for every contender, and CPU seconds beside the wall clock's."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
from generate import TYPES, columns
from harness import Contender, measure, table

import distill_core as dl


class Data:
    """The same events for every contender."""

    def __init__(self, events: int) -> None:
        made = columns(events)
        rows = np.lexsort([made["time"], made["session"]])
        self.us = made["time"][rows] * 1000
        self.frame = pd.DataFrame(
            {
                "case": pd.Series(
                    [f"session_{n:012d}" for n in made["session"][rows].tolist()], dtype=object
                ),
                "activity": pd.Series(TYPES[made["type"][rows]].astype(object)),
                "target": pd.Series(
                    [f"item-{n:03d}" for n in made["target"][rows].tolist()], dtype=object
                ),
                "time": pd.to_datetime(self.us, unit="us", utc=True).as_unit("us"),
            }
        )
        self.log = dl.EventLog.from_frame(self.frame, case="case", activity="activity", time="time")
        self.pandas = self.frame.astype(dict.fromkeys(("case", "activity", "target"), "str"))
        self.pandas["pos"] = np.arange(events)
        self.polars = pl.DataFrame(
            {n: self.frame[n].to_list() for n in ("case", "activity", "target")}
        ).with_columns(
            time=pl.Series(self.us).cast(pl.Datetime("us")), pos=pl.Series(np.arange(events))
        )
        self.con = duckdb.connect()
        arrow = self.polars.with_columns(us=pl.Series(self.us)).to_arrow()
        self.con.register("arrow", arrow)
        self.con.execute("CREATE TABLE events AS SELECT * FROM arrow")


def micros(values: Any) -> np.ndarray[Any, Any]:
    """Timestamps of whatever kind as int64 µs."""
    return np.asarray(values).astype("datetime64[us]").astype(np.int64)


def timed(name: str, events: int, contenders: list[Contender], repeats: int) -> float:
    """Print the table of a task, wall clock and CPU; Distill's CPU seconds for an event."""
    taken: dict[str, list[float]] = {}
    watched = [_watched(one, taken.setdefault(one.name, [])) for one in contenders]
    table(name, events, measure(watched, repeats))
    cpu = {one: float(np.median(found[1:])) for one, found in taken.items()}
    print("  CPU, beside distill:",
          ", ".join(f"{n} {s / cpu['distill']:.2f} ×" for n, s in cpu.items()))  # fmt: skip
    return cpu["distill"] / events


def _watched(contender: Contender, taken: list[float]) -> Contender:
    """The same, and each run's CPU seconds go into ``taken``."""

    def run() -> Any:
        start = time.process_time()
        result = contender.run()
        taken.append(time.process_time() - start)
        return result

    return replace(contender, run=run)


def growth(costs: Mapping[str, Mapping[int, float]]) -> None:
    """CPU of an event at each size beside that at 1 M, task by task."""
    print("\nCPU of an event, beside 1 M")
    for name, found in costs.items():
        base = found.get(1_000_000)
        if base:
            print(f"  {name}:", ", ".join(f"{n:,}: {c / base:.2f} ×" for n, c in found.items()))
