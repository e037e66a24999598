"""A result's meta in lines of text: what was read, what each step did and what dangles, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def explain(meta: Mapping[str, Any]) -> str:
    """Lines of text; see ``Result.explain``."""
    return "\n".join(_lines(meta))


def _lines(meta: Mapping[str, Any]) -> Iterator[str]:
    yield from _reading(meta.get("reading"))
    if meta.get("summarized") == "source":
        yield "computed by the source: no records were fetched"
    yield from _steps(meta.get("steps", []))


def _reading(reading: Mapping[str, Any] | None) -> Iterator[str]:
    if not reading:
        return
    yield f"read {reading['read']} records, kept {reading['kept']}"
    for name in ("foreign", "filtered"):
        if reading[name]:
            yield f"  {name}: {reading[name]}"
    for title in ("rejected", "nulled"):
        for reason, told in reading[title].items():
            yield f"  {title} {reason}: {told['count']}{_samples(told['samples'])}"
    for name, value in reading["counts"].items():
        yield f"  {name}: {value}"
    for note in reading["notes"]:
        yield f"  note: {note}"


def _steps(steps: list[Mapping[str, Any]]) -> Iterator[str]:
    for step in steps:
        yield f"step {step['step']} {step['transform']}: {step['in']} in, {step['out']} out"
        for name in ("made", "used"):
            if step[name]:
                yield f"  {name}: {step[name]}"
        for title in ("dropped", "dangling"):
            for reason, told in step[title].items():
                yield f"  {title} {reason}: {told['count']}{_samples(told['ids'])}"
        for name, value in step["counts"].items():
            yield f"  {name}: {value}"
        if step["in"]:
            for name, count in step.get("fits", {}).items():
                if not count:
                    yield f"  note: no event is a step {name!r}"
        for name, value in step.items():
            if isinstance(value, Mapping) and "reading" in value:  # another log
                yield from (f"  {name}: {line}" for line in _lines(value))


def _samples(ids: list[str]) -> str:
    if not ids:
        return ""
    return f" ({', '.join(ids[:3])}{', …' if len(ids) > 3 else ''})"
