"""The text of a condition, a boolean expression of SQL, to its tree.

sqlglot parses; it accepts far more than conditions, so its tokens and then its nodes go through a
whitelist. Tokens come first: they have exact places for messages, and names such as ``case``, which
sqlglot would take for syntax, become names before it sees them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from distill_core.conditions.spans import UNITS, parse_span
from distill_core.conditions.tree import MAX_DEPTH, Condition
from distill_core.errors import ConditionError

if TYPE_CHECKING:
    from sqlglot.dialects.dialect import Dialect
    from sqlglot.tokenizer_core import Token

MAX_LENGTH = 100_000
"""Characters of a condition's text."""

_FUNCTIONS = ("matches", "regexp_like")
_PIECE = re.compile(r"""[^'"]+|'(?:[^']|'')*+'|"(?:[^"]|"")*+\"""")
_NO_COMMENT = "a condition has no comments"
_NO_SUM = "conditions compare columns with values, they do not calculate"
_HINTS = {
    ";": "a condition is one expression",
    ".": "a name with a dot goes in double quotes, a number starts with a digit",
    "`": 'names go in double quotes: "a b"',
    "!": "write NOT",
    ":": "conditions have no casts and no parameters",
    "/*": _NO_COMMENT,
    "{#": _NO_COMMENT,
    **dict.fromkeys("@{?$", "write the value itself"),
    **dict.fromkeys("+*/%^&|#", _NO_SUM),
}


def parse(text: str) -> Condition:
    """The condition of a SQL boolean expression.

    Accepted: ``= <> != < <= > >=`` between a column and a value or another column, ``AND OR NOT``,
    ``IN``, ``LIKE``, ``BETWEEN``, ``IS NULL``, each also with NOT, ``matches(column, 'RE2')``, a
    boolean column alone; as values numbers, ``'text'``, ``TRUE``, ``FALSE``,
    ``TIMESTAMP '2026-01-01T12:00Z'``, ``DATE '2026-01-01'``, ``INTERVAL '2 seconds'``. Names are
    case-sensitive and go in double quotes unless they are plain words. Anything else is a
    ConditionError with its ``position``.

    >>> parse("case = 'a' AND (3 < size OR NOT flag)")
    parse("case = 'a' AND (size > 3 OR NOT (flag = TRUE))")
    """
    if not isinstance(text, str):
        raise ConditionError("the text of a condition is a str", code="condition-syntax")
    if len(text) > MAX_LENGTH:
        raise error_at(text, MAX_LENGTH, f"a condition has at most {MAX_LENGTH:,} characters")
    try:
        return _parsed(text)
    except RecursionError:  # the caller is deep in its own stack already
        raise ConditionError(
            "the condition is nested too deep for the stack left", code="condition-syntax"
        ) from None


def error_at(text: str, position: int, message: str, hint: str | None = None) -> ConditionError:
    """The error of a fault at ``position``, showing the place in the text."""
    start = max(text.rfind("\n", 0, position) + 1, position - 50)
    end = text.find("\n", position)
    shown = text[start : min(len(text) if end < 0 else end, position + 30)]
    line = "".join(c if c.isprintable() else "\N{MIDDLE DOT}" for c in shown)
    return ConditionError(
        f"{message} at position {position}:\n  {line}\n  {' ' * (position - start)}^",
        code="condition-syntax",
        hint=hint,
        position=position,
    )


def _parsed(text: str) -> Condition:
    from sqlglot.errors import ParseError

    from distill_core.conditions.lower import lower

    tokens = _tokens(text)
    _check_words(tokens, text)
    _check_nesting(tokens, text)
    try:
        trees = _dialect().parser().parse(_with_names(tokens), text)
    except ParseError as error:
        fault = error.errors[0]
        place = (fault.get("line"), fault.get("col"))
        at = next((t for t in tokens if (t.line, t.col) == place), tokens[-1])
        if str(fault.get("description")).startswith("Invalid expression"):
            found = error_at(text, at.start, f"{_clip(at.text)!r} is not expected here")
        else:
            found = error_at(text, at.end + 1, "something is missing here")
        raise found from None
    return lower(trees[0], text)


@lru_cache(maxsize=1)
def _dialect() -> Dialect:
    """The tokens of conditions, and none of the other 300 words of SQL."""
    from sqlglot import tokens
    from sqlglot.dialects.dialect import Dialect
    from sqlglot.tokenizer_core import TokenType as T

    class DistillConditions(Dialect):
        class Tokenizer(tokens.Tokenizer):
            COMMENTS: ClassVar[list[str | tuple[str, str]]] = []
            KEYWORDS: ClassVar[dict[str, T]] = {
                "AND": T.AND, "OR": T.OR, "NOT": T.NOT, "IN": T.IN, "LIKE": T.LIKE, "IS": T.IS,
                "NULL": T.NULL, "BETWEEN": T.BETWEEN, "TRUE": T.TRUE, "FALSE": T.FALSE,
                "INTERVAL": T.INTERVAL, "TIMESTAMP": T.TIMESTAMP, "DATE": T.DATE,
                "==": T.EQ, "<>": T.NEQ, "!=": T.NEQ, "<=": T.LTE, ">=": T.GTE, "~": T.RLIKE,
            }  # fmt: skip

    return DistillConditions()


def _tokens(text: str) -> list[Token]:
    """The tokens of ``text``, at least one, all of kinds that conditions have."""
    from sqlglot.errors import TokenError
    from sqlglot.tokenizer_core import TokenType as T

    try:
        tokens = _dialect().tokenize(text)
    except TokenError:
        position = 0
        while piece := _PIECE.match(text, position):
            position = piece.end()
        raise error_at(text, position, "a quote is not closed") from None
    kinds = {
        T.VAR, T.IDENTIFIER, T.STRING, T.NUMBER, T.EQ, T.NEQ, T.LT, T.LTE, T.GT, T.GTE, T.AND,
        T.OR, T.NOT, T.IN, T.LIKE, T.IS, T.NULL, T.BETWEEN, T.TRUE, T.FALSE, T.INTERVAL,
        T.TIMESTAMP, T.DATE, T.RLIKE, T.L_PAREN, T.R_PAREN, T.COMMA, T.DASH,
    }  # fmt: skip
    end = 0
    for token in tokens:
        _nothing_between(text, end, token.start)
        end = token.end + 1
        word = text[token.start : end]
        known = token.token_type in kinds and word != "!"
        if not known or (token.token_type is T.VAR and not word.isidentifier()):
            raise _meaningless(text, token.start, word)
    _nothing_between(text, end, len(text))
    if not tokens:
        raise error_at(text, 0, "the condition is empty")
    return tokens


def _nothing_between(text: str, start: int, end: int) -> None:
    """Raise if there is more than white space: a comment, which sqlglot leaves out."""
    if rest := text[start:end].strip():
        raise _meaningless(text, text.index(rest, start), rest)


def _meaningless(text: str, position: int, word: str) -> ConditionError:
    hint = _HINTS.get(text[position : position + 2]) or _HINTS.get(word[0])
    return error_at(text, position, f"{_clip(word)!r} has no meaning in a condition", hint)


def _check_words(tokens: list[Token], text: str) -> None:
    """Raise at unknown functions, two operands in a row, and what NULL, INTERVAL, − cannot do."""
    from sqlglot.tokenizer_core import TokenType as T

    starts = {T.VAR, T.IDENTIFIER, T.STRING, T.NUMBER}
    ends = starts | {T.R_PAREN, T.NULL, T.TRUE, T.FALSE}
    last = len(tokens) - 1
    for index, token in enumerate(tokens):
        kind, word = token.token_type, _clip(token.text)
        before = tokens[index - 1].token_type if index else None
        after = tokens[index + 1] if index < last else None
        follower = after.token_type if after else None
        if follower is T.L_PAREN and (
            kind is T.IDENTIFIER or (kind is T.VAR and word.lower() not in _FUNCTIONS)
        ):
            hint = "conditions know matches(column, 'pattern')"
            raise error_at(text, token.start, f"there is no function {word!r}", hint)
        if kind is T.NULL and before not in (T.IS, T.NOT):
            raise error_at(text, token.start, "a comparison with NULL is never true", "use IS NULL")
        if kind in starts and before in ends:
            if not _is_unit(tokens, index):
                raise error_at(text, token.start, f"{word!r} is not expected here")
        elif kind is T.INTERVAL and after and follower is T.STRING:
            unit = f" {tokens[index + 2].text}" if _is_unit(tokens, index + 2) else ""
            try:
                parse_span(after.text + unit)
            except ValueError as error:
                hint = f"write it as '2 seconds'; the units are {', '.join(UNITS)}"
                raise error_at(text, after.start, str(error), hint) from None
        elif kind is T.DASH and follower is not T.NUMBER:
            hint = _NO_COMMENT if follower is T.DASH else _NO_SUM
            raise error_at(text, token.start, "a minus belongs before a number", hint)


def _is_unit(tokens: list[Token], index: int) -> bool:
    """Whether the word at ``index`` is the unit of ``INTERVAL '2' second``."""
    from sqlglot.tokenizer_core import TokenType as T

    kinds = [token.token_type for token in tokens[max(index - 2, 0) : index + 1]]
    return kinds == [T.INTERVAL, T.STRING, T.VAR]


def _with_names(tokens: list[Token]) -> list[Token]:
    """Each word that is no syntax at its place becomes a quoted name."""
    from sqlglot.tokenizer_core import Token
    from sqlglot.tokenizer_core import TokenType as T

    found = []
    followers = [*(token.token_type for token in tokens[1:]), None]
    for index, (token, follower) in enumerate(zip(tokens, followers, strict=True)):
        kind = token.token_type
        typed = kind in (T.INTERVAL, T.TIMESTAMP, T.DATE)
        if (typed and follower is not T.STRING) or (
            kind is T.VAR and follower is not T.L_PAREN and not _is_unit(tokens, index)
        ):
            place = (token.line, token.col, token.start, token.end)
            found.append(Token(T.IDENTIFIER, token.text, *place))
        else:
            found.append(token)
    return found


def _check_nesting(tokens: list[Token], text: str) -> None:
    """Raise before sqlglot, which descends for each ( and NOT, meets too many of them."""
    from sqlglot.tokenizer_core import TokenType as T

    opened: list[int] = []  # for each open parenthesis, the levels before it
    level = 0
    followers = [*(token.token_type for token in tokens[1:]), None]
    for token, follower in zip(tokens, followers, strict=True):
        kind = token.token_type
        if kind is T.L_PAREN:
            opened.append(level)
            level += 1
        elif kind is T.R_PAREN and opened:
            level = opened.pop()
        elif kind is T.NOT and follower not in (T.L_PAREN, T.NULL):
            level += 1
        elif kind in (T.AND, T.OR, T.COMMA):
            level = opened[-1] + 1 if opened else 0
        if level > MAX_DEPTH + 2:  # an IN list or a pair of spare parentheses in the deepest tree
            raise error_at(text, token.start, f"conditions nest at most {MAX_DEPTH} deep")


def _clip(text: str) -> str:
    return text if len(text) <= 30 else f"{text[:27]}..."
