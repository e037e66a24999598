"""The rules of userale_clean, one by one, and against plain, obvious code."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill_core.component import Selection
from distill_core.errors import TransformError
from distill_core.log import EventLog
from distill_core.plan import plan_reading
from distill_core.reading import read as read_plan
from distill_core.testing import Documents, TransformTests, build
from distill_userale import UserALE, UseraleClean, UseraleQuality

T = 1719530111000
RULES = ("resent", "overlap", "twin", "press", "scroll_run")
MOUSE = ("mousedown", "mouseup", "click")
WINDOW = {"window": True}
Event = dict[str, Any]


def log_of(records: Sequence[Any]) -> EventLog:
    """A log of these records, with all columns."""
    columns = tuple(column.name for column in UserALE().columns())
    plan = plan_reading(UserALE(), Selection(columns=columns))
    return read_plan(Documents(documents=tuple(records)), UserALE(), plan)


def only(*rules: str, **params: Any) -> UseraleClean:
    """These rules and no other."""
    return UseraleClean(**{rule: rule in rules for rule in RULES}, **params)


def raw(type_: str, time: int, target: str | None = "a", **fields: Any) -> Event:
    record = {"logType": "raw", "type": type_, "clientTime": T + time, "target": target}
    return record | {"sessionID": "s", "userAction": True, "details": None} | fields


def span(start: int, end: int | None, **fields: Any) -> Event:
    record = {"logType": "interval", "type": "focus", "startTime": T + start, "target": "a"}
    return record | ({} if end is None else {"endTime": T + end}) | {"sessionID": "s"} | fields


def shown(log: EventLog) -> list[tuple[Any, ...]]:
    """Activity, and ms since T of time and end."""
    return [(e["activity"], _ms(e["time"]), e["end"] and _ms(e["end"])) for e in log]


def _ms(text: str) -> int:
    time = datetime.fromisoformat(text) - datetime.fromisoformat("1970-01-01T00:00:00Z")
    return time // timedelta(milliseconds=1) - T


# -- the rules by plain code ---------------------------------------------------------------------


def told(events: list[Event]) -> tuple[dict[str, list[str]], dict[str, list[list[str]]]]:
    """Events in order → rule → ids dropped; rule → ids of each event made."""
    dropped: dict[str, list[str]] = {}
    for rule, find in (("resent", _resent), ("overlap", _overlap), ("twin", _twins)):
        gone = find(events)
        dropped[rule] = [e["id"] for e in events if e["id"] in gone]
        events = [e for e in events if e["id"] not in gone]
    return dropped, {"press": _presses(events), "scroll_run": _runs(events)}


def _resent(events: list[Event]) -> set[str]:
    seen: set[str] = set()
    gone = set()
    for event in events:
        text = json.dumps({k: v for k, v in event.items() if k != "id"}, sort_keys=True)
        if text in seen:
            gone.add(event["id"])
        seen.add(text)
    return gone


def _key(event: Event, *names: str) -> tuple[Any, ...]:
    return tuple(event[name] for name in ("case", "session_id", "activity", "target", *names))


def _overlap(events: list[Event]) -> set[str]:
    groups = defaultdict(list)
    for event in events:
        if event["log_type"] == "interval" and event["end"] is not None:
            groups[_key(event, "time")].append(event)
    gone = set()
    for group in groups.values():
        longest = max(group, key=lambda event: event["end"])  # the first of these
        gone |= {event["id"] for event in group if event is not longest}
    return gone


def _twins(events: list[Event]) -> set[str]:
    about = [e for e in events if e["log_type"] == "raw" and e["activity"] in ("focus", "blur")]
    windows = {_key(event, "time") for event in about if event["details"] == WINDOW}
    return {e["id"] for e in about if e["details"] is None and _key(e, "time") in windows}


def _presses(events: list[Event], longest: int = 10_000) -> list[list[str]]:
    """Of each target and case: a press begins anew with each mousedown."""
    begun: dict[Any, list[Event]] = {}
    made = []
    for event in events:
        place = (event["case"], event["target"])
        if event["log_type"] != "raw" or event["target"] is None or event["end"] is not None:
            continue
        so_far = begun.setdefault(place, [])
        if event["activity"] == "mousedown":
            begun[place] = [event]
        elif event["activity"] in MOUSE and event["activity"] == MOUSE[len(so_far)]:
            so_far.append(event)
            if len(so_far) == 3:
                if _ms(event["time"]) - _ms(so_far[0]["time"]) <= longest:
                    made.append([e["id"] for e in so_far])
                begun[place] = []
    return made


def _runs(events: list[Event], gap: int = 1000) -> list[list[str]]:
    """For each case and activity, runs of records; of scroll those of one target."""
    made = []
    for activity in ("scroll", "wheel"):
        runs: list[list[Event]] = []
        for event in events:
            if event["activity"] != activity or event["log_type"] != "raw" or event["end"]:
                continue
            last = runs[-1][-1] if runs else None
            same = last is not None and last["case"] == event["case"] and (
                activity == "wheel" or last["target"] == event["target"]
            )  # fmt: skip
            if same and _ms(event["time"]) - _ms(last["time"]) <= gap:
                runs[-1].append(event)
            else:
                runs.append([event])
        made += [[e["id"] for e in run] for run in runs if len(run) > 1]
    return made


def agree(log: EventLog) -> dict[str, int]:
    """Assert that the step does what the plain code does; by how many each rule is shorter."""
    events = log.to_dicts()
    dropped, made = told(events)
    out = log.apply(UseraleClean())
    report = out.steps[-1].to_dict()
    assert report["dropped"] == {
        rule: {"count": len(ids), "ids": ids[:100]} for rule, ids in sorted(dropped.items()) if ids
    }
    left = out.to_dicts()
    groups = [group for groups in made.values() for group in groups]
    known = {event["id"] for event in events}
    assert sorted(e["source_ids"] for e in left if e["id"] not in known) == sorted(groups)
    gone = {i for ids in (*dropped.values(), *groups) for i in ids}
    assert {e["id"] for e in left if e["id"] in known} == known - gone
    fewer = {rule: len(ids) for rule, ids in dropped.items()}
    fewer |= {rule: sum(len(ids) - 1 for ids in groups) for rule, groups in made.items()}
    assert report["counts"] == fewer
    assert sum(fewer.values()) == len(log) - len(out)
    return fewer


records = st.lists(
    st.one_of(
        st.builds(
            raw,
            st.sampled_from([*MOUSE, *MOUSE, "scroll", "wheel", "focus", "blur"]),
            st.sampled_from([0, 1, 2, 700, 1700, 2700, 2701, 12_700]),
            st.sampled_from(["a", "b", None]),
            sessionID=st.sampled_from(["s", "t"]),
            details=st.sampled_from([None, WINDOW]),
        ),
        st.builds(
            span, st.integers(0, 2), st.sampled_from([0, 5, 9, None]),
            target=st.sampled_from(["a", "a", "b"]), count=st.integers(1, 2),
        ),
        st.builds(raw, st.sampled_from(MOUSE), st.integers(0, 2), logType=st.just("custom")),
    ),
    max_size=16,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(records)
def test_plain_code_agrees(rows) -> None:
    """Each rule drops and joins what code does that looks at one event after the other.

    Intervals of one start and target came one after the other, as the logger writes them.
    """
    agree(log_of(sorted(rows, key=lambda record: str(record["target"]))))


@settings(max_examples=60, deadline=None)
@given(records)
def test_twice_is_once(rows) -> None:
    """Cleaning a clean log changes nothing."""
    once = log_of(rows).apply(UseraleClean())
    twice = once.apply(UseraleClean())
    assert twice.to_dicts() == once.to_dicts()
    assert set(twice.steps[-1].counts.values()) == {0}


class TestUseraleClean(TransformTests):
    """The laws, on small UserALE.js logs."""

    def component(self) -> UseraleClean:
        return UseraleClean(scroll_gap="800ms", press_name="activate")

    def rows(self, *, distinct: bool = False) -> st.SearchStrategy[list[Event]]:
        if not distinct:
            return records

        def time(record: Event) -> tuple[Any, ...]:
            return record.get("clientTime", record.get("startTime")), record["sessionID"]

        return records.map(lambda rows: list({time(record): record for record in rows}.values()))

    def log(self, rows: list[Event]) -> EventLog:
        return log_of(rows)


# -- one by one ----------------------------------------------------------------------------------


def test_resent() -> None:
    """A record sent again goes; one that differs anywhere stays."""
    record = raw("input", 5)
    log = log_of([record, raw("input", 5, label="x"), record, raw("input", 5, pageUrl="/b")])
    out = log.apply(only("resent"))
    assert len(out) == 3
    assert out.steps[0].dropped["resent"].count == 1


def test_overlap() -> None:
    """Of intervals that grow the longest stays, whenever it came and whatever stands between."""
    rows = [span(0, 4), raw("click", 0), span(0, 9, count=3), span(0, 7), span(1, 2)]
    out = log_of(rows).apply(only("overlap"))
    assert sorted(shown(out)) == [("click", 0, None), ("focus", 0, 9), ("focus", 1, 2)]
    assert [e["run_count"] for e in out if e["end"]] == [3, None]
    assert out.steps[0].dropped["overlap"].count == 2


def test_overlap_leaves_others() -> None:
    """Another target, activity or session is another interval, and so is one without an end."""
    rows = [span(0, 4), span(0, 5, target="b"), span(0, 6, type="blur"), span(0, None)]
    assert len(log_of(rows).apply(only("overlap"))) == 4


def test_twin() -> None:
    """The window's record stays, whichever came first; focus of the window alone stays."""
    twin = [raw("focus", 0), raw("focus", 0, details=WINDOW)]
    alone = [raw("blur", 5), raw("focus", 9, target="Window", details=WINDOW)]
    for rows in (twin + alone, twin[::-1] + alone):
        out = log_of(rows).apply(only("twin"))
        assert [e["details"] for e in out] == [WINDOW, None, WINDOW]
        assert out.steps[0].dropped["twin"].count == 1


def test_press() -> None:
    """mousedown, mouseup and click become one click with a span; what lies between stays."""
    rows = [raw("mousedown", 0), raw("focus", 1), raw("mouseup", 80), raw("click", 80)]
    log = log_of(rows)
    out = log.apply(only("press"))
    assert shown(out) == [("click", 0, 80), ("focus", 1, None)]
    ids = [e["id"] for e in log if e["activity"] != "focus"]
    assert out.to_dicts()[0]["source_ids"] == ids
    assert out.steps[0].counts == {"press": 2}


def test_press_name() -> None:
    """Its activity is of one's own choice."""
    rows = [raw(name, 0) for name in MOUSE]
    out = log_of(rows).apply(only("press", press_name="activate"))
    assert shown(out) == [("activate", 0, 0)]


@pytest.mark.parametrize(
    "rows",
    [
        [raw("click", 0)],
        [raw("mousedown", 0), raw("mouseup", 1), raw("click", 1, "b")],
        [raw("mousedown", 0), raw("mouseup", 1), raw("click", 10_001)],
        [raw("mousedown", 0), raw("mouseup", 1), raw("click", 1, sessionID="t")],
        [raw("mousedown", 0), raw("mouseup", 1), raw("click", 2, logType="custom")],
        [raw("mousedown", 0), raw("mouseup", 1), raw("mousedown", 5), raw("click", 9)],
    ],
    ids=["keyboard", "other target", "too long", "other case", "custom", "begun anew"],
)
def test_no_press(rows) -> None:
    """What is no press stays as it is."""
    out = log_of(rows).apply(only("press"))
    assert len(out) == len(rows)
    assert out.steps[0].counts == {"press": 0}


def test_press_after_a_drag() -> None:
    """A drag has a mousedown and no mouseup: the click after it begins at its own mousedown."""
    rows = [raw("mousedown", 0), raw("mousedown", 500), raw("mouseup", 580), raw("click", 580)]
    assert shown(log_of(rows).apply(only("press"))) == [
        ("mousedown", 0, None), ("click", 500, 580)
    ]  # fmt: skip


def test_scroll_run() -> None:
    """A run goes on past other events and the wheel's; a gap too long, another target end it."""
    rows = [raw("wheel", 0, "p"), raw("scroll", 9), raw("mouseover", 300), raw("wheel", 500, "q"),
            raw("scroll", 1009), raw("scroll", 2010), raw("scroll", 2100, "b")]  # fmt: skip
    assert shown(log_of(rows).apply(only("scroll_run"))) == [
        ("wheel", 0, 500), ("scroll", 9, 1009), ("mouseover", 300, None),
        ("scroll", 2010, None), ("scroll", 2100, None),
    ]  # fmt: skip


def test_switched_off() -> None:
    """Without rules nothing changes, and nothing is counted."""
    log = log_of([raw("focus", 0), raw("focus", 0, details=WINDOW), *(raw(m, 0) for m in MOUSE)])
    out = log.apply(only())
    assert out.to_dicts() == log.to_dicts()
    assert out.steps[0].counts == {}


def test_other_logs() -> None:
    """A log of another schema is refused with the column that is missing."""
    with pytest.raises(TransformError, match="log_type"):
        build([{"case": "a", "activity": "x", "time": 1}]).apply(UseraleClean())


# -- on the recordings ---------------------------------------------------------------------------

CLEANED = {
    "2.0.2": (2685, 312, 0, 200, 148, 14),
    "2.1.1": (2556, 523, 0, 149, 126, 7),
    "2.3.0": (2778, 0, 0, 204, 206, 8),
    "2.4.0": (8388, 0, 0, 658, 622, 38),
    "head": (4704, 0, 0, 353, 340, 22),
    "sample": (3550, 0, 0, 248, 292, 12),
    "flagon-sample": (19, 0, 0, 0, 0, 0),
    "flagon-task": (1336, 0, 0, 119, 0, 46),
}
"""Events of each recording, and by how many each of ``RULES`` makes it shorter."""


@pytest.mark.parametrize("name", CLEANED)
def test_recordings(recorded, name) -> None:
    """Plain code finds the same, and as much as was measured."""
    log = log_of(recorded(name))
    assert (len(log), *agree(log).values()) == CLEANED[name]
    twice = log.apply(UseraleClean()).apply(UseraleClean())
    assert set(twice.steps[-1].counts.values()) == {0}


def test_guide() -> None:
    """The guide's table says what the rules take off the recordings."""
    guide = Path(__file__).parents[2] / "docs" / "how-to" / "clean-userale-logs.md"
    rows = [line.strip("| ").split(" | ") for line in guide.read_text("utf-8").splitlines()]
    for name in ("2.0.2", "2.1.1", "2.3.0", "2.4.0", "head"):
        assert [name, *map(str, CLEANED[name])] in rows


@pytest.mark.parametrize(
    ("name", "twins"),
    [("2.0.2", 224), ("2.1.1", 183), ("2.3.0", 204), ("2.4.0", 658), ("head", 353)],
)
def test_twins_of_recordings(recorded, name, twins) -> None:
    """With no other rule, as many twins go as were counted in the records; none is left."""
    out = log_of(recorded(name)).apply(only("twin"))
    assert out.steps[0].counts == {"twin": twins}
    checks = {row["check"]: row["count"] for row in UseraleQuality().compute(out).rows}
    assert checks["twin"] == 0


@pytest.mark.parametrize("name", ["2.0.2", "2.1.1", "2.3.0", "2.4.0", "head"])
def test_resent_of_recordings(recorded, name) -> None:
    """As many go as there are records of a text that was there before, of those that are events."""
    kept = [r for r in recorded(name) if isinstance(r, dict)
            and any(r.get(key) is not None for key in ("clientTime", "startTime"))
            and any(r.get(key) for key in ("sessionId", "sessionID", "userId"))]  # fmt: skip
    texts = Counter(json.dumps(record, sort_keys=True) for record in kept)
    out = log_of(recorded(name)).apply(only("resent"))
    assert out.steps[0].counts == {"resent": sum(texts.values()) - len(texts)}


@pytest.mark.parametrize("name", ["2.3.0", "2.4.0", "head"])
def test_presses_of_recordings(recorded, name) -> None:
    """Clicks stay as many as they were; each mouseup that is left belongs to none of them."""
    log = log_of(recorded(name))
    out = log.apply(only("press"))
    before, after = (
        Counter(e["activity"] for e in x if e["log_type"] == "raw") for x in (log, out)
    )
    assert after["click"] == before["click"]
    assert before["mouseup"] - after["mouseup"] == out.steps[0].counts["press"] // 2
