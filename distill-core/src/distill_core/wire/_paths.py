"""Dotted paths into a document, as ``--set`` and every error write them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from distill_core.errors import SpecError

MAX_KEYS = 100
"""Parts of a path; a longer one would be deeper than any document, and than Python recurses."""


def parse_value(text: str) -> Any:
    """The value that text on a command line means: JSON if it is JSON, else the text itself.

    >>> [parse_value(text) for text in ("5", "[1, 2]", "30m", '"5"', "true")]
    [5, [1, 2], '30m', '5', True]
    """
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):  # brackets in brackets, without end
        return text


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def set_path(document: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of the document with this value at this path; tables on the way are made.

    A component that is written as its bare name is written out. Raises SpecError if the path leads
    through a value, or to a place in a list that is not there.

    >>> set_path({"transforms": ["elapsed"]}, "transforms.0.params.gap", "30m")
    {'transforms': [{'name': 'elapsed', 'params': {'gap': '30m'}}]}
    """
    keys = path.split(".")
    if not all(keys):
        raise SpecError(
            f"{path!r} is no path",
            code="spec-invalid",
            hint="write it as in transforms.0.params.gap",
        )
    return set_keys(document, keys, value)


def set_keys(document: Mapping[str, Any], keys: list[str], value: Any) -> dict[str, Any]:
    """As ``set_path``, for keys that are told apart already (and may hold dots)."""
    if len(keys) > MAX_KEYS:
        raise SpecError(
            f"a path of {len(keys)} parts leads deeper than any document",
            code="spec-invalid",
            hint=f"at most {MAX_KEYS} parts",
        )
    found: dict[str, Any] = _with(document, keys, value, ".".join(keys))
    return found


def _with(node: Any, keys: list[str], value: Any, path: str) -> Any:
    if not keys:
        return value
    key, *rest = keys
    if isinstance(node, str):
        node = {"name": node}
    if node is None or isinstance(node, Mapping):
        table = dict(node or {})
        return {**table, key: _with(table.get(key), rest, value, path)}
    if isinstance(node, list | tuple):
        if not key.isdecimal() or int(key) >= len(node):
            there = f"there are 0 to {len(node) - 1}" if node else "the list is empty"
            raise SpecError(f"there is no item {key!r}", code="spec-invalid", hint=there, path=path)
        items = list(node)
        items[int(key)] = _with(items[int(key)], rest, value, path)
        return items
    raise SpecError(
        f"{key!r} cannot be set inside the value {node!r}", code="spec-invalid", path=path
    )
