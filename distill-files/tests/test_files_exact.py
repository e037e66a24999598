"""The fast reader equals the exact one, value for value, on whatever a file holds."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from distill_core.batch import Batch
from distill_core.columns import Column
from distill_core.component import Request, Scan
from distill_core.extract import extract
from distill_files import Files, formats

COLUMNS = (
    Column("time", ("t", "d.t"), type="time", unit="ms", required=True),
    Column("end", ("e",), type="time", unit="ns", zone="Europe/Berlin"),
    Column("seconds", ("T",), type="time", unit="s"),
    Column("case", ("s", "S", "u:{u}-{d.x}")),
    Column("activity", ("a", "=custom")),
    Column("n", ("n", "=7"), type="integer"),
    Column("f", ("f", "n"), type="number"),
    Column("b", ("b",), type="boolean"),
    Column("span", ("span", "t"), type="duration", unit="ns"),
    Column("text_span", ("span",), type="duration"),
    Column("j", ("j",), type="json"),
    Column("jx", ("j.x", "j.X"), type="integer"),
    Column("x", ("d.x",), type="string"),
    Column("dotted", ("d.y.z",), type="number"),
    Column("id", ("i",)),
    Column("made", of=("x",)),
)
KEYS = ["t", "T", "e", "s", "S", "u", "a", "n", "f", "b", "span", "j", "d", "d.x", "d.t", "i", "zz"]

scalars = (
    st.none() | st.booleans() | st.integers(-5, 2_000_000_000_000) | st.integers()
    | st.sampled_from([0, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 2**64, 2**70, -1, 1500, 500])
    | st.floats() | st.sampled_from([0.5, -0.0, 1e16, 1e22, 1e-7, 1.5, 7.0])
    | st.text(max_size=5)
    | st.sampled_from([
        "7", "7.0", "1e2", "1.50", "true", "null", "NaN", "2s", "PT1M", "{}", "[1]", "\u0000", '"',
        "\\", "é", "\U0001f600", "2024-06-28T01:15:11.0795005+02:00", "2024-03-31T02:30:00", "",
    ])
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(st.sampled_from(["x", "X", "t", "y", "z", "é"]), inner, max_size=3),
    max_leaves=5,
)
documents = st.dictionaries(st.sampled_from(KEYS), values, max_size=8)
inner = st.dictionaries(st.sampled_from(["x", "t"]), scalars, max_size=2)
usual = st.fixed_dictionaries(
    {}, optional={"t": st.integers(0, 10**13), "a": st.text(max_size=3), "d": inner, "s": scalars}
)
records = st.lists(documents | usual, max_size=8)
others = st.sampled_from([None, 1, "x", [], [{}], {}, True])


def plain(batch: Batch) -> dict[str, Any]:
    found: dict[str, Any] = {n: c.to_list() for n, c in batch.columns.items()}
    marked = {name: mask.tolist() for name, mask in batch.faults.items() if mask.any()}
    return {"columns": found, "faults": marked, "arrival": batch.arrival.tolist()}


def faults(batch: dict[str, Any], name: str) -> list[bool]:
    return batch["faults"].get(name) or [False] * len(batch["arrival"])


def joined(batches: list[Batch]) -> dict[str, Any]:
    told = [plain(batch) for batch in batches]
    names = sorted({name for batch in told for name in batch["columns"]})
    return {
        "columns": {n: [v for b in told for v in b["columns"][n]] for n in names},
        "faults": {n: mask for n in names if any(mask := [v for b in told for v in faults(b, n)])},
        "arrival": [a for b in told for a in b["arrival"]],
    }  # fmt: skip


def read(path: Any, columns: tuple[Column, ...] = COLUMNS, **options: Any) -> tuple[Any, ...]:
    scan = Scan()
    batches = list(Files(path=str(path), **options).read(Request(columns), scan))
    return joined(batches), sorted(scan.rejected), scan.facts


@pytest.fixture
def fast(monkeypatch):
    """All files go to the fast reader."""
    monkeypatch.setattr(formats, "SMALL", -1)


def slow_and_fast(path, monkeypatch, **options):
    monkeypatch.setattr(formats, "SMALL", 2**40)
    slow = read(path, **options)
    monkeypatch.setattr(formats, "SMALL", -1)
    return slow, read(path, **options)


SETTINGS = settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@SETTINGS
@given(st.lists(documents | usual | others, max_size=8), st.booleans())
def test_any_records(tmp_path, monkeypatch, found, escaped):
    """What json and extract make of the lines, both readers make of the file."""
    path = tmp_path / "a.ndjson"
    text = "".join(json.dumps(d, ensure_ascii=escaped) + "\n" for d in found)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    kept = [(i, d) for i, d in enumerate(found) if isinstance(d, dict)]
    oracle = extract([d for _, d in kept], COLUMNS, np.array([i for i, _ in kept], dtype=np.int64))
    wrong = [("not_object", i) for i, d in enumerate(found) if not isinstance(d, dict)]
    slow, quick = slow_and_fast(path, monkeypatch)
    if kept:
        assert slow[0] == joined([oracle])
    assert slow[1] == wrong
    assert quick == slow or (not kept and quick[1:] == slow[1:])


@SETTINGS
@given(st.lists(usual, min_size=1, max_size=8))
def test_usual_records_take_the_fast_way(tmp_path, monkeypatch, found):
    """Clean files never fall back to the exact reader, and equal it."""
    path = tmp_path / "a.ndjson"
    path.write_text("".join(json.dumps(d) + "\n" for d in found), "utf-8")
    slow, _ = slow_and_fast(path, monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(formats, "blocks", None)
        assert read(path) == slow
