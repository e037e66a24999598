"""F1 and F3: events become others."""

from __future__ import annotations

from typing import Any

import pytest
from timelines import dangling, timeline

import distill_core as dl
from distill_core.builtin.replace import Replace

MOUSE = "mousedown@0 mouseup@80 click@81"
ACTIVATE = {"pattern": "mousedown mouseup click", "to": {"activity": "activate"}}


def run(text: str, **params: Any) -> dl.EventLog:
    return timeline(text).apply(Replace(**params))


def rows(log: dl.EventLog, *names: str) -> list[tuple[Any, ...]]:
    """Activity, time and end in ms, further columns."""
    ends = log.data["end"].to_list()  # type: ignore[union-attr]
    times = zip(log, log.time.tolist(), ends, strict=True)
    return [
        (e["activity"], t // 1000, end and end // 1000, *(e[n] for n in names))
        for e, t, end in times
    ]


def test_f1_several_become_one() -> None:
    """F1: mousedown, mouseup, click → activate@0 end 81, source_ids [e1,e2,e3]."""
    out = run(MOUSE, **ACTIVATE)
    assert rows(out, "source_ids") == [("activate", 0, 81, ["e1", "e2", "e3"])]
    report = out.steps[0]
    assert (report.entered, report.made, report.used, report.out) == (3, 1, 3, 1)


def test_f1_the_end_is_the_greatest() -> None:
    """F1: end is the greatest `last`, whichever event has it."""
    assert rows(run("mousedown@0-500 mouseup@80 click@81", **ACTIVATE)) == [("activate", 0, 500)]


def test_f1_what_lies_between_stays() -> None:
    """F1: at the first one's place; what lies between stays."""
    out = run("x@0 mousedown@0 move@40 mouseup@80 click@81 y@90", **ACTIVATE)
    assert rows(out) == [
        ("x", 0, None), ("activate", 0, 81), ("move", 40, None), ("y", 90, None)
    ]  # fmt: skip


def test_f1_columns_of_the_first() -> None:
    """F1, PL: what is not written is as in the first event."""
    out = run("mousedown@0(a) mouseup@80(b) click@81(c)", **ACTIVATE)
    assert rows(out, "k") == [("activate", 0, 81, "a")]
    out = run("mousedown@0(a) mouseup@80(b) click@81(c)", **ACTIVATE | {"key": ["k"]})
    assert len(out) == 3


def test_f1_where_replaces_each() -> None:
    """F1: where replaces each event, end as it was."""
    out = run("a@0-9 b@1 a@2", where="activity = 'a'", to={"activity": "A", "k": "z", "new": 3})
    assert rows(out, "k", "new", "source_ids") == [
        ("A", 0, 9, "z", 3, ["e1"]), ("b", 1, None, None, None, ["e2"]),
        ("A", 2, None, "z", 3, ["e3"]),
    ]  # fmt: skip
    assert out.columns["new"].type == "integer"
    assert [row["id"] for row in out][1] == "e2"
    assert len({row["id"] for row in out} | {"e1", "e3"}) == 5
    report = out.steps[0]
    assert (report.made, report.used, report.dropped, report.counts) == (2, 2, {}, {})


def test_f1_order_stays() -> None:
    """PL: a replaced event keeps its place among events of its time."""
    out = run("x@5 a@5 y@5", where="activity = 'a'", to={"activity": "A"})
    assert [row["activity"] for row in out] == ["x", "A", "y"]


def test_f1_reports_of_the_pattern() -> None:
    """F1, R: …as match: starts tried in vain and events without a key are told."""
    out = run("mousedown@0 mouseup@80 mousedown@90", **ACTIVATE)
    assert out.steps[0].to_dict()["partial"] == {"mousedown": 1, "mouseup": 1}
    lost = run("a@0() a@1(x) b@2(x)", pattern="a b", key=["k"], to={"activity": "ab"})
    assert dangling(lost) == {"missing_key": ["e1"]}
    assert rows(lost) == [("a", 0, None), ("ab", 1, 2)]


TWO = [{"where": "activity = 'b'", "to": {"activity": "B"}},
       {"pattern": "a b", "to": {"activity": "ab"}}]  # fmt: skip


def test_f3_one_event_in_two_replacements() -> None:
    """F3: one event in two replacements → OverlapError."""
    with pytest.raises(dl.OverlapError) as error:
        run("a@0 b@1", rules=TWO)
    assert error.value.code == "overlap"
    alone = run("a@0 b@1 b@2 x@3", rules=TWO[1:])
    assert rows(alone) == [("ab", 0, 1), ("b", 2, None), ("x", 3, None)]


def test_f3_first() -> None:
    """F3: resolve = first: by position, then rule."""
    out = run("a@0 b@1", rules=TWO, resolve="first")
    assert rows(out) == [("ab", 0, 1)]
    assert out.steps[0].counts == {"overlapping": 1}
    same = [{"where": "activity = 'a'", "to": {"activity": name}} for name in ("one", "two")]
    assert rows(run("a@0", rules=same, resolve="first")) == [("one", 0, None)]
    assert rows(run("a@0", rules=same[::-1], resolve="longest")) == [("two", 0, None)]


def test_f3_longest() -> None:
    """F3: resolve = longest: most events, then first; greedily."""
    rules = [{"pattern": "a b", "to": {"activity": "ab"}},
             {"pattern": "b c d", "to": {"activity": "bcd"}}]  # fmt: skip
    assert rows(run("a@0 b@1 c@2 d@3", rules=rules, resolve="longest")) == [
        ("a", 0, None), ("bcd", 1, 3)
    ]  # fmt: skip
    assert rows(run("a@0 b@1 c@2 d@3", rules=rules, resolve="first")) == [
        ("ab", 0, 1), ("c", 2, None), ("d", 3, None)
    ]  # fmt: skip


def test_f3_greedily() -> None:
    """F3: what loses takes nothing away from those that come later."""
    step = {"pattern": "a a", "skip": "to_next", "to": {"activity": "aa"}, "resolve": "first"}
    out = run("a@0 a@1 a@2 a@3", **step)
    assert rows(out) == [("aa", 0, 1), ("aa", 2, 3)]
    assert out.steps[0].counts == {"overlapping": 1}
    with pytest.raises(dl.OverlapError):
        run("a@0 a@1 a@2 a@3", **step | {"resolve": None})


def test_f_partial_of_rules() -> None:
    """R: with rules, partial says whose step it is."""
    out = run("a@0 x@1", rules=TWO)
    assert out.steps[0].to_dict()["partial"] == {"1.a": 1}


def test_f_what_is_replaced_does_not_dangle() -> None:
    """R: an event that one rule passes over and another replaces is no loose end."""
    latest = {"pattern": "a b", "restart": "latest", "to": {"activity": "ab"}}
    alone = run("a@0(x) a@1 b@2", rules=[latest])
    assert dangling(alone) == {"superseded": ["e1"]}
    both = run("a@0(x) a@1 b@2", rules=[latest, {"where": "k = 'x'", "to": {"activity": "A"}}])
    assert (rows(both), dangling(both)) == ([("A", 0, None), ("ab", 1, 2)], {})


@pytest.mark.parametrize(
    ("value", "column", "told"),
    [(True, "flag", True), ("7", "number", 7), (7, "target", "7"), ([1, {"b": 2}], "details",
     [1, {"b": 2}]), (None, "number", None), (0.5, "score", 0.5), ("", "user", None)],
)  # fmt: skip
def test_f_values_are_read_as_the_column_reads(value: Any, column: str, told: Any) -> None:
    """T2: a value is read as a document's is."""
    from distill_core.testing.logs import build

    log = build([{"case": "a", "activity": "x", "time": 0, "number": 1, "user": "u"}])
    out = log.apply(Replace(where="activity = 'x'", to={column: value}))
    assert out.to_dicts()[0][column] == told


def test_f_a_value_that_does_not_fit() -> None:
    """N: a value that the column cannot hold is an error, and its place is told."""
    from distill_core.testing.logs import build

    step = Replace(rules=[{"where": "activity = 'x'", "to": {"number": "seven"}}])
    with pytest.raises(dl.TransformError) as error:
        build([]).apply(step)
    assert (error.value.code, error.value.path) == ("column-type", "rules.0.to.number")


def test_f_unknown_columns_of_steps() -> None:
    """N: a column that a step looks at has to be there; its place is told."""
    step = {"pattern": "A B", "define": {"A": "nothing = 1"}, "to": {"activity": "ab"}}
    with pytest.raises(dl.DistillError) as error:
        run("a@0", rules=[step])
    assert error.value.path == "rules.0.define.A"
    linked = {"pattern": "A B", "define": {"A": "k IS NOT NULL", "B": "k = A.k"}}
    out = run("a@0(x) b@1(y) c@2(x)", **linked, to={"activity": "twice"})
    assert rows(out) == [("twice", 0, 2), ("b", 1, None)]


def test_f_an_empty_log_has_the_columns() -> None:
    """N: nothing in, nothing out, but the columns are there."""
    empty = timeline("x@0").take(slice(0, 0))
    out = empty.apply(Replace(**ACTIVATE | {"to": {"activity": "z", "new": 1}}))
    assert len(out) == 0
    assert {"new", "end", "source_ids"} <= set(out.columns)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"where": "k = 'a'"},
        {"to": {"activity": "x"}},
        {"where": "k = 'a'", "pattern": "a", "to": {"activity": "x"}},
        {"where": "k = 'a'", "within": "5s", "to": {"activity": "x"}},
        {"where": "k = 'a'", "to": {}},
        {"where": "k = 'a'", "to": {"activity": None}},
        {"where": "k = 'a'", "to": {"activity": ""}},
        {"pattern": "a (", "to": {"activity": "x"}},
        {"rules": TWO, "where": "k = 'a'"},
        {"rules": [{"where": "k = 'a'"}]},
        *({"where": "k = 'a'", "to": {name: "x"}}
          for name in ("id", "case", "time", "end", "order", "duration", "count", "source_ids")),
    ],
)  # fmt: skip
def test_f_parameters_that_contradict(params: dict[str, Any]) -> None:
    """N: what has no meaning is an error."""
    with pytest.raises(dl.DistillError):
        Replace(**params)


def test_f_written_and_read_back() -> None:
    """V1: both forms are read back from what they are written as."""
    for step in (Replace(**ACTIVATE), Replace(rules=TWO, resolve="longest")):
        assert Replace.model_validate(step.params()) == step


def test_f_fits_of_rules() -> None:
    """R: fits says which step of a pattern no event is, with rules whose step it is."""
    out = run("a@0 x@1", pattern="a bb", to={"activity": "ab"})
    assert out.steps[0].to_dict()["fits"] == {"a": 1, "bb": 0}
    out = run("a@0 x@1", rules=TWO)
    assert out.steps[0].to_dict()["fits"] == {"1.a": 1, "1.b": 0}
