"""The tree of a pattern: frozen nodes, equal by value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Step:
    """One event is taken: one that fits the step ``name``."""

    name: str


@dataclass(frozen=True)
class Forbidden:
    """Between the steps around it no event fits ``name``."""

    name: str


@dataclass(frozen=True)
class Sequence:
    """One after the other; at least two."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Choice:
    """One of them, an earlier one rather than a later; at least two."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Repeat:
    """``of`` at least ``low`` and at most ``high`` times (None: any number), rather more."""

    of: Node
    low: int
    high: int | None


Node = Step | Forbidden | Sequence | Choice | Repeat


@dataclass(frozen=True)
class Pattern:
    """``root``, and how long a match may last."""

    root: Node
    within: timedelta | None = None
