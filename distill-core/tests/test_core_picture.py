"""Pictures: pages without a network, tables, timelines; every value is escaped."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

import distill_core as dl
from distill_core.picture import (
    Picture,
    amount_text,
    escape,
    page,
    span_text,
    table_picture,
    timeline_picture,
)
from distill_core.testing import build

EVIL = '"><script>alert(1)</script>&\''


class Tags(HTMLParser):
    """The tags of a document, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


def test_page_forbids_what_it_does_not_need():
    """A page runs nothing, loads nothing, and its policy forbids both."""
    found = Tags(page("A page", [Picture("One", "<p>1</p>", "of 2"), Picture("", "<p>2</p>")]))
    metas = [attrs for tag, attrs in found.tags if tag == "meta"]
    (policy,) = [m["content"] for m in metas if m.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert "script-src" not in policy
    assert "'unsafe-eval'" not in policy
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in found.tags}
    assert {"A page", "One", "of 2", "1", "2"} <= {text.strip() for text in found.text}


def test_texts_are_escaped():
    """Title, lead, note, cells and names of columns cannot become markup."""
    result = dl.Result.table([dl.Column(EVIL)], [{EVIL: EVIL}])
    picture = Picture(EVIL, table_picture(result, title=EVIL).body, EVIL)
    for html in (page(EVIL, [picture, Picture(EVIL + EVIL, "")], lead=EVIL), picture._repr_html_()):
        found = Tags(html)
        assert "script" not in {tag for tag, _ in found.tags}
        assert "".join(found.text).count(EVIL) >= 4


def test_half_a_surrogate_pair_can_be_written(tmp_path):
    """A text that JSON can hold and UTF-8 cannot does not keep a page from being saved."""
    result = dl.Result.table([dl.Column("x")], [{"x": "a\ud83d"}])
    assert ">a?<" in table_picture(result).save(tmp_path / "p.html").read_text(encoding="utf-8")


def test_events_are_escaped():
    """A timeline escapes activities and cases."""
    log = build([{"case": EVIL, "activity": EVIL, "time": n} for n in range(2)])
    found = Tags(timeline_picture(log).body)
    assert "script" not in {tag for tag, _ in found.tags}
    assert EVIL in "".join(found.text)


def test_save_writes_a_page(tmp_path):
    """``save`` writes the picture as a page of its own, in UTF-8, and returns the path."""
    picture = Picture("Straße", "<p>ü</p>", "note")
    place = picture.save(tmp_path / "p.html")
    text = place.read_text(encoding="utf-8")
    assert text == page("Straße", [picture])
    assert text.count("Straße") == 2, "in the head and once on the page"


def test_notebook_shows_title_body_and_note():
    """The fragment for notebooks has its own style, which is all about the fragment."""
    html = Picture("Title", "<p>body</p>", "note")._repr_html_()
    assert {"Title", "body", "note"} <= set(Tags(html).text)
    style = re.search("<style>(.*?)</style>", html, re.DOTALL)[1]
    plain = re.sub(r"@media [^{]*\{|/\*.*?\*/", "", style)
    selectors = re.findall(r"([^{}]+)\{", plain)
    assert selectors
    assert all(part.strip().startswith((".distill", "body.distill"))
               for group in selectors for part in group.split(","))  # fmt: skip


def test_table_shows_values_as_people_read_them():
    """Numbers have their thousands, durations units (and µs for who points), nulls are empty."""
    columns = [
        dl.Column("n", type="integer"), dl.Column("d", type="duration"), dl.Column("x"),
        dl.Column("t", type="time"), dl.Column("f", type="number"), dl.Column("l", type="ids"),
    ]  # fmt: skip
    rows = [
        {"n": 12345, "d": 90_000_000, "x": "a", "t": "2026-01-02T03:04:05.678000Z", "f": 0.5,
         "l": ["e1"]},
        dict.fromkeys("ndxtfl"),
    ]  # fmt: skip
    body = table_picture(dl.Result.table(columns, rows)).body
    cells = re.findall(r"<td[^>]*>(.*?)</td>", body)
    assert cells == ["12,345", "1 min 30 s", "a", "2026-01-02 03:04:05.678", "0.5",
                     "[&quot;e1&quot;]", *[""] * 6]  # fmt: skip
    assert 'title="90,000,000 µs"' in body


@pytest.mark.parametrize("rows", [0, 3, 4])
def test_table_says_what_it_does_not_show(rows):
    """Beyond the limit the note says how many rows there are."""
    result = dl.Result.table([dl.Column("x")], [{"x": str(n)} for n in range(rows)])
    picture = table_picture(result, limit=3)
    assert picture.body.count("<td") == min(rows, 3)
    assert picture.note == ("3 of 4 rows are shown." if rows == 4 else "")


def test_table_of_events_and_of_a_graph():
    """Events are rows; of a graph the edges are."""
    log = build([{"case": "c", "activity": "x", "time": n} for n in range(3)])
    assert table_picture(dl.Result.of_log(log), limit=2).note == "2 of 3 rows are shown."
    edge = {"source": "a", "target": "b"}
    graph = dl.Result.graph(
        [{"id": "a"}, {"id": "b"}], [edge],
        node_columns=[dl.Column("id")], edge_columns=[dl.Column("source"), dl.Column("target")],
    )  # fmt: skip
    assert re.findall(r"<td>(.*?)</td>", table_picture(graph).body) == ["a", "b"]


def test_long_values_are_cut_and_told_whole():
    """A long text is cut in its cell and whole in its title."""
    body = table_picture(dl.Result.table([dl.Column("x")], [{"x": "y" * 500}])).body
    assert re.search(r'title="y{500}">y{119}…<', body)


def sessions(*sizes: int) -> dl.EventLog:
    rows = [
        {"case": f"c{case}", "activity": f"a{n % (case + 1)}", "time": n * 10}
        for case, size in enumerate(sizes)
        for n in range(size)
    ]
    return build(rows)


def test_timeline_draws_points_and_bars():
    """An event is a point, an interval a bar as long as it lasts on the axis."""
    rows = [
        {"case": "c", "activity": "x", "time": 0},
        {"case": "c", "activity": "y", "time": 100, "end": 600},
        {"case": "c", "activity": "y", "time": 700, "end": 950},
        {"case": "c", "activity": "z", "time": 1000, "end": 1000},
    ]
    body = timeline_picture(build(rows)).body
    assert body.count("<circle") == 2
    one, two = (float(w) for w in re.findall(r'class="bar"[^>]*width="([\d.]+)"', body))
    assert one == pytest.approx(2 * two, rel=0.01)
    assert "y, 100 ms after the start, for 500 ms" in body
    assert re.findall(r"</i>(\w)</li>", body) == ["y", "x", "z"], "the legend, by frequency"


def test_timeline_chooses_and_says_so():
    """The cases with the most activities are shown, in the log's order, and the note says so."""
    picture = timeline_picture(sessions(5, 5, 5, 5), cases=2)
    assert re.findall(r">(c\d)<title>", picture.body) == ["c2", "c3"]
    assert picture.note.startswith("2 of 4 cases are shown.")
    named = timeline_picture(sessions(5, 5, 5, 5), cases=["c1", "c0"])
    assert re.findall(r">(c\d)<title>", named.body) == ["c1", "c0"]


def test_timeline_limits_events_of_a_case():
    """No more than ``limit`` events of a case are drawn, and the note says how many are not."""
    picture = timeline_picture(sessions(7, 3), limit=5)
    assert picture.body.count("<circle") == 8
    assert "2 later events of theirs are not." in picture.note


def test_timeline_shares_the_last_colour():
    """Beyond nine values the rarest share the tenth colour, named so."""
    body = timeline_picture(build([
        {"case": "c", "activity": f"a{n:02d}", "time": t} for n in range(14) for t in range(20 - n)
    ])).body  # fmt: skip
    legend = re.findall(r"</i>([^<]+)</li>", body)
    assert legend == [*(f"a{n:02d}" for n in range(9)), "other"]
    assert set(re.findall(r"--c(\d+)\)", body)) == set("0123456789")


def test_timeline_leaves_out_nulls():
    """Events without a value in the column that gives the colour are not drawn."""
    rows = [{"case": "c", "activity": "x", "time": n, "target": t} for n, t in enumerate("ab")]
    log = build([*rows, {"case": "c", "activity": "x", "time": 9, "target": None}])
    assert timeline_picture(log, colour="target").body.count("<circle") == 2


def test_timeline_of_nothing():
    """An empty log, and one of a single moment, have a timeline."""
    assert "no event" in timeline_picture(build([])).body
    assert timeline_picture(sessions(1)).body.count("<circle") == 1


@given(micros=st.integers(-(10**15), 10**15))
def test_spans_are_near_and_short(micros):
    """A written span is within 6 % of the true one (two units), and short."""
    text = span_text(micros)
    units = {"µs": 1, "ms": 1000, "s": 10**6, "min": 6 * 10**7, "h": 36 * 10**8, "d": 864 * 10**8}
    parts = re.findall(r"([\d,.]+) (\S+)", text)
    value = sum(float(number.replace(",", "")) * units[unit] for number, unit in parts)
    assert value == pytest.approx(abs(micros), rel=0.06)
    assert text.startswith("−") == (micros < 0)
    assert len(text) < 20


@given(number=st.integers())
def test_amounts_read_back(number):
    """A number with its thousands apart is the number."""
    assert int(amount_text(number).replace(",", "")) == number


@given(text=st.text())
def test_escaped_text_reads_back(text):
    """What is escaped has no markup and means the text, in an element and in an attribute."""
    (tag, attrs) = Tags(f'<i title="{escape(text)}">').tags[0]
    assert tag == "i"
    assert attrs["title"] == text
