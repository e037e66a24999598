"""What may be asked without some columns: the same condition or a weaker one, never a stronger."""

from __future__ import annotations

from collections.abc import Collection

from distill_core.conditions.tree import And, Condition, Not, Or


def without(condition: Condition, names: Collection[str]) -> Condition | None:
    """A condition that does not use the columns ``names`` and is true wherever this one is.

    None: no restriction. NOT is pushed inward first, since the opposite of a weaker condition
    is a stronger one.

    >>> from distill_core.conditions import parse
    >>> without(parse("a = 1 AND NOT (b = 2 OR c = 3)"), {"b"})
    parse("a = 1 AND NOT (c = 3)")
    >>> without(parse("a = 1 OR b = 2"), {"b"}) is None
    True
    """
    return _weaker(condition, frozenset(names), negated=False)


def _weaker(condition: Condition, names: frozenset[str], *, negated: bool) -> Condition | None:
    if condition.columns.isdisjoint(names):
        return Not(condition) if negated else condition
    match condition:
        case Not(of):
            return _weaker(of, names, negated=not negated)
        case And(parts) | Or(parts):
            found = [_weaker(part, names, negated=negated) for part in parts]
            kept = [part for part in found if part is not None]
            if isinstance(condition, Or) == negated:  # all have to hold: a part may be left out
                return _joined(And, kept)
            return _joined(Or, kept) if len(kept) == len(found) else None
        case _:
            return None


def _joined(kind: type[And | Or], parts: list[Condition]) -> Condition | None:
    return kind(tuple(parts)) if len(parts) > 1 else next(iter(parts), None)
