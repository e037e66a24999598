"""The demo's page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from distill_core.cli._demo_facts import headline, losses, steps
from distill_core.picture import (
    Picture,
    amount_text,
    escape,
    page,
    table_picture,
    timeline_picture,
)

if TYPE_CHECKING:
    from distill_core.cli.demo import Demo

TITLE = "What people did in a web shop"
LEAD = (
    "A demonstration of Distill. Browsers recorded what simulated people did in a demo shop; a "
    "pipeline of a few steps made events, intervals and this graph of it. Everything here was "
    "computed on your machine, and this page needs no network."
)


def demo_page(demo: Demo) -> str:
    """One offline HTML page."""
    graph = demo.result.plot()
    edges = table_picture(demo.result, limit=len(demo.result.edges)).body
    more = f"<details><summary>All transitions as a table</summary>{edges}</details>"
    graph = replace(graph, title="From step to step", body=graph.body + more)
    timeline = timeline_picture(demo.log, title="Some sessions, event by event")
    figures = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(figure)}</dd></div>"
        for name, figure in headline(demo)
    )
    return page(
        TITLE,
        [
            Picture("", f'<dl class="tiles">{figures}</dl>'),
            graph,
            timeline,
            _steps(demo),
            _losses(demo),
            _forms(demo),
        ],
        lead=LEAD,
    )


def _steps(demo: Demo) -> Picture:
    rows = [
        (f"<code>{escape(step.name)}</code>", amount_text(step.entered), amount_text(step.out),
         escape(step.facts), escape(step.why))
        for step in steps(demo)
    ]  # fmt: skip
    table = _table(("step", "in", "out", "what it did", "why"), rows, numbers=(1, 2))
    return Picture("What each step did, and why", table)


def _losses(demo: Demo) -> Picture:
    rows = [
        (f"<code>{escape(loss.step)}</code>", escape(loss.reason), amount_text(loss.count),
         escape(loss.meaning), f"<code>{escape(', '.join(loss.samples[:3]))}</code>")
        for loss in losses(demo)
    ]  # fmt: skip
    table = _table(("at", "reason", "count", "meaning", "first of them"), rows, numbers=(2,))
    return Picture(
        "What could not be used, and why",
        table,
        "Rejected records became no event. Events that dangle found no partner and stay as they "
        "are. Nothing is left out without a count, a reason and the first places or ids.",
    )


def _forms(demo: Demo) -> Picture:
    return Picture(
        "Do it again",
        "<p>The whole pipeline as a file, for <code>distill run shop.toml</code>:</p>"
        f"<pre>{escape(demo.toml)}</pre>"
        "<details><summary>The same in Python</summary>"
        f"<pre>{escape(demo.python)}</pre></details>",
    )


def _table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int]
) -> str:
    """A table of HTML cells."""
    kinds = ['class="n"' if index in numbers else "" for index in range(len(heads))]
    head = "".join(f"<th {kind}>{name}</th>" for kind, name in zip(kinds, heads, strict=True))
    lines = [
        "".join(f"<td {kind}>{cell}</td>" for kind, cell in zip(kinds, row, strict=True))
        for row in rows
    ]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="wide">{table}</div>'
