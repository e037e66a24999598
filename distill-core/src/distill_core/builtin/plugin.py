"""Hooks of the core's own plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distill_core.hookspec import hookimpl

if TYPE_CHECKING:
    from distill_core.component import Query, Schema, Transform


@hookimpl
def distill_schemas() -> list[type[Schema]]:
    """The schema that is written in a document."""
    from distill_core.builtin.fields import Fields

    return [Fields]


@hookimpl
def distill_queries() -> list[type[Query]]:
    """Which events are asked for."""
    from distill_core.builtin.events import Events

    return [Events]


@hookimpl
def distill_transforms() -> list[type[Transform]]:
    """The plain steps, one file each."""
    return []
