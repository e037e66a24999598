"""Moments in words: what each means, in a zone, and what is none."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distill_core.builtin.events import Events
from distill_core.builtin.lookups import Around
from distill_core.errors import SpecError
from distill_core.moments import Moment, parse_moment

NOW = datetime(2026, 3, 31, 22, 30, 15, tzinfo=UTC)  # in Berlin the first of April, a Wednesday


def at(text, zone="UTC", now=NOW):
    return parse_moment(text).at(now, zone).isoformat().removesuffix("+00:00")


@pytest.mark.parametrize(
    ("text", "utc", "berlin"),
    [
        ("now", "2026-03-31T22:30:15", "2026-03-31T22:30:15"),
        ("-90s", "2026-03-31T22:28:45", "2026-03-31T22:28:45"),
        ("last 30 minutes", "2026-03-31T22:00:15", "2026-03-31T22:00:15"),
        ("-72h", "2026-03-28T22:30:15", "2026-03-28T22:30:15"),
        ("-3d", "2026-03-28T22:30:15", "2026-03-28T23:30:15"),
        ("last 1 week", "2026-03-24T22:30:15", "2026-03-24T23:30:15"),
        ("-1mo", "2026-02-28T22:30:15", "2026-02-28T23:30:15"),
        ("last 2 years", "2024-03-31T22:30:15", "2024-03-31T22:30:15"),
        ("today", "2026-03-31T00:00:00", "2026-03-31T22:00:00"),
        ("Yesterday", "2026-03-30T00:00:00", "2026-03-30T22:00:00"),
        ("tomorrow", "2026-04-01T00:00:00", "2026-04-01T22:00:00"),
        ("this  week", "2026-03-30T00:00:00", "2026-03-29T22:00:00"),
        ("last week", "2026-03-23T00:00:00", "2026-03-22T23:00:00"),
        ("next week", "2026-04-06T00:00:00", "2026-04-05T22:00:00"),
        ("this month", "2026-03-01T00:00:00", "2026-03-31T22:00:00"),
        ("last month", "2026-02-01T00:00:00", "2026-02-28T23:00:00"),
        ("next month", "2026-04-01T00:00:00", "2026-04-30T22:00:00"),
        ("this year", "2026-01-01T00:00:00", "2025-12-31T23:00:00"),
        ("2026-01-05", "2026-01-05T00:00:00", "2026-01-04T23:00:00"),
        ("2026-01-05T09:00+01:00", "2026-01-05T08:00:00", "2026-01-05T08:00:00"),
    ],
)
def test_each_word_means_a_moment(text, utc, berlin):
    """Days and what is longer are the zone's; lengths of time are not."""
    assert at(text) == utc
    assert at(text, "Europe/Berlin") == berlin


def test_spellings_are_one():
    """What means the same is written in the same way, and reads back as itself."""
    texts = ("-7d", "last 7 days", "Last 7 Days", "last 7 day", "-7 d")
    same = {parse_moment(text) for text in texts}
    assert same == {Moment("-7d")}
    assert parse_moment(date(2026, 1, 5)) == parse_moment("2026-01-05")
    assert parse_moment(datetime(2026, 1, 5, tzinfo=UTC)).text == "2026-01-05T00:00:00.000000Z"
    for text in ("-7d", "today", "this week", "2026-01-05"):
        assert parse_moment(parse_moment(text).text) == parse_moment(text)
    query = Events(since="last 7 days", until=date(2026, 1, 5))
    assert (query.params()["since"], query.params()["until"]) == ("-7d", "2026-01-05")


@given(st.integers(0, 4000), st.integers(0, 10**9))
def test_months_keep_the_day_or_its_nearest(count, seconds):
    """So many months back it is the same day of the month, or the month's last."""
    now = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    then = Moment(f"-{count % 200}mo").at(now)
    months = (now.year - then.year) * 12 + now.month - then.month
    assert months == count % 200
    assert then.day == now.day or ((then + timedelta(days=1)).day == 1 and then.day < now.day)
    assert then.time() == now.time()


def test_a_day_that_begins_late():
    """Where no clock shows midnight, the day begins when clocks jump over it."""
    now = datetime(2018, 11, 4, 15, tzinfo=ZoneInfo("America/Sao_Paulo"))
    assert Moment("today").at(now, "America/Sao_Paulo") == datetime(2018, 11, 4, 3, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "soon", "-7", "last week ago", "+7d", "-7x", "last days", 7,
                                  "2026-13-01", True, None])  # fmt: skip
def test_what_is_no_moment(text):
    """Anything else is an error that shows how moments are written."""
    with pytest.raises(ValueError, match=r"is no moment: write it as .*'-7d', 'today'"):
        parse_moment(text)


def test_a_time_without_a_zone_is_never_guessed():
    """A time of day needs its zone; the error says how it is written."""
    with pytest.raises(ValueError, match=r"has no zone: write it as '2026-01-05T09:00:00Z'"):
        parse_moment("2026-01-05T09:00")


@pytest.mark.parametrize("text", ["-9000y", "-999999d", "-999999mo", "-999999w"])
def test_beyond_all_years(text):
    """A moment before the year 1 is an error, at the query."""
    with pytest.raises(SpecError, match="is not within the years 1 to 9999"):
        Moment(text).at(NOW)


def test_around_reaches_to_the_edges_of_time():
    """Spans before the year 1 and after 9999 end there."""
    query = Around(time="0001-01-01T00:00:05Z", before="1h", after="100000000d")
    where = str(query.select(NOW).where)
    assert "0001-01-01T00:00:00.000000Z" in where
    assert "9999-12-31T23:59:59.999999Z" in where


def test_an_unknown_zone_is_told():
    """The zone of a query must be one."""
    with pytest.raises(SpecError, match="zone: there is no zone 'Berlin'"):
        Events(zone="Berlin")
