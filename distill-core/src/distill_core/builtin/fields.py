"""The schema ``fields``: any flat or nested stream, by parameters alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import ConfigDict, Field, model_validator

from distill_core.columns import RESERVED, Column, Unit, snake_case
from distill_core.component import Schema

Path = str | tuple[str, ...]


class Fields(Schema):
    """Says where documents keep case, activity, time and the rest; needs no code.

    A path is a key, or keys joined by dots; several paths are tried in turn and the first not
    null decides; ``user:{userId}`` makes text, ``=click`` is a constant. A number in ``time`` and
    ``end`` needs ``unit``, a time without a zone needs ``zone``.

    ``columns`` are further columns; a plain text stands for the column named after its path in
    snake_case, and a column without ``paths`` is read from the field of its name. Values are text
    unless a column has a ``type``: ``{name = "ml", type = "integer"}``. ``keep_all`` adds the
    column ``other``: all that no other column reads, as JSON.

    >>> schema = Fields(case="visit", activity="what", time="ts", unit="s", columns=["page.url"])
    >>> [column.name for column in schema.columns()]
    ['case', 'activity', 'time', 'page_url']
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"case": "session", "activity": "event", "time": "ts", "unit": "ms"}]
        }
    )

    case: Path | None = Field(None, description="the unit of behaviour; none: the user")
    activity: Path = Field(description="what happened")
    time: Path = Field(description="when: ISO 8601 text, or a number with unit")
    unit: Unit | None = Field(None, description="what a number in time and end means")
    zone: str | None = Field(None, description="the zone of times written without one")
    end: Path | None = Field(None, description="when it was over")
    user: Path | None = Field(None, description="who did it")
    id: Path | None = Field(None, description="the event's own id")
    order: Path | None = Field(None, description="a number that orders events of one time")
    columns_: tuple[Column, ...] = Field((), alias="columns", description="further columns")
    keep_all: bool = Field(False, description="keep all other fields, as JSON in column other")

    @model_validator(mode="before")
    @classmethod
    def _short_columns(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        found = dict(data)
        if isinstance(data.get("columns"), list | tuple):
            found["columns"] = [_column(c) for c in data["columns"]]
        if data.get("keep_all") is True:
            # A column of all the rest is read when it is named, and in ``extra`` it is.
            found["extra"] = [OTHER, *(c for c in data.get("extra", ()) if _name(c) != "other")]
        return found

    @model_validator(mode="after")
    def _has_unit(self) -> Fields:
        if self.case is None and self.user is None:
            raise ValueError("name a case, or a user to stand for it")
        clash = sorted({column.name for column in self.columns_} & set(RESERVED))
        if clash:
            raise ValueError(f"{clash[0]!r} has a parameter of its own; leave it out of columns")
        return self

    def named(self) -> frozenset[str]:
        return frozenset(c.name for c in self.all_columns() if "*" not in c.paths)

    def columns(self) -> tuple[Column, ...]:
        given = {name: getattr(self, name) for name in RESERVED if name != "stream"}
        found = [
            Column(
                name,
                paths=(path,) if isinstance(path, str) else tuple(path),
                type=_TYPES.get(name, "string"),  # type: ignore[arg-type]
                unit=self.unit if name in ("time", "end") else None,
                zone=self.zone if name in ("time", "end") else None,
                required=name == "time",
            )
            for name, path in given.items()
            if path is not None
        ]
        return (*found, *self.columns_)


_TYPES = {"time": "time", "end": "time", "order": "number"}
OTHER = Column("other", paths=("*",), type="json", description="all that no other column reads")


def _column(given: Any) -> Any:
    """A column as it is given, with paths."""
    if isinstance(given, str):
        return Column(snake_case(given), paths=(given,), description=f"the field {given}")
    if isinstance(given, Column) and not given.paths:
        return replace(given, paths=(given.name,))
    if isinstance(given, dict) and "name" in given and not given.get("paths"):
        return {**given, "paths": (given["name"],)}
    return given


def _name(column: Any) -> Any:
    return column.get("name") if isinstance(column, dict) else getattr(column, "name", None)
