"""A directly-follows graph as SVG: layers from where cases begin down to where they end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

from distill_core.picture import Picture, amount_text, escape, span_text
from distill_core.result import Result
from distill_graph._labels import Labels
from distill_graph._layout import Edge, Layout, Point, lay_out

NODES, DOORS = 20, 3
HIGH, STEP, LOOP = 42.0, 104.0, 56.0
_STYLE = (
    ".dfg .box{stroke:var(--accent);stroke-width:1.2;fill:var(--accent)}"
    ".dfg .back{fill:var(--card);stroke:none}"
    ".dfg .door{fill:var(--muted)}.dfg .edge{fill:none;stroke:var(--edge);stroke-linecap:round}"
    ".dfg .head{fill:var(--edge)}.dfg .thin .edge{stroke-dasharray:2 5}"
    ".dfg text{font-size:13px;text-anchor:middle}.dfg .name{font-weight:600}"
    ".dfg .dim{fill:var(--muted);font-size:11.5px}"
    ".dfg .halo{font-size:11px;paint-order:stroke;stroke:var(--halo);stroke-width:4px;"
    "stroke-linejoin:round}"
    ".dfg .link:hover .edge{stroke:var(--accent)}.dfg .link:hover .head{fill:var(--accent)}"
)
Row = Mapping[str, Any]


@dataclass(frozen=True)
class _Shown:
    """What is drawn: nodes, edges, and where cases begin and end (node → count)."""

    nodes: Sequence[Row]
    edges: Sequence[Row]
    start: Mapping[str, int]
    end: Mapping[str, int]


def draw_transitions(result: Result) -> Picture:
    """See ``Transitions.draw``."""
    if not result.nodes:
        return Picture("Transitions", "<p>There is no event, so there is no transition.</p>")
    shown = _choose(result)
    number = {node["id"]: index for index, node in enumerate(shown.nodes)}
    first, final = len(number), len(number) + 1
    weight: dict[Edge, int] = {(first, number[name]): n for name, n in shown.start.items()}
    weight |= {(number[name], final): n for name, n in shown.end.items()}
    for edge in shown.edges:
        if edge["source"] != edge["target"]:
            weight[number[edge["source"]], number[edge["target"]]] = edge["count"]
    widths = [_width(node["id"]) for node in shown.nodes]
    loops = {edge["source"] for edge in shown.edges if edge["source"] == edge["target"]}
    room = [w + LOOP * (n["id"] in loops) for w, n in zip(widths, shown.nodes, strict=True)]
    layout = lay_out([*room, 30.0, 30.0], weight, first=first, final=final)
    return Picture("Transitions", _svg(shown, layout, widths, weight), _note(result, shown))


def _choose(result: Result) -> _Shown:
    """The most frequent nodes; of their edges each node's strongest, then the most frequent."""
    nodes = sorted(result.nodes, key=lambda node: (-node["count"], node["id"]))[:NODES]
    ids = {node["id"] for node in nodes}
    inside = [e for e in result.edges if e["source"] in ids and e["target"] in ids]
    inside.sort(key=lambda e: (-e["count"], e["source"], e["target"]))
    kept: dict[tuple[str, str], Row] = {}
    for side in ("source", "target"):
        met: set[str] = set()
        for edge in inside:
            if edge["source"] != edge["target"] and edge[side] not in met:
                met.add(edge[side])
                kept[edge["source"], edge["target"]] = edge
    for edge in inside:
        if len(kept) < 2 * len(nodes) + 2:
            kept.setdefault((edge["source"], edge["target"]), edge)
    doors = {
        name: {n["id"]: n[name] for n in sorted(nodes, key=lambda n: -n[name])[:DOORS] if n[name]}
        for name in ("start", "end")
    }
    return _Shown(nodes, list(kept.values()), doors["start"], doors["end"])


def _width(name: str) -> float:
    return max(76.0, 7.6 * len(_short(name)) + 26)


def _short(name: str, longest: int = 24) -> str:
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def _svg(
    shown: _Shown, layout: Layout, widths: Sequence[float], weight: Mapping[Edge, int]
) -> str:
    most = max(weight.values(), default=1)
    told = {(e["source"], e["target"]): e for e in shown.edges}
    names = [node["id"] for node in shown.nodes]
    paths = _paths(layout, [*widths, 30.0, 30.0])
    links, labels = [], Labels()
    for (source, target), times in sorted(weight.items(), key=lambda item: item[1]):
        if source == len(names):
            title = f"{amount_text(times)} cases begin with {names[target]}"
        elif target > len(names):
            title = f"{amount_text(times)} cases end with {names[source]}"
        else:
            title = _told(told[names[source], names[target]])
        thin = max(source, target) >= len(names)
        kind = f"link l{source} l{target}{' thin' if thin else ''}"
        links.append(_link(paths[source, target], times / most, title, kind))
    boxes, loops = [], []
    for index, node in enumerate(shown.nodes):
        x, y = layout.x[index], layout.layer[index] * STEP
        box = _box(node, x, y, widths[index], shown.nodes[0]["count"])
        boxes.append(f'<g class="n{index}">{box}</g>')
        labels.keep_off(x, y, widths[index], HIGH)
        if loop := told.get((node["id"], node["id"])):
            drawing = _loop(loop, x + widths[index] / 2, y, most)
            loops.append(f'<g class="link l{index}">{drawing}</g>')
    for pair in sorted(weight, key=lambda pair: (-weight[pair], pair)):
        labels.add(paths[pair], weight[pair])
    doors = "".join(
        _door(layout.x[at], layout.layer[at] * STEP, word)
        for at, word in ((len(names), "begin"), (len(names) + 1, "end"))
    )
    left, top = layout.left - 14, -34.0
    wide, high = layout.right - left + 60, max(layout.layer) * STEP + 34 - top
    return (
        f'<div class="wide"><svg class="dfg" viewBox="{left:.0f} {top:.0f} {wide:.0f} {high:.0f}" '
        f'width="{wide:.0f}" height="{high:.0f}" role="img" style="margin:0 auto;min-width:'
        f'{min(wide, 560):.0f}px" aria-label="Graph of {len(names)} nodes">{_style(len(names))}'
        f"{''.join(links)}{''.join(loops)}{''.join(boxes)}{doors}{labels.svg()}</svg></div>"
    )


def _style(nodes: int) -> str:
    """The style sheet; while a node is pointed at, edges of others are faint."""
    faint = "".join(
        f".dfg:has(.n{node}:hover) .link:not(.l{node}){{opacity:.12}}" for node in range(nodes)
    )
    return f"<style>{_STYLE}{faint}</style>"


def _paths(layout: Layout, widths: Sequence[float]) -> dict[Edge, list[Point]]:
    """Points of each edge, its ends spread along the borders of its nodes."""
    sides: dict[tuple[int, int], list[tuple[float, Edge, int]]] = defaultdict(list)
    for edge, points in layout.points.items():
        for end, at, to in ((0, 0, 1), (1, -1, -2)):
            node, level, other = edge[end], points[at][1], points[to][1]
            below = 1 if other >= level else -1
            sides[node, below].append((points[to][0], edge, at))
    found = {edge: [(x, y * STEP) for x, y in points] for edge, points in layout.points.items()}
    for (node, below), ends in sides.items():
        ends.sort()
        room = widths[node] * 0.72 if widths[node] > 40 else 0
        for rank, (_, edge, at) in enumerate(ends):
            shift = (rank + 0.5) / len(ends) - 0.5
            x, y = layout.x[node], layout.layer[node] * STEP
            half = HIGH / 2 if widths[node] > 40 else 9.0
            found[edge][at] = (x + room * shift, y + below * half)
    return found


def _curve(points: Sequence[Point]) -> str:
    """A path that leaves and arrives upright; between two nodes of a layer it hangs below."""
    (x, y), *rest = points
    text = f"M{x:.1f} {y:.1f}"
    for to_x, to_y in rest:
        dip = 34.0 if abs(to_y - y) < 1 else 0.0
        one, two = ((y + to_y) / 2,) * 2 if not dip else (y + dip, to_y + dip)
        text += f"C{x:.1f} {one:.1f} {to_x:.1f} {two:.1f} {to_x:.1f} {to_y:.1f}"
        x, y = to_x, to_y
    return text


def _link(points: Sequence[Point], share: float, title: str, kind: str) -> str:
    wide = 1.2 if kind.endswith("thin") else 1.0 + 5.5 * sqrt(share)
    size = 4.5 + wide * 0.9
    (x, y), before = points[-1], points[-2]
    flat = abs(y - before[1]) < 1
    way = -1 if flat or before[1] > y else 1  # the way that the arrow points, in y
    tip = f"M{x:.1f} {y:.1f}l{-size * 0.62:.1f} {-way * size * 1.3:.1f}h{size * 1.24:.1f}z"
    line = [*points[:-1], (x, y - way * size)]
    curve = _curve(points if flat else line)
    opacity = 0.35 + 0.5 * sqrt(share)
    return (
        f'<g class="{kind}"><title>{escape(title)}</title>'
        f'<path class="edge" d="{curve}" stroke-width="{wide:.1f}" opacity="{opacity:.2f}"/>'
        f'<path class="head" d="{tip}" opacity="{min(1, opacity + 0.15):.2f}"/></g>'
    )


def _loop(edge: Row, x: float, y: float, most: int) -> str:
    share = min(1.0, edge["count"] / most)
    wide = 1.0 + 5.5 * sqrt(share)
    size = 4.5 + wide * 0.9
    curve = f"M{x:.1f} {y - 9:.1f}c34 -12 34 30 {size:.1f} 18"
    tip = f"M{x:.1f} {y + 9:.1f}l{size * 1.3:.1f} {-size * 0.62:.1f}v{size * 1.24:.1f}z"
    opacity = 0.35 + 0.5 * sqrt(share)
    return (
        f"<title>{escape(_told(edge))}</title>"
        f'<path class="edge" d="{curve}" stroke-width="{wide:.1f}" opacity="{opacity:.2f}"/>'
        f'<path class="head" d="{tip}" opacity="{min(1, opacity + 0.15):.2f}"/>'
        f'<text class="halo" x="{x + 26:.1f}" y="{y - 12:.1f}">{amount_text(edge["count"])}</text>'
    )


def _told(edge: Row) -> str:
    """All figures of an edge, for who points at it."""
    lines = [
        f"{edge['source']} → {edge['target']}",
        f"{amount_text(edge['count'])} times in {amount_text(edge['cases'])} cases",
        f"time between: mean {span_text(edge['mean'])}, median {span_text(edge['median'])}",
    ]
    if edge["overlaps"]:
        lines.append(f"{amount_text(edge['overlaps'])} of them overlap")
    return "\n".join(lines)


def _box(node: Row, x: float, y: float, wide: float, most: int) -> str:
    name, left, top = node["id"], x - wide / 2, y - HIGH / 2
    told = (
        f"{name}\n{amount_text(node['count'])} events in {amount_text(node['cases'])} cases\n"
        f"{amount_text(node['start'])} cases begin here, {amount_text(node['end'])} end here"
    )
    if node["duration"]:
        told += f"\nthey last {span_text(node['duration'])} together"
    where = f'x="{left:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{HIGH:.0f}" rx="9"'
    return (
        f'<title>{escape(told)}</title><rect class="back" {where}/>'
        f'<rect class="box" {where} fill-opacity="{0.04 + 0.3 * sqrt(node["count"] / most):.2f}"/>'
        f'<text class="name" x="{x:.1f}" y="{y - 2:.1f}">{escape(_short(name))}</text>'
        f'<text class="dim" x="{x:.1f}" y="{y + 14:.1f}">{amount_text(node["count"])}</text>'
    )


def _door(x: float, y: float, word: str) -> str:
    shift = -14 if word == "begin" else 24
    return (
        f'<circle class="door" cx="{x:.1f}" cy="{y:.1f}" r="6"/>'
        f'<text class="dim" x="{x:.1f}" y="{y + shift:.1f}">cases {word}</text>'
    )


def _note(result: Result, shown: _Shown) -> str:
    """What the picture does not show."""
    drawn, every = (sum(e["count"] for e in edges) for edges in (shown.edges, result.edges))
    parts = []
    if len(shown.nodes) < len(result.nodes):
        parts.append(f"{amount_text(len(shown.nodes))} of {amount_text(len(result.nodes))} nodes")
    if len(shown.edges) < len(result.edges):
        share = 100 * drawn / every
        parts.append(
            f"{amount_text(len(shown.edges))} of {amount_text(len(result.edges))} edges, which are "
            f"{share:.0f} % of all transitions"
        )
    counts = result.meta.get("counts", {})
    if any(sum(1 for node in result.nodes if node[side]) > DOORS for side in ("start", "end")):
        parts.append(f"the {DOORS} nodes where most cases begin and end")
    told = f"Shown, the most frequent: {'; '.join(parts)}. " if parts else ""
    if counts.get("hidden_edges"):
        told += f"Left out by parameters: {amount_text(counts['hidden_edges'])} edges. "
    if counts.get("null_node"):
        told += f"Events without a node: {amount_text(counts['null_node'])}. "
    return f"{told}Point at a node or an edge to read its times."
