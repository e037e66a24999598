"""Components from functions: what becomes a parameter, what is refused, what pickles."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import pytest
from pydantic import Field

import distill_core as dl
from distill_core.component import Model, Query, Transform, component_name
from distill_core.errors import SpecError
from distill_core.params import ColumnName, Duration

if TYPE_CHECKING:
    from decimal import Decimal


@dl.transform
def long_stays(
    log: dl.EventLog,
    least: Duration = "1s",
    *,
    columns: tuple[ColumnName, ...] = (),
    name: Annotated[str, Field(description="by Field")] = "x",
) -> dl.EventLog:
    """Only intervals that last.

    Args:
        least: shorter ones go,
            however many there are
        columns (optional): these

    Returns:
        something: else
    """
    return log.where(dl.col("duration") >= least)


@dl.transform(name="first", scope="case", reads=("page",))
def head_of_case(log: dl.EventLog, n: int) -> dl.EventLog:
    """The first ones."""
    return log.head(n)


@dl.model
def size(log: dl.EventLog, name: str = "events") -> dl.Result:
    """How many."""
    return dl.Result.table([dl.Column(name, type="integer")], [{name: len(log)}])


@dl.query
def last(now: datetime, span: Duration) -> dl.Selection:
    """The newest."""
    return dl.Selection(where=dl.col("time") >= now - span)


@dl.query(name="of_tool")
def tool(value: str) -> dl.Selection:
    """Of a tool."""
    return dl.Selection(where=dl.col("tool") == value)


LOG = [{"c": "a", "a": str(n), "t": n, "e": n + n * 1000} for n in range(3)]


@pytest.fixture
def log():
    """Three intervals of 0, 1 and 2 s."""
    return dl.EventLog.from_frame(LOG, case="c", activity="a", time="t", end="e", unit="ms")


def test_a_transform(log):
    """The function becomes a class of its name; parameters have types, defaults, descriptions."""
    assert issubclass(long_stays, Transform)
    assert component_name(long_stays) == "long_stays"
    assert long_stays.__doc__.startswith("Only intervals that last.")
    fields = long_stays.model_fields
    assert list(fields) == ["least", "columns", "name"]
    assert [info.description for info in fields.values()] == [
        "shorter ones go, however many there are", "these", "by Field",
    ]  # fmt: skip
    assert long_stays().least == timedelta(seconds=1)
    assert len(log.apply(long_stays(least="2s"))) == 1
    assert long_stays(columns=["page"]).named_columns() == {"page"}
    with pytest.raises(SpecError):
        long_stays(lest="2s")


def test_options(log):
    """Name, scope and reads are the class's own; a parameter without default is required."""
    assert (component_name(head_of_case), head_of_case.scope) == ("first", "case")
    assert head_of_case.reads == ("page",)
    assert (long_stays.scope, long_stays.reads) == ("log", None)
    assert len(log.apply(head_of_case(n=2))) == 2
    with pytest.raises(SpecError):
        head_of_case()


def test_a_model(log):
    """A model computes what the function returns."""
    assert issubclass(size, Model)
    assert size(name="n").compute(log).rows == [{"n": 3}]


def test_queries():
    """A query gets the moment if its first parameter is called `now`, else it does not."""
    now = datetime(2026, 1, 2, tzinfo=UTC)
    assert issubclass(last, Query)
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    assert last(span="1d").select(now).where == (dl.col("time") >= moment)
    assert tool(value="shop").select(now).where == (dl.col("tool") == "shop")


def test_components_pickle():
    """What is made at the top of a module pickles and copies."""
    for one in (long_stays(least="5s"), head_of_case(n=2), size(), last(span="1d")):
        assert pickle.loads(pickle.dumps(one)) == one


def no_annotation(log, n):
    """Has none."""


def many(log, *n: int):
    """Has a star."""


def keywords(log, **n: int):
    """Has two stars."""


def taken(log, apply: int = 1):
    """Takes a name of the class."""


def unknown(log, n: Decimal):
    """Names what only type checkers know."""


def nothing():
    """Takes nothing."""


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (no_annotation, "'n' needs an annotation"),
        (many, "one by one"),
        (keywords, "one by one"),
        (taken, "can be called 'apply'"),
        (unknown, "'Decimal' is not defined"),
        (nothing, "takes nothing"),
    ],
)
def test_functions_that_are_no_component(function, says):
    """What cannot become a parameter is refused at once, in words."""
    with pytest.raises(TypeError, match=says):
        dl.transform(function)
