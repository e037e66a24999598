"""The JSON form of conditions, out and in: plain objects without nulls."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from distill_core.conditions.literals import Value, literal, short
from distill_core.conditions.tree import (
    MAX_DEPTH,
    OPS,
    And,
    Compare,
    Condition,
    In,
    Like,
    Matches,
    Not,
    Null,
    Or,
)
from distill_core.errors import ConditionError, nearest
from distill_core.params import duration_text, instant_text

_KEYS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(OPS, ("column",)),  # and "value" or "other"
    "in": ("column", "values"), "like": ("column", "pattern"), "matches": ("column", "pattern"),
    "null": ("column",), "and": ("all",), "or": ("any",), "not": ("of",),
}  # fmt: skip


def to_json(condition: Condition) -> dict[str, Any]:
    """See ``Condition.to_json``."""
    match condition:
        case Compare(op, column, None, other):
            return {"op": op, "column": column, "other": other}
        case Compare(op, column, value):
            return {"op": op, "column": column, "value": _plain(value)}
        case In(column, values):
            return {"op": "in", "column": column, "values": [_plain(v) for v in values]}
        case Like(column, pattern):
            return {"op": "like", "column": column, "pattern": pattern}
        case Matches(column, pattern):
            return {"op": "matches", "column": column, "pattern": pattern}
        case Null(column):
            return {"op": "null", "column": column}
        case And(parts):
            return {"op": "and", "all": [to_json(part) for part in parts]}
        case Or(parts):
            return {"op": "or", "any": [to_json(part) for part in parts]}
        case Not(of):
            return {"op": "not", "of": to_json(of)}
    raise TypeError(f"{type(condition).__name__} is no condition")


def _plain(value: Value | None) -> str | int | float | bool | None:
    if isinstance(value, datetime):
        return instant_text(value)
    return duration_text(value) if isinstance(value, timedelta) else value


def from_json(obj: object) -> Condition:
    """See ``Condition.from_json``."""
    return _read(obj, "", 0)


def _read(obj: object, path: str, depth: int) -> Condition:
    if not isinstance(obj, Mapping):
        raise _error(f"a condition is an object with an op, not {short(obj)}", path)
    op = obj.get("op")
    if not isinstance(op, str) or op not in _KEYS:
        hint = nearest(op, _KEYS) if isinstance(op, str) else f"there are: {', '.join(_KEYS)}"
        raise _error(f"{short(op)} is no op of a condition", _at(path, "op"), hint)
    wanted = _KEYS[op]
    if op in OPS:
        if ("value" in obj) == ("other" in obj):
            raise _error(f"{op!r} has a value or another column, one of the two", path)
        wanted = (*wanted, "value" if "value" in obj else "other")
    if missing := [key for key in wanted if key not in obj]:
        raise _error(f"{op!r} needs {missing[0]!r}", path)
    if extra := [key for key in obj if key not in ("op", *wanted)]:
        raise _error(f"{op!r} has no {short(extra[0])}", path, f"it has {', '.join(wanted)}")
    if depth > MAX_DEPTH:
        raise _error(f"conditions nest at most {MAX_DEPTH} deep", path)
    match op:
        case "and":
            return _build(path, And, _parts(obj, "all", path, depth))
        case "or":
            return _build(path, Or, _parts(obj, "any", path, depth))
        case "not":
            return _build(path, Not, _read(obj["of"], _at(path, "of"), depth + 1))
    return _leaf(obj, path)


def _leaf(obj: Mapping[str, Any], path: str) -> Condition:
    column = _string(obj, "column", path)
    match obj["op"]:
        case "in":
            values = enumerate(_list(obj, "values", path))
            found = (_value(value, _at(path, f"values.{index}")) for index, value in values)
            return _build(path, In, column, tuple(found))
        case "like" | "matches" as op:
            pattern = _string(obj, "pattern", path, empty=True)
            return _build(path, Like if op == "like" else Matches, column, pattern)
        case "null":
            return _build(path, Null, column)
        case op if "other" in obj:
            return _build(path, Compare, op, column, other=_string(obj, "other", path))
        case op:
            return _build(path, Compare, op, column, _value(obj["value"], _at(path, "value")))


def _parts(obj: Mapping[str, Any], key: str, path: str, depth: int) -> tuple[Condition, ...]:
    return tuple(
        _read(part, _at(path, f"{key}.{index}"), depth + 1)
        for index, part in enumerate(_list(obj, key, path))
    )


def _build(path: str, kind: type[Condition], *args: Any, **named: Any) -> Condition:
    """A node; what it refuses is a fault of the JSON at ``path``."""
    try:
        return kind(*args, **named)
    except ConditionError as error:
        raise _error(error.message, path, error.hint) from None


def _value(value: object, path: str) -> Value:
    if not isinstance(value, str | int | float):
        raise _error(f"{short(value)} is no text, number or truth value", path)
    try:
        return literal(value)
    except ConditionError as error:
        raise _error(error.message, path, error.hint) from None


def _string(obj: Mapping[str, Any], key: str, path: str, *, empty: bool = False) -> str:
    value = obj[key]
    if not isinstance(value, str) or not (value or empty):
        what = "text" if empty else "name of a column"
        raise _error(f"{short(value)} is no {what}", _at(path, key))
    return value


def _list(obj: Mapping[str, Any], key: str, path: str) -> list[Any] | tuple[Any, ...]:
    value = obj[key]
    if not isinstance(value, list | tuple) or not value:
        raise _error(f"{key!r} is a list of at least one", _at(path, key))
    return value


def _at(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _error(message: str, path: str, hint: str | None = None) -> ConditionError:
    return ConditionError(message, code="condition-json", hint=hint, path=path or None)
