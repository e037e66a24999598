"""Where documents keep a column: the paths of ``Column.paths``, read once."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from distill_core.errors import SchemaError
from distill_core.extract.jsontext import Unreadable, text_of


@dataclass(frozen=True)
class Field:
    """A place in a document: a key of it, else the keys that dots part, one in another.

    What is in a list has no name, so no path leads there.
    """

    text: str

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys on the way, outermost first; one, if the path has no dot."""
        return tuple(self.text.split("."))

    @property
    def roots(self) -> frozenset[str]:
        """The keys of a document that this path reads."""
        return frozenset((self.text, self.keys[0]))

    def get(self, document: Mapping[str, Any]) -> Any:
        """The value there, None if there is none.

        >>> Field("a.b").get({"a.b": None, "a": {"b": 1}})
        1
        """
        found = document.get(self.text)
        if found is None and "." in self.text:
            found = document
            for key in self.text.split("."):
                if not isinstance(found, Mapping):
                    return None
                found = found.get(key)
        return found


@dataclass(frozen=True)
class Template:
    """Text made of constants and fields, such as ``user:{userId}``; null if a field is null."""

    parts: tuple[str | Field, ...]

    @property
    def fields(self) -> tuple[Field, ...]:
        return tuple(part for part in self.parts if isinstance(part, Field))

    @property
    def roots(self) -> frozenset[str]:
        return frozenset().union(*(field.roots for field in self.fields))

    def get(self, document: Mapping[str, Any]) -> Any:
        """The text; NaN, which no type can read, if a field's value has no text.

        >>> parse_path("user:{userId}").get({"userId": 7})
        'user:7'
        """
        return self.fill([field.get(document) for field in self.fields])

    def fill(self, values: list[Any]) -> Any:
        """The text for these values of the fields, in order."""
        if any(value is None for value in values):
            return None
        rest = iter(values)
        try:
            return "".join(p if isinstance(p, str) else text_of(next(rest)) for p in self.parts)
        except Unreadable:
            return math.nan


@dataclass(frozen=True)
class Constant:
    """The same text in every document: ``=custom``."""

    text: str
    roots: frozenset[str] = frozenset()

    def get(self, document: Mapping[str, Any]) -> str:
        return self.text


@dataclass(frozen=True)
class Rest:
    """``*``: an object of the document's keys that no column reads, null if there are none."""

    read: frozenset[str] = frozenset()
    roots: frozenset[str] = frozenset()

    def get(self, document: Mapping[str, Any]) -> dict[str, Any] | None:
        return {k: v for k, v in document.items() if k not in self.read} or None


Path = Field | Template | Constant | Rest

_BRACES = re.compile(r"\{([^{}]+)\}")


def parse_path(text: str) -> Path:
    """The path of its written form; SchemaError if it is empty or its braces are odd.

    >>> parse_path("=custom")
    Constant(text='custom', roots=frozenset())
    """
    if text == "*":
        return Rest()
    if text.startswith("="):
        return Constant(text[1:])
    if "{" in text or "}" in text:
        parts = _BRACES.split(text)
        if any("{" in part or "}" in part for part in parts):
            raise SchemaError(
                f"the path {text!r} has odd braces",
                code="schema-invalid",
                hint="write each field as {name}, as in user:{userId}",
            )
        made = [Field(p) if index % 2 else p for index, p in enumerate(parts)]
        return Template(tuple(part for part in made if part != ""))
    if not text:
        raise SchemaError("a column has an empty path", code="schema-invalid")
    return Field(text)
