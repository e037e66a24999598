"""Run every contender on the same data, compare the answers, print ratios."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

Answer = Mapping[str, "np.ndarray[Any, Any]"]


@dataclass(frozen=True)
class Contender:
    """``run`` is timed; ``answer`` turns what it gave into arrays that are compared."""

    name: str
    run: Callable[[], Any]
    answer: Callable[[Any], Answer]


def measure(contenders: list[Contender], repeats: int) -> dict[str, float]:
    """Seconds of each, the median of so many runs; answers must be equal to the first one's."""
    wanted: Answer | None = None
    found: dict[str, float] = {}
    for contender in contenders:
        answer = contender.answer(contender.run())
        if wanted is None:
            wanted = answer
        compare(contender.name, wanted, answer)
    times: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for _ in range(repeats):
        for contender in contenders:
            gc.collect()
            start = time.perf_counter()
            result = contender.run()
            times[contender.name].append(time.perf_counter() - start)
            del result
    for name, taken in times.items():
        found[name] = float(np.median(taken))
    return found


def compare(name: str, wanted: Answer, answer: Answer) -> None:
    """Stop the benchmark if two contenders do not agree."""
    for key in wanted:
        if key in answer:
            one, two = np.asarray(wanted[key]), np.asarray(answer[key])
            if one.shape != two.shape or not (one == two).all():
                sys.exit(f"{name}: another answer in {key!r}: {one[:5]} … and {two[:5]} …")


def table(task: str, events: int, seconds: Mapping[str, float], note: str = "") -> None:
    """One task's table: ms, and how many times Distill's time each takes."""
    own = seconds["distill"]
    print(f"\n{task}, {events:,} events{note}")
    for name, taken in seconds.items():
        print(f"  {name:<28}{taken * 1000:10.1f} ms   {taken / own:7.2f} × distill")
    sys.stdout.flush()


def versions(*names: str) -> str:
    """The peers and their versions."""
    found = []
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except ImportError:
            found.append(f"{name} (absent)")
    return ", ".join(found)
