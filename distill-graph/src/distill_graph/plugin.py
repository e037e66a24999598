"""Hooks of the plugin ``graph``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distill_core.hookspec import hookimpl

if TYPE_CHECKING:
    from distill_core.component import Model


@hookimpl
def distill_models() -> list[type[Model]]:
    """What directly follows what."""
    from distill_graph.transitions import Transitions

    return [Transitions]
