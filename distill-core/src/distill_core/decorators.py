"""Components from functions: ``@transform``, ``@model`` and ``@query``.

The first argument of the function is the log (for a query ``now``, which it may leave out); the
others, which need annotations, become the parameters::

    @transform(scope="event")
    def long_stays(log: EventLog, least: Duration = timedelta(seconds=10)) -> EventLog:
        return log.where(col("duration") >= least)

    log.apply(long_stays(least="30s"))

The result is a class with the function's name and docstring, as if it had been written out (its
static type is ``type[Any]``: parameters also take their written forms, such as ``"30s"``). What
its section ``Args:`` says of a parameter is that parameter's description.
"""

from __future__ import annotations

import abc
import inspect
import re
import sys
from collections.abc import Callable, Mapping
from textwrap import dedent
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, get_type_hints, overload

from pydantic import Field, create_model
from pydantic.fields import FieldInfo

from distill_core.component import Component, Model, Query, Scope, Selection, Transform

if TYPE_CHECKING:
    from distill_core.log import EventLog
    from distill_core.result import Result

Options = Mapping[str, Any]


@overload
def transform(function: Callable[..., EventLog], /) -> type[Any]: ...
@overload
def transform(
    *, name: str | None = ..., scope: Scope = ..., reads: tuple[str, ...] | None = ...
) -> Callable[[Callable[..., EventLog]], type[Any]]: ...
def transform(
    function: Callable[..., EventLog] | None = None,
    /,
    *,
    name: str | None = None,
    scope: Scope = "log",
    reads: tuple[str, ...] | None = None,
) -> Any:
    """A transform from a function of a log; see the module for the rules.

    ``scope`` and ``reads`` as in ``Transform``. Raises TypeError if a parameter has no annotation
    or takes the name of something that each component has.

    >>> @transform
    ... def first(log: "EventLog", n: int = 1) -> "EventLog":
    ...     "The first events."
    ...     return log.head(n)
    >>> first(n=2), first.__doc__
    (first(n=2), 'The first events.')
    """
    options = {"name": name, "scope": scope, "reads": reads}
    return _decorated(function, Transform, "apply", options)


@overload
def model(function: Callable[..., Result], /) -> type[Any]: ...
@overload
def model(
    *, name: str | None = ..., scope: Scope = ..., reads: tuple[str, ...] | None = ...
) -> Callable[[Callable[..., Result]], type[Any]]: ...
def model(
    function: Callable[..., Result] | None = None,
    /,
    *,
    name: str | None = None,
    scope: Scope = "log",
    reads: tuple[str, ...] | None = None,
) -> Any:
    """A model from a function of a log; see ``transform``.

    >>> from distill_core.columns import Column
    >>> from distill_core.result import Result
    >>> @model(name="size", reads=())
    ... def how_many(log: "EventLog") -> Result:
    ...     return Result.table([Column("events", type="integer")], [{"events": len(log)}])
    >>> how_many()
    how_many()
    """
    options = {"name": name, "scope": scope, "reads": reads}
    return _decorated(function, Model, "compute", options)


@overload
def query(function: Callable[..., Selection], /) -> type[Any]: ...
@overload
def query(*, name: str | None = ...) -> Callable[[Callable[..., Selection]], type[Any]]: ...
def query(
    function: Callable[..., Selection] | None = None, /, *, name: str | None = None
) -> Any:
    """A query from a function that returns a selection; a first argument ``now`` is the moment.

    >>> from datetime import UTC, datetime
    >>> from distill_core.conditions import col
    >>> @query
    ... def of_tool(tool: str) -> Selection:
    ...     return Selection(where=col("tool") == tool)
    >>> str(of_tool(tool="shop").select(datetime.now(UTC)).where)
    "tool = 'shop'"
    """
    return _decorated(function, Query, "select", {"name": name})


def _decorated(
    function: Callable[..., Any] | None, base: Any, method: str, options: Options
) -> Any:
    if function is None:
        return lambda function: _made(function, base, method, options)
    return _made(function, base, method, options)


def _made(function: Callable[..., Any], base: Any, method: str, options: Options) -> Any:
    """The class: the parameters as fields, and one method that calls the function."""
    parameters = list(_signature(function).parameters.values())
    takes_first = base is not Query or bool(parameters and parameters[0].name == "now")
    if takes_first and not parameters:
        raise TypeError(f"{function.__qualname__} takes nothing; its first argument is the log")
    fields = _fields(function, base, parameters[takes_first:])

    def call(self: Any, first: Any) -> Any:
        given = {name: getattr(self, name) for name in fields}
        return function(first, **given) if takes_first else function(**given)

    cls = create_model(  # type: ignore[call-overload]
        function.__name__,
        __base__=base,
        __module__=function.__module__,
        __cls_kwargs__={"name": options["name"] or function.__name__},
        **fields,
    )
    call.__name__, call.__doc__ = method, function.__doc__
    own = {"__qualname__": function.__qualname__, "__doc__": function.__doc__, method: call}
    for name, value in {**options, **own}.items():
        if name != "name":
            type.__setattr__(cls, name, value)
    return abc.update_abstractmethods(cls)


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    """The signature; a name that only type checkers know must not stop it."""
    if sys.version_info >= (3, 14):
        from annotationlib import Format

        return inspect.signature(function, annotation_format=Format.FORWARDREF)
    return inspect.signature(function)


def _fields(
    function: Callable[..., Any], base: type[Component], parameters: list[inspect.Parameter]
) -> dict[str, tuple[Any, FieldInfo]]:
    where = function.__qualname__
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise TypeError(f"{where}: parameters are named one by one, not by {parameter}")
        if parameter.annotation is parameter.empty:
            raise TypeError(f"{where}: the parameter {parameter.name!r} needs an annotation")
        if hasattr(base, parameter.name):
            raise TypeError(f"{where}: no parameter can be called {parameter.name!r}")
    written = SimpleNamespace(__annotations__={p.name: p.annotation for p in parameters})
    try:
        hints = get_type_hints(written, function.__globals__, include_extras=True)
    except NameError as error:
        raise TypeError(f"{where}: {error}; annotations must name what its module has") from error
    told = _told(function.__doc__ or "")
    return {p.name: (hints[p.name], _info(p, told.get(p.name))) for p in parameters}


def _info(parameter: inspect.Parameter, description: str | None) -> FieldInfo:
    if isinstance(parameter.default, FieldInfo):
        return parameter.default
    default = ... if parameter.default is parameter.empty else parameter.default
    told = {} if description is None else {"description": description}
    info: FieldInfo = Field(default, validate_default=True, **told)  # type: ignore[call-overload]
    return info


def _told(docstring: str) -> dict[str, str]:
    """What the section ``Args:`` says of each parameter."""
    section = re.search(r"^Args:\n((?:[ \t]+.*\n?|\n)+)", inspect.cleandoc(docstring), re.MULTILINE)
    if not section:
        return {}
    found = re.findall(r"^(\w+)(?: \(.*?\))?:\s+((?:.|\n(?= ))+)", dedent(section[1]), re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in found}
