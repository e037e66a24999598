"""sessionize (codes S1 to S4)."""

from __future__ import annotations

import pytest

from distill_core.builtin.sessionize import Sessionize
from distill_core.errors import SpecError
from distill_core.testing.logs import build

EPOCH = "1970-01-01T00:"


def log_of(*times, case="a", **more):
    return build([{"case": case, "activity": "x", "time": t, **more} for t in times])


def sizes(log):
    return [int(b - a) for a, b in zip(log.offsets[:-1], log.offsets[1:], strict=True)]


def test_s1_a_gap_is_inclusive():
    """gap 30 min: exactly 1 800 000 stays, 1 800 001 splits."""
    assert sizes(log_of(0, 1_800_000).apply(Sessionize(gap="30m"))) == [2]
    assert sizes(log_of(0, 1_800_001).apply(Sessionize(gap="30m"))) == [1, 1]


def test_s1_gap_after_the_greatest_end():
    """With intervals the gap is next.time − max(last so far)."""
    rows = [{"case": "a", "activity": "x", "time": t, "end": e}
            for t, e in [(0, 5000), (10, 20), (6000, None), (7001, None)]]  # fmt: skip
    assert sizes(build(rows).apply(Sessionize(gap="1s"))) == [3, 1]
    assert sizes(build([{**r, "end": None} for r in rows]).apply(Sessionize(gap="1s"))) == [2, 1, 1]


def test_s1_an_end_does_not_reach_into_another_case():
    """What lasts long in one case holds no session of another together."""
    rows = [{"case": "a", "activity": "x", "time": 0, "end": 10_000}]
    rows += [{"case": "b", "activity": "x", "time": t} for t in (0, 5000)]
    assert sizes(build(rows).apply(Sessionize(gap="1s"))) == [1, 1, 1]


def test_s2_two_sessions():
    """[0, 1, 100000] with 60 s → sessions of 2 and 1."""
    assert sizes(log_of(0, 1, 100_000).apply(Sessionize(gap="60s"))) == [2, 1]


def test_s3_null_sessions_of_users_are_two_cases():
    """Null session id for users a, b → two cases, never one."""
    rows = [{"case": None, "user": u, "activity": "x", "time": 0} for u in "ab"]
    out = build(rows).apply(Sessionize(gap="60s"))
    assert out.cases.tolist() == [f"user:{u}@{EPOCH}00:00.000000Z" for u in "ab"]


def test_s4_as_case():
    """`<case>@<its first time, as in JSON>` becomes the case, the former one parent_case."""
    log = log_of(0, 1, 100_000)
    out = log.apply(Sessionize(gap="60s"))
    assert [(e["case"], e["parent_case"]) for e in out] == [
        (f"a@{EPOCH}00:00.000000Z", "a"),
        (f"a@{EPOCH}00:00.000000Z", "a"),
        (f"a@{EPOCH}01:40.000000Z", "a"),
    ]
    assert "session" not in out.columns
    assert [e["id"] for e in out] == [e["id"] for e in log]
    report = out.steps[0].to_dict()
    assert (report["in"], report["out"], report["dropped"]) == (3, 3, {})


def test_s4_as_label():
    """as_case=False: a label; the cases stay."""
    out = log_of(0, 1, 100_000).apply(Sessionize(gap="60s", as_case=False))
    assert out.cases.tolist() == ["a"]
    assert [e["session"] for e in out] == [
        f"a@{EPOCH}0{m}.000000Z" for m in ("0:00", "0:00", "1:40")
    ]
    assert "parent_case" not in out.columns


@pytest.mark.parametrize("as_case", [True, False])
def test_s4_stable_when_data_is_appended(as_case):
    """Later events change no session that there was."""
    step, name = Sessionize(gap="60s", as_case=as_case), "case" if as_case else "session"
    before = [e[name] for e in log_of(0, 1, 100_000).apply(step)]
    after = [e[name] for e in log_of(0, 1, 100_000, 100_001, 900_000).apply(step)]
    assert after[:3] == before
    assert after[3] == before[2]
    assert after[4] not in before


def test_s4_names_out_of_the_order_of_cases():
    """user:1 sorts before user:10, their sessions' names the other way round: order O holds."""
    rows = [{"case": c, "activity": "x", "time": t} for c in ("user:1", "user:10") for t in (0, 90)]
    log = build(rows)
    out = log.apply(Sessionize(gap="50ms"))
    assert out.cases.tolist() == [
        f"{case}@{EPOCH}00:00.0{ms}0000Z" for case in ("user:10", "user:1") for ms in ("0", "9")
    ]
    assert [(e["parent_case"], e["id"]) for e in out] == [
        (e["case"], e["id"]) for case in ("user:10", "user:1") for e in log if e["case"] == case
    ]
    label = log.apply(Sessionize(gap="50ms", as_case=False))
    assert [e["session"].partition("@")[0] for e in label] == [e["case"] for e in log]
    assert label.labels("session").tolist() == sorted(label.labels("session"))


def test_s4_names_that_mingle():
    """A case called like a session of another: names of both mingle, and still sort."""
    strange = f"a@{EPOCH}00:00.500000Z"
    rows = [{"case": "a", "activity": "x", "time": t} for t in (0, 900)]
    rows += [{"case": strange, "activity": "y", "time": 0}]
    out = build(rows).apply(Sessionize(gap="1ms"))
    assert [e["activity"] for e in out] == ["x", "y", "x"]
    assert out.cases.tolist() == sorted(out.cases.tolist())


@pytest.mark.parametrize("as_case", [True, False])
def test_n_columns_are_there(as_case):
    """An empty log stays empty and has the step's column."""
    out = build([]).apply(Sessionize(gap="1s", as_case=as_case))
    assert (len(out), out.n_cases) == (0, 0)
    assert ("parent_case" if as_case else "session") in out.columns


@pytest.mark.parametrize("gap", [30, 0.5, "30", "-1s", "soon"])
def test_t4_a_gap_is_a_duration(gap):
    """A bare number, a negative length and other text are errors."""
    with pytest.raises(SpecError):
        Sessionize(gap=gap)
