"""Patterns of events in their order: ``load (click | tap)+ !support purchase within 60s``.

``parse`` makes a small frozen tree of the text, ``compiled`` makes of it what a matcher needs: the
places at which an event is taken, and which may follow which. Neither knows of logs or columns.
"""

from __future__ import annotations

from distill_core.patterns.program import Entry, Program, compiled
from distill_core.patterns.text import parse
from distill_core.patterns.tree import Choice, Forbidden, Node, Pattern, Repeat, Sequence, Step

__all__ = [
    "Choice",
    "Entry",
    "Forbidden",
    "Node",
    "Pattern",
    "Program",
    "Repeat",
    "Sequence",
    "Step",
    "compiled",
    "parse",
]
