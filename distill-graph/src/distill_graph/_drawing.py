"""A directly-follows graph as SVG."""

from __future__ import annotations

from distill_core.picture import Picture, table_picture
from distill_core.result import Result


def draw_transitions(result: Result) -> Picture:
    """See ``Transitions.draw``."""
    return table_picture(result, title="Transitions")
