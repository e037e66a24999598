"""What a component says about wrong parameters, as an error with a path into the document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from distill_core.errors import DistillError, SpecError, nearest

Fault = Mapping[str, Any]


def invalid(cls: type[BaseModel], error: ValidationError, params: Any) -> DistillError:
    """The first fault as an error whose path starts at the parameters; others are counted.

    A fault that a parameter's own type reports as a DistillError (a condition) stays that error.
    """
    found = error.errors(include_url=False)
    found.sort(key=lambda fault: fault["type"] != "extra_forbidden")  # what is missing is misspelt
    faults = [(_path(fault, params), fault) for fault in found]
    path, first = faults[0]
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, DistillError):
        return cause.at(path)
    others = sorted({p for p, _ in faults} - {path})
    more = f"; also wrong: {', '.join(others)}" if others else ""
    messages = [_message(cls, fault) for p, fault in faults if p == path]
    return SpecError(
        "; or ".join(dict.fromkeys(messages)) + more,
        code="param-invalid",
        hint=_hint(cls, first),
        path=path or None,
    )


def _path(fault: Fault, params: Any) -> str:
    """The place in the document: pydantic's own, less the names of a union's branches."""
    parts: list[str] = []
    value = params
    for part in fault["loc"]:
        item = isinstance(value, Sequence) and isinstance(part, int) and part < len(value)
        if item or (isinstance(value, Mapping) and part in value):
            value = value[part]
        elif fault["type"] != "missing" or part != fault["loc"][-1]:
            continue
        parts.append(str(part))
    return ".".join(parts)


def _message(cls: type[BaseModel], fault: Fault) -> str:
    match fault["type"]:
        case "missing":
            return "a value is required"
        case "extra_forbidden" if len(fault["loc"]) == 1:
            name = getattr(cls, "__component__", cls.__name__)
            return f"{name!r} has no parameter {fault['loc'][0]!r}"
        case "extra_forbidden" | "unexpected_keyword_argument":
            return f"there is no {fault['loc'][-1]!r} here"
        case "value_error" | "assertion_error":
            return str(fault["ctx"]["error"])
        case _:
            return str(fault["msg"])


def _hint(cls: type[BaseModel], fault: Fault) -> str | None:
    """What to do: the nearest parameter, or how to write text that looks like a number."""
    if fault["type"] == "extra_forbidden" and len(fault["loc"]) == 1:
        return nearest(str(fault["loc"][0]), parameters(cls))
    if fault["type"] == "missing":
        info = cls.model_fields.get(str(fault["loc"][0]))
        return info.description if info else None
    if fault["type"] == "string_type" and isinstance(fault["input"], int | float):
        return 'text that looks like a number or true, false needs quotes: "12"'
    return None


def parameters(cls: type[BaseModel]) -> list[str]:
    """The names of the parameters as documents have them."""
    return [info.alias or name for name, info in cls.model_fields.items()]
