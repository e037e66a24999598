"""Some cases of a log, event by event, on one axis of time since each case began."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from distill_core.picture._page import Picture
from distill_core.picture._text import amount_text, escape, span_text

if TYPE_CHECKING:
    from distill_core.log import EventLog

LEFT, WIDE = 168.0, 1060.0
DOT, BAR = 4.2, 7.0
COLOURS = 9
"""Values with a colour of their own; the others share the tenth."""
_SECOND = 1_000_000
_TICKS = [n * unit for unit, steps in (
    (1_000, (1, 2, 5, 10, 20, 50, 100, 200, 500)), (_SECOND, (1, 2, 5, 10, 15, 30)),
    (60 * _SECOND, (1, 2, 5, 10, 15, 30)), (3600 * _SECOND, (1, 2, 3, 6, 12)),
    (86400 * _SECOND, (1, 2, 7, 14, 30, 90, 180, 365, 1825, 3650, 36500, 365000)),
) for n in steps]  # fmt: skip


class Mark(NamedTuple):
    """An event: its value, and where it begins and ends in µs since its case began."""

    value: str
    start: int
    end: int


def timeline_picture(
    log: EventLog,
    *,
    cases: int | Sequence[str] = 6,
    colour: str = "activity",
    limit: int = 400,
    title: str = "Timeline",
) -> Picture:
    """A lane for each case: events as points, intervals as bars, colours by a column of text.

    ``cases``: labels, or how many (those with the most different values of ``colour``, in the
    order of the log). ``limit``: events of a case that are drawn, its first ones. Events with null
    in ``colour`` are left out. Time counts from each case's first event.

    >>> from distill_core.log import EventLog
    >>> log = EventLog.from_frame([{"c": "a", "a": "x", "t": 0}], case="c", activity="a",
    ...                           time="t", unit="s")
    >>> timeline_picture(log).body.count("<circle")
    1
    """
    every = _lanes(log, colour)
    lanes = _chosen(every, cases)
    if not any(lanes.values()):
        return Picture(title, "<p>There is no event.</p>")
    drawn = {case: marks[:limit] for case, marks in lanes.items()}
    count = Counter(mark.value for marks in drawn.values() for mark in marks)
    named = [value for value, _ in sorted(count.items(), key=lambda item: (-item[1], item[0]))]
    number = {value: min(index, COLOURS) for index, value in enumerate(named)}
    total = max(mark.end for marks in drawn.values() for mark in marks) or 1
    body, height = [], 26.0
    for case, marks in drawn.items():
        lane, size = _lane(case, marks, number, (WIDE - LEFT - 16) / total)
        body.append(f'<g transform="translate(0 {height:.0f})">{lane}</g>')
        height += size
    svg = (
        f'<div class="wide"><svg class="tl" viewBox="0 0 {WIDE:.0f} {height + 8:.0f}" '
        f'width="{WIDE:.0f}" height="{height + 8:.0f}" style="min-width:720px" role="img" '
        f'aria-label="Timeline of {len(drawn)} cases">{_STYLE}{_axis(total, height)}'
        f"{''.join(body)}</svg></div>"
    )
    return Picture(title, _legend(named) + svg, _note(len(every), drawn, lanes))


_STYLE = (
    "<style>.tl text{font-size:12px}.tl .dim{fill:var(--muted);font-size:11px}"
    ".tl .rule{stroke:var(--line);stroke-width:1}.tl circle{stroke:var(--card);stroke-width:.8}"
    ".tl .bar{opacity:.75}</style>"
)


def _lanes(log: EventLog, colour: str) -> dict[str, list[Mark]]:
    """Case → its marks in order."""
    labels, codes = log.labels(colour).tolist(), log.codes(colour).tolist()
    time, last = log.time.tolist(), log.last.tolist()
    borders = log.offsets.tolist()
    return {
        str(case): [
            Mark(str(labels[codes[row]]), time[row] - time[first], last[row] - time[first])
            for row in range(first, final)
            if codes[row] >= 0
        ]
        for case, first, final in zip(log.cases, borders, borders[1:], strict=False)
    }


def _chosen(every: Mapping[str, list[Mark]], cases: int | Sequence[str]) -> dict[str, list[Mark]]:
    if isinstance(cases, int):
        rich = {case: len({mark.value for mark in marks}) for case, marks in every.items()}
        best = sorted(every, key=lambda case: (-rich[case], -len(every[case]), case))[:cases]
        return {case: marks for case, marks in every.items() if case in best}
    return {case: every[case] for case in cases if case in every}


def _lane(
    case: str, marks: Sequence[Mark], number: Mapping[str, int], scale: float
) -> tuple[str, float]:
    """A case's marks and the height that they take."""
    points = [mark for mark in marks if mark.end == mark.start]
    bars = [mark for mark in marks if mark.end > mark.start]
    dots, rows = [], 1
    for mark, row in _stacked(points, 2 * DOT - 1.5, scale, 6):
        rows = max(rows, row + 1)
        x, y = LEFT + mark.start * scale, 12 + row * (2 * DOT - 1)
        dots.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{DOT}"{_paint(mark, number)}</circle>')
    top = 12 + rows * (2 * DOT - 1)
    boxes, levels = [], 0
    for mark, row in _stacked(bars, 1.0, scale, 5):
        levels = max(levels, row + 1)
        wide = max(2.5, (mark.end - mark.start) * scale)
        where = f'x="{LEFT + mark.start * scale:.1f}" y="{top + row * (BAR + 2):.1f}"'
        size = f'width="{wide:.1f}" height="{BAR:.0f}" rx="2.5"'
        boxes.append(f'<rect class="bar" {where} {size}{_paint(mark, number)}</rect>')
    height = max(44.0, top + levels * (BAR + 2) + 8)
    name = case if len(case) <= 22 else f"…{case[-21:]}"
    head = (
        f'<line class="rule" x1="0" x2="{WIDE:.0f}" y1="0" y2="0"/>'
        f'<text x="2" y="17">{escape(name)}<title>{escape(case)}</title></text>'
        f'<text class="dim" x="2" y="32">{amount_text(len(marks))} events</text>'
    )
    return f"{head}{''.join(boxes)}{''.join(dots)}", height


def _stacked(
    marks: Sequence[Mark], gap: float, scale: float, rows: int
) -> Iterator[tuple[Mark, int]]:
    """Each mark with the first row in which it touches none before it, else the last row."""
    free = [float("-inf")] * rows
    for mark in marks:
        start = mark.start * scale
        row = next((n for n in range(rows) if free[n] <= start), rows - 1)
        free[row] = max(free[row], max(mark.end * scale, start) + gap)
        yield mark, row


def _paint(mark: Mark, number: Mapping[str, int]) -> str:
    told = f"{mark.value}, {span_text(mark.start)} after the start"
    if mark.end > mark.start:
        told += f", for {span_text(mark.end - mark.start)}"
    return f' fill="var(--c{number[mark.value]})"><title>{escape(told)}</title>'


def _axis(total: int, height: float) -> str:
    step = next((tick for tick in _TICKS if total / tick <= 10), _TICKS[-1])
    parts: list[Any] = []
    for at in range(0, total + 1, step):
        x = LEFT + at * (WIDE - LEFT - 16) / total
        parts.append(f'<line class="rule" x1="{x:.1f}" x2="{x:.1f}" y1="20" y2="{height:.0f}"/>')
        parts.append(
            f'<text class="dim" text-anchor="middle" x="{x:.1f}" y="13">{span_text(at)}</text>'
        )
    return "".join(parts)


def _legend(named: Sequence[str]) -> str:
    shown = [*named[:COLOURS], *(["other"] if len(named) > COLOURS else [])]
    items = "".join(
        f'<li><i style="background:var(--c{index})"></i>{escape(value)}</li>'
        for index, value in enumerate(shown)
    )
    return f'<ul class="legend">{items}</ul>'


def _note(
    every: int, drawn: Mapping[str, Sequence[Mark]], lanes: Mapping[str, Sequence[Mark]]
) -> str:
    parts = []
    if len(drawn) < every:
        parts.append(f"{amount_text(len(drawn))} of {amount_text(every)} cases are shown.")
    cut = sum(len(marks) - len(drawn[case]) for case, marks in lanes.items())
    if cut:
        parts.append(f"{amount_text(cut)} later events of theirs are not.")
    return " ".join([*parts, "Point at a mark to read what it is."])
