"""What provenance costs: each transform that makes, merges or carries events, with and without it.

    python benchmarks/bench_provenance.py [EVENTS] [--repeats 7] [--only collapse …]

Beside the step as it is runs the same step on the same log less ``source_ids``, where what follows
up sources is replaced by nothing. A first step is one on a log as it was read; a second one is on a
log that a step made already, so that its sources have to be united. CPU seconds, in turns.
"""

from __future__ import annotations

import argparse
import gc
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np
from events import Data
from harness import versions

import distill_core as dl
from distill_core.batch import Lists
from distill_core.log import _derive

FOCUS = {"start": "activity = 'focus'", "stop": "activity = 'blur'"}
NOTHING = Lists(np.zeros(1), np.zeros(0, dtype=np.int64))


def steps(few: dl.EventLog) -> dict[str, Any]:
    """On events; ``few`` is another log, of the same cases."""
    return {
        "collapse": dl.Collapse(same=["activity", "target"]),
        "collapse, long runs": dl.Collapse(same=["case"], max_gap="10s"),
        "collapse, where": dl.Collapse(same=["target"], where="activity = 'mouseover'"),
        "dedupe": dl.Dedupe(by=["case", "activity", "target"]),
        "sessionize": dl.Sessionize(gap="30m"),
        "intervals": dl.Intervals(**FOCUS),
        "intervals alone": dl.Intervals(**FOCUS, keep="intervals"),
        "intervals, all stay": dl.Intervals(**FOCUS, keep="all"),
        "sandwich": dl.Sandwich(**FOCUS),
        "match": dl.Match(pattern="focus click+ blur"),
        "match alone": dl.Match(pattern="focus click+ blur", keep="intervals"),
        "replace, where": dl.Replace(where="activity = 'click'", to={"activity": "press"}),
        "replace, pattern": dl.Replace(pattern="focus blur", to={"activity": "look"}),
        "segment, fixed": dl.Segment(every="5s"),
        "segment, fixed, all stay": dl.Segment(every="5s", keep="all"),
        "segment, sliding": dl.Segment(kind="sliding", every="20s", step="10s"),
        "segment, change": dl.Segment(kind="change", same=["target"]),
        "segment, count": dl.Segment(kind="count", n=5),
        "where": dl.Where(condition="activity <> 'scroll'"),
        "patch": dl.Patch(other=few, key=["id"], columns=["target"]),
        "append": dl.Append(other=few),
    }


def interval_steps(few: dl.EventLog) -> dict[str, Any]:
    """On intervals."""
    sides = {"left": "activity = 'focus'", "right": "activity = 'click'"}
    return {
        "relate": dl.Relate(**sides),
        "union": dl.Algebra(kind="union"),
        "intersection": dl.Algebra(kind="intersection", **sides),
        "difference": dl.Algebra(kind="difference", **sides),
        "complement": dl.Algebra(kind="complement"),
        "union with another": dl.Algebra(kind="union", other=few),
    }


@contextmanager
def nothing() -> Iterator[None]:
    """No source is looked up, united or put into its place."""
    merge = _derive._merge_lists  # noqa: SLF001 - it is what is measured

    def merged(log: Any, name: str, new: Lists, origin: Any, place: Any) -> Lists:
        return NOTHING if name == "source_ids" else merge(log, name, new, origin, place)

    with (
        patch.object(_derive, "united_sources", lambda _, sources: sources),
        patch.object(_derive, "positions_of", lambda _, sources: sources),
        patch.object(_derive, "_merge_lists", merged),
    ):
        yield


def without(step: Any) -> Any:
    """The step, its other log less ``source_ids`` as well."""
    other = getattr(step, "other", None)
    if other is None:
        return step
    return step.model_copy(update={"other": type(other)(other.log().without("source_ids"))})


def ratio(step: Any, log: dl.EventLog, repeats: int) -> tuple[float, float]:
    """CPU seconds of the step with and without provenance: the least of so many runs each."""
    plain, less = without(step), log.without("source_ids")
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats + 1):
        taken[0].append(_cpu(step, log))
        with nothing():
            taken[1].append(_cpu(plain, less))
    return min(taken[0][1:]), min(taken[1][1:])


def _cpu(step: Any, log: dl.EventLog) -> float:
    data = dict(log.data)
    if "source_ids" in data:  # as it was made: what a step asks of it is for the step to pay
        data["source_ids"] = data["source_ids"].take(slice(None))
    log = log.replace(data=data)
    gc.collect()
    start = time.process_time()
    log.apply(step)
    return time.process_time() - start


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--only", nargs="+")
    options = parser.parse_args()
    print(versions("distill-core", "numpy"), platform.machine())
    log = Data(options.events).log
    made = {
        "first step": log,
        "second step, after collapse": log.apply(dl.Collapse(same=["activity", "target"])),
        "second step, after segment": log.apply(dl.Segment(kind="count", n=2, keep="all")),
    }
    spans = log.apply(dl.Collapse(same=["target"], into="interval"))
    ready = {
        "first step on intervals": spans.without("source_ids"),
        "second step on intervals": spans,
    }
    for where, source in {**made, **ready}.items():
        print(f"\n{where}, {len(source):,} events")
        few = source.take(slice(0, len(source) // 10))
        of = (interval_steps if where in ready else steps)(few)
        for name, step in of.items():
            if options.only and name.split(",")[0] not in options.only:
                continue
            one, two = ratio(step, source, options.repeats)
            print(f"  {name:<28}{one * 1000:8.1f} ms   without {two * 1000:8.1f} ms "
                  f"{one / two:6.2f} ×", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
