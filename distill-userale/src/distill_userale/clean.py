"""The transform ``userale_clean``: what the logger writes more than once becomes one event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import ConfigDict, Field

from distill_core.batch import Bools, Ints, Lists, Masked
from distill_core.builtin.collapse import Collapse
from distill_core.builtin.dedupe import Dedupe
from distill_core.builtin.drop_near import DropNear
from distill_core.builtin.replace import Replace
from distill_core.columns import Column
from distill_core.component import Scope, Transform
from distill_core.errors import TransformError
from distill_core.log import EventLog
from distill_core.params import Duration

_FOCUS = "log_type = 'raw' AND activity IN ('focus', 'blur') AND details "
_INTERVAL = "log_type = 'interval' AND \"end\" IS NOT NULL"
_OVERLAP = Collapse(same=("session_id", "time", "activity", "target"))
_READ = ("log_type", "session_id", "target", "details", "end")
_RUNS = {"scroll": ("target",), "wheel": ("activity",)}
"""Throttled activities, and what the records of a run share: a wheel's target is what happens to
be under the pointer, and changes while the page moves.
"""


class UseraleClean(Transform, name="userale_clean"):
    """Make one event of what UserALE.js writes as several; each rule can be switched off.

    In this order, each rule on what those before it left:

    ``resent``: of records that are equal in every column but ``id`` the first stays (2.1 sends
    its queue again with every submit). Columns that the log does not have are not compared, so
    let it have ``other`` where an application writes fields of its own.
    ``overlap``: of interval records of one session, start, activity and target the longest stays
    (builds for extensions write a growing interval again and again), if no interval of another
    activity or target with the same start came between.
    ``twin``: of focus and blur caught by window and document alike the window's record stays.
    ``press``: mousedown, mouseup and click on one target, within ``longest_press``, become one
    event from mousedown to click, which is called ``press_name``; what lies between stays.
    ``scroll_run``: raw scroll records of one target, and wheel records, each at most
    ``scroll_gap`` after the one before, become one interval; what lies between stays, and so
    does a record alone.

    Dropped events are told under the name of their rule, with ids; what press and scroll_run use
    is in the ``source_ids`` of what they make. ``counts`` has for each rule by how many events
    the log became shorter: together in − out. Presses that came to nothing are under
    ``partial``, as ``match`` tells it. Cleaning twice cleans nothing more.

    It is made of ``dedupe``, ``collapse``, ``drop_near`` and ``replace`` of the core, on logs of
    the schema ``userale``. Source of the rules: the loggers' code and recordings of five builds.

    >>> import distill_core as dl
    >>> from distill_userale import sample_path
    >>> log = dl.read(str(sample_path()), schema="userale")
    >>> out = log.apply(UseraleClean())
    >>> len(log), len(out)
    (3550, 2998)
    >>> dict(out.steps[0].counts)
    {'resent': 0, 'overlap': 0, 'twin': 248, 'press': 292, 'scroll_run': 12}
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"press": False, "scroll_gap": "750ms"}]}
    )

    scope: ClassVar[Scope] = "case"
    reads: ClassVar[tuple[str, ...] | None] = None

    resent: bool = Field(default=True, description="drop records that are there already")
    overlap: bool = Field(
        default=True, description="drop interval records that a longer one of one start covers"
    )
    twin: bool = Field(
        default=True, description="drop the document's record of a focus or blur of the window's"
    )
    press: bool = Field(
        default=True, description="make one event of mousedown, mouseup and click on one target"
    )
    press_name: str = Field("click", min_length=1, description="activity of such an event")
    longest_press: Duration = Field(
        "10s", validate_default=True, description="longest time from mousedown to click"
    )
    scroll_run: bool = Field(
        default=True, description="make one interval of scroll or wheel records that go on"
    )
    scroll_gap: Duration = Field(
        "1s",
        validate_default=True,
        description="longest time between records of a run; they are written every 500 ms at most",
    )

    def check(self, columns: Mapping[str, Column]) -> None:
        super().check(columns)
        for name in _READ:
            if name not in columns:
                raise TransformError(
                    f"there is no column {name!r} at this step",
                    code="column-unknown",
                    hint="it cleans logs of the schema userale, as long as they have all columns",
                )

    def apply(self, log: EventLog) -> EventLog:
        counts: dict[str, int] = {}
        for rule, act in (
            ("resent", _without_resent),
            ("overlap", _without_overlap),
            ("twin", _without_twins),
            ("press", self._pressed),
            ("scroll_run", self._scrolled),
        ):
            if getattr(self, rule):
                before, log = len(log), act(log)
                counts[rule] = before - len(log)
        return log.tell(dangling=None, **counts)

    def _pressed(self, log: EventLog) -> EventLog:
        # Latest: a mousedown whose mouseup is missing (a drag) belongs to no later click.
        step = Replace(
            pattern="mousedown !mousedown mouseup !mousedown click",
            define={
                name: f"log_type = 'raw' AND activity = '{name}' AND \"end\" IS NULL"
                for name in ("mousedown", "mouseup", "click")
            },
            key=("target",),
            within=self.longest_press,
            restart="latest",
            to={"activity": self.press_name},
        )
        step.check(log.columns)
        return step.apply(log)

    def _scrolled(self, log: EventLog) -> EventLog:
        for activity, same in _RUNS.items():
            step = Collapse(same=same, max_gap=self.scroll_gap, into="interval")
            log = _in_runs(log, activity, step)
        return log


def _without_resent(log: EventLog) -> EventLog:
    names = tuple(name for name in log.data if name not in ("id", "source_ids"))
    return _left(log, log.apply(Dedupe(by=names)), "resent")


def _without_twins(log: EventLog) -> EventLog:
    step = DropNear.model_validate(
        {
            "where": f"{_FOCUS} IS NULL",
            "near": _FOCUS + """= '{"window":true}'""",
            "side": "either",
            "reach": "any",
            "same": ("session_id", "time", "activity", "target"),
        }
    )
    return _left(log, log.apply(step), "twin")


def _without_overlap(log: EventLog) -> EventLog:
    """Intervals are looked at alone: nothing stands between those of one start."""
    spans = log.where(_INTERVAL)
    return _left(log, spans.apply(_OVERLAP), "overlap", of=spans)


def _left(log: EventLog, left: EventLog, reason: str, of: EventLog | None = None) -> EventLog:
    """The log less what is not ``left`` of it (or of this part of it)."""
    stays = _among(log, left)
    return log.keep(stays if of is None else stays | ~_among(log, of), reason)


def _among(log: EventLog, others: EventLog) -> Bools:
    """Which events of the log are in another one, made of it by leaving events out."""
    there = np.zeros(len(log.ids), dtype=bool)
    there[others.positions] = True
    return there[log.positions]


def _in_runs(log: EventLog, activity: str, step: Collapse) -> EventLog:
    """The log with the runs that the step finds among the raw records of this activity.

    The step sees these alone, so a run goes on past other events; those keep their places.
    """
    part = log.where(f"log_type = 'raw' AND activity = '{activity}' AND \"end\" IS NULL")
    rows: Ints = np.flatnonzero(_among(log, part))
    first = np.flatnonzero(_among(part, part.apply(step)))
    runs = Lists(np.append(first, len(rows)), rows)
    runs = runs.take(np.flatnonzero(runs.lengths > 1))
    used = np.zeros(len(log), dtype=bool)
    used[runs.values] = True
    end = Masked.full(log.time[runs.values[runs.offsets[1:] - 1]])
    at = runs.values[runs.offsets[:-1]]
    return log.derive(step, at=at, sources=runs, columns={"end": end}, drop=used)
