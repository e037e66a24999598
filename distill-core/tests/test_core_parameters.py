"""Wrong parameters in Python: errors in the words of the command line."""

from __future__ import annotations

import inspect
import pickle

import pytest

import distill_core as dl
from distill_core import wire
from distill_core.errors import DistillError, SpecError
from distill_core.pipeline import compute


@pytest.mark.parametrize(
    ("make", "path", "says"),
    [
        (lambda: dl.Sessionize(gpa="30m"), "gpa", "did you mean 'gap'?"),
        (lambda: dl.Segment(size="10s"), "size", "'segment' has no parameter 'size'"),
        (lambda: dl.Sessionize(gap="soon"), "gap", "'soon' is no duration"),
        (lambda: dl.Match(pattern="a b within 60"), None, "'60' is no duration"),
        (lambda: dl.Where(condition="activity ="), "condition", "at position 10"),
    ],
)
def test_wrong_parameters_are_told_in_words(make, path, says):
    """A component made in Python raises DistillError with path and hint, and no pydantic page."""
    with pytest.raises(DistillError) as caught:
        make()
    assert (caught.value.path or None) == path
    assert says in str(caught.value)
    assert "pydantic" not in str(caught.value)


def test_python_and_documents_say_the_same():
    """The error in Python is that of a document, less the path to the component."""
    with pytest.raises(SpecError) as python:
        dl.Sessionize(gpa="30m")
    with pytest.raises(SpecError) as document:
        wire.build("transform", {"name": "sessionize", "params": {"gpa": "30m"}}, "transforms.0")
    assert document.value.path == f"transforms.0.params.{python.value.path}"
    assert document.value.message == python.value.message
    assert document.value.hint == python.value.hint


def test_parameters_are_given_by_name():
    """A positional argument is refused with the name that is probably meant; none is in sight."""
    with pytest.raises(TypeError, match=r"parameters are given by name: Where\(condition=…\)"):
        dl.Where("activity = 'brew'")
    assert list(inspect.signature(dl.Sessionize).parameters) == ["gap", "as_case"]


def test_components_still_pickle_and_copy():
    """Nothing but a call of the class with wrong parameters has changed."""
    step = dl.Sessionize(gap="30m")
    assert pickle.loads(pickle.dumps(step)) == step.model_copy() == step


def test_a_misspelt_name_of_the_module():
    """`dl.Sessionise` says which name is meant; a name that is near nothing says nothing."""
    with pytest.raises(AttributeError, match=r"did you mean 'Sessionize'\?"):
        dl.Sessionise
    with pytest.raises(AttributeError, match=r"no attribute 'Xyzzy'$"):
        dl.Xyzzy


@pytest.mark.parametrize("text", ["30min", "30 min", "30 m", "1800s", "PT30M"])
def test_durations_as_people_write_them(text):
    """`30min` and a space before the unit are a duration too; the written form stays short."""
    assert dl.Sessionize(gap=text).params()["gap"] == "30m"


def test_a_day_with_a_space_is_still_one_of_the_calendar():
    """`1 d` is `1d`, a day of the zone, and not 24 hours."""
    assert dl.Segment(every="1 d") == dl.Segment(every="1d") != dl.Segment(every="24 h")


def test_a_model_that_returns_something_else():
    """A model that returns no Result is told how to make one."""

    @dl.model
    def rows(log):
        return [{"n": len(log)}]

    log = dl.EventLog.from_frame(
        [{"c": "a", "a": "x", "t": 0}], case="c", activity="a", time="t", unit="s"
    )
    with pytest.raises(dl.ModelError, match="'rows' returned list, not a Result") as caught:
        compute(rows(), log)
    assert "Result.table(columns, rows)" in caught.value.hint


def test_a_result_prints_as_a_line():
    """However many rows a result has, its repr is one short line."""
    rows = [{"n": n} for n in range(5_000)]
    assert repr(dl.Result.table([dl.Column("n", type="integer")], rows)) == (
        "<Result table: 5,000 rows of n>"
    )
