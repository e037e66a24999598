"""The sample log that the package carries."""

from __future__ import annotations

import gzip
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from recordings import recording

from distill_userale import sample_path


@pytest.fixture(scope="module")
def sample() -> list[dict[str, Any]]:
    """The sample's records."""
    with gzip.open(sample_path(), "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def test_small_and_without_a_date() -> None:
    """The file is small, and its gzip header holds neither a time nor a name."""
    data = sample_path().read_bytes()
    assert len(data) < 200_000
    assert data[3:8] == bytes(5)


def test_the_facts_beside_it(sample) -> None:
    """The note beside the sample says what is in it."""
    note = (sample_path().parent / "SAMPLE.md").read_text(encoding="utf-8")
    people = {r["userId"] for r in sample if r.get("userId")}
    sessions = {r["sessionID"] for r in sample if r.get("sessionID")}
    shapes = ("raw", "interval", "custom", None)
    kinds = [sum(r.get("logType") == shape for r in sample) for shape in shapes]
    assert f"{len(sample)} records of {len(people)} simulated people in {len(sessions)} " in note
    assert f"| {', '.join(map(str, kinds))} |" in note


def test_nobody_is_real(sample) -> None:
    """Hosts are reserved names, people are the simulated ones."""
    hosts = {r["pageUrl"].split("/")[2].split(":")[0] for r in sample if r.get("pageUrl")}
    assert hosts == {"shop.example"}
    assert {r["userId"].split("-")[1] for r in sample if r.get("userId")} == {
        "buyer", "leaver", "lost", "abandoner", "tabber", "keyboarder", "idler", "reader",
        "dragger", "returner",
    }  # fmt: skip


def test_each_behaviour_shows(sample) -> None:
    """Dialogs, drags, idle gaps, shared tabs, rage clicks, abandonment, odd records are there."""
    types = {r.get("type") for r in sample}
    assert {"dialog-open", "dialog-close", "dragstart", "drop", "tab-shown", "form-error",
            "submit", "wheel", "dblclick", "add-to-cart", "heartbeat"} <= types  # fmt: skip
    assert {"wish": "p20", "from": "drag"} in sample
    dialogs = [r for r in sample if r.get("type") == "dialog-open"]
    assert dialogs
    assert all(r["details"]["dialog_id"] for r in dialogs)
    times = sorted(r["clientTime"] for r in sample if r.get("userId") == "d07-idler"
                   if "clientTime" in r)  # fmt: skip
    assert sum(b - a > 12_000 for a, b in pairwise(times)) >= 2
    assert sum(r.get("target") == "p#sold.badge" and r.get("type") == "click" for r in sample) >= 3
    reached = {r["userId"] for r in sample if "/done" in r.get("pageUrl", "")}
    assert "d01-buyer" in reached
    assert "d04-abandoner" not in reached


def test_whole_sessions_in_order(sample, recorded) -> None:
    """The sample is a part of the recording, in its order, and has all records of its sessions."""
    whole = recorded("2.4.0")
    rest = iter(whole)
    assert all(any(record == other for other in rest) for record in sample)
    sessions = {r["sessionID"] for r in sample if r.get("sessionID")}
    ours = [r for r in whole if r.get("sessionID") in sessions]
    assert ours == [r for r in sample if r.get("sessionID")]


def test_the_tool_makes_it(sample, tmp_path) -> None:
    """The tool in the sources makes this sample of the recording."""
    folder = recording("userale-2.4.0-shop.ndjson.gz").parent
    tool: dict[str, Any] = {"__name__": "tool", "__file__": __file__}
    path = Path(__file__).parents[1] / "tools" / "make_sample.py"
    exec(compile(path.read_text("utf-8"), path, "exec"), tool)  # noqa: S102 — our own file
    tool["SAMPLE"] = tmp_path / "sample.ndjson.gz"
    tool["main"](str(folder))
    text = gzip.decompress((tmp_path / "sample.ndjson.gz").read_bytes()).decode()
    assert [json.loads(line) for line in text.splitlines()] == sample
