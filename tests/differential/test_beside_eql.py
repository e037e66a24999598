"""match beside the sequences of Elastic's EQL: published examples, and its state machine."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import distill_core as dl


def sequences(log, pattern, *, restart="latest", **params):
    """The ids of each match, by its last event."""
    step = dl.Match(pattern=pattern, restart=restart, keep="intervals", **params)
    return sorted((e["members"] for e in log.apply(step).to_dicts()), key=lambda ids: ids[-1])


def processes(words, first=1):
    """A log of ``user:process`` words, a second apart; ids 01, 02 …"""
    rows = [
        {"id": f"{n:02}", "case": word.split(":")[0], "activity": word.split(":")[1], "time": n}
        for n, word in enumerate(words.split(), first)
    ]
    return dl.EventLog.from_frame(rows, case="case", activity="activity", time="time", unit="s")


DOCUMENTED = (
    "root:attrib root:attrib elkbee:bash root:bash root:bash elkbee:attrib root:attrib "
    "elkbee:bash root:cat elkbee:cat root:cat"
)


def test_state_machine_example():
    """The documentation's [2, 4, 9] and [6, 8, 10]: a newer first event replaces the older one."""
    log = processes(DOCUMENTED)
    assert sequences(log, "attrib bash cat") == [["02", "04", "09"], ["06", "08", "10"]]
    step = log.apply(dl.Match(pattern="attrib bash cat", restart="latest")).steps[0]
    assert step.dangling["superseded"].ids == ("01",)


def test_leftmost_differs():
    """By design the default is the first start, as in SQL; EQL's is restart latest."""
    found = sequences(processes(DOCUMENTED), "attrib bash cat", restart="leftmost")
    assert found == [["01", "04", "09"], ["06", "08", "10"]]


def test_pending_sequence_differs():
    """By design matches share no stretch: a start before a match's end is EQL's, but not ours."""
    log = processes(DOCUMENTED + " root:bash root:cat")
    assert machine(log, ["attrib", "bash", "cat"], None) == [
        ["02", "04", "09"], ["06", "08", "10"], ["07", "12", "13"],
    ]  # fmt: skip
    assert sequences(log, "attrib bash cat") == [["02", "04", "09"], ["06", "08", "10"]]
    assert ["07", "12", "13"] in sequences(log, "attrib bash cat", skip="to_next")


RECORDS = [
    ("edwCRnyD", "process", "cmd.exe", "2099-12-06T11:04:05Z", None),
    ("dGCHwoeS", "file", "cmd.exe", "2099-12-06T11:04:07Z", "cmd.exe"),
    ("cMyt5SZ2", "process", "cmd.exe", "2099-12-07T11:06:07Z", None),
    ("aR3NWVOs", "process", "regsvr32.exe", "2099-12-07T11:07:09Z", None),
    ("tZ1NWVOs", "file", "regsvr32.exe", "2099-12-07T11:07:10Z", "scrobj.dll"),
    ("GTSmSqgz0U", "process", "regsvr32.exe", "2099-12-07T11:07:10Z", None),
]
DATA = dl.EventLog.from_frame(
    [{"id": i, "case": "host", "activity": a, "time": t, "order": n, "name": p, "file": f,
      "pid": 2012, "type": "termination" if i == "GTSmSqgz0U" else None}
     for n, (i, a, p, t, f) in enumerate(RECORDS)],
    case="case", activity="activity", time="time", order="order",
)  # fmt: skip
STEPS = {
    "regsvr": "activity = 'process' AND name = 'regsvr32.exe'",
    "scrobj": "activity = 'file' AND file LIKE '%scrobj.dll%'",
}


@pytest.mark.parametrize("more", ["", " within 1h"])
@pytest.mark.parametrize("key", [[], ["pid"]])
def test_search_examples(more, key):
    """regsvr32 then scrobj.dll: with maxspan=1h, by process.pid or neither, the same sequence."""
    found = sequences(DATA, "regsvr scrobj" + more, define=STEPS, key=key)
    assert found == [["aR3NWVOs", "tZ1NWVOs"]]


def test_search_example_by_pid():
    """A file event of cmd.exe, then a process that is regsvr32, sharing process.pid."""
    define = {"file": "activity = 'file' AND file = 'cmd.exe'", "regsvr": STEPS["regsvr"]}
    assert sequences(DATA, "file regsvr", define=define, key=["pid"]) == [["dGCHwoeS", "aR3NWVOs"]]


def test_search_example_missing():
    """cmd.exe, no ocx, scrobj.dll within a day: the second cmd.exe, for the first is too old."""
    define = {
        "cmd": "activity = 'process' AND name = 'cmd.exe'",
        "ocx": "activity = 'process' AND file LIKE '%ocx%'",
        "scrobj": STEPS["scrobj"],
    }
    for restart in ("latest", "leftmost"):
        found = sequences(DATA, "cmd !ocx scrobj within 1d", define=define, restart=restart)
        assert found == [["cMyt5SZ2", "tZ1NWVOs"]]


def test_search_example_until():
    """EQL's until is a negation here: a termination before the file would forbid the match."""
    define = STEPS | {"end": "type = 'termination'"}
    define["regsvr"] += " AND type IS NULL"
    assert sequences(DATA, "regsvr !end scrobj", define=define) == [["aR3NWVOs", "tZ1NWVOs"]]
    early = DATA.to_dicts()
    early[5]["time"] = "2099-12-07T11:07:09.500000Z"
    moved = dl.EventLog.from_frame(early, case="case", activity="activity", time="time")
    assert sequences(moved, "regsvr !end scrobj", define=define) == []


def test_trailing_missing_event():
    """Logons that no logoff follows within 5 s, as documented; known once the case went on."""
    log = processes("u:4624 u:x u:x u:x u:x u:4647 u:x u:4624 u:x u:x u:x u:x u:x u:4647")
    assert sequences(log, "'4624' !'4647' within 5s") == [["08"]]


def test_leading_missing_event_differs():
    """By design a pattern begins with an event; EQL lets a sequence begin with a missing one."""
    with pytest.raises(dl.ConditionError):
        dl.Match(pattern="!foobar normal within 1h")


def test_runs():
    """``[ … ] with runs=3`` is step{3}: a failed login thrice, then one that works."""
    log = processes("u:fail u:fail u:ok u:fail u:fail u:fail u:ok")
    assert sequences(log, "fail{3} ok", restart="leftmost") == [["01", "02", "04", "07"]]


def machine(log, steps, span):
    """EQL's state machine as documented: a pending sequence a state, the newer one stays."""
    done = []
    events = zip(log.to_dicts(), log.time.tolist(), strict=True)
    pending = {}
    for event, time in events:
        states = pending.setdefault(event["case"], {})
        if event["activity"] not in steps:
            continue
        state = steps.index(event["activity"])
        began, ids = (time, []) if state == 0 else states.pop(state - 1, (None, None))
        if ids is None or (span is not None and time - began > span):
            continue
        if state == len(steps) - 1:
            done.append([*ids, event["id"]])
        else:
            states[state] = (began, [*ids, event["id"]])
    return sorted(done, key=lambda ids: ids[-1])


WORDS = st.lists(
    st.tuples(st.sampled_from(["u", "v"]), st.sampled_from("abcx")), min_size=1, max_size=40
).map(lambda pairs: processes(" ".join(f"{case}:{name}" for case, name in pairs)))
SPANS = st.sampled_from([None, 3, 8])


def within(seconds):
    return {} if seconds is None else {"within": f"{seconds}s"}


@settings(max_examples=60, deadline=None)
@given(WORDS, SPANS)
def test_two_steps_are_alike(log, seconds):
    """Of two steps: restart latest finds what the state machine finds."""
    span = None if seconds is None else seconds * 1_000_000
    assert sequences(log, "a b", **within(seconds)) == machine(log, ["a", "b"], span)


@settings(max_examples=60, deadline=None)
@given(WORDS, SPANS)
def test_more_steps_differ_as_told(log, seconds):
    """Of three: the machine's are those from every start, of one end the latest start."""
    span = None if seconds is None else seconds * 1_000_000
    every = sequences(log, "a b c", skip="to_next", **within(seconds))
    latest = {ids[-1]: ids for ids in sorted(every)}
    assert machine(log, ["a", "b", "c"], span) == [latest[end] for end in sorted(latest)]
