"""The event log: looking at it, slicing it, making new logs of it."""

from __future__ import annotations

import json
import pickle
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill_core.batch import Codes, Lists, Masked
from distill_core.columns import Column
from distill_core.component import Transform
from distill_core.errors import DistillError, SchemaError, TransformError
from distill_core.log import EventLog, concat
from distill_core.testing.logs import build, documents, logs

CHECKED = settings(max_examples=80, deadline=None)
ROWS = [
    {"case": "b", "activity": "x", "time": 1, "end": 4, "target": "p", "number": 3},
    {"case": "a", "activity": "y", "time": 2, "target": None, "details": {"k": [1]}},
    {"case": "a", "activity": "x", "time": 1, "flag": True, "score": 0.5, "user": "u"},
]


@pytest.fixture
def log():
    return build(ROWS)


def test_what_a_log_says_of_itself(log):
    """Length, cases, borders, times in µs, ends, the number of each row's case."""
    assert (len(log), log.n_cases) == (3, 2)
    assert log.offsets.tolist() == [0, 2, 3]
    assert log.cases.tolist() == ["a", "b"]
    assert log.case_of.tolist() == [0, 0, 1]
    assert log.time.tolist() == [1000, 2000, 1000]
    assert log.last.tolist() == [1000, 2000, 4000]
    assert repr(log) == "<EventLog: 3 events, 2 cases, 13 columns>"


def test_columns_in_output_order(log):
    """Reserved columns first, attributes in the schema's order, then duration, computed."""
    assert list(log.columns) == [
        "id", "case", "activity", "time", "end", "order", "user",
        "target", "number", "score", "flag", "details", "duration",
    ]  # fmt: skip
    assert "duration" not in log.data
    assert log.get("duration").to_list() == [None, None, 3000]
    assert "duration" not in log.without("end").columns


def test_codes_and_labels(log):
    """Codes are equal where values are, −1 is null, and follow the order of the labels."""
    assert log.codes("activity").tolist() == [0, 1, 0]
    assert log.labels("activity").tolist() == ["x", "y"]
    assert log.codes("number").tolist() == [-1, -1, 0]
    assert log.labels("number").tolist() == [3]
    assert log.codes("target").tolist() == [-1, -1, 0]
    ids = log.labels("id")[log.codes("id")].tolist()
    assert ids == [e["id"] for e in log]


def test_an_unknown_column_names_the_nearest(log):
    """Every way to ask for a column that is not there names the nearest one."""
    for ask in (log.get, log.codes, log.labels, log.column):
        with pytest.raises(TransformError, match="'target'") as caught:
            ask("targte")
        assert caught.value.code == "column-unknown"


def test_lists_are_no_single_values(log):
    """A column of lists cannot be had as one value an event, and says so."""
    made = log.with_columns(members=(Column("members", type="ids"), Lists.single(log.positions)))
    with pytest.raises(TransformError, match="lists"):
        made.get("members")


@CHECKED
@given(log=logs(), data=st.data())
def test_take_is_a_slice(log, data):
    """Masks, positions and slices take the same rows; a slice carries no reports."""
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(log), max_size=len(log))), bool)
    expected = [e for e, m in zip(log.to_dicts(), mask, strict=True) if m]
    taken = log.take(mask)
    assert taken.to_dicts() == expected
    assert log.take(np.flatnonzero(mask)).to_dicts() == expected
    assert (taken.reading, taken.steps) == (None, ())
    assert taken.offsets.tolist() == build_offsets(expected)
    n = data.draw(st.integers(0, 30))
    assert log.head(n).to_dicts() == log.to_dicts()[:n]


def build_offsets(events):
    cases = [e["case"] for e in events]
    return [i for i in range(len(cases)) if i == 0 or cases[i] != cases[i - 1]] + [len(cases)]


def test_where_takes_text_and_trees(log):
    """where slices by a condition, given as text or as a tree."""
    from distill_core.conditions import col

    assert [e["activity"] for e in log.where("activity = 'x' AND time > '1970-01-01'")] == [
        "x",
        "x",
    ]
    assert len(log.where(col("duration") > timedelta(milliseconds=2))) == 1
    with pytest.raises(DistillError, match="activity"):
        log.where("activty = 'x'")


class Told(Transform):
    """A step that is made of a function, for these tests."""

    name: str

    def apply(self, log):
        return STEPS[self.name](log)


STEPS = {
    "keep": lambda log: log.keep(log.time < 2000, "late"),
    "series": lambda log: log.keep(log.frame["number"] > 1, "small"),
    "twice": lambda log: log.keep(log.time < 2000, "late").tell(found=np.int64(4), by={"x": 1}),
    "slice": lambda log: log.take(log.time < 2000),
    "dangling": lambda log: log.tell(dangling={"open": np.array([2, 0]), "reset": np.array([1])}),
    "both": lambda log: log.tell(dangling={"open": np.array([2])}).tell(
        dangling={"open": np.array([0])}
    ),
    "positions": lambda log: log.keep(np.array([0, 1]), "wrong"),
    "short": lambda log: log.keep(np.ones(1, bool), "wrong"),
    "nothing": lambda _: None,
    "broken": lambda _: 1 / 0,
}


def report(log, name):
    return log.apply(Told(name=name)).steps[-1].to_dict()


def test_keep_is_told(log):
    """What keep drops is in the report: count, ids in order, reason."""
    ids = [e["id"] for e in log]
    found = report(log, "keep")
    assert found["dropped"] == {"late": {"count": 1, "ids": [ids[1]]}}
    assert (found["in"], found["out"], found["made"], found["used"]) == (3, 2, 0, 0)


def test_keep_takes_a_series(log):
    """A mask from the frame works, nulls in it are not true."""
    assert report(log, "series")["dropped"]["small"]["count"] == 2


@pytest.mark.parametrize("name", ["positions", "short"])
def test_keep_wants_a_mask(log, name):
    """Positions or a mask of another length are an error, not another selection."""
    with pytest.raises(TransformError, match="3 booleans"):
        report(log, name)


def test_figures_are_told(log):
    """Numbers go to counts, anything else beside it; all of it is JSON."""
    found = report(log, "twice")
    assert found["counts"] == {"found": 4}
    assert found["by"] == {"x": 1}
    assert json.dumps(found)


def test_a_step_that_tells_nothing_is_found_out(log):
    """If the numbers do not add up, what left is told under the transform's name."""
    ids = [e["id"] for e in log]
    assert report(log, "slice")["dropped"] == {"told": {"count": 1, "ids": [ids[1]]}}


@pytest.mark.parametrize("name", ["dangling", "both"])
def test_dangling_is_told_in_order(log, name):
    """Dangling events are told in the order of the log, whichever order the step found them in."""
    ids = [e["id"] for e in log]
    assert report(log, name)["dangling"]["open"] == {"count": 2, "ids": [ids[0], ids[2]]}


def test_dangling_in_the_order_of_a_log_that_was_sorted_again():
    """In order of the log as it is now, not of the log as it was read."""
    rows = [{"case": c, "activity": "x", "time": t, "target": v}
            for c, t, v in (("a", 0, "z"), ("b", 0, "y"), ("c", 0, "x"))]  # fmt: skip
    log = build(rows).with_case("target")
    ids = [e["id"] for e in log]
    assert [e["target"] for e in log] == ["x", "y", "z"]
    assert report(log, "dangling")["dangling"]["open"]["ids"] == [ids[0], ids[2]]


def test_the_first_hundred_are_shown():
    """A report shows the first 100 ids of a reason and counts them all."""
    log = build([{"case": str(n % 7), "activity": "x", "time": n + 5000} for n in range(250)])
    told = report(log, "keep")["dropped"]["late"]
    assert told == {"count": 250, "ids": [e["id"] for e in log][:100]}


@pytest.mark.parametrize(("name", "what"), [("nothing", "NoneType"), ("broken", "division")])
def test_a_failing_step_names_itself(log, name, what):
    """An error in a transform names its step, transform and origin; the cause is chained."""
    done = log.apply(Told(name="keep"))
    with pytest.raises(
        TransformError, match=rf"step 2, transform 'told' \(.*\), failed: .*{what}"
    ) as e:
        done.apply(Told(name=name))
    assert e.value.code == "transform-failed"
    assert e.value.__cause__ is not None


def test_reports_ride_along(log):
    """Reading and steps stay with the log from step to step, numbered."""
    done = log.apply(Told(name="keep")).apply(Told(name="twice"))
    assert done.reading == log.reading
    assert [s.step for s in done.steps] == [0, 1]
    assert log.steps == ()


def test_with_columns_of_series(log):
    """A Series of the log's length becomes a column, its type by its dtype."""
    out = log.with_columns(
        size=pd.Series([1, 2, 3]),
        ratio=pd.Series([0.5, None, 1.0]),
        kind=pd.Series(["p", None, "q"]),
        late=pd.Series([True, False, True]),
        spent=pd.Series([timedelta(seconds=1)] * 3),
        at=pd.Series(pd.to_datetime([0, 1, 2], unit="s", utc=True)),
    )
    names = ("size", "ratio", "kind", "late", "spent", "at")
    assert [out.columns[n].type for n in names] == [
        "integer", "number", "string", "boolean", "duration", "time"
    ]  # fmt: skip
    assert [out.to_dicts()[1][n] for n in names] == [
        2, None, None, False, 1_000_000, "1970-01-01T00:00:01.000000Z"
    ]  # fmt: skip
    assert "size" not in log.columns


def test_with_columns_keeps_the_type_that_was_there(log):
    """A column that is replaced keeps its type, and what does not fit is an error."""
    out = log.with_columns(score=pd.Series([1, 2, 3]))
    assert [e["score"] for e in out] == [1.0, 2.0, 3.0]
    with pytest.raises(SchemaError, match="'flag'"):
        log.with_columns(flag=pd.Series(["maybe"] * 3))


@pytest.mark.parametrize(("name", "values"), [
    ("case", ["a"] * 3), ("time", [0] * 3), ("id", ["a"] * 3), ("order", [0] * 3),
    ("duration", [0] * 3), ("activity", ["x", None, "y"]), ("number", [1]),
])  # fmt: skip
def test_with_columns_refuses(log, name, values):
    """What decides order or cases, an activity with nulls and another length are errors."""
    with pytest.raises(TransformError):
        log.with_columns(**{name: pd.Series(values)})


def test_reserved_columns_keep_their_types(log):
    """A reserved column cannot become one of another type."""
    for name, kind in (("user", "integer"), ("stream", "json"), ("end", "duration")):
        column = (Column(name, type=kind), Masked.full(np.zeros(3, np.int64)))
        with pytest.raises(TransformError, match=name):
            log.without(name).with_columns(**{name: column})


def test_a_new_end_is_never_before_its_time(log):
    """An end before its time is set to it, as at preparation."""
    end = (Column("end", type="time"), Masked.full(np.array([0, 9000, 9000])))
    assert log.with_columns(end=end).get("duration").to_list() == [0, 7000, 8000]


def test_a_frame_is_yours(log):
    """Changing a frame changes no log, and the next frame is as the first was."""
    before = log.to_dicts()
    frame = log.frame
    frame.loc[1, "number"] = 9
    frame["activity"] = "z"
    frame["new"] = 1
    del frame["target"]
    assert log.to_dicts() == before
    assert {"target", "new"} & set(log.frame.columns) == {"target"}
    assert len(log.frame) == 3


def test_with_frame_takes_what_changed(log):
    """Rows left out are dropped and told; new, changed and removed columns are taken over."""
    frame = log.frame
    frame = frame[frame["activity"] == "x"]
    frame = frame.assign(number=frame["number"].fillna(0) + 1, page="home").drop(columns=["flag"])
    out = log.with_frame(frame, "other")
    assert [(e["number"], e["page"]) for e in out] == [(1, "home"), (4, "home")]
    assert "flag" not in out.columns
    assert [e["id"] for e in out] == [e["id"] for e in log if e["activity"] == "x"]
    assert out.notes.dropped[0][0] == "other"


def test_with_frame_of_the_frame_itself(log):
    """The frame that was changed in place is the changed one."""
    frame = log.frame
    frame["number"] = [7, 8, 9]
    assert [e["number"] for e in log.with_frame(frame, "r")] == [7, 8, 9]
    assert log.with_frame(log.frame, "r").to_dicts() == log.to_dicts()
    assert log.with_frame(log.frame.iloc[::-1], "r").to_dicts() == log.to_dicts()


def broken_frames(log):
    frame = log.frame
    yield frame.assign(time=frame["time"] + pd.Timedelta("1s"))
    yield frame.assign(case="z")
    yield frame.drop(columns=["id"])
    yield frame.drop(columns=["activity"])
    yield pd.concat([frame, frame.head(1)])
    yield frame.set_axis([5, 6, 7])


@pytest.mark.parametrize("number", range(6))
def test_with_frame_refuses(log, number):
    """A changed time or case, a missing core column, rows twice or strange ones are errors."""
    with pytest.raises(TransformError):
        log.with_frame(list(broken_frames(log))[number], "r")


def test_with_case(log):
    """Other columns become the case: sorted anew, ids stay, nulls are dropped and told."""
    out = log.with_case("activity")
    assert [(e["case"], e["time"][-5:-1]) for e in out] == [
        ("x", "1000"),
        ("x", "1000"),
        ("y", "2000"),
    ]
    assert sorted(e["id"] for e in out) == sorted(e["id"] for e in log)
    out = log.with_case("target", "number")
    assert out.cases.tolist() == ["p|3"]
    assert out.notes.dropped[0][0] == "no_case"
    assert len(out.notes.dropped[0][1]) == 2


@pytest.mark.parametrize(("name", "label"), [
    ("number", "3"), ("time", "1970-01-01T00:00:00.001000Z"), ("score", "0.5"), ("flag", "true"),
])  # fmt: skip
def test_with_case_of_any_type(log, name, label):
    """Values of other types become the text that JSON has for them."""
    assert label in log.with_case(name).cases.tolist()


def test_with_case_of_texts_with_bars():
    """Joined texts never collide; an empty one is no case."""
    rows = [{"case": "c", "activity": "x", "time": 0, "target": t, "user": u}
            for t, u in (("a|", "b"), ("a", "|b"), ("a\\", "b"), ("a", "\\b"),
                         ("", "b"))]  # fmt: skip
    assert build(rows).with_case("target", "user").n_cases == 4


class Pair(Transform):
    """Makes one event of the first two rows of each case that has them, for these tests."""

    stays: bool = False

    def apply(self, log):
        at = log.offsets[:-1][np.diff(log.offsets) > 1]
        drop = np.zeros(len(log), dtype=bool)
        drop[np.concatenate([at, at + 1])] = not self.stays
        sources = Lists(np.arange(len(at) + 1) * 2, np.stack([at, at + 1], axis=1).ravel())
        members = Lists(sources.offsets, log.positions[sources.values])
        columns = {
            "depth": (Column("depth", type="integer"), Masked.full(np.arange(len(at)))),
            "count": (Column("count", type="integer"), Masked.full(np.full(len(at), 2))),
            "members": (Column("members", type="ids"), members),
            "activity": Codes(np.zeros(len(at), np.int32), ["pair"]),
        }  # fmt: skip
        return log.derive(self, at=at, sources=sources, columns=columns, drop=drop)


def test_derive_puts_events_in_their_places():
    """A made event has its row's columns and place; if the row stays, it follows it."""
    rows = [
        {"case": c, "activity": "x", "time": t, "target": f"{c}{t}"}
        for c in "ab"
        for t in (0, 0, 5)
    ]
    log = build(rows)
    ids = [e["id"] for e in log]
    out = log.apply(Pair())
    assert [(e["case"], e["activity"], e["target"], e["count"], e["depth"]) for e in out] == [
        ("a", "pair", "a0", 2, 0), ("a", "x", "a5", 1, None),
        ("b", "pair", "b0", 2, 1), ("b", "x", "b5", 1, None),
    ]  # fmt: skip
    assert [e["source_ids"] for e in out] == [ids[:2], ids[2:3], ids[3:5], ids[5:]]
    assert [e["members"] for e in out] == [ids[:2], None, ids[3:5], None]
    found = out.steps[0].to_dict()
    assert (found["in"], found["out"], found["made"], found["used"]) == (6, 4, 2, 4)
    stays = log.apply(Pair(stays=True))
    assert [e["activity"] for e in stays] == ["x", "pair", "x", "x"] * 2
    assert stays.offsets.tolist() == [0, 4, 8]


@CHECKED
@given(log=logs())
def test_derive_again_and_again(log):
    """Made of made: sources are the source's events, in order, each once; nothing is lost."""
    known = {e["id"] for e in log}
    out = log
    for _ in range(3):
        out = out.apply(Pair())
        sources = [i for e in out for i in e["source_ids"]]
        assert sorted(sources) == sorted(known)
        assert pickle.loads(pickle.dumps(out)).to_dicts() == out.to_dicts()
    again = log.apply(Pair(stays=True))
    for event in again.apply(Pair(stays=True)):
        assert len(set(event["source_ids"])) == len(event["source_ids"])


def test_made_ids_do_not_depend_on_the_rest():
    """The id of a made event is that of its sources and parameters, whatever else there is."""
    rows = [{"case": c, "activity": "x", "time": t} for c in "ab" for t in (0, 1)]
    whole, part = (build(r).apply(Pair()).to_dicts() for r in (rows, rows[2:]))
    assert whole[1]["id"] == part[0]["id"]
    assert whole[0]["id"] != whole[1]["id"]
    other = build(rows).apply(Pair(stays=True)).to_dicts()
    assert other[1]["activity"] == "pair"
    assert other[1]["id"] != whole[0]["id"]


@CHECKED
@given(rows=documents(), data=st.data())
def test_concat_is_the_log_of_all(rows, data):
    """Parts of a log, cut anywhere and in any order of parts, join to it again."""
    log = build(rows)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(log)), max_size=3)))
    edges = [0, *cuts, len(log)]
    parts = [log.take(slice(a, b)) for a, b in zip(edges, edges[1:], strict=False)]
    assert concat(parts).to_dicts() == log.to_dicts()


@CHECKED
@given(one=documents(max_size=8), two=documents(max_size=8))
def test_concat_of_two_readings(one, two):
    """Two readings join in order O, equal places by the order of the logs; ids stay."""
    logs_ = [build(r) for r in (one, two)]
    events = [e for log in logs_ for e in log]

    def place(e):
        return (e["case"], e["time"], e["order"] is not None, e["order"] or 0)

    assert concat(logs_).to_dicts() == sorted(events, key=place)


def test_concat_fills_in_what_steps_wrote():
    """Columns that a log lacks are null there, but count 1 and source_ids its own id."""
    rows = [{"case": "a", "activity": "x", "time": t} for t in (0, 1)]
    raw = build([{"case": "b", "activity": "y", "time": 0}])
    made = build(rows).apply(Pair())
    (pair, other) = concat([raw, made])
    assert (pair["count"], pair["depth"], len(pair["members"])) == (2, 0, 2)
    assert (other["count"], other["depth"], other["members"]) == (1, None, None)
    assert other["source_ids"] == [other["id"]]


def test_concat_of_orders_and_types():
    """Whole and broken orders join as numbers; other types do not join, and nothing is no log."""
    frames = [
        [{"c": "a", "a": "x", "t": 0, "o": o, "v": v}] for o, v in ((2, 1), (0.5, 2), (1, "s"))
    ]
    made = [
        EventLog.from_frame(f, case="c", activity="a", time="t", order="o", unit="s")
        for f in frames
    ]
    assert [e["order"] for e in concat(made[:2])] == [0.5, 2.0]
    with pytest.raises(SchemaError, match="'v'") as caught:
        concat(made)
    assert caught.value.code == "column-type"
    with pytest.raises(SchemaError):
        concat([])


@CHECKED
@given(log=logs())
def test_a_log_pickles(log):
    """A log can be sent to another process, ids and frame included."""
    assert log.frame is not None
    found = pickle.loads(pickle.dumps(log))
    assert found.to_dicts() == log.to_dicts()
    assert found.reading == log.reading
    assert found.columns == log.columns


def test_what_every_log_has_stays(log):
    """No log is without id, case, activity, time."""
    with pytest.raises(TransformError, match="activity"):
        log.without("activity", "target")
