"""``distill demo`` as a person meets it: a terminal, a file that runs, a page in a browser."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import zlib
from html import unescape
from pathlib import Path

import pytest

from distill_userale import sample_path

COMMAND = [sys.executable, "-m", "distill_core.cli"]
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars",
)  # fmt: skip


def distill(*arguments: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=cwd,
        env={**os.environ, "NO_COLOR": "1", **env},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def told(place):
    done = distill("demo", cwd=place)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def result(place):
    done = distill("demo", "--json", "--out", "second.html", cwd=place)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def html(told, place):
    return (place / "distill-demo.html").read_text(encoding="utf-8")


def browse(chromium: str, folder: Path, page: Path, *arguments: str) -> str:
    done = subprocess.run(
        [chromium, *QUIET, f"--user-data-dir={folder / 'profile'}", *arguments, page.as_uri()],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
        timeout=120,
    )
    return done.stdout


def test_terminal_tells_what_came_of_it(told, result):
    """The terminal shows records, steps with in and out, reasons and the strongest transition."""
    found = json.loads(result)
    reading = found["meta"]["reading"]
    assert re.search(rf"records read +{reading['read']:,}\n", told)
    for step in found["meta"]["steps"]:
        line = rf"{step['step'] + 1} {step['transform']} +{step['in']:,} +{step['out']:,} "
        assert re.search(line, told)
    for reason, counted in reading["rejected"].items():
        assert re.search(rf"read +{reason} +{counted['count']} .*{counted['samples'][0]}", told)
    best = max(found["edges"], key=lambda edge: edge["count"])
    assert re.search(rf"{best['source']} +{best['target']} +{best['count']} ", told)
    assert "distill-demo.html" in told.splitlines()[-1]


def test_figures_are_those_of_the_sample(result):
    """What the records say on plain counting is what the graph says."""
    with gzip.open(sample_path(), "rt", encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    found = json.loads(result)
    assert found["meta"]["reading"]["read"] == len(records)
    count = {node["id"]: node["count"] for node in found["nodes"]}
    loads = [r.get("pageTitle") for r in records
             if r.get("type") == "load" and r.get("logType") == "custom"]  # fmt: skip
    assert count["cart"] == loads.count("Cart") > 0
    assert count["order placed"] == loads.count("Thank you") > 0
    opened = [r for r in records if r.get("type") == "dialog-open"]
    assert count["help dialog"] == len(opened) > 0
    sessions = {r["sessionID"] for r in records if r.get("sessionID")}
    assert sum(node["start"] for node in found["nodes"]) == len(sessions)


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    """The folder in which `distill demo --files` left its files, and its result."""
    folder = tmp_path_factory.mktemp("left")
    done = distill("demo", "--files", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_terminal_is_short(told):
    """The terminal tells what came of it in a screen or two, and no documents."""
    assert len(told.splitlines()) < 60
    assert "[[transforms]]" not in told
    assert "import distill_core" not in told
    assert "distill demo --files" in told


def test_file_that_is_left_runs(left, result):
    """The TOML that is left, beside its log, gives the same bytes through `distill run`."""
    folder, own = left
    toml = (folder / "shop.toml").read_text(encoding="utf-8")
    assert 'path = "shop.ndjson.gz"' in toml
    done = distill("run", "shop.toml", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout == own
    assert json.loads(own)["edges"] == json.loads(result)["edges"]


def test_python_that_is_left_runs(left):
    """The Python that is left gives the same result, explains it and draws it."""
    folder, own = left
    code = (folder / "shop.py").read_text(encoding="utf-8")
    assert "dl.Pipeline(" in code
    more = "from pathlib import Path\nPath('result.json').write_text(result.to_json(), 'utf-8')\n"
    (folder / "more.py").write_text(f"{code}\n{more}", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "more.py"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert f"read {json.loads(own)['meta']['reading']['read']} records" in done.stdout
    assert (folder / "result.json").read_text(encoding="utf-8") == own.removesuffix("\n")
    assert "<svg" in (folder / "steps.html").read_text(encoding="utf-8")


def test_files_of_others_are_kept(tmp_path):
    """A file of the same name that the demo did not write is not overwritten."""
    (tmp_path / "shop.toml").write_text("mine", encoding="utf-8")
    done = distill("demo", "--files", cwd=tmp_path)
    assert done.returncode == 1
    assert "another 'shop.toml'" in done.stderr
    assert (tmp_path / "shop.toml").read_text(encoding="utf-8") == "mine"


def test_page_is_the_same_each_time(html, result, place):
    """The page depends on sample and pipeline alone: a second run writes the same bytes."""
    assert (place / "second.html").read_text(encoding="utf-8") == html


def test_page_needs_no_network(html):
    """One file below 1.5 MB, without address, script, frame or picture, and with a policy."""
    assert len(html.encode()) < 1_500_000
    assert "://" not in html
    assert not re.search(r"<(script|link|iframe|img|object|embed)\b|@import|url\(|\bon\w+=", html)
    assert "default-src 'none'" in html


def test_browser_shows_graph_timeline_and_steps(html, result, place, chromium):
    """In Chromium the page has its title, every node and edge, sessions, steps, file and code."""
    dom = unescape(browse(chromium, place, place / "distill-demo.html", "--dump-dom"))
    found = json.loads(result)
    assert "<h1>What people did in a web shop</h1>" in dom
    assert all(f">{node['id']}</text>" in dom for node in found["nodes"])
    assert all(f"{edge['source']} → {edge['target']}\n" in dom for edge in found["edges"])
    assert dom.count("<circle") > 100
    names = [f"{step['step'] + 1} {step['transform']}" for step in found["meta"]["steps"]]
    assert all(f">{name}<" in dom for name in names)
    assert 'name = "transitions"' in dom
    assert "dl.Pipeline(" in dom


def corner(png: Path) -> tuple[int, int, int]:
    """The colour of the first pixel of an 8-bit PNG, which no filter of the format changes."""
    raw = png.read_bytes()
    data, at = b"", 8
    while at < len(raw):
        size, kind = int.from_bytes(raw[at : at + 4], "big"), raw[at + 4 : at + 8]
        data += raw[at + 8 : at + 8 + size] if kind == b"IDAT" else b""
        at += size + 12
    red, green, blue = zlib.decompress(data)[1:4]
    return red, green, blue


@pytest.mark.parametrize(("scheme", "number", "bright"), [("light", 1, True), ("dark", 0, False)])
def test_browser_shows_light_and_dark(html, place, chromium, scheme, number, bright):
    """The page is light or dark as the person's system is, on a wide screen and on a phone."""
    for size in ("1200,1600", "500,900"):
        shot = place / f"{scheme}-{size[:4]}.png"
        looks = f"--blink-settings=preferredColorScheme={number}"
        wanted = (f"--screenshot={shot}", f"--window-size={size}", looks)
        browse(chromium, place, place / "distill-demo.html", *wanted)
        assert (min(corner(shot)) > 200) if bright else (max(corner(shot)) < 60)
        assert shot.stat().st_size > 20_000, "the picture is all but empty"


def test_missing_plugin_is_named_with_its_pip_line(place):
    """Without the schema's plugin the demo fails with exit code 1 and says what to install."""
    done = distill("demo", cwd=place, DISTILL_PLUGINS="files,graph")
    assert done.returncode == 1
    assert "pip install distill-userale" in done.stderr
    assert "Traceback" not in done.stderr


def test_page_that_cannot_be_written_is_an_error(place):
    """A place where no file can be made is an error with the way out, and no traceback."""
    done = distill("demo", "--out", str(place / "no" / "such" / "page.html"), cwd=place)
    assert done.returncode == 1
    assert "--out" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
