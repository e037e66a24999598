"""fill (codes I1 to I5)."""

from __future__ import annotations

import pytest

from distill_core.builtin.fill import Fill
from distill_core.errors import SpecError
from distill_core.testing.logs import COLUMNS, build


def log_of(*events, columns=COLUMNS):
    """A log of (activity, time, end or None, case or nothing)."""
    rows = [
        {"case": case[0] if case else "c", "activity": a, "time": t, "end": e}
        for a, t, e, *case in events
    ]
    return build(rows, columns)


def spans(log):
    """(activity, time, end) in ms."""
    ends = log.get("end").to_list()
    return [
        (event["activity"], time // 1000, None if end is None else end // 1000)
        for event, time, end in zip(log, log.time.tolist(), ends, strict=True)
    ]


def fill(gap, **more):
    return Fill(same=["activity"], max_gap=f"{gap}ms", **more)


def test_i1_a_gap_is_closed():
    """A[0,2] A[5,8] A[20,22] with 5 → A[0,5] A[5,8] A[20,22]; nothing else changes."""
    log = log_of(("A", 0, 2), ("A", 5, 8), ("A", 20, 22))
    out = log.apply(fill(5))
    assert spans(out) == [("A", 0, 5), ("A", 5, 8), ("A", 20, 22)]
    assert [e["id"] for e in out] == [e["id"] for e in log]


def test_i1_the_longest_gap_is_inclusive():
    """A gap of 3 is closed with 3, not with 2."""
    log = log_of(("A", 0, 2), ("A", 5, 8))
    assert spans(log.apply(fill(3)))[0] == ("A", 0, 5)
    assert spans(log.apply(fill(2)))[0] == ("A", 0, 2)


def test_i2_what_lies_between_parts_neighbours():
    """A[0,2] B@3 A[4,5] stays, whatever where says of B; so do two cases."""
    log = log_of(("A", 0, 2), ("B", 3, None), ("A", 4, 5))
    for step in (fill(9), fill(9, where="activity = 'A'")):
        assert spans(log.apply(step)) == spans(log)
    cases = log_of(("A", 0, 2, "c"), ("A", 3, 4, "d"))
    assert spans(cases.apply(fill(9))) == spans(cases)


def test_i2_where_is_not_true():
    """Events that where is not true for have no gap to close."""
    log = log_of(("A", 0, 2), ("A", 3, 4), ("A", 5, 6))
    out = log.apply(fill(9, where="time >= '1970-01-01T00:00:00.003Z'"))
    assert spans(out) == [("A", 0, 2), ("A", 3, 5), ("A", 5, 6)]


def test_i2_null_equals_null():
    """Same compares as Q says."""
    log = log_of(("A", 0, 2), ("B", 3, 4))
    assert spans(log.apply(Fill(same=["target"], max_gap="1ms")))[0] == ("A", 0, 3)


def test_i3_without_an_end():
    """A@0 A@3 → A[0,3] A@3; A@3 A@3 stays; the column end is made if there is none."""
    assert spans(log_of(("A", 0, None), ("A", 3, None)).apply(fill(5))) == [
        ("A", 0, 3),
        ("A", 3, None),
    ]
    assert spans(log_of(("A", 3, None), ("A", 3, None)).apply(fill(5))) == [("A", 3, None)] * 2
    bare = [column for column in COLUMNS if column.name != "end"]
    log = log_of(("A", 0, None), ("A", 3, None), columns=bare)
    assert "end" not in log.columns
    assert spans(log.apply(fill(5))) == [("A", 0, 3), ("A", 3, None)]


def test_i4_the_one_that_ends_last_lasts_longer():
    """A[0,10] A[2,4] A[12,13] with 2 → A[0,12] A[2,4] A[12,13]."""
    log = log_of(("A", 0, 10), ("A", 2, 4), ("A", 12, 13))
    assert spans(log.apply(fill(2))) == [("A", 0, 12), ("A", 2, 4), ("A", 12, 13)]


def test_i4_an_overlap_is_no_gap():
    """Where events overlap nothing is shortened."""
    log = log_of(("A", 0, 10), ("A", 5, 7), ("A", 6, 20))
    assert spans(log.apply(fill(9))) == spans(log)


def test_i5_the_report():
    """filled events, filled_time in µs."""
    report = log_of(("A", 0, 2), ("A", 5, 8), ("A", 9, 9)).apply(fill(5)).steps[0].to_dict()
    assert report["counts"] == {"filled": 2, "filled_time": 4000}
    assert (report["made"], report["used"], report["dropped"]) == (0, 0, {})


@pytest.mark.parametrize("wrong", [{"same": []}, {"max_gap": 5}, {"max_gap": None}])
def test_t4_parameters(wrong):
    """Something must be equal, and a gap is a duration."""
    with pytest.raises(SpecError):
        Fill(**{"same": ["activity"], "max_gap": "5ms", **wrong})
