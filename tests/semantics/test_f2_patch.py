"""F2: patch; and append, which only adds."""

from __future__ import annotations

from typing import Any

import pytest

import distill_core as dl
from distill_core.builtin.append import Append
from distill_core.builtin.patch import Patch
from distill_core.errors import SpecError


def log(*rows: dict[str, Any]) -> dl.EventLog:
    """Events of one case with an activity, a time in s and values."""
    filled = [{"case": "c", "end": None, "v": None} | row for row in rows]
    return dl.EventLog.from_frame(
        filled, case="case", activity="a", time="t", end="end", unit="s"
    )


def with_number(found: dl.EventLog, name: str) -> dl.EventLog:
    """The log with a column of ones in place of what it may have by this name."""
    plain = found.without(name)
    return plain.with_frame(plain.frame.assign(**{name: 1}), "none")


def shown(found: dl.EventLog, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in ("id", "activity", *names)) for row in found.to_dicts()]


BASE = log({"id": "1", "a": "a", "t": 1, "v": "x"}, {"id": "2", "a": "b", "t": 2, "v": "y"})
OTHER = log({"id": "2", "a": "b'", "t": 2}, {"id": "0", "a": "z", "t": 0, "v": "w"})


def test_f2_left() -> None:
    """F2: base [a,b], patch [b',z]: left → [a,b']; ids stay, null patches nothing, z counted."""
    out = BASE.apply(Patch(other=OTHER, key=["id"]))
    assert shown(out, "v") == [("1", "a", "x"), ("2", "b'", "y")]
    report = out.steps[0]
    assert report.counts == {"patched": 1, "unmatched": 1}
    assert (report.made, report.used, report.dropped) == (0, 0, {})


def test_f2_outer() -> None:
    """F2: outer → [a,b',z] in order O; what is added is told as made."""
    out = BASE.apply(Patch(other=OTHER, key=["id"], how="outer"))
    assert shown(out, "v") == [("0", "z", "w"), ("1", "a", "x"), ("2", "b'", "y")]
    report = out.steps[0]
    assert report.counts == {"patched": 1, "unmatched": 1}
    assert (report.made, report.used, report.dropped) == (1, 0, {})


def test_f2_ids_stay() -> None:
    """F2: by another key the event keeps its id and its source_ids, the patch's own are lost."""
    patch = log({"id": "9", "a": "A", "t": 7, "v": "y"})
    out = BASE.apply(Patch(other=patch, key=["v"]))
    assert shown(out, "v") == [("1", "a", "x"), ("2", "A", "y")]
    assert out.time.tolist() == [1_000_000, 7_000_000]


def test_f2_order_o() -> None:
    """F2, O: an event whose time is patched moves to its new place, its case too."""
    patch = log({"id": "1", "a": "a", "t": 5}, {"id": "2", "a": "b", "t": 2, "case": "b"})
    out = BASE.apply(Patch(other=patch, key=["id"]))
    assert [(row["id"], row["case"]) for row in out.to_dicts()] == [("2", "b"), ("1", "c")]
    assert out.offsets.tolist() == [0, 1, 2]


def test_f2_many_patches_to_one_key() -> None:
    """F2: many patches to one key → error, with a code and the parameter; nulls are no key."""
    twice = log({"id": "8", "a": "p", "t": 0, "v": "x"}, {"id": "9", "a": "q", "t": 0, "v": "x"})
    with pytest.raises(dl.TransformError, match="'8', '9'") as caught:
        BASE.apply(Patch(other=twice, key=["v"]))
    assert (caught.value.code, caught.value.path) == ("key-ambiguous", "key")
    nulls = log({"id": "8", "a": "p", "t": 0}, {"id": "9", "a": "q", "t": 0})
    out = BASE.apply(Patch(other=nulls, key=["v"]))
    assert out.steps[0].counts == {"patched": 0, "unmatched": 2}
    assert out.to_dicts() == BASE.to_dicts()


def test_f2_one_patch_to_many_events() -> None:
    """F2: one patch to many events is fine, in whatever case; a null key is patched by nothing."""
    base = log({"a": "p", "t": 1, "v": "x"}, {"a": "q", "t": 2, "v": "x", "case": "d"},
               {"a": "r", "t": 3})  # fmt: skip
    people = with_number(log({"a": "-", "t": 0, "v": "x"}), "team")
    out = base.apply(Patch(other=people, key=["v"], columns=["team"]))
    assert [(row["case"], row["activity"], row["team"]) for row in out.to_dicts()] == [
        ("c", "p", 1), ("c", "r", None), ("d", "q", 1),
    ]  # fmt: skip
    assert out.steps[0].counts == {"patched": 2, "unmatched": 0}


def test_f2_an_end_before_its_time() -> None:
    """F2: an end that would be before the patched time is set to it, and counted."""
    base = log({"id": "1", "a": "a", "t": 1, "end": 3})
    out = base.apply(Patch(other=log({"id": "1", "a": "a", "t": 5}), key=["id"]))
    assert out.last.tolist() == out.time.tolist() == [5_000_000]
    assert out.steps[0].counts["end_before_time"] == 1


def test_f2_columns_are_checked() -> None:
    """N: a column that is in neither log, or says which event it is, is an error with its path."""
    for params, path in (
        ({"key": ["nope"]}, "key.0"), ({"key": ["w"]}, "key"),
        ({"key": ["id"], "columns": ["nope"]}, "columns"),
        ({"key": ["v"], "columns": ["id"]}, "columns"),
    ):  # fmt: skip
        base = with_number(BASE, "w")
        with pytest.raises(dl.TransformError) as caught:
            base.apply(Patch(other=OTHER, **params))
        assert (caught.value.code, caught.value.path) == ("column-unknown", path)
    with pytest.raises(SpecError, match="key"):
        Patch(other=OTHER, key=[])
    with pytest.raises(dl.SchemaError, match="'v' is integer in one log and string"):
        with_number(BASE, "v").apply(Patch(other=OTHER, key=["id"]))


def test_f2_the_report_tells_of_the_other_log() -> None:
    """R: how the other log was read, and what its steps did, is in the step's report."""
    other = OTHER.apply(dl.Where(condition="v IS NULL"))
    told = BASE.apply(Patch(other=other, key=["id"])).steps[0].to_dict()["other"]
    assert told["reading"]["kept"] == 2
    assert [(step["transform"], step["out"]) for step in told["steps"]] == [("where", 1)]


def test_append() -> None:
    """O: events of both in order O, this log's first where equal; ids are there twice."""
    same = log({"id": "1", "a": "a", "t": 1, "v": "x"}, {"id": "7", "a": "d", "t": 2})
    out = BASE.apply(Append(other=same))
    assert [row["id"] for row in out.to_dicts()] == ["1", "1", "2", "7"]
    assert (out.steps[0].entered, out.steps[0].made, out.steps[0].out) == (2, 2, 4)
    once = out.apply(dl.Dedupe())
    assert [row["id"] for row in once.to_dicts()] == ["1", "2", "7"]
    assert BASE.apply(Append(other=BASE)).apply(dl.Dedupe()).to_dicts() == BASE.to_dicts()


def test_append_columns() -> None:
    """A column that one log lacks is null there; one of two types is an error."""
    out = with_number(BASE, "n").apply(Append(other=OTHER))
    assert [row["n"] for row in out.to_dicts()] == [None, 1, 1, None]
    with pytest.raises(dl.SchemaError, match="'v'"):
        BASE.apply(Append(other=with_number(BASE, "v")))
