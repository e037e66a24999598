"""The hooks of a plugin: one for each kind of component, without arguments.

A plugin is a distribution with an entry point in the group ``distill`` that names a module of
hooks. A hook returns a list of classes and imports them inside itself, so that what nobody uses
is never loaded; the modules of the classes import heavy libraries inside methods. In
``pyproject.toml``::

    [project.entry-points.distill]
    example = "distill_example.plugin"
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from distill_core.component import Model, Query, Schema, Source, Transform

__all__ = [
    "distill_models",
    "distill_queries",
    "distill_schemas",
    "distill_sources",
    "distill_transforms",
    "hookimpl",
]

hookspec = pluggy.HookspecMarker("distill")
hookimpl = pluggy.HookimplMarker("distill")
"""Marks a function of a plugin as a hook."""


@hookspec
def distill_sources() -> list[type[Source]]:  # type: ignore[empty-body]
    """Sources: they read documents.

    >>> from distill_core.component import Source
    >>> from distill_core.hookspec import hookimpl
    >>> class Two(Source):
    ...     "Two documents."
    ...     def read(self, request, scan):
    ...         yield [{"user": "ann", "did": "open"}, {"user": "ann", "did": "close"}]
    >>> @hookimpl
    ... def distill_sources():
    ...     return [Two]
    """


@hookspec
def distill_schemas() -> list[type[Schema]]:  # type: ignore[empty-body]
    """Schemas: they say which columns there are and where documents keep them.

    >>> from distill_core.columns import Column
    >>> from distill_core.component import Schema
    >>> from distill_core.hookspec import hookimpl
    >>> class Till(Schema):
    ...     "Documents of a till."
    ...     def columns(self):
    ...         return (Column("case", ("receipt",)), Column("activity", ("key",)),
    ...                 Column("time", ("at",), type="time", unit="s", required=True))
    >>> @hookimpl
    ... def distill_schemas():
    ...     return [Till]
    """


@hookspec
def distill_queries() -> list[type[Query]]:  # type: ignore[empty-body]
    """Queries: they say which events are asked for.

    >>> from datetime import timedelta
    >>> from distill_core.component import Query, Selection
    >>> from distill_core.conditions import col
    >>> from distill_core.hookspec import hookimpl
    >>> class LastWeek(Query):
    ...     "The events of the last seven days."
    ...     def select(self, now):
    ...         return Selection(where=col("time") >= now - timedelta(days=7))
    >>> @hookimpl
    ... def distill_queries():
    ...     return [LastWeek]
    """


@hookspec
def distill_transforms() -> list[type[Transform]]:  # type: ignore[empty-body]
    """Transforms: event log to event log.

    >>> from distill_core.component import Transform
    >>> from distill_core.hookspec import hookimpl
    >>> class DropFirst(Transform):
    ...     "The log without its first event."
    ...     def apply(self, log):
    ...         import numpy as np
    ...         return log.keep(np.arange(len(log)) > 0, "first")
    >>> @hookimpl
    ... def distill_transforms():
    ...     return [DropFirst]
    """


@hookspec
def distill_models() -> list[type[Model]]:  # type: ignore[empty-body]
    """Models: event log to result.

    >>> from distill_core.columns import Column
    >>> from distill_core.component import Model
    >>> from distill_core.hookspec import hookimpl
    >>> class Size(Model):
    ...     "How many events there are."
    ...     def compute(self, log):
    ...         from distill_core.result import Result
    ...         return Result.table([Column("events", type="integer")], [{"events": len(log)}])
    >>> @hookimpl
    ... def distill_models():
    ...     return [Size]
    """
