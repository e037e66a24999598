"""What a column of an event log is: its name, its type, and where documents keep it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

from distill_core.errors import SchemaError, nearest

Type = Literal["string", "integer", "number", "boolean", "time", "duration", "json", "ids"]
"""The types of design: text, int64, float64, bool, µs since the epoch in UTC, µs, JSON, event ids.

``ids`` are references to events: one a row (``start_id``) or a list a row (``members``).
"""

Unit = Literal["s", "ms", "us", "ns"]
UNITS: Mapping[str, int] = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
"""Unit of a number that means a time or a duration → nanoseconds."""


@dataclass(frozen=True)
class Column:
    """A name in the log and where documents keep it.

    ``paths``: places in a document, the first not null decides; each is tried as a key, then split
    at dots; ``user:{userId}`` makes text, ``=custom`` is a constant, ``*`` is all that no other
    column reads. ``of``: for a column without paths, the columns that ``Schema.parse`` makes it
    from. ``unit`` (``s ms us ns``): what a number means in a time or duration; without it a number
    is a fault. ``zone``: the zone of times written without one. ``required``: a row without it is
    rejected. ``sensitive``: personal data; tools hide it by default. SchemaError if there is no
    such type or unit.

    >>> Column("time", paths=("clientTime", "startTime"), type="time", unit="ms").unit
    'ms'
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    name: str
    paths: tuple[str, ...] = ()
    of: tuple[str, ...] = ()
    type: Type = "string"
    unit: Unit | None = None
    zone: str | None = None
    required: bool = False
    sensitive: bool = False
    description: str = ""

    def __post_init__(self) -> None:
        for what, given, known in (("type", self.type, get_args(Type)),
                                   ("unit", self.unit, (None, *UNITS))):  # fmt: skip
            if given not in known:
                raise SchemaError(
                    f"column {self.name!r} has the {what} {given!r}, which there is not",
                    code="schema-invalid",
                    hint=nearest(str(given), filter(None, known)),
                )


CORE = ("id", "case", "activity", "time")
"""The columns that every log has."""

RESERVED = ("id", "case", "activity", "time", "end", "order", "user", "stream")
"""Names with a meaning of their own, in the order of every output."""

RESERVED_TYPES: Mapping[str, tuple[str, ...]] = {
    "id": ("ids",), "case": ("string",), "activity": ("string",), "time": ("time",),
    "end": ("time",), "order": ("integer", "number"), "user": ("string",), "stream": ("string",),
}  # fmt: skip

STEP_COLUMNS = (
    "duration", "since_start", "since_previous", "count", "depth", "size", "censored",
    "start_id", "end_id", "parent", "relation", "other_id", "other_activity",
    "overlap", "session", "parent_case", "source_ids", "members", "steps",
)  # fmt: skip
"""Columns that built-in transforms write, in the order of every output, after all attributes."""

DURATION = Column("duration", type="duration", unit="us", description="end − time; never stored")


def output_order(names: Iterable[str]) -> list[str]:
    """``names`` as outputs have them: reserved, attributes as they come, columns of steps."""
    known = list(names)
    first = [name for name in RESERVED if name in known]
    last = [name for name in STEP_COLUMNS if name in known]
    return [*first, *(n for n in known if n not in first and n not in last), *last]


def snake_case(name: str) -> str:
    """The log's spelling of a foreign name: ``pageUrl`` → ``page_url``, ``scrnRes.width`` likewise.

    >>> [snake_case(n) for n in ("pageUrl", "HTTPSession", "a b.c", "2nd")]
    ['page_url', 'http_session', 'a_b_c', '_2nd']
    """
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    name = re.sub(r"\W+", "_", name).strip("_").lower()
    return f"_{name}" if not name or name[0].isdigit() else name


def check_columns(columns: Iterable[Column], what: str = "the schema") -> dict[str, Column]:
    """The columns by name; an error if a name repeats, a type is wrong or the core is missing."""
    found: dict[str, Column] = {}
    for column in columns:
        if column.name in found:
            raise SchemaError(f"{what} has two columns {column.name!r}", code="column-clash")
        if column.name != snake_case(column.name):
            raise SchemaError(
                f"{what} has a column {column.name!r}",
                code="schema-invalid",
                hint=f"names of columns are in snake_case: {snake_case(column.name)!r}",
            )
        if column.name == "duration":
            raise SchemaError(
                "the column name 'duration' is reserved: it is always end − time",
                code="column-clash",
                hint="give the log's own figure another name, such as 'logged_duration'",
            )
        allowed = RESERVED_TYPES.get(column.name)
        if column.name == "id":
            allowed = ("string", "ids")
        if allowed and column.type not in allowed:
            raise SchemaError(
                f"{what} has a column {column.name!r} of type {column.type}",
                code="schema-invalid",
                hint=f"its type is {' or '.join(allowed)}",
            )
        found[column.name] = column
    for name in ("activity", "time"):
        if name not in found:
            raise SchemaError(f"{what} has no column {name!r}", code="schema-invalid")
    if "case" not in found and "user" not in found:
        raise SchemaError(f"{what} has neither a case nor a user", code="schema-invalid")
    return found
