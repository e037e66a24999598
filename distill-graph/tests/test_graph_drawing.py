"""The drawing of a directly-follows graph: where things are, what is said, what is hidden."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

import distill_core as dl
from distill_core.testing import build
from distill_graph import Transitions
from distill_graph._drawing import DOORS, HIGH, NODES
from distill_graph._layout import GAP, lay_out


@st.composite
def graphs(draw):
    """Widths of nodes and weights of edges; the last two nodes are the first and final one."""
    inner = draw(st.integers(1, 9))
    widths = draw(st.lists(st.integers(20, 200), min_size=inner + 2, max_size=inner + 2))
    pairs = st.tuples(st.integers(0, inner - 1), st.integers(0, inner - 1))
    edges = draw(st.dictionaries(pairs.filter(lambda p: p[0] != p[1]), st.integers(1, 99)))
    nodes = st.sets(st.integers(0, inner - 1), min_size=1)
    edges |= {(inner, node): 1 for node in draw(nodes)}
    edges |= {(node, inner + 1): 1 for node in draw(nodes)}
    return widths, edges


@given(graph=graphs())
def test_layout_keeps_things_apart(graph):
    """Nodes of one layer never touch; begin is alone at the top, end alone at the bottom."""
    widths, edges = graph
    first, final = len(widths) - 2, len(widths) - 1
    layout = lay_out(widths, edges, first=first, final=final)
    for layer in set(layout.layer):
        row = sorted((x, n) for n, x in enumerate(layout.x) if layout.layer[n] == layer)
        for (x, one), (y, two) in zip(row, row[1:], strict=False):
            assert y - x >= (widths[one] + widths[two]) / 2 + GAP - 1e-6
    assert layout.layer[first] == 0
    assert layout.layer.count(0) == 1
    assert layout.layer[final] == max(layout.layer)
    assert layout.layer.count(layout.layer[final]) == 1
    assert min(x - widths[n] / 2 for n, x in enumerate(layout.x)) >= layout.left - 1e-6
    assert max(x + widths[n] / 2 for n, x in enumerate(layout.x)) <= layout.right + 1e-6


@given(graph=graphs())
def test_layout_leads_each_edge_through_every_layer(graph):
    """An edge goes from its source to its target, one layer at a time, up or down."""
    widths, edges = graph
    layout = lay_out(widths, edges, first=len(widths) - 2, final=len(widths) - 1)
    assert set(layout.points) == set(edges)
    for (source, target), points in layout.points.items():
        assert points[0] == (layout.x[source], layout.layer[source])
        assert points[-1] == (layout.x[target], layout.layer[target])
        steps = {two[1] - one[1] for one, two in zip(points, points[1:], strict=False)}
        assert steps in ({1.0}, {-1.0}, {0.0})
        assert len(points) == 2 or steps != {0.0}


@given(graph=graphs())
def test_layout_is_the_same_each_time(graph):
    """The order in which edges are given does not matter."""
    widths, edges = graph
    ends = {"first": len(widths) - 2, "final": len(widths) - 1}
    turned = dict(reversed(edges.items()))
    assert lay_out(widths, edges, **ends) == lay_out(widths, turned, **ends)


def drawn(*cases: str, **params) -> tuple[dl.Result, str, str]:
    """The graph of cases, an event a word; its picture's body and note."""
    rows = [
        {"case": f"c{case}", "activity": word, "time": time}
        for case, words in enumerate(cases)
        for time, word in enumerate(words.split())
    ]
    result = Transitions(**params).compute(build(rows))
    picture = Transitions().draw(result)
    return result, picture.body, picture.note


def svg(body: str) -> ET.Element:
    return ET.fromstring(body)  # noqa: S314 (our own drawing)


def test_every_figure_is_there():
    """Nodes have name and count, edges their figures for who points at them."""
    result, body, note = drawn("a b a b b", "a c")
    texts = [text.text for text in svg(body).iter("text")]
    for node in result.nodes:
        assert node["id"] in texts
        assert str(node["count"]) in texts
    titles = [title.text for title in svg(body).iter("title")]
    for edge in result.edges:
        head = f"{edge['source']} → {edge['target']}\n{edge['count']} times in {edge['cases']} "
        assert sum(title.startswith(head) for title in titles) == 1
    assert "2 cases begin with a" in titles
    assert "Shown" not in note


def test_pointing_at_a_node_shows_its_edges():
    """Each edge carries the classes of its two nodes, and a rule makes all others faint."""
    _, body, _ = drawn("a b a", "a a c")
    number = {}
    for group in svg(body).iter("g"):
        if re.fullmatch(r"n\d+", group.get("class")):
            number[group.find("title").text.partition("\n")[0]] = group.get("class")[1:]
    assert set(number) == set("abc")
    for group in svg(body).iter("g"):
        ends = re.match(r"(.) → (.)\n", group.findtext("title") or "")
        if ends:
            classes = set(group.get("class").split())
            assert classes == {"link", *(f"l{number[name]}" for name in ends.groups())}
    for node in number.values():
        assert f".dfg:has(.n{node}:hover) .link:not(.l{node}){{" in body


def test_counts_on_edges_touch_nothing():
    """A count stands clear of boxes and of other counts."""
    words = "abcdefghij"
    _, body, _ = drawn(*(" ".join(words[i:] + words[: i // 2]) for i in range(9)))
    frames = [tuple(float(box.get(n)) for n in ("x", "y", "width", "height"))
              for box in svg(body).iter("rect") if box.get("class") == "box"]  # fmt: skip
    texts = next(svg(body).iter("svg")).findall("text")
    assert len(texts) > 9
    for text in texts:
        x, y, wide = float(text.get("x")), float(text.get("y")), 7.0 * len(text.text)
        frame = (x - wide / 2, y - 11, wide, 13.0)
        for other in frames:
            apart_x = frame[0] >= other[0] + other[2] or other[0] >= frame[0] + frame[2]
            apart_y = frame[1] >= other[1] + other[3] or other[1] >= frame[1] + frame[3]
            assert apart_x or apart_y
        frames.append(frame)


def test_labels_are_escaped():
    """A label cannot become markup, in the drawing or in what is told of it."""
    evil = '<script>&"\'</script>'
    _, body, _ = drawn(f"{evil} b {evil}")
    assert "<script" not in body
    assert any(title.text.startswith(evil) for title in svg(body).iter("title"))


def test_long_names_are_cut_and_told_whole():
    """A long name is cut in its box; pointing at the box tells it whole."""
    long = "x" * 90
    _, body, _ = drawn(f"{long} b")
    boxes = [text.text for text in svg(body).iter("text")]
    assert long not in boxes
    assert f"{'x' * 23}…" in boxes
    assert any(title.text.startswith(f"{long}\n") for title in svg(body).iter("title"))
    wide = [float(box.get("width")) for box in svg(body).iter("rect")]
    assert max(wide) < 260


def test_what_is_not_drawn_is_said():
    """Beyond some nodes the rarest are hidden, with their edges, and the note says how many."""
    words = [f"n{n:02d}" for n in range(NODES + 7) for _ in range(NODES + 9 - n)]
    result, body, note = drawn(*(" ".join(words[i::5]) for i in range(5)))
    names = {text.text for text in svg(body).iter("text")}
    assert sum(node["id"] in names for node in result.nodes) == NODES
    assert "n00" in names
    assert f"n{NODES + 6}" not in names
    assert f"{NODES} of {NODES + 7} nodes" in note
    assert re.search(rf"\d+ of {len(result.edges)} edges, which are \d+ % of all", note)


def test_hidden_beginnings_are_said():
    """Only the nodes where most cases begin are joined to the beginning, and the note says so."""
    _, body, note = drawn("a z", "a z", "b z", "c z", "d z")
    titles = [title.text for title in svg(body).iter("title")]
    assert sum("cases begin with" in title for title in titles) == DOORS
    assert f"the {DOORS} nodes where most cases begin" in note


def test_what_parameters_hide_is_said():
    """Edges that the model's parameters left out, and events without a node, are in the note."""
    _, _, note = drawn("a a b a b", self_loops=False, min_count=2)
    assert "Left out by parameters: 2 edges." in note
    rows = [{"case": "c", "activity": "x", "time": n, "target": t} for n, t in enumerate("p q")]
    result = Transitions(node="target").compute(build([*rows, {**rows[0], "target": None}]))
    assert "Events without a node: 1." in Transitions().draw(result).note


def test_one_event_and_none():
    """The smallest logs have a picture, too."""
    _, body, _ = drawn("a")
    assert {"a", "1", "cases begin", "cases end"} <= {t.text for t in svg(body).iter("text")}
    assert "no event" in drawn()[1]


def test_everything_is_inside_the_frame():
    """Boxes lie inside the view box, whatever the graph."""
    _, body, _ = drawn("a b c d e a c b e d", "e e e d c b a", "b a d f g h i j k l m n")
    element = next(svg(body).iter("svg"))
    left, top, wide, high = map(float, element.get("viewBox").split())
    for box in svg(body).iter("rect"):
        x, y = float(box.get("x")), float(box.get("y"))
        assert left <= x
        assert x + float(box.get("width")) <= left + wide
        assert top <= y
        assert y + HIGH <= top + high
