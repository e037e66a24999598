"""Graphs of behaviour for Distill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distill_graph.transitions import Transitions

__all__ = ["Transitions"]


def __getattr__(name: str) -> Any:
    # Components load on first use: importing the package costs next to nothing.
    if name == "Transitions":
        from distill_graph.transitions import Transitions

        return Transitions
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
