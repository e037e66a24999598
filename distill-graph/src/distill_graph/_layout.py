"""Where the nodes and edges of a small directed graph go: layers from top to bottom.

The steps of Sugiyama, Tagawa and Toda (1981): cut cycles, give layers, order each layer by the mean
place of its neighbours, then move everything as near to its neighbours as order and gaps allow
(pool adjacent violators, which is the exact least-squares answer for one layer). Layers follow each
node's strongest way in, not the longest way: graphs of behaviour are dense, and would become one
long ladder. The same graph always gets the same layout.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

GAP = 26.0
SWEEPS = 12
BROAD = 6
"""Nodes that a layer may have before the rarest move down."""

Edge = tuple[int, int]
Point = tuple[float, float]


@dataclass
class Layout:
    """Layer and horizontal centre of each node, and each edge's points from its source on.

    ``points``: (x, layer) at the source, at each layer between, and at the target. ``left`` and
    ``right``: what the nodes and edges span.
    """

    layer: list[int]
    x: list[float] = field(default_factory=list)
    points: dict[Edge, list[Point]] = field(default_factory=dict)
    left: float = 0.0
    right: float = 0.0


def lay_out(
    widths: Sequence[float], edges: Mapping[Edge, int], *, first: int, final: int
) -> Layout:
    """Lay out nodes 0 … n − 1 of these widths and edges (without loops) of these weights.

    ``first`` goes alone to the top, ``final`` alone to the bottom.
    """
    layout = Layout(_layers(len(widths), edges, first, final))
    size = [*widths]
    level = [*layout.layer]
    chains: dict[Edge, list[int]] = {}
    for source, target in sorted(edges, key=lambda e: (-edges[e], e)):
        upper, lower = sorted((source, target), key=lambda n: level[n])
        between = range(level[upper] + 1, level[lower])
        chain = [upper, *range(len(size), len(size) + len(between)), lower]
        size += [12.0] * len(between)
        level += between
        chains[source, target] = chain if upper == source else chain[::-1]
    near: dict[int, list[int]] = defaultdict(list)
    for chain in chains.values():
        for one, two in zip(chain, chain[1:], strict=False):
            if level[one] != level[two]:
                near[one].append(two)
                near[two].append(one)
    rows = _ordered(level, near)
    x = _placed(rows, size, near)
    layout.x = x[: len(widths)]
    layout.points = {e: [(x[n], float(level[n])) for n in c] for e, c in chains.items()}
    layout.left = min(place - size[n] / 2 for n, place in enumerate(x))
    layout.right = max(place + size[n] / 2 for n, place in enumerate(x))
    return layout


def _layers(count: int, edges: Mapping[Edge, int], first: int, final: int) -> list[int]:
    """A layer for each node: below its strongest way in that closes no cycle."""
    inner = {e: w for e, w in edges.items() if final not in e and first != e[1]}
    below: dict[int, set[int]] = defaultdict(set)
    parent: dict[int, int] = {}
    weight: dict[int, int] = defaultdict(int)
    for (source, target), times in sorted(inner.items(), key=lambda item: (-item[1], item[0])):
        weight[source] += times
        weight[target] += times
        if target not in parent and source not in _reached(below, target):
            below[source].add(target)
            parent[target] = source
    depth = [0] * count
    for node in range(count):
        if node not in (first, final):
            steps, at = 1, node
            while at in parent and parent[at] != first:
                steps, at = steps + 1, parent[at]
            depth[node] = steps
    _narrow(depth, parent, weight, {first, final})
    depth[final] = max(depth) + 1
    return depth


def _reached(below: Mapping[int, set[int]], node: int) -> set[int]:
    found, todo = {node}, [node]
    while todo:
        new = below.get(todo.pop(), set()) - found
        found |= new
        todo += new
    return found


def _narrow(
    depth: list[int], parent: Mapping[int, int], weight: Mapping[int, int], ends: set[int]
) -> None:
    """Move the rarest nodes of a crowded layer down, and what hangs on them."""
    level = 1
    while level <= max(depth):
        row = [n for n in range(len(depth)) if depth[n] == level and n not in ends]
        for node in sorted(row, key=lambda n: (-weight[n], n))[BROAD:]:
            depth[node] += 1
        for _ in depth:
            for node, above in parent.items():
                depth[node] = max(depth[node], depth[above] + 1)
        level += 1


def _ordered(level: Sequence[int], near: Mapping[int, Sequence[int]]) -> list[list[int]]:
    """The order of each layer with the fewest crossings among some sweeps down and up."""
    rows: list[list[int]] = [[] for _ in range(max(level) + 1)]
    for node, row in enumerate(level):
        rows[row].append(node)
    best, fewest = [row[:] for row in rows], _crossings(rows, near)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for index in range(1, len(rows)) if down else range(len(rows) - 2, -1, -1):
            fixed = rows[index - 1 if down else index + 1]
            place = {node: at for at, node in enumerate(fixed)}
            centre = {}
            for at, node in enumerate(rows[index]):
                known = [place[other] for other in near[node] if other in place]
                centre[node] = sum(known) / len(known) if known else float(at)
            rows[index].sort(key=lambda node: centre[node])
        if (crossings := _crossings(rows, near)) < fewest:
            best, fewest = [row[:] for row in rows], crossings
    return best


def _crossings(rows: Sequence[Sequence[int]], near: Mapping[int, Sequence[int]]) -> int:
    found = 0
    for upper, lower in zip(rows, rows[1:], strict=False):
        place = {node: at for at, node in enumerate(lower)}
        ends: list[int] = []
        for node in upper:
            own = [place[other] for other in near[node] if other in place]
            found += sum(1 for end in own for other in ends if other > end)
            ends += own
    return found


def _placed(
    rows: Sequence[Sequence[int]], size: Sequence[float], near: Mapping[int, Sequence[int]]
) -> list[float]:
    """The horizontal centres, in the order of each layer, near to their neighbours."""
    x = [0.0] * len(size)
    for row in rows:
        for node, place in zip(row, _spread([0.0] * len(row), row, size), strict=True):
            x[node] = place
    for sweep in range(2 * SWEEPS):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wanted = [
                sum(x[other] for other in near[node]) / len(near[node]) if near[node] else x[node]
                for node in row
            ]
            for node, place in zip(row, _spread(wanted, row, size), strict=True):
                x[node] = place
    return x


def _spread(
    wanted: Sequence[float], row: Sequence[int], size: Sequence[float]
) -> list[float]:
    """The places nearest to the wanted ones (least squares) that keep order and gaps."""
    offset = [0.0]
    for one, two in zip(row, row[1:], strict=False):
        offset.append(offset[-1] + (size[one] + size[two]) / 2 + GAP)
    pools: list[tuple[float, int]] = []
    for place, shift in zip(wanted, offset, strict=False):
        total, count = place - shift, 1
        while pools and pools[-1][0] / pools[-1][1] > total / count:
            total, count = total + pools[-1][0], count + pools[-1][1]
            pools.pop()
        pools.append((total, count))
    flat = [total / count for total, count in pools for _ in range(count)]
    return [base + shift for base, shift in zip(flat, offset, strict=False)]
