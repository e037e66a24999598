"""What is in some documents: fields, what these may be, and which schema fits."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from distill_core.columns import DURATION, RESERVED, STEP_COLUMNS, snake_case
from distill_core.component import Schema
from distill_core.params import parse_instant
from distill_core.registry import components

Documents = Sequence[Mapping[str, Any]]
DEPTH = 6
FIELDS = 500
"""So many fields of so many levels are looked at."""

_NAMES = {
    "time": r"time|date|stamp|(^|_)(ts|at)$",
    "case": r"(^|_)(session|case|visit|trace|conversation)(_?(id|key|no|number))?$",
    "activity": r"^(activity|event|action|type|verb|(event|action)_?(type|name)|name|what)$",
    "user": r"(^|_)(user|person|customer|account|who|uid)(_?(id|name|key))?$",
}
"""What fields are often called, in snake_case."""
_IDS = r"(^|_)(id|key|uuid)$"
"""What fields are called that tell of what the events are of, such as ``machine.id``."""
_COLUMNS = 30
"""So many columns a proposed schema has besides case, activity, time and user."""
_TYPES = {"boolean": "boolean", "integer": "integer", "number": "number", "list": "json"}
_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_FIRST, _LAST = 946_684_800, 4_102_444_800  # the years 2000 to 2100, in s


@dataclass
class Field:
    """A field of the documents: how often it has a value, of which types."""

    path: str
    seen: int = 0
    types: Counter[str] = field(default_factory=Counter)
    values: Counter[str] = field(default_factory=Counter)
    instants: Counter[str] = field(default_factory=Counter)

    def add(self, value: Any) -> None:
        """Count one value that is not null."""
        self.seen += 1
        self.types[_type(value)] += 1
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        self.values[text[:80]] += 1
        if kind := _instant(value):
            self.instants[kind] += 1

    def to_dict(self, documents: int) -> dict[str, Any]:
        """Plain form; ``null`` is the share of documents without a value."""
        return {
            "path": self.path,
            "types": dict(self.types.most_common()),
            "null": round(1 - min(1.0, self.seen / documents), 6) if documents else 0.0,
            "distinct": len(self.values),
            "examples": [value for value, _ in self.values.most_common(3)],
        }


def fields_of(documents: Documents) -> list[Field]:
    """The fields in the order of their first appearance; inner ones by dotted path."""
    found: dict[str, Field] = {}
    for document in documents:
        for path, value in _walk(document, "", DEPTH):
            if path in found or len(found) < FIELDS:
                one = found.setdefault(path, Field(path))
                if value is not None:
                    one.add(value)
    return list(found.values())


def _walk(node: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if isinstance(value, Mapping) and value and depth:
            yield from _walk(value, f"{prefix}{key}.", depth - 1)
        else:
            yield f"{prefix}{key}", value


def _type(value: Any) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "text", list: "list"}
    return names.get(type(value), "table")


def _instant(value: Any) -> str | None:
    """The unit in which a number can be a time of this century, ``text`` for written times."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return next((u for u, n in _UNITS.items() if _FIRST <= value / n <= _LAST), None)
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d", value):
        try:
            parse_instant(value, "UTC")
        except (ValueError, OverflowError):
            return None
        return "text"
    return None


def suspects(fields: Sequence[Field], documents: int) -> dict[str, list[dict[str, Any]]]:
    """Fields that may be time, case, activity or user: the likeliest first, at most three each.

    A time must look like one; the others go by name, often enough filled, and how many values
    there are (every event its own: neither a case nor an activity).
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for role, pattern in _NAMES.items():
        scored = [(_score(role, one, documents, pattern), one) for one in fields]
        best = sorted((s, -i, one) for i, (s, one) in enumerate(scored) if s > 0)[::-1][:3]
        found[role] = [{"path": one.path, **_unit(role, one)} for _, _, one in best]
    return found


def _score(role: str, one: Field, documents: int, pattern: str) -> float:
    named = bool(re.search(pattern, snake_case(one.path.rpartition(".")[2])))
    filled = one.seen / documents if documents else 0.0
    if role == "time":
        share = sum(one.instants.values()) / one.seen if one.seen else 0.0
        return (share + named) * filled if share > 0.9 else 0.0
    if one.types.keys() - {"text", "integer"} or sum(one.instants.values()):
        return 0.0
    if not named:
        return 0.5 * filled if role == "case" and _of_several(one) else 0.0
    alone = documents > 20 and len(one.values) == one.seen
    return 0.0 if alone else filled - 0.01 * one.path.count(".")


def _of_several(one: Field) -> bool:
    """Whether it is an id, no user's, that events share."""
    name = snake_case(one.path)
    shared = 1 < len(one.values) <= one.seen / 2
    return shared and bool(re.search(_IDS, name)) and not re.search(_NAMES["user"], name)


def columns_for(fields: Sequence[Field], used: Collection[str]) -> list[Any]:
    """The other fields as ``columns`` of the schema ``fields``, with their types; no tables."""
    found: list[Any] = []
    names = set(RESERVED)
    for one in fields:
        name = snake_case(one.path)
        name = f"logged_{name}" if name in (DURATION.name, *STEP_COLUMNS) else name
        odd = one.path.startswith(("=", "*")) or "{" in one.path or "table" in one.types
        if one.path in used or name in names or odd or not one.types:
            continue
        names.add(name)
        kinds = {_TYPES.get(kind, "string") for kind in one.types}
        mixed = "number" if kinds == {"integer", "number"} else "string"
        kind = kinds.pop() if len(kinds) == 1 else mixed
        paths = {} if name == one.path else {"paths": [one.path]}
        plain = kind == "string" and name == snake_case(one.path)
        found.append(one.path if plain else {"name": name, **paths, "type": kind})
    return found[:_COLUMNS]


def _unit(role: str, one: Field) -> dict[str, str]:
    unit = one.instants.most_common(1)[0][0] if role == "time" else "text"
    return {} if unit == "text" else {"unit": unit}


def schemas(documents: Documents, fields: Sequence[Field]) -> list[dict[str, Any]]:
    """Installed schemas by how surely the documents are theirs, with the fields they would read."""
    found = []
    paths = {one.path for one in fields}
    for entry in components("schema"):
        cls = entry.cls
        if not issubclass(cls, Schema):
            continue
        try:
            score, read = cls.detect(documents), _reads(cls, paths)
        except Exception as error:  # noqa: BLE001 - whatever a stranger's code raises
            found.append({"name": entry.name, "score": 0.0, "error": f"{error}", "reads": {}})
            continue
        found.append({"name": entry.name, "score": round(float(score), 3), "reads": read})
    return sorted(found, key=lambda one: -one["score"])


def _reads(cls: type[Schema], paths: set[str]) -> dict[str, str]:
    """Column ← the first of its paths that is there, for a schema without required parameters."""
    try:
        columns = cls().all_columns()
    except ValueError:
        return {}
    firsts = {c.name: next((p for p in c.paths if p in paths), None) for c in columns}
    return {name: path for name, path in firsts.items() if path is not None}
