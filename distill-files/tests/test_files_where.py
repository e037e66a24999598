"""A condition that is handed down leaves out nothing for which it is true."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from distill_core.collect import Rows
from distill_core.columns import Column
from distill_core.component import Request, Scan
from distill_core.conditions import And, Compare, In, Like, Not, Null, Or, bind, evaluate, parse
from distill_core.extract import extract
from distill_files import Files, formats, leaves, sql

COLUMNS = (
    Column("time", ("t", "T"), type="time", unit="ms"),
    Column("nanos", ("n",), type="time", unit="ns"),
    Column("activity", ("a", "=custom")),
    Column("case", ("s", "user:{a}")),
    Column("target", ("g.h", "g")),
    Column("n", ("n",), type="integer"),
    Column("f", ("f", "n"), type="number"),
    Column("b", ("b",), type="boolean"),
    Column("j", ("j",), type="json"),
)
BY_NAME = {column.name: column for column in COLUMNS}
MOMENTS = st.integers(-3, 5).map(lambda ms: datetime.fromtimestamp(ms / 1000, UTC))
TEXTS = st.sampled_from(
    ["a", "b", "é", "", "7", "1.5", "true", '"', "\\", "\n", "custom", "user:a"]
)
NUMBERS = st.sampled_from([-1, 0, 1, 2, 1500, 2500, 1.5, 2**53, 2**63 - 1, -0.5])
ODD = st.sampled_from([[], {"h": "a"}, float("nan")])
VALUES = st.none() | st.booleans() | TEXTS | NUMBERS | ODD
RECORDS = st.lists(
    st.dictionaries(st.sampled_from(["t", "T", "a", "s", "g", "g.h", "n", "f", "b", "j"]), VALUES),
    min_size=1, max_size=8,
)  # fmt: skip
OPS = st.sampled_from(["eq", "ne", "lt", "le", "gt", "ge"])
STRINGS = st.sampled_from(["activity", "case", "target"])
ATOMS = (
    st.builds(Compare, OPS, st.sampled_from(["time", "nanos"]), MOMENTS)
    | st.builds(Compare, OPS, STRINGS, TEXTS)
    | st.builds(Compare, OPS, st.sampled_from(["n", "f"]), NUMBERS)
    | st.builds(Compare, st.sampled_from(["eq", "ne"]), st.just("b"), st.booleans())
    | st.builds(Null, st.sampled_from(sorted(BY_NAME)))
    | st.builds(In, STRINGS, st.tuples(TEXTS, TEXTS))
    | st.builds(Like, STRINGS, st.sampled_from(["a%", "_", "%"]))
)
CONDITIONS = st.recursive(
    ATOMS,
    lambda inner: st.builds(Not, inner)
    | st.builds(lambda a, b: And((a, b)), inner, inner)
    | st.builds(lambda a, b: Or((a, b)), inner, inner),
    max_leaves=4,
)


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(RECORDS, CONDITIONS)
def test_nothing_is_lost(tmp_path, monkeypatch, records, condition):
    """All records for which it is true come, as they are without it, in their places."""
    monkeypatch.setattr(formats, "SMALL", -1)
    where = bind(condition, BY_NAME)
    path = tmp_path / "a.ndjson"
    path.write_text("".join(json.dumps(r) + "\nnull\n" for r in records), "utf-8")
    oracle = extract(records, COLUMNS, np.arange(len(records)) * 2)
    true, _ = evaluate(where, Rows(BY_NAME, oracle.columns, len(records)))
    scan = Scan()
    (batch,) = Files(path=str(path)).read(Request(COLUMNS, where), scan)
    assert set(oracle.arrival[true].tolist()) <= set(batch.arrival.tolist())
    for name, column in batch.columns.items():
        assert column.to_list() == oracle.columns[name].take(batch.arrival // 2).to_list()
    assert scan.rejected == [("not_object", 2 * i + 1) for i in range(len(records))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("target = 'b'", [3]),
        ("target IN ('b', 'c') AND time >= TIMESTAMP '1970-01-01 00:00:00.002Z'", [3]),
        ("NOT (time > TIMESTAMP '1970-01-01 00:00:00.001Z')", [0, 1, 2]),
        ("n = 7", [2]),
        ("f <= 1", [0, 2]),  # n may be a number written as text
    ],
)
def test_conditions_are_used(tmp_path, monkeypatch, text, expected):
    """Clean values for which a condition is not true do not leave the reader."""
    monkeypatch.setattr(formats, "SMALL", -1)
    monkeypatch.setattr(formats, "blocks", None)
    rows = [
        {"t": 1, "g": "a", "f": 0.5}, {"t": 1, "g": "a"}, {"t": 1, "g": "a", "n": 7},
        {"t": 5, "g": "b"}, {"t": 9, "g": "a"}, {"t": 9, "g": "a"},
    ]  # fmt: skip
    path = tmp_path / "a.ndjson"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    names = {"target": Column("target", ("g",)), **{n: BY_NAME[n] for n in ("time", "n", "f")}}
    where = bind(parse(text), names)
    (batch,) = Files(path=str(path)).read(Request(tuple(names.values()), where), Scan())
    assert batch.arrival.tolist() == expected


def test_values_are_bound():
    """What a user wrote never stands in the SQL."""
    columns = {"target": Column("target", ("g",)), "n": Column("n", ("n",), type="integer")}
    where = bind(parse("target = 'drop; --' OR n > 41"), columns)
    plan = leaves.plan(list(columns.values()), structs=False)
    text, values = sql.compile(where, columns, plan)
    assert "drop" not in text
    assert "41" not in text
    assert '"drop; --"' in values
    assert 41 in values
