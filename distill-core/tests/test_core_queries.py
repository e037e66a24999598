"""The built-in queries: what each gives of a small log."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import distill_core as dl
from distill_core.errors import SpecError
from distill_core.testing import Documents

ROWS = (
    ("ann", "load", "2026-01-05T09:00:00Z"),
    ("ann", "buy", "2026-01-05T09:20:00Z"),
    ("bob", "load", "2026-01-05T23:30:00Z"),
    ("bob", "load", "2026-01-07T10:00:00Z"),
    (None, "load", "2026-01-05T09:20:01Z"),
)
DOCUMENTS = tuple({"c": f"v-{u}", "u": u, "a": a, "t": t} for u, a, t in ROWS)
SCHEMA = dl.Fields(case="c", user="u", activity="a", time="t")


def pipeline(query):
    return dl.Pipeline(source=Documents(documents=DOCUMENTS), schema=SCHEMA, query=query)


def events(query):
    return [(e["user"], e["activity"], e["time"][8:16]) for e in pipeline(query).log()]


def rows(query):
    return [tuple(row.values()) for row in pipeline(query).run().rows]


def test_events_of_a_case_and_of_a_user():
    """All events of one case, one user, in a range of time too."""
    assert events(dl.Case(id="v-ann")) == [("ann", "load", "05T09:00"), ("ann", "buy", "05T09:20")]
    assert events(dl.User(id="bob", until="2026-01-06")) == [("bob", "load", "05T23:30")]
    assert events(dl.User(id="bob", until="2026-01-06", where="activity = 'buy'")) == []


def test_a_range_of_dates_is_that_of_the_zone():
    """A date in since and until begins where it does in the zone."""
    asked = {"since": "2026-01-06", "until": "2026-01-07"}
    assert events(dl.Events(**asked)) == []
    assert events(dl.Events(**asked, zone="Europe/Berlin")) == [("bob", "load", "05T23:30")]


def test_words_count_from_now():
    """A moment in words is told from the now that select is given."""
    now = datetime(2026, 1, 7, 12, tzinfo=UTC)
    where = str(dl.Events(since="last 2 days", until="today").select(now).where)
    assert "2026-01-05T12:00:00" in where
    assert "2026-01-07T00:00:00" in where
    recent = dl.Count(since="yesterday").select(datetime.now(UTC))
    assert recent.summary is not None
    assert rows(dl.Count(since="yesterday")) == [(0,)]


def test_the_latest_and_those_around():
    """The latest few, in the log's order; a span around a moment has both its ends."""
    assert events(dl.Latest(n=2)) == [("bob", "load", "05T23:30"), ("bob", "load", "07T10:00")]
    around = dl.Around(time="2026-01-05T09:20:00Z", before="20m", after="1s")
    assert {time for _, _, time in events(around)} == {"05T09:00", "05T09:20"}
    assert len(events(around)) == 3
    assert len(events(dl.Around(time="2026-01-05T09:20:00Z", before="20m", after="0s"))) == 2


def test_counts():
    """How many events: of all, of each value, of the most frequent; null is a value, the last."""
    assert rows(dl.Count()) == [(5,)]
    assert rows(dl.Count(by="user, activity", where="activity = 'load'")) == [
        ("ann", "load", 1), ("bob", "load", 2), (None, "load", 1),
    ]  # fmt: skip
    assert rows(dl.Values(column="activity")) == [("buy", 1), ("load", 4)]
    assert rows(dl.Top(by=["user"], n=2)) == [("ann", 2), ("bob", 2)]


def test_a_timeline_has_every_window():
    """Days of the zone, the empty ones too, with each value of by."""
    assert rows(dl.Timeline()) == [
        ("2026-01-05T00:00:00.000000Z", 4), ("2026-01-06T00:00:00.000000Z", 0),
        ("2026-01-07T00:00:00.000000Z", 1),
    ]  # fmt: skip
    berlin = rows(dl.Timeline(zone="Europe/Berlin", by="activity"))
    assert berlin == [
        ("2026-01-04T23:00:00.000000Z", "buy", 1), ("2026-01-04T23:00:00.000000Z", "load", 2),
        ("2026-01-05T23:00:00.000000Z", "buy", 0), ("2026-01-05T23:00:00.000000Z", "load", 1),
        ("2026-01-06T23:00:00.000000Z", "buy", 0), ("2026-01-06T23:00:00.000000Z", "load", 1),
    ]  # fmt: skip
    assert len(rows(dl.Timeline(every="1h", empty="drop"))) == 3


def test_cases_and_users():
    """One row each; a schema without users has none."""
    first, last = "2026-01-05T09:00:00.000000Z", "2026-01-05T09:20:00.000000Z"
    assert rows(dl.Cases(where="user = 'ann'")) == [("v-ann", first, last, 2, 1, 2)]
    assert [row[0] for row in rows(dl.Users())] == ["ann", "bob", None]
    assert rows(dl.Users(where="user = 'ann'")) == [("ann", first, last, 2, 1, 2)]
    plain = dl.Fields(case="c", activity="a", time="t")
    found = dl.Pipeline(Documents(documents=DOCUMENTS), plain, dl.Cases()).run()
    assert {row["users"] for row in found.rows} == {0}


def test_two_sets_beside_each_other():
    """Counts and shares of both, for each value; what is in neither has no row."""
    query = dl.Compare(where_a="user = 'ann'", where_b="user = 'bob' OR activity = 'buy'")
    found = {row["activity"]: row for row in pipeline(query).run().rows}
    assert {a: (r["a"], r["a_share"], r["b"], r["b_share"]) for a, r in found.items()} == {
        "buy": (1, 0.5, 1, 0.333333333), "load": (1, 0.5, 2, 0.666666667),
    }  # fmt: skip
    assert all(r["a_low"] < r["a_share"] < r["a_high"] for r in found.values())
    daily = dl.Compare(where_a="user = 'bob'", where_b="user = 'ann'", every="1d", by=[])
    assert [(row["a"], row["b"]) for row in pipeline(daily).run().rows] == [(1, 2), (0, 0), (1, 0)]
    (row,) = pipeline(query.model_copy(update={"top": 1})).run().rows
    assert (row["activity"], row["a_share"]) == ("buy", 0.5)


def test_a_query_of_ones_own_builds_on_others():
    """A function takes a built-in query's selection and changes it."""
    from dataclasses import replace

    @dl.query
    def busy(now: datetime, least: int = 1, since: dl.Moment = dl.Moment("2026-01-01")):  # noqa: B008
        """Users by their purchases."""
        found = dl.Users(since=since, where="user IS NOT NULL").select(now)
        buys = dl.Measure("buys", "count", where=dl.col("activity") == "buy")
        return replace(found, summary=replace(found.summary, measures=(buys,), top=least))

    assert rows(busy()) == [("ann", 1)]
    assert rows(busy(least=5, since="2026-01-06")) == [("bob", 0)]
    assert busy(since="last week").params() == {"least": 1, "since": "last week"}


@pytest.mark.parametrize(
    ("query", "path", "message"),
    [
        (lambda: dl.Top(by="usr"), "query.params.by.0", "did you mean 'user'"),
        (lambda: dl.Values(column="tool"), "query.params.column", "there is no column 'tool'"),
        (lambda: dl.Timeline(by="time"), "query", "has two columns 'time'"),
        (lambda: dl.Count(where="usr = 'x'"), "query", "did you mean 'user'"),
        (lambda: dl.Count(since="-9999y"), "query", "not within the years 1 to 9999"),
        (lambda: dl.Count(since="soon"), "since", "'soon' is no moment"),
        (lambda: dl.Top(by=""), "by", "at least 1 character"),
        (lambda: dl.Timeline(every="0s"), "every", "windows are longer than nothing"),
    ],
)
def test_what_is_wrong_has_its_place(query, path, message):
    """An error names the parameter, before anything is read."""
    with pytest.raises(ValueError, match=message) as caught:
        pipeline(query()).check()
    assert isinstance(caught.value, dl.DistillError)
    assert caught.value.path == path


def test_a_summary_has_no_steps():
    """It is the result."""
    found = pipeline(dl.Count())
    with pytest.raises(SpecError, match="no steps and no model follow"):
        dl.Pipeline(found.source, found.schema, found.query, [dl.Elapsed()]).run()
    assert found.explain()["summary"] == {"by": [], "measures": ["events: count"]}
