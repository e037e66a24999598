"""A result as a table of HTML."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

from distill_core.columns import Column
from distill_core.picture._page import Picture
from distill_core.picture._text import amount_text, escape, span_text

if TYPE_CHECKING:
    from distill_core.result import Result

LONGEST = 120
"""Characters of a value that a cell shows."""

_NUMBERS = ("integer", "number", "duration")


def table_picture(result: Result, *, limit: int = 100, title: str = "") -> Picture:
    """The first ``limit`` rows of events or a table; of a graph its edges.

    >>> from distill_core.result import Result
    >>> table_picture(Result.table([Column("n", type="integer")], [{"n": 1234}])).body
    '<div class="wide"><table><thead><tr><th class="n">n</th></tr></thead><tbody><tr><td
    class="n">1,234</td></tr></tbody></table></div>'
    """
    columns = result.edge_columns if result.kind == "graph" else result.columns
    rows = list(islice(result.iterate(), limit))
    head = "".join(f"<th{_kind(column)}>{escape(column.name)}</th>" for column in columns)
    body = "".join(
        f"<tr>{''.join(_cell(column, row[column.name]) for column in columns)}</tr>" for row in rows
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    total = _total(result)
    hidden = f"{amount_text(len(rows))} of {amount_text(total)} rows are shown."
    return Picture(
        title, f'<div class="wide">{table}</div>', hidden if total > len(rows) else ""
    )


def _total(result: Result) -> int:
    if result.log is not None:
        return len(result.log)
    return len(result.edges if result.kind == "graph" else result.table_rows)


def _kind(column: Column) -> str:
    return ' class="n"' if column.type in _NUMBERS else ""


def _cell(column: Column, value: Any) -> str:
    text, whole = _written(column, value), ""
    if column.type == "duration" and value is not None:
        whole = f"{amount_text(value)} µs"
    elif len(text) > LONGEST:
        text, whole = f"{text[: LONGEST - 1]}…", text
    hint = f' title="{escape(whole)}"' if whole else ""
    return f"<td{_kind(column)}{hint}>{escape(text)}</td>"


def _written(column: Column, value: Any) -> str:
    match column.type:
        case _ if value is None:
            return ""
        case "duration":
            return span_text(value)
        case "integer":
            return amount_text(value)
        case "time":
            return str(value).replace("T", " ").removesuffix("Z").removesuffix("000")
        case _:
            return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
