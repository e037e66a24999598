"""filter_cases and filter_variants (codes X1 to X6)."""

from __future__ import annotations

import pytest

from distill_core.builtin.filter_cases import FilterCases
from distill_core.builtin.filter_variants import FilterVariants
from distill_core.errors import SpecError
from distill_core.testing.logs import build


def log_of(**cases):
    """A log of cases: activities a millisecond apart."""
    return build([{"case": c, "activity": a, "time": t}
                  for c, text in cases.items() for t, a in enumerate(text.split())])  # fmt: skip


def kept(log, **params):
    return "".join(log.apply(FilterCases(**params)).cases)


SHOP = {"a": "load buy leave", "b": "load leave", "c": "load buy return"}
BUY, RETURN = "activity = 'buy'", "activity = 'return'"


def test_x1_contains_and_lacks():
    """Buyers, buyers who returned nothing, and everybody else."""
    log = log_of(**SHOP)
    assert kept(log, contains=BUY) == "ac"
    assert kept(log, lacks=RETURN) == "ab"
    assert kept(log, contains=BUY, lacks=RETURN) == "a"
    assert kept(log, contains=BUY, lacks=RETURN, keep="others") == "bc"


def test_x1_unknown_is_not_true():
    """Neither contains nor lacks takes an unknown condition for a true one."""
    event = {"activity": "x", "time": 0}
    log = build([{**event, "case": c, "number": n} for c, n in [("a", 1), ("b", None)]])
    assert kept(log, contains="number > 0") == "a"
    assert kept(log, lacks="number > 0") == "b"
    assert kept(log, lacks="number > 5") == "ab"


def test_x1_the_report():
    """What goes is told by event, and cases are counted; the others stay as they are."""
    log = log_of(**SHOP)
    out = log.apply(FilterCases(contains=BUY, lacks=RETURN))
    assert out.to_dicts() == log.where("\"case\" = 'a'").to_dicts()
    report = out.steps[0].to_dict()
    assert report["dropped"]["filter_cases"]["count"] == 5
    assert report["counts"] == {"cases_kept": 1, "cases_dropped": 2}


def test_x2_starts_and_ends():
    """The first and the last event by position, at one time too."""
    log = build([{"case": c, "activity": a, "time": 5} for c, a in ["pa", "pb", "qb", "qa"]])
    assert kept(log, starts_with="activity = 'a'") == "p"
    assert kept(log, ends_with="activity = 'a'") == "q"
    assert kept(log, starts_with="activity = 'a'", ends_with="activity = 'a'") == ""


def test_x3_events():
    """Limits are inclusive."""
    log = log_of(a="x", b="x x", c="x x x")
    assert kept(log, min_events=2) == "bc"
    assert kept(log, max_events=2) == "ab"
    assert kept(log, min_events=2, max_events=2) == "b"


def test_x3_duration():
    """From the first time to the greatest end, inclusive."""
    events = [("a", 0, 9), ("a", 5, None), ("b", 3, None)]
    log = build([{"case": c, "activity": "x", "time": t, "end": e} for c, t, e in events])
    assert kept(log, min_duration="9ms") == "a"
    assert kept(log, min_duration="9001us") == ""
    assert kept(log, max_duration="9ms") == "ab"
    assert kept(log, max_duration="8999us") == "b"
    assert kept(log, max_duration="0s") == "b"


def test_x4_a_pattern():
    """A !B C within 60 ms: in time and without B between."""
    rows = [{"case": c, "activity": a, "time": t} for c, events in {
        "a": [("A", 0), ("C", 60)], "b": [("A", 0), ("C", 61)], "c": [("A", 0), ("B", 1), ("C", 2)],
    }.items() for a, t in events]  # fmt: skip
    log = build(rows)
    assert kept(log, pattern="A !B C within 60ms") == "a"
    assert kept(log, pattern="A !B C", within="60ms") == "a"
    assert kept(log, pattern="A !B C") == "ab"
    assert kept(log, pattern="A C", define={"C": "activity = 'B'"}, keep="others") == "ab"
    assert kept(log, pattern="A C", min_duration="3ms") == "ab"


@pytest.mark.parametrize(
    "wrong", [{}, {"keep": "others"}, {"min_events": 0}, {"max_duration": 5}, {"within": "1s"}]
)
def test_x4_something_is_asked(wrong):
    """A step that asks nothing of a case is an error."""
    with pytest.raises(SpecError):
        FilterCases(**wrong)


def variants_of(*texts):
    return log_of(**{f"c{n:02}": " ".join(text) for n, text in enumerate(texts)})


def variants(log, **params):
    out = log.apply(FilterVariants(**params))
    spans = zip(out.offsets, out.offsets[1:], strict=False)
    activities = [event["activity"] for event in out]
    return ["".join(activities[a:b]) for a, b in spans]


THREE = ["abc"] * 5 + ["ac"] * 3 + ["ab"] * 2


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"coverage": 0.7}, 8), ({"coverage": 0.8}, 8), ({"coverage": 0.81}, 10),
        ({"coverage": 0.5}, 5), ({"coverage": 0}, 0), ({"coverage": 1}, 10), ({"top": 1}, 5),
        ({"top": 9}, 10), ({"top": 0}, 0), ({"top": 1, "coverage": 0.8}, 5),
        ({"top": 2, "coverage": 0.1}, 5),
    ],
)  # fmt: skip
def test_x5_coverage(params, expected):
    """As many variants as are needed to cover the share, the most frequent ones first."""
    assert variants(variants_of(*THREE), **params) == THREE[:expected]


def test_x5_a_column():
    """Variants of another column than the activity."""
    log = build([{"case": c, "activity": str(n), "time": 0, "target": t}
                 for n, (c, t) in enumerate([("a", "x"), ("b", "x"), ("c", "y")])])  # fmt: skip
    assert log.apply(FilterVariants(top=1, column="target")).cases.tolist() == ["a", "b"]


def test_x6_ties():
    """Equal frequency: by the values in order; a beginning of another comes before it."""
    log = variants_of("b", "ab", "a", "é", "Z")
    ranked = ["Z", "a", "ab", "b", "é"]
    for top in range(6):
        assert sorted(variants(log, top=top)) == ranked[:top]


def test_x6_ties_of_many_values():
    """Values are ranked by code point, however many there are."""
    log = build([{"case": f"{n:03}", "activity": f"{n:03}", "time": 0} for n in range(600)])
    out = log.apply(FilterVariants(top=300))
    assert out.cases.tolist() == [f"{n:03}" for n in range(300)]


def test_x6_null_is_a_value():
    """It comes first, and is no other value."""
    log = build([{"case": c, "activity": "x", "time": 0, "target": t}
                 for c, t in [("a", "x"), ("b", None), ("c", None), ("d", "x")]])  # fmt: skip
    out = log.apply(FilterVariants(top=1, column="target"))
    assert out.cases.tolist() == ["b", "c"]


def test_x6_the_report():
    """Variants and cases are counted, events told."""
    report = variants_of(*THREE).apply(FilterVariants(top=2)).steps[0].to_dict()
    assert report["counts"] == {
        "variants": 3, "variants_kept": 2, "cases_kept": 8, "cases_dropped": 2,
    }  # fmt: skip
    assert report["dropped"]["filter_variants"]["count"] == 4


@pytest.mark.parametrize("wrong", [{}, {"coverage": 1.5}, {"top": -1}])
def test_x6_how_many_must_be_said(wrong):
    """Neither coverage nor top, or a number out of range, is an error."""
    with pytest.raises(SpecError):
        FilterVariants(**wrong)
