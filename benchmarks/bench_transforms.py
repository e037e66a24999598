"""sandwich, match, drop_near and segment on a prepared log, beside polars and DuckDB.

    python benchmarks/bench_transforms.py [EVENTS …] [--repeats 5]

Equal work on ready tables (see ``bench_kernels.py``); answers are compared before a time is
printed. ``bench_limits.py`` has the memory of these steps, and logs that invite quadratic work.

Where match with + and negation spends its time, of 85 ms CPU for 1 M events of which 581 k fit a
step: symbols 14, the walk of all starts 27, of the matches chosen 6, of starts tried in vain (how
far they came is reported) 18, choice 5, the new log 8. About 18 of these are binary searches, which
the walks do for each start and state; the rest of the walks is taking and masking arrays a lane
each. polars, with one regular expression a case, takes twice as long, and tells no tries in vain.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import peers_transforms as peers
from events import Data, growth, micros, timed
from harness import Contender, versions

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


def main() -> None:
    """Each task at each size, wall clock and CPU; above 2 M events Distill alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", nargs="*", type=int, default=[10_000, 1_000_000, 10_000_000])
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    print(versions("distill-core", "polars", "duckdb", "pandas", "numpy"), platform.machine())
    costs: dict[str, dict[int, float]] = {name: {} for name in TASKS}
    for events in options.events:
        data = Data(events)
        for name, task in TASKS.items():
            contenders = task(data, partial(data.log.apply, STEPS[name]))
            contenders = contenders[: 1 if events > 2_000_000 else None]
            costs[name][events] = timed(name, events, contenders, options.repeats)
        del data
    growth(costs)


if __name__ == "__main__":
    main()
