"""The report on a log's quality: on small logs by hand, on recordings against what was measured."""

from __future__ import annotations

import json
from typing import Any

import pytest

from distill_core.pipeline import Pipeline
from distill_userale import UserALE, UseraleQuality

T = 1719530111000
Records = list[dict[str, Any]]


def raw(time: int, name: str = "click", **fields: Any) -> dict[str, Any]:
    return {"logType": "raw", "type": name, "clientTime": T + time, "microTime": 0.0,
            "target": "a", "userAction": True, "sessionID": "s", "userId": "u",
            "pageUrl": "/a"} | fields  # fmt: skip


def custom(time: int, name: str = "note", **fields: Any) -> dict[str, Any]:
    found = raw(time, name, logType="custom", userAction=False) | fields
    return {k: v for k, v in found.items() if k not in ("microTime", "target")}


def interval(start: int, end: int, **fields: Any) -> dict[str, Any]:
    return {"logType": "interval", "type": "mouseover", "startTime": T + start, "endTime": T + end,
            "duration": end - start, "count": 1, "sessionID": "s", "userId": "u", "pageUrl": "/a",
            "userAction": False} | fields  # fmt: skip


def visit(time: int, page: str, load: bool = True, n: int = 2) -> Records:
    """A page: its load record, if any, and clicks 100 ms apart."""
    loads = [custom(time, "load", pageUrl=page)] if load else []
    return loads + [raw(time + 100 * (i + 1), pageUrl=page, target=str(i)) for i in range(n)]


@pytest.fixture
def report(source):
    """A function: records → the report's rows by check."""

    def make(records: list[Any], schema: UserALE | None = None) -> dict[str, Any]:
        pipeline = Pipeline(source(records=records), schema or UserALE(), model=UseraleQuality())
        return {row["check"]: row for row in pipeline.run().rows}

    return make


@pytest.fixture
def counts(report):
    """A function: records → count and total by check."""
    return lambda records: {k: (v["count"], v["total"]) for k, v in report(records).items()}


def test_a_clean_log(report) -> None:
    """A log without faults has each check with a count of 0."""
    rows = report([raw(0, microTime=0.1), raw(1), interval(0, 5)])
    assert {row["count"] for row in rows.values()} == {0}
    assert list(rows) == [
        "not_object", "no_time", "no_case", "no_session", "no_user", "twin", "duplicate",
        "same_stamp", "negative_duration", "zero_duration", "count_suspect",
        "custom_before_click", "page_end_lost", "shared_session",
    ]  # fmt: skip


def test_an_empty_log(report) -> None:
    """No records: counts of 0, and no share of nothing."""
    rows = report([])
    assert {(row["count"], row["total"], row["share"]) for row in rows.values()} == {(0, 0, None)}


def test_a_part_of_a_log(read) -> None:
    """A slice does not know what was rejected: null, not 0."""
    found = UseraleQuality().compute(read([raw(0), None]).head(1))
    rows = {row["check"]: row for row in found.rows}
    assert [rows["not_object"][n] for n in ("count", "total", "share")] == [None, None, None]
    assert rows["no_user"]["total"] == 1


def test_rejected(report) -> None:
    """Rejected records are counted of all that was read, with their places."""
    rows = report([None, raw(0), {"wish": 1}, {"clientTime": T}, [], raw(0, clientTime="x")])
    found = {k: (rows[k]["count"], rows[k]["samples"])
             for k in ("not_object", "no_time", "no_case", "bad_time")}  # fmt: skip
    assert found == {"not_object": (2, ["0", "4"]), "no_time": (1, ["2"]), "no_case": (1, ["3"]),
                     "bad_time": (1, ["5"])}  # fmt: skip
    assert rows["not_object"]["share"] == 2 / 6


def test_twins(counts) -> None:
    """The document's record of a focus is a twin of the window's in the same moment; none else."""
    both = [raw(0, "focus", details={"window": True}), raw(0, "focus", details=None)]
    assert counts(both)["twin"] == (1, 2)
    assert counts([both[0]])["twin"] == (0, 1)
    assert counts([both[0], both[1] | {"clientTime": T + 1}])["twin"] == (0, 2)
    assert counts([both[0], both[1] | {"target": "b"}])["twin"] == (0, 2)
    assert counts([both[0], both[1] | {"sessionID": "t"}])["twin"] == (0, 2)
    lone = [record | {"sessionID": None} for record in both]
    assert counts(lone)["twin"] == (1, 2)
    assert counts([lone[0], lone[1] | {"userId": "v"}])["twin"] == (0, 2)
    clicks = [record | {"type": "click"} for record in both]
    assert counts(clicks)["twin"] == (0, 0)


def test_duplicates(report) -> None:
    """Equal in every field, those of no column too; the first is no duplicate."""
    rows = report([raw(0, mood="x"), raw(0, mood="x"), raw(0, mood="x"), raw(0, mood="y"), raw(0)])
    assert (rows["duplicate"]["count"], rows["duplicate"]["total"]) == (2, 5)
    assert len(set(rows["duplicate"]["samples"])) == 2


def test_same_stamp(counts) -> None:
    """Raw records of one session in one microsecond; intervals and custom records are left out."""
    records = [raw(0, "mouseup"), raw(0), raw(0, microTime=0.1), raw(0, sessionID="t"),
               interval(0, 1), interval(0, 2), custom(0), custom(0, "other")]  # fmt: skip
    assert counts(records)["same_stamp"] == (1, 4)


def test_no_session_no_user(counts) -> None:
    """Records of the user's case, and of a session without a user."""
    found = counts([raw(0), raw(1, sessionID=None), raw(2, userId=None)])
    assert (found["no_session"], found["no_user"]) == ((1, 3), (1, 3))


def test_interval_faults(counts) -> None:
    """Negative and zero durations as logged, and intervals of no events."""
    found = counts([interval(5, 2), interval(9, 9, count=0), interval(20, 30), raw(0)])
    assert found["negative_duration"] == (1, 3)
    assert found["zero_duration"] == (1, 3)
    assert found["count_suspect"] == (1, 3)


@pytest.mark.parametrize(
    ("records", "count"),
    [
        ([custom(0), raw(34)], 1),
        ([custom(0), raw(60)], 1),
        ([custom(0), raw(61)], 0),
        ([custom(0), raw(34, "mouseover")], 0),
        ([custom(0), raw(34, sessionID="t")], 0),
        ([raw(0), custom(2), raw(34)], 0),
        ([raw(0), custom(60), raw(90)], 0),
        ([raw(0), custom(61), raw(90)], 1),
        ([custom(0), raw(0)], 0),
        ([custom(0, "load"), raw(34)], 0),
        ([custom(0)], 0),
    ],
)
def test_custom_before_click(counts, records, count) -> None:
    """A custom record up to 60 ms before an act, and none as shortly before it."""
    assert counts(records)["custom_before_click"][0] == count


@pytest.mark.parametrize(
    ("last", "gap", "lost"),
    [
        ("click", 3000, 0),
        ("click", 3001, 1),
        ("submit", 3000, 0),
        ("mouseover", 500, 0),
        ("mouseover", 501, 1),
        ("focus", 501, 1),
    ],
)
def test_page_end_lost(counts, last, gap, lost) -> None:
    """A page left by no act of its own, or long after it, has likely lost its end."""
    records = [custom(0, "load"), raw(100, last), custom(100 + gap, "load", pageUrl="/b")]
    assert counts(records)["page_end_lost"] == (lost, 1)


def test_page_end_after_a_custom_record(counts) -> None:
    """An application's own record may be what a page ends with."""
    records = [custom(0, "load"), custom(100), custom(3100, "load", pageUrl="/b")]
    assert counts(records)["page_end_lost"] == (0, 1)


def test_page_end_of_one_page(counts) -> None:
    """A reload ends a page too; the last page of a session, and another session, end none."""
    records = [custom(0, "load"), raw(9, "wheel"), custom(5000, "load")]
    assert counts(records)["page_end_lost"] == (1, 1)
    records = [custom(0, "load"), custom(5000, "load", sessionID="t", pageUrl="/b")]
    assert counts(records)["page_end_lost"] == (0, 0)


def test_page_end_without_load_records(counts) -> None:
    """To 2.1 nothing tells of a page load: the next page's first record ends a page."""
    assert counts([raw(0, "focus"), raw(9000, pageUrl="/b")])["page_end_lost"] == (1, 1)


def test_shared_session(counts) -> None:
    """Two pages in turns without a load are two tabs; loads, and going back once, are not."""
    tabs = [*visit(0, "/a"), *visit(1000, "/b"), *visit(2000, "/a", load=False),
            *visit(3000, "/b", load=False)]  # fmt: skip
    assert counts(tabs)["shared_session"] == (1, 1)
    assert counts(tabs)["page_end_lost"] == (0, 0)
    loads = [*visit(0, "/a"), *visit(1000, "/b"), *visit(2000, "/a"), *visit(3000, "/b")]
    assert counts(loads)["shared_session"] == (0, 1)
    other = [interval(at, at + 9, pageUrl="/b") for at in (300, 600, 900)]
    late = [*visit(0, "/a", n=12), *other]
    assert counts(late)["shared_session"] == (0, 1)
    back = [*visit(0, "/a"), *visit(1000, "/b"), *visit(2000, "/a", load=False)]
    assert counts(back)["shared_session"] == (0, 1)
    apart = [r | {"sessionID": r["pageUrl"]} for r in tabs]
    assert counts(apart)["shared_session"] == (0, 2)


def test_signs_do_not_depend_on_the_case(report, recorded) -> None:
    """The same records show the same signs, whatever a case is."""
    reports = [report(recorded("sample"), UserALE(case=case)) for case in ("session", "user")]
    first, second = ({k: (v["count"], v["total"]) for k, v in r.items()} for r in reports)
    assert first == second


def test_result(source, recorded) -> None:
    """The report is a table of plain values with a unit-less share between 0 and 1."""
    pipeline = Pipeline(source(records=recorded("sample")), UserALE(), model=UseraleQuality())
    found = json.loads(pipeline.run().to_json())
    assert found["kind"] == "table"
    assert [c["name"] for c in found["columns"]] == list(found["rows"][0])
    assert all(0 <= row["share"] <= 1 for row in found["rows"] if row["share"] is not None)
    assert all(len(row["samples"]) == min(5, row["count"]) for row in found["rows"])
    assert all(row["meaning"] for row in found["rows"])


# What was measured on the recordings by other means, of all records; where a figure counts bare
# objects, which are no events, they stand in the rejected rows.
MEASURED = {
    "2.0.2": {"not_object": 11, "no_time": 1, "no_case": 0, "twin": 224, "duplicate": 312,
              "no_user": 0, "no_session": 24, "same_stamp": 546, "zero_duration": 56,
              "negative_duration": 4, "count_suspect": 0},
    "2.1.1": {"not_object": 5, "no_time": 1, "no_case": 0, "twin": 183, "duplicate": 523,
              "no_user": 0, "no_session": 0, "same_stamp": 623, "zero_duration": 55,
              "negative_duration": 5, "count_suspect": 0},
    "2.3.0": {"not_object": 7, "no_time": 1, "no_case": 2, "twin": 204, "duplicate": 0,
              "no_user": 21, "no_session": 0, "same_stamp": 328, "zero_duration": 73,
              "negative_duration": 5, "count_suspect": 0},
    "2.4.0": {"not_object": 0, "no_time": 6, "no_case": 6, "twin": 658, "duplicate": 0,
              "no_user": 88, "no_session": 0, "same_stamp": 1023, "zero_duration": 209,
              "negative_duration": 11, "count_suspect": 0},
    "head": {"not_object": 0, "no_time": 4, "no_case": 4, "twin": 353, "duplicate": 0,
             "no_user": 42, "no_session": 0, "same_stamp": 554, "zero_duration": 105,
             "negative_duration": 6, "count_suspect": 1576},
}  # fmt: skip


@pytest.mark.parametrize("name", MEASURED)
def test_measured(report, recorded, name) -> None:
    """The report finds what was measured on the recordings."""
    rows = report(recorded(name))
    assert {check: rows[check]["count"] for check in MEASURED[name]} == MEASURED[name]


@pytest.mark.parametrize(
    ("name", "early", "tabs"),
    [("2.0.2", 0, 0), ("2.1.1", 2, 1), ("2.3.0", 2, 1), ("2.4.0", 8, 4), ("head", 0, 2)],
)
def test_signs_of_tabs(read, recorded, report, name, early, tabs) -> None:
    """Sessions in two tabs are those of the people who use tabs, and of no other.

    To 2.4.0 their two custom records come before the click; the head build mended its clock.
    """
    rows = report(recorded(name))
    assert rows["custom_before_click"]["count"] == early
    assert rows["shared_session"]["count"] == tabs
    log = read(recorded(name))
    for check in ("custom_before_click", "shared_session"):
        people = {e["user"] for e in log if e["id"] in rows[check]["samples"]}
        assert bool(people) == bool(rows[check]["count"])
        assert all(str(user).endswith("-tabber") for user in people)


def test_lost_page_ends(recorded, report) -> None:
    """Builds that send nothing when a page is left lose many ends, those with a beacon few."""
    share = {n: report(recorded(n))["page_end_lost"]["share"] for n in ("2.1.1", "2.4.0", "head")}
    assert share["2.1.1"] >= 0.5
    assert max(share["2.4.0"], share["head"]) < 0.1
