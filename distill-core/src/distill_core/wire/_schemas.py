"""JSON Schemas of pipeline documents and of components, for editors and other programs."""

from __future__ import annotations

import inspect
from typing import Any

from pydantic.errors import PydanticInvalidForJsonSchema

from distill_core.component import KINDS, Component, component_name
from distill_core.registry import components

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def component_schema(cls: type[Component]) -> dict[str, Any]:
    """The JSON Schema of a component's parameters.

    >>> from distill_core.builtin.events import Events
    >>> component_schema(Events)["properties"]["limit"]["description"]
    'at most so many events'
    """
    return {"$schema": DIALECT, **_params(cls, "#/$defs/{model}")}


def _params(cls: type[Component], refs: str) -> dict[str, Any]:
    try:
        found = cls.model_json_schema(ref_template=refs)
    except PydanticInvalidForJsonSchema:
        found = {"type": "object"}  # a stranger's type that has none
    return {**found, "title": component_name(cls), "description": inspect.getdoc(cls) or ""}


def document_schema() -> dict[str, Any]:
    """The JSON Schema of a pipeline document, with every installed component.

    >>> sorted(document_schema()["properties"])
    ['model', 'query', 'schema', 'source', 'stream', 'transforms']
    """
    definitions: dict[str, Any] = {}
    forms: dict[str, Any] = {}
    for kind in KINDS:
        named: list[dict[str, Any]] = []
        for entry in components(kind):
            key = f"{kind}.{entry.name}"
            definitions[key] = _params(entry.cls, f"#/$defs/{key}/$defs/{{model}}")
            required = ["name", "params"] if definitions[key].get("required") else ["name"]
            properties = {"name": {"const": entry.name}, "params": {"$ref": f"#/$defs/{key}"}}
            named.append({"type": "object", "properties": properties, "required": required,
                          "additionalProperties": False})  # fmt: skip
        forms[kind] = {"anyOf": [{"type": "string"}, *named]}
    properties = {kind: forms[kind] for kind in ("source", "schema", "query", "model")}
    properties["transforms"] = {"type": "array", "items": forms["transform"]}
    properties["stream"] = {"type": "string"}
    return {
        "$schema": DIALECT,
        "title": "Distill pipeline",
        "type": "object",
        "properties": properties,
        "required": ["source"],
        "additionalProperties": False,
        "$defs": definitions,
    }
