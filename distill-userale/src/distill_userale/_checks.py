"""Signs in an event log of what went wrong while UserALE.js logged; one function a sign.

Each returns two masks over the log's rows: those that show the sign, and those it could show in.
What crosses pages goes by session id, whatever the case is; rows without one stay out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from distill_core.batch import Bools, Codes, Ints, Masked
from distill_userale import _fields

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from distill_core.log import EventLog

Sign = tuple[Bools, Bools]

CLOCKS_APART = 60_000  # µs; in tabs made by window.open, raw times are 16 to 58 ms late
SHORT_LEAVE = 500_000  # µs from a page's last record to the next page, left by no act of its own
LONG_LEAVE = 3_000_000  # µs, left by a click, key or the like: a slow answer takes this long
_ACTS = ("click", "submit", "change", "drop", "dragend", "input", "keydown")
_LEAVES = ("click", "dblclick", "submit", "keydown")
_WINDOW = '{"window":true}'


def twins(log: EventLog) -> Sign:
    """Focus and blur once more from the document, in the moment of the window's own record."""
    about = _is(log, "activity", "focus", "blur") & _is(log, "log_type", "raw")
    seen_by_window = _is(log, "details", _WINDOW)
    key = _groups(_whose(log), log.time, log.codes("activity"), log.codes("target"))
    has_window = np.zeros(len(log) + 1, dtype=np.bool_)
    has_window[key[about & seen_by_window]] = True
    return about & log.get("details").null & has_window[key], about


def duplicates(log: EventLog) -> Sign:
    """A record whose whole content was there before."""
    # Few records share these four, and only they are compared as a whole.
    key = _groups(log.codes("case"), log.time, log.codes("activity"), log.codes("target"))
    rows = np.flatnonzero(np.bincount(key)[key] > 1)
    some = log.take(rows)
    names = [column.name for column in _fields.COLUMNS if column.name in log.columns]
    return _mask(log, rows[_again(_groups(*map(some.codes, ["case", *names])))]), _all(log)


def same_stamp(log: EventLog) -> Sign:
    """A raw record in the same microsecond of a session as an earlier one."""
    order = log.get("order")
    about = _is(log, "log_type", "raw") & ~order.null
    rows = np.flatnonzero(about)
    found = np.zeros(len(log), dtype=np.bool_)
    parts = (_whose(log), log.time, log.codes("order"))
    found[rows[_again(_groups(*(part[rows] for part in parts)))]] = True
    return found, about


def no_session(log: EventLog) -> Sign:
    """A record without a session id."""
    return log.get("session_id").null, _all(log)


def no_user(log: EventLog) -> Sign:
    """A record without a user."""
    return log.get("user").null, _all(log)


def negative_duration(log: EventLog) -> Sign:
    """An interval that ends before it starts, as logged."""
    spans, about = _intervals(log)
    return about & (spans.values < 0), about


def zero_duration(log: EventLog) -> Sign:
    """An interval that ends as it starts, as logged."""
    spans, about = _intervals(log)
    return about & (spans.values == 0), about


def count_suspect(log: EventLog) -> Sign:
    """An interval of no events."""
    suspect = log.get("count_suspect")
    assert isinstance(suspect, Masked)
    return suspect.values & ~suspect.null, _intervals(log)[1]


def custom_before_click(log: EventLog) -> Sign:
    """A custom record shortly before a person's act, and none shortly before it."""
    about = _is(log, "log_type", "custom") & ~_is(log, "activity", "load")
    act = _is(log, "log_type", "raw") & _is(log, "activity", *_ACTS)
    rows, session = _by_session(log)
    time, acted = log.time[rows], act[rows]
    before = _last_true(acted)
    after = len(rows) - 1 - _last_true(acted[::-1])[::-1]
    index = np.arange(len(rows))
    since = np.where(_same(session, before, index), time - time[before], CLOCKS_APART + 1)
    later = after < len(rows)
    after = np.minimum(after, len(rows) - 1)
    until = np.where(later & _same(session, after, index), time[after] - time, CLOCKS_APART + 1)
    early = (since > CLOCKS_APART) & (until > 0) & (until <= CLOCKS_APART)
    found = np.zeros(len(log), dtype=np.bool_)
    found[rows[early]] = True
    return found & about, about


def page_end_lost(log: EventLog) -> Sign:
    """A page's last record, if what made the person leave is not among its records.

    Pages of a session that shows two tabs are left out. To 2.1 no record tells of a page load, so
    any other page counts as the next one.
    """
    rows, session, first, load = _visits(log)
    ends = first[1:] - 1
    ends = ends[session[ends] == session[ends + 1]]
    if load.any():
        ends = ends[load[ends + 1]]
    ends = ends[~np.isin(session[ends], session[_turns(log, rows, session, first, load)])]
    gap = log.time[rows[ends + 1]] - log.time[rows[ends]]
    leave = _is(log, "activity", *_LEAVES) | _is(log, "log_type", "custom")
    lost = gap > np.where(leave[rows[ends]], LONG_LEAVE, SHORT_LEAVE)
    return _mask(log, rows[ends[lost]]), _mask(log, rows[ends])


def shared_session(log: EventLog) -> Sign:
    """A session in which two pages go on in turns without a load: two tabs with one id.

    The rows are the first of each session.
    """
    rows, session, first, load = _visits(log)
    new = np.ones(len(rows), dtype=np.bool_)
    new[1:] = session[1:] != session[:-1]
    shared = session[_turns(log, rows, session, first, load)]
    return _mask(log, rows[new & np.isin(session, shared)]), _mask(log, rows[new])


def _turns(log: EventLog, rows: Ints, session: NDArray[Any], first: Ints, load: Bools) -> Ints:
    """Visits that are the last of A B A B, the third and fourth without a load.

    Back and Forward through the browser's page cache look alike, which takes two in a row.
    """
    page, on, whose = log.codes("page_url")[rows[first]], ~load[first], session[first]
    turn = (page[3:] == page[1:-2]) & (page[2:-1] == page[:-3]) & (whose[3:] == whose[:-3])
    turns: Ints = first[3:][turn & on[3:] & on[2:-1]]
    return turns


def _visits(log: EventLog) -> tuple[Ints, NDArray[Any], Ints, Bools]:
    """Rows that tell where a person is, by session; their sessions, which of them begin a visit
    to a page (positions), and which are page-load records.
    """
    action = log.get("user_action")
    assert isinstance(action, Masked)
    is_load = _is(log, "activity", "load") & ~action.null & ~action.values.astype(np.bool_)
    rows, session = _by_session(log)
    here = (~log.get("page_url").null & ~_is(log, "log_type", "interval"))[rows]
    rows, session = rows[here], session[here]
    page, load = log.codes("page_url")[rows], is_load[rows]
    start = np.ones(len(rows), dtype=np.bool_)
    start[1:] = (session[1:] != session[:-1]) | (page[1:] != page[:-1]) | load[1:]
    return rows, session, np.flatnonzero(start), load


def _by_session(log: EventLog) -> tuple[Ints, NDArray[Any]]:
    """Rows with a session id by session, time and place in the log; their sessions' codes."""
    session = log.codes("session_id")
    rows = np.lexsort((log.time, session))
    rows = rows[session[rows] >= 0]
    return rows, session[rows]


def _whose(log: EventLog) -> NDArray[Any]:
    """A number for each row's session, where it has none for its case."""
    session = log.codes("session_id")
    return np.where(session >= 0, session, -1 - log.codes("case"))


def _intervals(log: EventLog) -> tuple[Masked, Bools]:
    spans = log.get("logged_duration")
    assert isinstance(spans, Masked)
    return spans, _is(log, "log_type", "interval") & ~spans.null


def _is(log: EventLog, name: str, *values: str) -> Bools:
    column = log.get(name)
    assert isinstance(column, Codes)
    return np.append(np.isin(column.values, values), [False])[column.codes].astype(np.bool_)


def _groups(*columns: NDArray[Any]) -> Ints:
    """A number for each row, equal where all columns are."""
    key = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        codes = np.unique(column, return_inverse=True)[1]
        key = np.unique(key * (int(codes.max(initial=0)) + 1) + codes, return_inverse=True)[1]
    return key


def _again(key: Ints) -> Bools:
    again = np.ones(len(key), dtype=np.bool_)
    again[np.unique(key, return_index=True)[1]] = False
    return again


def _last_true(mask: Bools) -> Ints:
    """For each row the nearest true row up to it, −1 before the first."""
    return np.maximum.accumulate(np.where(mask, np.arange(len(mask)), -1))


def _same(session: NDArray[Any], one: Ints, other: Ints) -> Bools:
    same: Bools = (one >= 0) & (session[one] == session[other])
    return same


def _mask(log: EventLog, rows: Ints) -> Bools:
    mask = np.zeros(len(log), dtype=np.bool_)
    mask[rows] = True
    return mask


def _all(log: EventLog) -> Bools:
    return np.ones(len(log), dtype=np.bool_)
