"""Find columns and conditions in a component's parameters, however deeply they are nested."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from distill_core.conditions import Condition
from distill_core.params import MICROSECOND, ColumnMarker, instant_text

Named = tuple[str, str, Condition | None]


def columns_named(model: BaseModel) -> Iterator[Named]:
    """(path, column, None) for each column name, (path, "", condition) for each condition."""
    for name, info in type(model).model_fields.items():
        marked = any(isinstance(m, ColumnMarker) for m in info.metadata)
        yield from _walk(info.annotation, getattr(model, name), info.alias or name, marked)


def _walk(annotation: Any, value: Any, path: str, marked: bool) -> Iterator[Named]:
    if value is None:
        return
    if isinstance(value, Condition):
        yield path, "", value
    elif isinstance(value, BaseModel):
        for inner, name, condition in columns_named(value):
            yield f"{path}.{inner}", name, condition
    elif get_origin(annotation) is Annotated:
        kind, *metadata = get_args(annotation)
        marked = marked or any(isinstance(m, ColumnMarker) for m in metadata)
        yield from _walk(kind, value, path, marked)
    elif get_origin(annotation) in (Union, types.UnionType):
        for kind in get_args(annotation):
            if kind is not type(None):
                yield from _walk(kind, value, path, marked)
    elif isinstance(value, str):
        if marked:
            yield path, value, None
    elif isinstance(value, list | tuple):
        kinds = [k for k in get_args(annotation) if k is not Ellipsis] or [Any]
        for index, item in enumerate(value):
            yield from _walk(kinds[min(index, len(kinds) - 1)], item, f"{path}.{index}", marked)
    elif isinstance(value, Mapping):
        key, kind = get_args(annotation) or (Any, Any)
        for name, item in value.items():
            yield from _walk(key, name, f"{path}.{name}", marked=False)
            yield from _walk(kind, item, f"{path}.{name}", marked=False)


def plain_params(model: BaseModel) -> dict[str, Any]:
    """The parameters that differ from their defaults, as plain values for a canonical text."""
    return {name: _plain(getattr(model, name)) for name, info in type(model).model_fields.items()
            if getattr(model, name) != info.get_default(call_default_factory=True)}  # fmt: skip


def _plain(value: Any) -> Any:
    match value:
        case Condition():
            return value.to_json()
        case BaseModel():
            return plain_params(value)
        case timedelta():
            return value // MICROSECOND
        case datetime():
            return instant_text(value)
        case Mapping():
            return {str(name): _plain(item) for name, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case str() | int() | float() | None:
            return value
        case _:
            return str(value)
