"""Texts that a file says often come by number, and nothing else changes."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from distill_core.columns import Column
from distill_core.component import Request, Scan
from distill_core.extract import extract
from distill_files import Files, formats, ndjson, words
from distill_files.leaves import plan

COLUMNS = (
    Column("time", ("t",), type="time", unit="ms"),
    Column("case", ("s", "u:{u}")),
    Column("activity", ("a", "=custom")),
    Column("x", ("d.x",)),
    Column("y", ("d.y",)),
    Column("n", ("n",), type="integer"),
)
texts = st.sampled_from(["", "a", "b", "7", "7.0", "true", "{}", "it's", "é", "\U0001f600", "zz"])
values = texts | st.sampled_from([None, True, 7, 7.0, 1.5, [], {"x": "a"}, "\u0000", "\\n"])
documents = st.fixed_dictionaries(
    {},
    optional={
        "t": values | st.integers(0, 10**13),
        **dict.fromkeys("suan", values),
        "d": st.dictionaries(st.sampled_from("xy"), values) | st.none(),
    },
)


def read(path, columns=COLUMNS):
    scan = Scan()
    return list(Files(path=str(path)).read(Request(columns), scan)), scan.rejected


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(documents | st.none(), max_size=8), st.sets(texts, min_size=1), st.booleans())
def test_whatever_is_known(tmp_path, monkeypatch, found, known, in_memory):
    """Whichever words are known, a file is read as extract reads its records."""

    def with_words(found, _):
        told = tuple(sorted(known))
        return replace(
            found,
            leaves=[
                replace(leaf, words=told) if leaf.kind == "VARCHAR" else leaf
                for leaf in found.leaves
            ],
        )

    path = tmp_path / "a.ndjson"
    path.write_text("".join(json.dumps(d) + "\n" for d in found), "utf-8")
    monkeypatch.setattr(formats, "SMALL", -1)
    monkeypatch.setattr(ndjson, "IN_MEMORY", 2**26 if in_memory else -1)
    monkeypatch.setattr(ndjson, "with_words", with_words)
    kept = {i: d for i, d in enumerate(found) if d is not None}
    oracle = extract(list(kept.values()), COLUMNS, np.array(list(kept), dtype=np.int64))
    batches, rejected = read(path)
    assert [place for _, place in rejected] == [i for i in range(len(found)) if i not in kept]
    for name, column in oracle.columns.items():
        assert [v for b in batches for v in b.columns[name].to_list()] == column.to_list(), name
        marked = [v for b in batches for v in b.faults.get(name, np.zeros(len(b), bool)).tolist()]
        assert marked == oracle.faults.get(name, np.zeros(len(kept), bool)).tolist(), name


def lines(rows):
    inner = {"x": "only", "y": "y" * 101}
    found = ({"t": i, "s": f"s{i // 3}", "a": "ab"[i % 2], "d": inner} for i in range(rows))
    return "".join(json.dumps(record) + "\n" for record in found)


def test_few_texts_are_words(tmp_path, monkeypatch):
    """A column of few and short texts has words; one of many or long texts, or numbers, none."""
    path = tmp_path / "a.ndjson"
    path.write_text(lines(200), "utf-8")
    monkeypatch.setattr(words, "SAMPLED", -1)
    found = words.with_words(plan(COLUMNS, structs=True, texts=True), path)
    told = {leaf.keys: leaf.words for leaf in found.leaves}
    assert told.pop(("a",)) == ("a", "b")
    assert told.pop(("d", "x")) == ("only",)
    assert not any(told.values())


@pytest.mark.parametrize("rare", ["c", 'say "it\'s"', True, 3])
def test_a_text_that_no_sample_has(tmp_path, monkeypatch, rare):
    """One that comes only once, between all samples, is not lost, and the order is kept."""
    path = tmp_path / "a.ndjson"
    size = len(lines(1).encode())
    rows = 40 * words._CHUNK // size
    text = lines(rows).splitlines(keepends=True)
    text[3 * words._CHUNK // 2 // size] = json.dumps({"t": 1, "s": "s", "a": rare}) + "\n"
    path.write_text("".join(text), "utf-8")
    monkeypatch.setattr(words, "SAMPLED", -1)
    monkeypatch.setattr(ndjson, "IN_MEMORY", -1)
    monkeypatch.setattr(formats, "SMALL", -1)
    (batch,), _ = read(path)
    wanted = [record["a"] for record in map(json.loads, text)]
    wanted = [a if isinstance(a, str) else json.dumps(a) for a in wanted]
    assert batch.columns["activity"].to_list() == wanted
