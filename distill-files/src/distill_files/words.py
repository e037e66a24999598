"""Texts that a file says over and over, found in a sample: they come by number.

A column that says little (a type, the name of a tool) costs least if DuckDB compares each text
with the few there are while it reads; a sample may be wrong, so any other text still comes too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from distill_files.leaves import Leaf, Plan

SAMPLED = 64 * 2**20
"""Bytes of a file that is not sampled: it would gain less than this costs."""
_PLACES, _CHUNK = 16, 2**14
_MOST, _LONGEST = 8, 100


def with_words(plan: Plan, path: Path) -> Plan:
    """The plan with the words of its leaves that have few, if the file is large."""
    size = path.stat().st_size
    if size <= SAMPLED or all(leaf.kind != "VARCHAR" for leaf in plan.leaves):
        return plan
    records = list(_sample(path, size))
    leaves = [replace(leaf, words=_words(leaf, records)) for leaf in plan.leaves]
    return replace(plan, leaves=leaves)


def _words(leaf: Leaf, records: list[Any]) -> tuple[str, ...]:
    if leaf.kind != "VARCHAR":
        return ()
    found: set[str] = set()
    for record in records:
        value = record
        for key in leaf.keys:
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, str):
            found.add(value)
            if len(found) > _MOST or len(value) > _LONGEST or not value.isprintable():
                return ()
    return tuple(sorted(found))


def _sample(path: Path, size: int) -> Iterator[Any]:
    """The records that are whole lines at some places, evenly apart: a part may say one thing."""
    with path.open("rb") as file:
        for place in range(_PLACES):
            file.seek(place * max(size - _CHUNK, 0) // (_PLACES - 1))
            for line in file.read(_CHUNK).split(b"\n")[1:-1]:
                try:
                    yield json.loads(line)
                except (ValueError, RecursionError):
                    continue
