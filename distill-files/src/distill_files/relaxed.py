"""One JSON text → its value, as this package takes it: the same for every way of reading.

Accepted beyond the standard, because the fast reader accepts it and cannot be told not to: a comma
after the last item, and NaN, nan, Infinity, inf in any letter case, which are read as NaN (a fault
in every column). A key that occurs twice has its last value, as in Elasticsearch.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from distill_core.extract import MAX_DEPTH

TOKEN = re.compile(
    r'(?P<text>"[^"\\]*(?:\\.[^"\\]*)*")'
    r"|(?P<word>-?\b(?:nan|inf(?:inity)?)\b)"
    r"|(?P<comma>,(?=[ \t\r\n]*[\]}]))"
    r'|(?P<open>[\[{])|(?P<close>[\]}])|(?P<cut>")',
    re.IGNORECASE | re.DOTALL,
)
"""What matters in JSON text; ``cut`` is a text that does not end."""

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def parse(text: str) -> Any:
    """The value of a JSON text; ValueError if it is none.

    What is nested far beyond the limit of ``extract`` is cut off there; what is left is still
    deeper than the limit.

    >>> parse('{"a": 1, "a": [2, nan,],}')
    {'a': [2, nan]}
    """
    try:
        return json.loads(text)
    except RecursionError:
        return json.loads(_shallow(text), parse_int=_whole)
    except ValueError:
        return json.loads(_shallow(_standard(text)), parse_int=_whole)


def may_hold_surrogates(text: str) -> bool:
    """Whether surrogates are written in the text, paired or not."""
    return "\\u" in text and _SURROGATE.search(text) is not None


def _standard(text: str) -> str:
    """The text without commas before a closing bracket, its odd numbers spelt as json does."""
    kept: list[str] = []
    start = 0
    for found in TOKEN.finditer(text):
        if found["word"]:
            kept += [text[start : found.start()], "NaN"]
            start = found.end()
        elif found["comma"]:
            before = text[start : found.start()].rstrip(" \t\r\n")
            if (before or "".join(kept[-1:]))[-1:] not in ("", "[", "{", ",", ":"):
                kept.append(before)
                start = found.end()
    return "".join([*kept, text[start:]])


def _shallow(text: str) -> str:
    """The text without what is nested deeper than json's own recursion safely goes."""
    limit, depth, start = 2 * MAX_DEPTH, 0, 0
    kept: list[str] = []
    for found in TOKEN.finditer(text):
        if found["open"]:
            depth += 1
            if depth == limit + 1:
                kept.append(text[start : found.start()])
        elif found["close"]:
            depth -= 1
            if depth == limit:
                kept.append("0")
                start = found.end()
    if depth > limit:
        raise ValueError("the text ends inside of a list or an object")
    return "".join([*kept, text[start:]])


def _whole(digits: str) -> float:
    """A whole number; one of more digits than Python converts is beyond every type."""
    return int(digits) if len(digits) <= 4300 else math.inf
