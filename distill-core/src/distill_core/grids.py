"""Grids of time: begins of windows by fixed lengths, or by days, weeks and months of a zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np

from distill_core.batch import Ints, Lists
from distill_core.errors import TransformError
from distill_core.params import MICROSECOND, Calendar
from distill_core.timetext import DAY

YEARS = (-62_135_596_800_000_000, 253_402_300_800_000_000)
"""The begin of the year 1 and the end of the year 9999, µs since the epoch."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WEEK, _MONDAY = 7, 3  # 1969-12-29, day −3, is a Monday
_LONGEST_MONTH = 31


def ranges(begin: Ints, end: Ints) -> Lists:
    """The whole numbers begin … end − 1, a list for each pair."""
    lengths = np.maximum(end - begin, 0)
    offsets = np.zeros(len(begin) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return Lists(offsets, np.arange(offsets[-1]) + np.repeat(begin - offsets[:-1], lengths))


@dataclass(frozen=True)
class FixedGrid:
    """Windows of ``every`` µs that begin at origin + number · ``step``."""

    every: int
    step: int

    def span(self, time: Ints) -> tuple[Ints, Ints]:
        """First and last window that holds each of these times, counted from their origins."""
        last = time // self.step
        return (last if self.every == self.step else (time - self.every) // self.step + 1), last

    def bounds(self, number: Ints) -> tuple[Ints, Ints]:
        """Begin and end of windows, counted from their origins."""
        return number * self.step, number * self.step + self.every


@dataclass(frozen=True)
class CalendarGrid:
    """Windows of ``every`` that begin with each ``step``: days, or months, of one zone."""

    every: Calendar
    step: Calendar
    zone: str

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def span(self, time: Ints) -> tuple[Ints, Ints]:
        """First and last window that holds each of these times."""
        if not len(time):
            return time, time
        known = self._near(time)
        begin, end = self.bounds(known)
        last = known[np.searchsorted(begin, time, side="right") - 1]
        if self.every == self.step:
            return last, last
        return known[np.searchsorted(end, time, side="right")], last

    def _near(self, time: Ints) -> Ints:
        """The numbers of all windows that may hold one of these times, and one at each side."""
        day = time // DAY
        low = int(day.min())
        marks = np.zeros(int(day.max()) - low + 1, dtype=bool)
        marks[day - low] = True
        day = np.flatnonzero(marks) + low
        sizes = {"d": 1, "w": _WEEK, "mo": _LONGEST_MONTH}
        reach = self.every.count * sizes[self.every.unit]
        first, last = self._number(day - reach - 2), self._number(day + 2) + 2
        first[1:] = np.maximum(first[1:], last[:-1])
        return ranges(first, last).values

    def _number(self, day: Ints) -> Ints:
        """The number of the step that these days (since the epoch) are in."""
        if self.step.unit == "mo":
            month: Ints = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
            return month // self.step.count
        day = day if self.step.unit == "d" else (day + _MONDAY) // _WEEK
        return day // self.step.count

    def bounds(self, number: Ints) -> tuple[Ints, Ints]:
        """Begin and end of windows, µs since the epoch."""
        if self.step.unit == "mo":
            month = number * self.step.count
            begin, end = (_first_of(m) for m in (month, month + self.every.count))
        else:
            sizes = {"d": 1, "w": _WEEK}
            begin = number * self.step.count * sizes[self.step.unit]
            begin = begin - (_MONDAY if self.step.unit == "w" else 0)
            end = begin + self.every.count * sizes[self.every.unit]
        day, place = np.unique(np.concatenate([begin, end]), return_inverse=True)
        at = np.array([midnight(d, self._zone) for d in day.tolist()], dtype=np.int64)[place]
        return at[: len(begin)], at[len(begin) :]


def _first_of(month: Ints) -> Ints:
    return month.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def midnight(day: int, zone: ZoneInfo) -> int:
    """The first instant, µs since the epoch, of a day (since the epoch) in a zone."""
    try:
        local = (_EPOCH + timedelta(days=day)).replace(tzinfo=zone)
        instant = local.astimezone(UTC)
    except OverflowError:
        raise TransformError(
            "a window would reach beyond the years 1 to 9999",
            code="window-limit",
            hint="leave events of that time out by where",
        ) from None
    if instant.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        # no clock shows this midnight: the day begins when clocks jump over it
        before, after = local.replace(fold=1).astimezone(UTC), instant
        while after - before > timedelta(seconds=1):
            middle = before + (after - before) // timedelta(seconds=2) * timedelta(seconds=1)
            if middle.astimezone(zone).date() < local.date():
                before = middle
            else:
                after = middle
        instant = after
    return (instant - _EPOCH) // MICROSECOND
