"""Find columns, conditions and inputs in a component's parameters, however deeply nested."""

from __future__ import annotations

import types
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Self, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel

from distill_core.conditions import Condition
from distill_core.errors import DistillError
from distill_core.params import MICROSECOND, ColumnMarker, instant_text

Named = tuple[str, str, Condition | None]
Model = TypeVar("Model", bound=BaseModel)


class Earlier(ABC):
    """A value that is read before its component works; the one there is, is ``Input``."""

    @abstractmethod
    def plain(self) -> dict[str, Any]:
        """What ids are made of, and what is shown where it cannot be written."""

    @abstractmethod
    def components(self) -> Iterator[tuple[str, BaseModel]]:
        """The components that it consists of, with their paths; none: it has no written form."""

    @abstractmethod
    def explain(self) -> dict[str, Any]:
        """What would be read, as plain values."""

    @abstractmethod
    def checked(self) -> Self:
        """The same, as if it had been read and nothing were there."""

    @abstractmethod
    def read(self, *, strict: bool) -> Self:
        """The same, read."""


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
        case Earlier():
            return value.plain()
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


def earlier_values(
    value: Any, path: str = "", *, deep: bool = True
) -> Iterator[tuple[str, Earlier]]:
    """What is read before, with its path; ``deep``: and what is read before that."""
    if isinstance(value, Earlier):
        for inner, component in value.components() if deep else ():
            yield from earlier_values(component, f"{path}.{inner}.params")
        yield path, value
    for name, item in _items(value):
        yield from earlier_values(item, f"{path}.{name}" if path else name, deep=deep)


def with_earlier(model: Model, change: Callable[[Earlier], Earlier]) -> Model:
    """The component with ``change`` of each value that is read before; errors get its path."""
    new = {name: _changed(value, name, change) for name, value in _items(model)}
    same = all(new[name] is value for name, value in _items(model))
    return model if same else model.model_copy(update=new)


def _changed(value: Any, path: str, change: Callable[[Earlier], Earlier]) -> Any:
    if isinstance(value, Earlier):
        try:
            return change(value)
        except DistillError as error:
            raise error.at(path) from error.__cause__
    if isinstance(value, BaseModel | Mapping | list | tuple):
        olds = list(_items(value))
        news = [_changed(old, f"{path}.{name}", change) for name, old in olds]
        if any(old is not new for (_, old), new in zip(olds, news, strict=True)):
            return _rebuilt(value, news)
    return value


def _rebuilt(value: Any, items: list[Any]) -> Any:
    match value:
        case BaseModel():
            return value.model_copy(update=dict(zip(type(value).model_fields, items, strict=True)))
        case Mapping():
            return dict(zip(value, items, strict=True))
        case _:
            return type(value)(items)


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    match value:
        case BaseModel():
            yield from ((name, getattr(value, name)) for name in type(value).model_fields)
        case Mapping():
            yield from ((str(name), item) for name, item in value.items())
        case list() | tuple():
            yield from ((str(index), item) for index, item in enumerate(value))
