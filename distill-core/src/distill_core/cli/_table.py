"""What of a result fits on a terminal: a few columns in few characters, and which do not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from distill_core.cli._output import cell, in_line
from distill_core.columns import Column
from distill_core.picture import span_text

WIDEST = 40
"""Characters of a cell."""

GAP = 2
FIRST = ("case", "activity", "time", "duration", "user")
LAST = ("end", "order", "stream", "id", "source_ids", "members")


@dataclass(frozen=True)
class Fitted:
    """A table as it is shown, and what to say of the columns that are not in it."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    hidden: Sequence[str]


def order_for_people(columns: Sequence[Column]) -> list[Column]:
    """What tells most of an event first: who, what, when, how long.

    >>> [c.name for c in order_for_people([Column("id"), Column("page"), Column("case")])]
    ['case', 'page', 'id']
    """
    rank = {name: place for place, name in enumerate(FIRST)}
    rank |= {name: len(FIRST) + 1 + place for place, name in enumerate(LAST)}
    return sorted(columns, key=lambda column: rank.get(column.name, len(FIRST)))


def fitted(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]], width: int) -> Fitted:
    """The first columns that fit into ``width``; those that are null in all rows are left out.

    >>> columns = [Column("who"), Column("note"), Column("text"), Column("n", type="integer")]
    >>> rows = [{"who": "ann", "text": "a long text", "n": 1}]
    >>> found = fitted(columns, rows, 8)
    >>> found.heads, found.rows, found.hidden
    (['who', 'n'], [('ann', '1')], ['1 more column: text', '1 column is null here: note'])
    """
    used = [c for c in columns if any(row.get(c.name) is not None for row in rows)]
    shown, more, room = dict[str, list[str]](), list[str](), width
    for column in used if rows else columns:
        texts = list(_texts(column, [row.get(column.name) for row in rows]))
        wide = max(map(len, [in_line(column.name), *texts]))
        if shown and wide > room:
            more.append(column.name)
            continue
        shown[column.name] = texts
        room -= wide + GAP
    null = [c.name for c in columns if c not in used] if rows else []
    hidden = [f"{len(more)} more column{_s(more)}: {', '.join(more)}"] if more else []
    if null:
        is_are = "is" if len(null) == 1 else "are"
        hidden.append(f"{len(null)} column{_s(null)} {is_are} null here: {', '.join(null)}")
    return Fitted(list(shown), list(zip(*shown.values(), strict=True)), hidden)


def _s(names: Sequence[str]) -> str:
    return "" if len(names) == 1 else "s"


def _texts(column: Column, values: Sequence[Any]) -> Iterator[str]:
    """Cells as people read them: times without what all of them lack, lengths in their units."""
    if column.type == "time":
        yield from _times(values)
        return
    for value in values:
        text = span_text(value) if column.type == "duration" and value is not None else cell(value)
        text = in_line(text)
        yield text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def _times(values: Sequence[Any]) -> Iterator[str]:
    texts = [str(value).replace("T", " ").removesuffix("Z") for value in values if value]
    for ending in ("000", ".000"):
        if all(text.endswith(ending) for text in texts):
            texts = [text.removesuffix(ending) for text in texts]
        else:
            break
    rest = iter(texts)
    yield from (next(rest) if value else "" for value in values)
