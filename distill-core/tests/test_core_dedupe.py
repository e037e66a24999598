"""dedupe beside a slow oracle, and the laws of transforms."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill_core.builtin._runs import group_codes
from distill_core.builtin.dedupe import Dedupe
from distill_core.columns import Column
from distill_core.errors import DuplicateIdError
from distill_core.log import EventLog
from distill_core.testing.logs import COLUMNS, build, documents
from distill_core.testing.transforms import TransformTests

WITH_ID = (Column("id", paths=("id",)), *COLUMNS)
CHECKED = settings(max_examples=150, deadline=None)


class TestDedupeById(TransformTests):
    def component(self):
        return Dedupe(on_conflict="suffix")

    def log(self, rows):
        return build([r | {"id": f"e{r['time'] % 5}"} for r in rows], WITH_ID)


def doubled(rows, ids):
    """Documents with ids of few, some twice."""
    return [r | {"id": i} for r, i in zip(rows, ids, strict=False)]


SMALL = st.lists(
    st.fixed_dictionaries({
        "case": st.sampled_from("ab"), "activity": st.sampled_from("xy"),
        "time": st.integers(0, 2), "target": st.sampled_from(["p", None]),
        "details": st.sampled_from([{"n": 1}, {"n": 1.5}, [1], None]),
        "id": st.sampled_from(["e1", "e2", "e1~2", "00000000000000e1", "é", None]),
    }),
    max_size=14,
)  # fmt: skip
BY = st.lists(
    st.sampled_from(["case", "activity", "time", "target", "details", "score", "end", "duration"]),
    min_size=1, max_size=3,
)  # fmt: skip


def payload(event):
    return repr({n: v for n, v in event.items() if n not in ("id", "source_ids")})


def resolved(events, on_conflict):
    """(ids and payloads that stay, dropped by reason), event by event."""
    groups = {}
    for event in events:
        groups.setdefault(event["id"], []).append(event)
    taken = set(groups)
    stay, duplicate, conflict = [], [], []
    names = {}
    for event in events:
        group = groups[event["id"]]
        kinds = list(dict.fromkeys(map(payload, group)))
        if on_conflict in ("keep_first", "keep_last"):
            winner = group[0] if on_conflict == "keep_first" else group[-1]
            if event is winner:
                stay.append((event["id"], payload(event)))
            else:
                same = payload(event) == payload(winner)
                (duplicate if same else conflict).append(event["id"])
            continue
        if on_conflict is None and len(kinds) > 1:
            raise DuplicateIdError("two events", code="duplicate-id")
        if event is not next(e for e in group if payload(e) == payload(event)):
            duplicate.append(event["id"])
        elif event is group[0]:
            stay.append((event["id"], payload(event)))
        else:
            n = names.get(event["id"], 1) + 1
            while f"{event['id']}~{n}" in taken:
                n += 1
            names[event["id"]] = n
            taken.add(f"{event['id']}~{n}")
            stay.append((f"{event['id']}~{n}", payload(event)))
    return stay, {"duplicate": duplicate, "conflict": conflict}


@CHECKED
@given(rows=SMALL, on_conflict=st.sampled_from([None, "keep_first", "keep_last", "suffix"]))
def test_by_id_like_the_oracle(rows, on_conflict):
    """Which stay, under which id, and what is dropped why, is as a loop over events has it."""
    log = build(rows, WITH_ID)
    step = Dedupe(on_conflict=on_conflict)
    try:
        stay, dropped = resolved(log.to_dicts(), on_conflict)
    except DuplicateIdError:
        with pytest.raises(DuplicateIdError):
            log.apply(step)
        return
    out = log.apply(step)
    assert [(e["id"], payload(e)) for e in out] == stay
    told = {reason: list(told.ids) for reason, told in out.steps[0].dropped.items()}
    assert told == {reason: ids for reason, ids in dropped.items() if ids}
    assert len({e["id"] for e in out}) == len(out)
    assert out.apply(step).to_dicts() == out.to_dicts()


@CHECKED
@given(rows=documents() | SMALL, by=BY, on_conflict=st.sampled_from([None, "keep_last"]))
def test_by_columns_like_the_oracle(rows, by, on_conflict):
    """Of events equal in all columns the first (or last) of the log stays."""
    log = build(rows)
    events = log.to_dicts()
    turn = events[::-1] if on_conflict else events
    first = {}
    for event in turn:
        first.setdefault(repr([event[name] for name in by]), event["id"])
    out = log.apply(Dedupe(by=by, on_conflict=on_conflict))
    stays = set(first.values())
    assert [e["id"] for e in out] == [e["id"] for e in events if e["id"] in stays]
    lost = [e["id"] for e in events if e["id"] not in stays]
    told = out.steps[0].dropped
    assert (list(told["duplicate"].ids) if told else []) == lost


def test_ids_stay_findable():
    """A new id is the event's from then on: in steps that follow, and when it is pickled."""
    import pickle

    rows = [{"id": "e", "case": "c", "activity": a, "time": t} for t, a in enumerate("pqq")]
    out = build(rows, WITH_ID).apply(Dedupe(on_conflict="suffix"))
    assert [e["id"] for e in out] == ["e", "e~2", "e~3"]
    assert [e["id"] for e in pickle.loads(pickle.dumps(out))] == ["e", "e~2", "e~3"]
    assert [e["id"] for e in out.where("activity = 'q'")] == ["e~2", "e~3"]


def test_numbers_that_are_equal():
    """−0.0 is 0.0, NaN is null, and equal in number is equal."""
    rows = [{"c": "a", "a": "x", "t": t, "n": n}
            for t, n in enumerate([0.0, -0.0, float("nan"), None, 1.0])]  # fmt: skip
    log = EventLog.from_frame(rows, case="c", activity="a", time="t", unit="s")
    assert group_codes(log, ["n"], slice(None)).tolist() == [0, 0, 1, 1, 2]
    assert len(log.apply(Dedupe(by=["n"]))) == 3


def test_many_columns_of_many_values():
    """Numbers of groups stay small, so many columns of many values never overflow."""
    n = 3000
    rows = [{"c": "a", "a": "x", "t": t} | {f"v{k}": f"{t % 1000}-{k}" for k in range(12)}
            for t in range(n)]  # fmt: skip
    log = EventLog.from_frame(rows, case="c", activity="a", time="t", unit="s")
    assert len(log.apply(Dedupe(by=[f"v{k}" for k in range(12)]))) == 1000
    assert len(log.apply(Dedupe(by=[*(f"v{k}" for k in range(12)), "time"]))) == n
