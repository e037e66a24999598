"""The parameters that a document names by path, as a JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from distill_core.component import KINDS, Kind
from distill_core.errors import DistillError, SpecError
from distill_core.registry import find
from distill_core.wire._schemas import DIALECT, component_schema


def parameters(document: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON Schema of a document's ``params``: each is of the type of the field at its path.

    A value that the document has there is the default; else the field's own is, and a parameter
    without either is required. Raises SpecError (ComponentNotFound) if a path leads nowhere.

    >>> found = parameters({"query": {"name": "top", "params": {"by": ["activity"]}},
    ...                     "params": {"rows": "query.params.n", "by": "query.params.by"}})
    >>> found["properties"]["rows"]
    {'default': 10, 'description': 'how many rows', 'minimum': 1, 'title': 'N', 'type': 'integer'}
    >>> found["properties"]["by"]["default"]
    ['activity']
    """
    found: dict[str, Any] = {"$schema": DIALECT, "type": "object", "properties": {},
                             "additionalProperties": False}  # fmt: skip
    definitions: dict[str, Any] = {}
    required = []
    for name, path in (document.get("params") or {}).items():
        try:
            schema, defined, wanted = _field(document, path.split("."))
        except DistillError as error:
            raise error.at(f"params.{name}") from error.__cause__
        definitions |= defined
        found["properties"][name] = schema
        if wanted and "default" not in schema:
            required.append(name)
    if definitions:
        found["$defs"] = definitions
    return {**found, "required": required} if required else found


def _field(
    document: Mapping[str, Any], keys: Sequence[str]
) -> tuple[dict[str, Any], dict[str, Any], bool]:
    """The schema of what stands there, definitions, and whether the component requires it."""
    place = 2 if keys[0] == "transforms" else 1
    kind = cast("Kind", "transform" if place == 2 else keys[0])
    written = _item(document, keys[:place])
    name = written.get("name") if isinstance(written, Mapping) else written
    leads = keys[place : place + 1] == ["params"] and len(keys) > place + 1
    if kind not in KINDS or not isinstance(name, str) or not leads:
        raise _nowhere(keys)
    root = component_schema(find(kind, name))
    node: Any = root
    for key in keys[place + 1 :]:
        node = _inner(node, key, root)
        if node is None:
            raise _nowhere(keys)
    value = _item(document, keys)
    schema = {**node} if value is None else {**node, "default": value}
    wanted = keys[place + 1] in root.get("required", ()) and len(keys) == place + 2
    return schema, dict(root.get("$defs", {})), wanted


def _item(node: Any, keys: Sequence[str]) -> Any:
    """What the document has at this path; None: nothing."""
    for key in keys:
        if isinstance(node, Mapping):
            node = node.get(key)
        elif isinstance(node, list | tuple) and key.isdecimal() and int(key) < len(node):
            node = node[int(key)]
        else:
            return None
    return node


def _inner(node: Any, key: str, root: Mapping[str, Any]) -> Any:
    """The schema of a key in what a schema describes; None: there is none."""
    if "$ref" in node:
        node = root.get("$defs", {}).get(node["$ref"].rpartition("/")[2], {})
    for branch in (node, *node.get("anyOf", ()), *node.get("oneOf", ())):
        if branch is not node and (inner := _inner(branch, key, root)) is not None:
            return inner
        if key in branch.get("properties", {}):
            return branch["properties"][key]
        if key.isdecimal() and isinstance(branch.get("items"), Mapping):
            return branch["items"]
        if isinstance(branch.get("additionalProperties"), Mapping):
            return branch["additionalProperties"]
    return None


def _nowhere(keys: Sequence[str]) -> SpecError:
    return SpecError(
        f"{'.'.join(keys)!r} leads to no parameter of a component",
        code="spec-invalid",
        hint="write it as in query.params.where or transforms.0.params.gap",
    )
