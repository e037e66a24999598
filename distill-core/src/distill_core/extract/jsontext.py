"""JSON values as text, in one place: canonical, without what no JSON text may hold."""

from __future__ import annotations

import json
import marshal
import math
import re
from collections.abc import Sequence
from itertools import chain, repeat
from typing import Any

MAX_DEPTH = 64
"""Lists and objects in each other that a value may have; a deeper one is unreadable."""

_CONTAINERS = (dict, list, tuple)
_LONE = re.compile("[\ud800-\udfff]")
_ENCODE = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode


_BETWEEN = "\0 next \0"
_SPLIT = f",{_ENCODE(_BETWEEN)},"
_SIMPLE = {dict, list, str, int, float, bool, type(None)}


class Unreadable(ValueError):
    """A value that its column cannot hold; ``kept`` is what stays in its place."""

    def __init__(self, kept: str | None = None) -> None:
        super().__init__("the value cannot be read")
        self.kept = kept


def canonical(value: object) -> str:
    """The JSON text of a value: sorted keys, no spaces, every character as itself.

    Raises Unreadable if the value is nested deeper than MAX_DEPTH or is no JSON value; also if it
    holds NaN or Infinity, its ``kept`` then being the text with null in their places.

    >>> canonical({"b": [1, 2.0], "a": None})
    '{"a":null,"b":[1,2.0]}'
    """
    if too_deep(value):
        raise Unreadable
    try:
        text = _ENCODE(value)
    except (ValueError, TypeError):
        clean, whole = _clean(value)
        text = _ENCODE(clean)
    else:
        whole = True
        if not text.isascii() and _LONE.search(text):
            text = _ENCODE(_clean(value)[0])
    if not whole:
        raise Unreadable(None if text == "null" else text)
    return text


def text_of(value: object) -> str:
    """The text of a value that is not null: a text itself, else its JSON text.

    Raises Unreadable as ``canonical`` does.

    >>> [text_of(v) for v in ("x", True, 7, 1.0, [1])]
    ['x', 'true', '7', '1.0', '[1]']
    """
    return mended(value) if isinstance(value, str) else canonical(value)


def mended(text: str) -> str:
    r"""The text with U+FFFD for each lone surrogate.

    >>> mended("a\ud83d") == "a\ufffd"
    True
    """
    return text if text.isascii() else _LONE.sub("\ufffd", text)


def count_surrogates(value: object) -> int:
    r"""How many lone surrogates are in the texts of a JSON value, keys among them.

    >>> count_surrogates({"a": ["\ud83d", "b"]})
    1
    """
    if isinstance(value, str):
        return 0 if value.isascii() else len(_LONE.findall(value))
    if isinstance(value, dict):
        return sum(count_surrogates(k) + count_surrogates(v) for k, v in value.items())
    return sum(map(count_surrogates, value)) if isinstance(value, list | tuple) else 0


def too_deep(value: object) -> bool:
    """Whether lists and objects are nested deeper than MAX_DEPTH; never a RecursionError."""
    level: list[Any] = [value] if isinstance(value, _CONTAINERS) else []
    for _ in range(MAX_DEPTH):
        inner = (item.values() if isinstance(item, dict) else item for item in level)
        level = [item for items in inner for item in items if isinstance(item, _CONTAINERS)]
        if not level:
            return False
    return bool(level)


def canonical_all(values: Sequence[Any]) -> list[str] | None:
    """The ``canonical`` texts of values, made at once; None if one of them needs a look alone.

    >>> canonical_all([{"b": [1, 2.0], "a": None}, "x"])
    ['{"a":null,"b":[1,2.0]}', '"x"']
    """
    try:  # no two values that differ have the same bytes, as far as they are _simple
        keys = list(map(marshal.dumps, values, repeat(2)))
    except ValueError:
        return None
    distinct = dict(zip(keys, values, strict=True))
    texts = _encode_each(list(distinct.values()))
    if texts is None:
        return None
    place = dict(zip(distinct, texts, strict=True))
    return [place[key] for key in keys]


def _encode_each(values: list[object]) -> list[str] | None:
    if not _simple(values):
        return None
    between: list[object] = [_BETWEEN] * (2 * len(values))
    between[::2] = values
    try:
        text = _ENCODE(between[:-1])
    except ValueError:
        return None
    if not text.isascii() and _LONE.search(text):
        return None
    # A value that holds the very mark makes more parts, never others of the same number.
    parts = text[1:-1].split(_SPLIT)
    return parts if len(parts) == len(values) else None


def _simple(values: list[Any]) -> bool:
    """Whether all is of JSON's own types, none a subclass, and nothing is ``too_deep``."""
    for _ in range(MAX_DEPTH + 1):
        if not set(map(type, values)) <= _SIMPLE:
            return False
        objects = [value for value in values if type(value) is dict]
        lists = [value for value in values if type(value) is list]
        if not objects and not lists:
            return True
        if not set(map(type, chain.from_iterable(objects))) <= {str}:
            return False
        inner = chain((found.values() for found in objects), lists)
        values = list(chain.from_iterable(inner))
    return False


def _clean(value: Any) -> tuple[Any, bool]:
    """The value without NaN, Infinity and lone surrogates; whether no number was lost."""
    match value:
        case str():
            return mended(value), True
        case None | bool() | int():
            return value, True
        case float():
            return (value, True) if math.isfinite(value) else (None, False)
        case dict():
            pairs = {mended(_key(k)): _clean(v) for k, v in value.items()}
            found = {name: clean for name, (clean, _) in pairs.items()}
            return found, all(whole for _, whole in pairs.values())
        case list() | tuple():
            items = [_clean(item) for item in value]
            return [clean for clean, _ in items], all(whole for _, whole in items)
        case _:
            raise Unreadable


def _key(key: object) -> str:
    if isinstance(key, str):
        return key
    raise Unreadable
