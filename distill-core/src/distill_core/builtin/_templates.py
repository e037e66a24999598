"""Templates of paths, such as ``/product/{id}``, and which of them a URL fits."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from urllib.parse import unquote

Segments = tuple[str, ...]

_HOST = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?//[^/]*")
_OPAQUE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_PART = re.compile(r"\{\w+\}")


def segments_of(url: str) -> Segments | None:
    """The parts of a URL's path, decoded; None if it has no path, as ``mailto:`` has none.

    Host, query, fragment and a slash at the end do not count.

    >>> segments_of("https://shop.example/product/caf%C3%A9/?page=2#top")
    ('product', 'café')
    """
    text = re.split(r"[?#]", url, maxsplit=1)[0]
    if host := _HOST.match(text):
        text = text[host.end() :]
    elif _OPAQUE.match(text):
        return None
    return tuple(unquote(part) for part in text.removesuffix("/").removeprefix("/").split("/"))


def check_template(text: str) -> Segments:
    """The parts of a template. Raises ValueError if it is none."""
    if not text.startswith("/") or "?" in text or "#" in text:
        raise ValueError(f"{text!r} is no path: write it as '/product/{{id}}'")
    parts = tuple(text.removesuffix("/").removeprefix("/").split("/"))
    for part in parts:
        if set("{}") & set(_PART.sub("", part)):
            raise ValueError(f"{text!r}: braces hold a name, as in '/product/{{id}}'")
        if "" in _PART.split(part)[1:-1]:
            raise ValueError(f"{text!r}: between two braces of one part there must be text")
    return parts


def shape(template: Segments) -> Segments:
    """The template without its names: equal for templates that the same paths fit."""
    return tuple(_PART.sub("{}", part) for part in template)


def _rank(part: str) -> tuple[int, int]:
    """Plain text before text with braces (rather more text) before braces alone."""
    text = _PART.sub("", part)
    return (0, 0) if text == part else (1, -len(text)) if text else (2, 0)


def _fits(pieces: list[str], text: str) -> bool:
    """Whether something stands between each two pieces, and they follow each other in the text."""
    first, *middle, last = pieces
    if not text.startswith(first) or not text.endswith(last):
        return False
    place, end = len(first), len(text) - len(last)
    for piece in middle:
        found = text.find(piece, place + 1, end)
        if found < 0:
            return False
        place = found + len(piece)
    return place < end


def finder(templates: Sequence[str]) -> Callable[[str], int]:
    """The number of the most specific template that a URL fits, −1 if there is none.

    Specific: part by part from the left, plain text before braces.

    >>> find = finder(["/product/{id}", "/product/new"])
    >>> find("/product/7"), find("/product/new?x=1"), find("/cart")
    (0, 1, -1)
    """
    by_length: dict[int, list[tuple[list[list[str]], int]]] = defaultdict(list)
    parts = [check_template(template) for template in templates]
    for number in sorted(range(len(parts)), key=lambda n: ([*map(_rank, parts[n])], parts[n])):
        pieces = [_PART.split(part) for part in parts[number]]
        by_length[len(pieces)].append((pieces, number))

    def find(url: str) -> int:
        segments = segments_of(url)
        if segments is None:
            return -1
        for template, number in by_length.get(len(segments), ()):
            if all(
                _fits(pieces, text) if len(pieces) > 1 else pieces[0] == text
                for pieces, text in zip(template, segments, strict=True)
            ):
                return number
        return -1

    return find
