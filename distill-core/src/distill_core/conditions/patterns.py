"""Patterns of LIKE and matches as tests on one text; both are linear in it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from distill_core.conditions.tree import Like, Matches
from distill_core.errors import ConditionError


def check_pattern(condition: Like | Matches) -> None:
    """Raise ConditionError ``condition-pattern`` if the pattern cannot be used."""
    tester(condition)


def tester(condition: Like | Matches) -> Callable[[str], bool]:
    """The test that the condition makes on a text.

    >>> fits = tester(Like("target", "button%"))
    >>> fits("button#save"), fits("a button")
    (True, False)
    """
    if isinstance(condition, Matches):
        return _re2(condition.pattern)
    if "_" in condition.pattern:
        pieces = {"%": "(?s:.*)", "_": "(?s:.)"}
        parts = [pieces.get(c) or _escaped(c) for c in condition.pattern]
        return _re2(rf"\A{''.join(parts)}\z")
    return _like(condition.pattern.split("%"))


def _like(parts: list[str]) -> Callable[[str], bool]:
    """LIKE with ``%`` alone, split there.

    The first part begins the text, the last ends it, the others follow each other in between,
    each at its first place.
    """
    if len(parts) == 1:
        return parts[0].__eq__
    first, *middle, last = parts
    length = len(first) + len(last)

    def fits(text: str) -> bool:
        if len(text) < length or not text.startswith(first) or not text.endswith(last):
            return False
        place, end = len(first), len(text) - len(last)
        for part in middle:
            found = text.find(part, place, end)
            if found < 0:
                return False
            place = found + len(part)
        return True

    return fits


def _escaped(character: str) -> str:
    return rf"\x{{{ord(character):x}}}"


@lru_cache(maxsize=256)
def _re2(pattern: str) -> Callable[[str], bool]:
    import re2

    options = re2.Options()
    options.log_errors = False
    try:  # on bytes: several times faster, since no offsets are counted in characters
        search = re2.compile(pattern.encode(), options).search
    except (re2.error, UnicodeEncodeError) as error:
        reason = error.args[0] if isinstance(error, re2.error) else str(error)
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
        raise ConditionError(
            f"the pattern cannot be used: {text}",
            code="condition-pattern",
            hint="patterns are RE2: no look-around, no back-references",
        ) from None
    return lambda text: search(text.encode("utf-8", "surrogatepass")) is not None
