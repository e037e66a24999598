"""JSON text of documents that the fast decoder refuses, as Elasticsearch took and keeps it.

It gives back the very bytes that were sent, and takes more than the standard does: comments, NaN,
halves of surrogate pairs, numbers beyond every float.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89aAbB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_TEXT = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_COMMENT = re.compile(rb"(" + _TEXT + rb")|/\*.*?\*/|//[^\r\n]*", re.DOTALL)
_TOKEN = re.compile(
    rb"(?P<key>" + _TEXT + rb")(?=\s*:)|" + _TEXT
    + rb"|/\*.*?\*/|//[^\r\n]*|(?P<open>[\[{])|(?P<close>[\]}])",
    re.DOTALL,
)  # fmt: skip
_PLACE = [b"", b'"hits"', b'"hits"', b"", b'"_source"']


class Rejected(ValueError):
    """A document that cannot be read; ``reason`` is ``corrupt`` or ``too_deep``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def repaired(text: bytes) -> dict[str, Any]:
    """The document of a JSON text that is not quite to the standard. Raises Rejected.

    >>> repaired(b'{"a": NaN, /* gone */ "b": 1e999}')
    {'a': nan, 'b': inf}
    """
    try:
        plain = _COMMENT.sub(_kept, text).decode("utf-8", "surrogatepass")
        value = json.loads(plain, parse_int=_whole)
    except RecursionError:
        raise Rejected("too_deep") from None
    except ValueError:
        raise Rejected("corrupt") from None
    if not isinstance(value, dict):
        raise Rejected("corrupt")
    return value


def without_surrogates(body: bytes) -> tuple[bytes, int]:
    r"""JSON text with U+FFFD for each lone surrogate that is written as an escape; and how many.

    >>> print(*without_surrogates(rb'"\ud83d, \ud83d\ude00, \\ud83d"'))
    b'"\\ufffd, \\ud83d\\ude00, \\\\ud83d"' 1
    """
    found = 0

    def mend(match: re.Match[bytes]) -> bytes:
        nonlocal found
        if match["lone"] is None:
            return match[0]
        found += 1
        return rb"\ufffd"

    return _ESCAPE.sub(mend, body), found


def cut_documents(body: bytes) -> tuple[bytes, list[bytes]]:
    """A search's answer with a number in the place of each hit's document, and the documents.

    >>> cut_documents(b'{"hits": {"hits": [{"_source": {"a": NaN}, "sort": [1]}]}}')
    (b'{"hits": {"hits": [{"_source": 0, "sort": [1]}]}}', [b'{"a": NaN}'])
    """
    way: list[bytes] = []  # the keys of the objects and lists that are open
    kept: list[bytes] = []
    documents: list[bytes] = []
    key, start, done = b"", 0, 0
    for token in _TOKEN.finditer(body):
        if token["key"] is not None:
            key = token["key"]
        elif token["open"] is not None:
            way.append(key)
            key = b""
            if way == _PLACE:
                start = token.start()
        elif token["close"] is not None:
            if way == _PLACE:
                kept += [body[done:start], str(len(documents)).encode()]
                done = token.end()
                documents.append(body[start:done])
            if way:
                way.pop()
            key = b""
    return b"".join([*kept, body[done:]]), documents


def _kept(match: re.Match[bytes]) -> bytes:
    return match[1] or b" "


def _whole(digits: str) -> float:
    """A whole number; one of more digits than Python converts is beyond every type."""
    return int(digits) if len(digits) <= 4300 else math.inf
