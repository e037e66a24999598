"""Conditions: a test on one event, as one small frozen tree.

Text (``parse``), Python (``col``) and JSON (``Condition.from_json``) lead to the same tree.
``bind`` gives its literals the columns' types, ``evaluate`` and ``mask`` run it on numpy, with the
three-valued logic of SQL; ``without`` makes what a source may be asked instead.

>>> parse("activity = 'click'") == (col("activity") == "click")
True
"""

from __future__ import annotations

from distill_core.conditions.bind import bind
from distill_core.conditions.evaluate import Table, evaluate, mask
from distill_core.conditions.literals import Value
from distill_core.conditions.python import Col, col
from distill_core.conditions.superset import without
from distill_core.conditions.text import parse
from distill_core.conditions.tree import (
    MAX_DEPTH,
    And,
    Compare,
    Condition,
    In,
    Like,
    Matches,
    Not,
    Null,
    Op,
    Or,
)

__all__ = [
    "MAX_DEPTH",
    "And",
    "Col",
    "Compare",
    "Condition",
    "In",
    "Like",
    "Matches",
    "Not",
    "Null",
    "Op",
    "Or",
    "Table",
    "Value",
    "bind",
    "col",
    "evaluate",
    "mask",
    "parse",
    "without",
]
