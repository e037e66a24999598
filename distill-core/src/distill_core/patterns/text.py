"""The text of a pattern to its tree: a small parser by recursive descent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from distill_core.errors import ConditionError
from distill_core.params import parse_duration
from distill_core.patterns.tree import Choice, Forbidden, Node, Pattern, Repeat, Sequence, Step

MAX_LENGTH = 10_000
"""Characters of a pattern's text."""

MAX_DEPTH = 50
"""Parentheses in each other."""

MAX_TIMES = 1000
"""The largest number in ``{m,n}``."""

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<times>\{\s*(?P<low>\d+)\s*(?P<comma>,\s*(?P<high>\d+)?\s*)?\})
      | (?P<arrow>->|→)
      | (?P<sign>[()|?*+!])
      | (?P<name>\w+(?:[-.]\w+)*)
      | (?P<quoted>'(?:[^']|'')+'|"(?:[^"]|"")+")
      | (?P<end>\Z)
    )""",
    re.VERBOSE,
)
_QUANTIFIERS = {"?": (0, 1), "*": (0, None), "+": (1, None)}
_STEP = "a step, ( or !"
_AFTER = "a step, (, !, |, a quantifier or within"


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int
    times: tuple[int, int | None] = (0, 0)


@lru_cache(maxsize=256)
def parse(text: str) -> Pattern:
    """The tree of a pattern's text.

    Steps follow each other, with or without ``->`` or ``→`` between them; ``( )`` groups, ``|``
    means or, ``? * + {n} {m,} {m,n}`` repeat, ``!step`` forbids. Names are words, which may hold
    ``- _ .`` inside; others go in quotes. ``within 60s`` may end it. Anything else is a
    ConditionError, code ``pattern-syntax``, with its ``position``.

    >>> parse("load (click | tap)+ within 60s").within
    datetime.timedelta(seconds=60)
    """
    if len(text) > MAX_LENGTH:
        raise _error(text, MAX_LENGTH, f"a pattern has at most {MAX_LENGTH:,} characters")
    return _Parser(text).pattern()


def _error(text: str, position: int, message: str, hint: str | None = None) -> ConditionError:
    """The error of a fault at ``position``, showing the place in the text."""
    start = max(text.rfind("\n", 0, position) + 1, position - 50)
    end = text.find("\n", position)
    shown = text[start : min(len(text) if end < 0 else end, position + 30)]
    line = "".join(c if c.isprintable() else "\N{MIDDLE DOT}" for c in shown)
    return ConditionError(
        f"{message} at position {position}:\n  {line}\n  {' ' * (position - start)}^",
        code="pattern-syntax",
        hint=hint,
        position=position,
    )


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    position = 0
    while not found or found[-1].kind != "end":
        piece = _TOKEN.match(text, position)
        if piece is None:
            at = len(text) - len(text[position:].lstrip())
            message = f"{text[at : at + 1]!r} has no meaning in a pattern"
            raise _error(text, at, message, _hint(text, at))
        kind = str(piece.lastgroup if piece["times"] is None else "times")
        word = piece[kind]
        low = int(piece["low"] or 0)
        high = low if piece["comma"] is None else int(piece["high"]) if piece["high"] else None
        if kind == "quoted":
            word = word[1:-1].replace(word[0] * 2, word[0])
        found.append(_Token(kind, word, piece.start(kind), (low, high)))
        position = piece.end()
    return found


def _hint(text: str, at: int) -> str:
    if text[at] in "'\"":
        return "a quote is not closed, or there is nothing in it"
    if text[at] == "{":
        return "repeat by {2}, {2,} or {2,3}"
    return "names of other characters go in quotes: 'add to cart'"


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.next = 0
        self.depth = 0

    @property
    def token(self) -> _Token:
        return self.tokens[self.next]

    def sign(self, text: str) -> bool:
        return self.token.kind == "sign" and self.token.text == text

    def is_within(self) -> bool:
        return self.token.kind == "name" and self.token.text.lower() == "within"

    def expected(self, what: str) -> ConditionError:
        token = self.token
        met = "the pattern ends" if token.kind == "end" else f"{token.text!r} is not expected"
        hint = None
        if self.is_within():
            hint = "a step of that name goes in quotes: 'within'"
        return _error(self.text, token.at, f"{met}, but {what} is,", hint)

    def pattern(self) -> Pattern:
        root = self.choice()
        within = self.within() if self.is_within() else None
        if self.token.kind != "end":
            raise self.expected("the end of the pattern" if within else _AFTER)
        return Pattern(root, within)

    def within(self) -> timedelta:
        self.next += 1
        token = self.token
        if token.kind not in ("name", "quoted"):
            raise self.expected("a duration")
        self.next += 1
        try:
            return parse_duration(token.text)
        except ValueError as error:
            raise _error(self.text, token.at, str(error)) from None

    def choice(self) -> Node:
        parts = [self.sequence()]
        while self.sign("|"):
            self.next += 1
            parts.append(self.sequence())
        return parts[0] if len(parts) == 1 else Choice(tuple(parts))

    def sequence(self) -> Node:
        parts = [self.item()]
        while True:
            if self.token.kind == "arrow":
                self.next += 1
            elif not self.begins_item():
                return parts[0] if len(parts) == 1 else Sequence(tuple(parts))
            parts.append(self.item())

    def begins_item(self) -> bool:
        token = self.token
        if token.kind == "sign":
            return token.text in "(!"
        return token.kind == "quoted" or (token.kind == "name" and not self.is_within())

    def item(self) -> Node:
        if not self.begins_item():
            raise self.expected(_STEP)
        if self.sign("!"):
            self.next += 1
            if not self.begins_item() or self.token.kind == "sign":
                raise self.expected("the name of a step")
            found: Node = Forbidden(self.token.text)
            self.next += 1
            if self.quantifier() is not None:
                raise self.expected("a step after what is forbidden")
            return found
        if self.sign("("):
            found = self.group()
        else:
            found = Step(self.token.text)
            self.next += 1
        while (times := self.quantifier()) is not None:
            low, high = times
            if low > MAX_TIMES or (high or 0) > MAX_TIMES:
                raise self.expected(f"a number up to {MAX_TIMES}")
            if high is not None and (high < low or high == 0):
                raise self.expected("{m,n} with n of at least m and 1")
            self.next += 1
            if self.quantifier() is not None:
                raise self.expected("only one quantifier")
            found = Repeat(found, low, high)
        return found

    def quantifier(self) -> tuple[int, int | None] | None:
        """What the next token says on how often, if it does."""
        token = self.token
        if token.kind == "times":
            return token.times
        return _QUANTIFIERS.get(token.text) if token.kind == "sign" else None

    def group(self) -> Node:
        self.next += 1
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _error(self.text, self.token.at, f"groups nest at most {MAX_DEPTH} deep")
        found = self.choice()
        if not self.sign(")"):
            raise self.expected(f"{_AFTER.rpartition(' or ')[0]} or )")
        self.next += 1
        self.depth -= 1
        return found
