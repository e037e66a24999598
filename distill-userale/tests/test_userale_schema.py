"""Records of each shape and version, field by field."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill_core.columns import Column, check_columns
from distill_core.component import Selection
from distill_core.errors import SpecError
from distill_core.params import instant_text
from distill_core.plan import plan_reading
from distill_userale import UserALE

T = 1719530111079  # 2024-06-27T23:15:11.079Z
COMMON = {
    "pageUrl": "http://shop.example/list?q=oak", "pageTitle": "Products", "pageReferrer": "",
    "userAction": True, "userId": "d01", "toolVersion": "1.4.2", "toolName": "Shop",
    "useraleVersion": "2.4.0",
}  # fmt: skip
RAW = COMMON | {
    "target": "button#add.btn", "path": ["button#add.btn", "body", "html", "#document", "Window"],
    "browser": {"browser": "chrome", "version": "156.0.0"}, "clientTime": T, "microTime": 0.7,
    "location": {"x": 382, "y": 293}, "scrnRes": {"width": 1366, "height": 625}, "type": "click",
    "logType": "raw", "sessionID": "session_1",
    "details": {"clicks": 1, "ctrl": False, "alt": False, "shift": False, "meta": False},
    "httpSessionId": "ab" * 16, "browserSessionId": None,
}  # fmt: skip
INTERVAL = COMMON | {
    "target": "h1", "path": ["h1", "html"], "count": 3, "duration": 23, "startTime": T,
    "endTime": T + 23, "type": "mouseover", "logType": "interval", "targetChange": True,
    "typeChange": False, "userAction": False, "sessionID": "session_1",
}  # fmt: skip
CUSTOM = {"type": "dialog-open", "logType": "custom", "clientTime": T, "userAction": False,
          "sessionID": "session_1", "userId": "d01", "details": {"dialog_id": "help"}}  # fmt: skip
HEAD = {k: v for k, v in RAW.items() if k not in ("browser", "sessionID")} | {
    "sessionId": "session_2", "userAgent": "Mozilla/5.0",
    "attributes": {"id": "add", "data-n": 7}, "style": {"color": "red"},
}  # fmt: skip


def one(read, record: dict[str, Any], schema: UserALE | None = None) -> dict[str, Any]:
    (event,) = read([record], schema).to_dicts()
    return event


def test_columns_are_sound() -> None:
    """Each case has valid columns, all described, and the same ones."""
    found = [check_columns(UserALE(case=case).all_columns()) for case in ("session", "tab", "user")]
    assert all(column.description for columns in found for column in columns.values())
    assert list(found[0]) == list(found[1]) == list(found[2])


def test_raw(read) -> None:
    """A raw record: its fields under the log's names, with their types."""
    event = one(read, RAW)
    assert event | {"id": 0} == {
        "id": 0, "case": "session_1", "activity": "click", "time": "2024-06-27T23:15:11.079000Z",
        "end": None, "duration": None, "order": 700, "user": "d01", "log_type": "raw",
        "session_id": "session_1", "target": "button#add.btn", "path": RAW["path"],
        "user_action": True, "details": RAW["details"], "micro_time": 0.7, "location_x": 382.0,
        "location_y": 293.0, "run_count": None, "logged_duration": None, "target_change": None,
        "type_change": None, "count_suspect": False, "page_url": RAW["pageUrl"],
        "page_title": "Products", "page_referrer": "", "page_load_time": None,
        "screen_width": 1366, "screen_height": 625, "browser_name": "chrome",
        "browser_version": "156.0.0", "user_agent": None, "http_session_id": "ab" * 16,
        "browser_session_id": None, "tool_name": "Shop", "tool_version": "1.4.2",
        "userale_version": "2.4.0", "element_attributes": None, "element_style": None,
    }  # fmt: skip


def test_interval(read) -> None:
    """An interval: startTime is its time, endTime its end, count and duration keep other names."""
    event = one(read, INTERVAL)
    assert event["time"] == "2024-06-27T23:15:11.079000Z"
    assert event["end"] == "2024-06-27T23:15:11.102000Z"
    assert event["duration"] == event["logged_duration"] == 23_000
    assert (event["run_count"], event["order"], event["count_suspect"]) == (3, None, False)
    assert (event["target_change"], event["type_change"]) == (True, False)
    assert event["log_type"] == "interval"
    assert "count" not in event


def test_custom(read) -> None:
    """A custom record has no target, path, location and no fraction of its millisecond."""
    event = one(read, CUSTOM)
    assert (event["activity"], event["log_type"]) == ("dialog-open", "custom")
    assert event["details"] == {"dialog_id": "help"}
    assert [event[n] for n in ("target", "path", "location_x", "order", "end")] == [None] * 5


def test_activity_of_a_custom_record_without_type(read) -> None:
    """A record without a type is called custom."""
    assert one(read, {k: v for k, v in CUSTOM.items() if k != "type"})["activity"] == "custom"
    assert one(read, CUSTOM | {"type": None})["activity"] == "custom"


def test_head(read) -> None:
    """Records of the head build: sessionId, userAgent, attributes and style."""
    event = one(read, HEAD)
    assert (event["case"], event["session_id"]) == ("session_2", "session_2")
    assert (event["user_agent"], event["browser_name"]) == ("Mozilla/5.0", None)
    assert event["element_attributes"] == {"data-n": 7, "id": "add"}
    assert event["element_style"] == {"color": "red"}


@pytest.mark.parametrize("value", [7, 1.5, True, "7", None, [1], {"a": 1}])
def test_attribute_values_of_any_kind(read, value) -> None:
    """One attribute may be a number here and text there: each comes back as it was."""
    event = one(read, HEAD | {"attributes": {"value": value}})
    assert event["element_attributes"] == {"value": value}


@pytest.mark.parametrize("key", [13, "Enter"])
def test_keys_of_both_kinds(read, key) -> None:
    """details.key is a code to 2.4.0 and a name later; details keep either."""
    assert one(read, RAW | {"details": {"key": key}})["details"] == {"key": key}


@pytest.mark.parametrize("details", [None, "text", [1, 2], {"value": ""}, {"window": True}])
def test_details_of_any_kind(read, details) -> None:
    """Details are null, an object, or whatever a custom record says."""
    assert one(read, RAW | {"details": details})["details"] == details


@pytest.mark.parametrize(
    ("record", "micros"),
    [
        ({"pageLoadTime": 45}, 45_000),
        ({"details": {"pageLoadTime": 89}}, 89_000),
        ({"pageLoadTime": None}, None),
        ({"details": {"pageLoadTime": None}}, None),
    ],
)
def test_page_load_time(read, record, micros) -> None:
    """The load time is at the top to 2.3, in the details later, null when it is not known."""
    page = {k: v for k, v in CUSTOM.items() if k != "details"} | {"type": "load"}
    assert one(read, page | record)["page_load_time"] == micros


@pytest.mark.parametrize(
    ("given", "order"),
    [(0, 0), (0.7, 700), (0.1 + 0.2, 300), (1 - 0.9, 100), (0.999, 999), (1, 1000), (None, None)],
)
def test_order_is_the_micro_time(read, given, order) -> None:
    """A microTime of .7 is order 700; the time stays as it is."""
    event = one(read, RAW | {"microTime": given})
    assert event["order"] == order
    assert event["time"] == "2024-06-27T23:15:11.079000Z"


@pytest.mark.parametrize("given", [-0.1, 1.5, 7, 1e300, "x"])
def test_a_micro_time_that_is_none(read, given) -> None:
    """A fraction outside of a millisecond is null and counted, the event stays."""
    log = read([RAW | {"microTime": given}])
    assert log.to_dicts()[0]["order"] is None
    assert log.reading.nulled["order"].count == 1


def test_micro_time_orders_events_of_a_millisecond(read) -> None:
    """In one millisecond the fraction decides, then arrival; intervals, without one, come first."""
    records = [
        RAW | {"type": "c", "microTime": 0.2}, RAW | {"type": "b", "microTime": 0.1},
        RAW | {"type": "d", "microTime": 0.2}, INTERVAL | {"type": "a"},
    ]  # fmt: skip
    assert [event["activity"] for event in read(records)] == ["a", "b", "c", "d"]


def test_a_negative_interval(read) -> None:
    """An end before its start is set to it and counted; what was logged stays to be seen."""
    log = read([INTERVAL | {"endTime": T - 12, "duration": -12}])
    (event,) = log.to_dicts()
    assert event["end"] == event["time"]
    assert (event["duration"], event["logged_duration"]) == (0, -12_000)
    assert log.reading.counts["end_before_time"] == 1


@pytest.mark.parametrize(
    ("change", "suspect"),
    [
        ({"count": 0}, True),
        ({"count": 1}, False),
        ({"count": None}, False),
        ({"count": 0, "logType": "custom"}, False),
    ],
)
def test_count_suspect(read, change, suspect) -> None:
    """An interval of no events is suspect; nothing else is, and null it never is."""
    assert one(read, INTERVAL | change)["count_suspect"] is suspect


@pytest.mark.parametrize(
    ("session", "case"),
    [
        ({"sessionID": "s1"}, "s1"),
        ({"sessionId": "s2"}, "s2"),
        ({"sessionID": "s1", "sessionId": "s2"}, "s2"),
        ({"sessionID": "s1", "sessionId": None}, "s1"),
        ({}, "user:d01"),
    ],
)
def test_session_under_both_names(read, session, case) -> None:
    """sessionId, else sessionID, else the user makes the case."""
    record = {k: v for k, v in CUSTOM.items() if k != "sessionID"}
    assert one(read, record | session)["case"] == case


def test_one_session_with_and_without_a_user(read) -> None:
    """Pages without a user stay in the session's case."""
    log = read([CUSTOM, CUSTOM | {"userId": None}])
    assert [(e["case"], e["user"]) for e in log] == [("session_1", "d01"), ("session_1", None)]


@pytest.mark.parametrize(
    ("record", "case"),
    [
        (RAW, f"session_1|{'ab' * 16}"),
        (HEAD, f"session_2|{'ab' * 16}"),
        (CUSTOM, "session_1"),
        (CUSTOM | {"sessionID": None}, "user:d01"),
    ],
)
def test_case_tab(read, record, case) -> None:
    """A tab is the session id with the HTTP session id, where there is one."""
    assert one(read, record, UserALE(case="tab"))["case"] == case


def test_case_user(read) -> None:
    """A user is a case; records without one stay with their session; the session id is kept."""
    schema = UserALE(case="user")
    assert one(read, RAW, schema)["case"] == "user:d01"
    event = one(read, RAW | {"userId": None}, schema)
    assert (event["case"], event["session_id"]) == ("session_1", "session_1")


def test_case_of_another_kind() -> None:
    """An unknown kind of case is an error that names the choices."""
    with pytest.raises(SpecError, match="'session', 'tab' or 'user'"):
        UserALE(case="page")


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (None, "not_object"),
        ([], "not_object"),
        ([RAW], "not_object"),
        ("text", "not_object"),
        ({"wish": "p20", "from": "drag"}, "no_time"),
        ({}, "no_time"),
        ({k: v for k, v in CUSTOM.items() if k not in ("sessionID", "userId")}, "no_case"),
        (RAW | {"sessionID": "", "userId": ""}, "no_case"),
        (RAW | {"clientTime": "1719530111079"}, "bad_time"),
        (RAW | {"clientTime": -1}, "bad_time"),
        (RAW | {"clientTime": True}, "bad_time"),
    ],
)
def test_rejected(read, record, reason) -> None:
    """What is no event is rejected, with its reason and place; the others are read."""
    log = read([RAW, record, RAW])
    assert len(log) == 2
    assert {r: (c.count, c.samples) for r, c in log.reading.rejected.items()} == {
        reason: (1, ("1",))
    }


def test_receipt_is_no_time(read) -> None:
    """What a collector adds is not the behaviour's time: without clientTime there is none."""
    record = {k: v for k, v in RAW.items() if k != "clientTime"}
    stamped = record | {"@timestamp": "2022-05-16T21:26:11.641Z"}
    assert len(read([stamped])) == 0


def test_own_fields_of_a_custom_record(read) -> None:
    """A custom record's own fields are taken at their word, clientTime and logType too."""
    event = one(read, CUSTOM | {"clientTime": T + 1, "logType": "mine"})
    assert (event["time"], event["log_type"]) == (instant_text((T + 1) * 1000), "mine")


@settings(max_examples=20)
@given(version=st.none() | st.text(max_size=5))
@pytest.mark.parametrize("record", [RAW, INTERVAL, CUSTOM, HEAD])
def test_the_version_decides_nothing(read, record, version) -> None:
    """Whatever useraleVersion says, a record is the same event."""
    told = one(read, record | {"useraleVersion": version})
    plain = one(read, record)
    assert {k: v for k, v in told.items() if k != "userale_version"} == {
        k: v for k, v in plain.items() if k != "userale_version"
    }


def test_other_fields_only_when_named(read) -> None:
    """Fields that no column reads come together, and only when they are asked for."""
    record = RAW | {"customLabel": "result", "@timestamp": "now"}
    assert "other" not in one(read, record)
    plan = plan_reading(UserALE(), Selection(columns=("other",)))
    assert plan.keep[-1] == "other"
    paths = [path for column in UserALE().columns() for path in column.paths]
    assert {p.split(".")[0] for p in paths if p[0] not in "={*" and "{" not in p} >= set(RAW)


def test_extra_columns(read) -> None:
    """A user's own columns stand beside the schema's."""
    schema = UserALE(extra=(Column("dialog_id", ("details.dialog_id",)),))
    assert one(read, CUSTOM, schema)["dialog_id"] == "help"


def test_personal_columns_are_marked() -> None:
    """Columns that may hold personal data are marked, the case when it is the user."""
    marked = {c.name for c in UserALE().columns() if c.sensitive}
    assert marked == {"user", "details", "page_url", "page_title", "page_referrer",
                      "element_attributes", "other"}  # fmt: skip
    assert UserALE(case="user").columns()[0].sensitive


def test_parse_fills_only_what_is_wanted() -> None:
    """Columns that nobody wants are neither read nor made."""
    plan = plan_reading(UserALE(), Selection(), {"target"})
    names = {column.name for column in plan.request.columns}
    assert names == {"case", "activity", "time", "end", "user", "micro_time", "target"}


texts = st.sampled_from(["a", "b"])
records = st.fixed_dictionaries(
    {"logType": st.sampled_from(["raw", "interval", "custom"]), "userAction": st.booleans()},
    optional={
        "clientTime": st.none() | st.integers(T, T + 3),
        "startTime": st.none() | st.integers(T, T + 3),
        "endTime": st.none() | st.integers(T, T + 3),
        "microTime": st.none() | st.integers(0, 9).map(lambda n: n / 10),
        "sessionID": st.none() | texts,
        "sessionId": st.none() | texts,
        "userId": st.none() | texts,
        "type": st.none() | texts,
        "count": st.none() | st.integers(0, 2),
    },
)


def _first(record: dict[str, Any], *names: str) -> Any:
    return next((record[n] for n in names if record.get(n) is not None), None)


def _expected(given: list[Any]) -> list[dict[str, Any]]:
    """The events, by plain code that looks at one record at a time."""
    found = []
    for arrival, record in enumerate(given):
        time = _first(record, "clientTime", "startTime")
        user, case = record.get("userId"), _first(record, "sessionId", "sessionID")
        case = case or (user and f"user:{user}")
        if time is None or case is None:
            continue
        end, micro = record.get("endTime"), record.get("microTime")
        order = None if micro is None else round(micro * 1000)
        key = (case, time, -1 if order is None else order, arrival)
        found.append((key, {
            "case": case, "activity": record.get("type") or "custom", "order": order, "user": user,
            "time": instant_text(time * 1000),
            "end": None if end is None else instant_text(max(end, time) * 1000),
            "count_suspect": record["logType"] == "interval" and record.get("count") == 0,
        }))  # fmt: skip
    return [event for _, event in sorted(found, key=lambda pair: pair[0])]


@given(given=st.lists(records, max_size=12))
def test_any_records(read, given) -> None:
    """Whatever fields are there, the events are those that plain code finds, in order."""
    log = read(given)
    names = ("case", "activity", "order", "user", "time", "end", "count_suspect")
    assert [{name: event[name] for name in names} for event in log] == _expected(given)
    assert log.reading.read == len(given)


def test_detect() -> None:
    """UserALE.js records are told by their fields; other records, null and text are none."""
    assert UserALE.detect([RAW, INTERVAL, HEAD, CUSTOM]) == 1
    assert UserALE.detect([{"clientTime": T, "type": "click"}, None, "x", []]) == 0
    assert UserALE.detect([]) == 0


def test_schema_is_written_and_read_back() -> None:
    """The parameters have a written form, and the schema a version of its own."""
    schema = UserALE(case="tab", extra=(Column("dialog_id", ("details.dialog_id",)),))
    assert UserALE.model_validate(json.loads(json.dumps(schema.params()))) == schema
    assert UserALE.version == "1"
    assert "version" not in schema.params()
