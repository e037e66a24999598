"""patch and append beside slow oracles."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill_core.builtin.append import Append
from distill_core.builtin.patch import Patch
from distill_core.columns import Column
from distill_core.errors import TransformError
from distill_core.testing.logs import COLUMNS, build, documents

CHECKED = settings(max_examples=150, deadline=None)
WITH_ID = (Column("id", paths=("id",)), *COLUMNS)


def place(event):
    return event["case"], event["time"], event["order"] is not None, event["order"] or 0


def plain(event):
    return {name: value for name, value in event.items() if name != "duration"}


def patched(base, other, key, how, columns):
    """(events, patched, unmatched), event by event, before they are put in order."""
    def key_of(event):
        values = [event[name] for name in key]
        return None if None in values else repr(values)

    patches = {}
    for event in other:
        if key_of(event) is not None:
            assert key_of(event) not in patches, "ambiguous"
            patches[key_of(event)] = event
    hit, found = set(), []
    for event in base:
        patch = patches.get(key_of(event))
        new = dict(event)
        if patch is not None:
            hit.add(key_of(event))
            for name, value in patch.items():
                wanted = columns is None or name in columns
                if wanted and name not in (*key, "id", "source_ids") and value is not None:
                    new[name] = value
        found.append(new)
    free = [event for event in other if key_of(event) is None or key_of(event) not in hit]
    count = sum(key_of(event) in patches for event in base)
    return found + (free if how == "outer" else []), count, len(free)


PARTS = st.lists(
    st.fixed_dictionaries({
        "id": st.sampled_from(["e1", "e2", "e3", "e4"]), "case": st.sampled_from("ab"),
        "activity": st.sampled_from("xyz"), "time": st.integers(0, 4),
        "target": st.sampled_from(["p", "q", None]), "score": st.sampled_from([0.5, 1.0, None]),
        "number": st.sampled_from([1, 2, None]), "end": st.sampled_from([None, 2, 9]),
        "order": st.sampled_from([None, 0, 1]), "details": st.sampled_from([None, [1], {"a": 1}]),
    }),
    max_size=7,
)  # fmt: skip


@CHECKED
@given(
    rows=PARTS,
    others=PARTS,
    key=st.lists(st.sampled_from(["id", "target", "number", "score", "time", "details"]),
                 min_size=1, max_size=2, unique=True),
    how=st.sampled_from(["left", "outer"]),
    columns=st.none() | st.lists(st.sampled_from(["score", "activity", "end", "case", "time"]),
                                 min_size=1, unique=True),
)  # fmt: skip
def test_patch_like_the_oracle(rows, others, key, how, columns):
    """Which values events have, where they stand, what is counted, is as a loop has it."""
    base, other = build(rows, WITH_ID), build(others, WITH_ID)
    step = Patch(other=other, key=key, how=how, columns=columns)
    try:
        events, count, free = patched(base.to_dicts(), other.to_dicts(), key, how, columns)
    except AssertionError:
        with pytest.raises(TransformError) as caught:
            base.apply(step)
        assert caught.value.code == "key-ambiguous"
        return
    for event in events:
        if event["end"] is not None:
            event["end"] = max(event["end"], event["time"])
    out = base.apply(step)
    if how == "outer" and columns is not None:  # of new events only these columns are taken
        names = {*columns, *key, "id", "case", "activity", "time", "end", "order"}
        for event in events[len(base):]:
            event.update({name: None for name in event if name not in names})
    assert [plain(e) for e in out.to_dicts()] == [plain(e) for e in sorted(events, key=place)]
    counts = out.steps[0].counts
    assert (counts["patched"], counts["unmatched"]) == (count, free)
    assert out.steps[0].made == len(out) - len(base)


@CHECKED
@given(one=documents(), two=documents(max_size=6))
def test_append_like_the_oracle(one, two):
    """The events of both, sorted by case, time and order, those of this log first."""
    base, other = build(one), build(two)
    out = base.apply(Append(other=other))
    assert out.to_dicts() == sorted([*base.to_dicts(), *other.to_dicts()], key=place)
    assert out.steps[0].made == len(other)


def test_patch_of_what_steps_made():
    """Intervals, their lists and references are patched and added like other values."""
    from distill_core.builtin.sandwich import Sandwich

    pair = Sandwich(start="activity = 'start'", stop="activity = 'stop'")
    rows = [{"case": "a", "activity": a, "time": t, "id": f"e{t}"}
            for t, a in enumerate(["start", "click", "stop", "click"])]  # fmt: skip
    base, made = build(rows, WITH_ID), build(rows, WITH_ID).apply(pair)
    out = base.apply(Patch(other=made, key=["time"]))
    first = made.to_dicts()[0]
    assert out.to_dicts()[0] == first | {"id": "e0", "source_ids": ["e0"]}
    assert [e["members"] for e in out] == [["e1"], None, None, None]
    outer = base.apply(Patch(other=made, key=["id"], how="outer"))
    assert [e["members"] for e in outer] == [None, ["e1"], None, None, None]
    assert [e["source_ids"] for e in outer][1] == ["e0", "e2"]
