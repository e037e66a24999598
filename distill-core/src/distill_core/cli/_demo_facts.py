"""What the demo did, in figures and words that terminal and page share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from distill_core.params import instant_text
from distill_core.picture import amount_text, span_text

if TYPE_CHECKING:
    from distill_core.cli.demo import Demo

MEANING = {
    "no_case": "neither a session nor a user: nobody's behaviour",
    "no_time": "without a time: no event",
    "open": "a start without a stop",
    "superseded": "started again before it stopped",
    "unmatched": "a stop without a start",
}
TOP = 10


@dataclass(frozen=True)
class Step:
    """A line of the table of steps."""

    name: str
    why: str
    entered: int
    out: int
    facts: str


@dataclass(frozen=True)
class Loss:
    """Records or events that a step could not use, why, and the first of them."""

    step: str
    reason: str
    meaning: str
    count: int
    samples: Sequence[str]


def headline(demo: Demo) -> list[tuple[str, str]]:
    """Figures with their names."""
    reading, log = demo.result.meta["reading"], demo.log
    day = instant_text(int(log.time.min())).partition("T")[0]
    spans = int((log.last > log.time).sum())
    steps = sum(node["count"] for node in demo.result.nodes)
    return [
        ("records read", amount_text(reading["read"])),
        ("rejected", amount_text(sum(r["count"] for r in reading["rejected"].values()))),
        ("events left", amount_text(len(log))),
        ("of them intervals", amount_text(spans)),
        ("steps in the shop", amount_text(steps)),
        ("sessions", amount_text(log.n_cases)),
        (f"recorded {day}", span_text(int(log.last.max() - log.time.min()))),
    ]


def steps(demo: Demo) -> Iterator[Step]:
    """Reading and each transform."""
    reading = demo.result.meta["reading"]
    told = [f"{amount_text(reading[name])} {name}" for name in ("foreign", "filtered")
            if reading[name]]  # fmt: skip
    told += _counts("rejected", reading["rejected"])
    why = "What people did, as far as it has a time and belongs to somebody."
    yield Step("read", why, reading["read"], reading["kept"], "; ".join(told))
    for report, why in zip(demo.result.meta["steps"], demo.reasons, strict=True):
        told = [f"{amount_text(report[name])} {name}" for name in ("used", "made") if report[name]]
        told += _counts("dropped", report["dropped"]) + _counts("dangling", report["dangling"])
        name = f"{report['step'] + 1} {report['transform']}"
        yield Step(name, why, report["in"], report["out"], "; ".join(told))


def _counts(word: str, told: Mapping[str, Any]) -> list[str]:
    parts = [f"{amount_text(t['count'])} {reason}" for reason, t in told.items()]
    return [f"{word} {', '.join(parts)}"] if parts else []


def losses(demo: Demo) -> Iterator[Loss]:
    """What was rejected, and what dangles."""
    for reason, told in demo.result.meta["reading"]["rejected"].items():
        yield Loss("read", reason, MEANING.get(reason, ""), told["count"], told["samples"])
    for report in demo.result.meta["steps"]:
        for reason, told in report["dangling"].items():
            step = f"{report['step'] + 1} {report['transform']}"
            yield Loss(step, reason, MEANING.get(reason, ""), told["count"], told["ids"])


def top_transitions(demo: Demo) -> list[Mapping[str, Any]]:
    """The most frequent edges."""
    edges = sorted(demo.result.edges, key=lambda e: (-e["count"], e["source"], e["target"]))
    return edges[:TOP]
