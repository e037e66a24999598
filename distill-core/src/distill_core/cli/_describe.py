"""``distill describe``: a component in words, its parameters and an example."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from typing import Any

import typer

from distill_core.cli._output import put, put_json, put_table
from distill_core.cli._plugins import summary
from distill_core.component import KINDS, Component, Kind, Schema
from distill_core.errors import nearest
from distill_core.registry import components, find_entry
from distill_core.wire import component_schema

SPECIAL = {
    "duration": "duration (500ms, 2s, 30m, PT30M)",
    "date-time": "time (2026-01-31T12:00:00Z)",
    "moment": "moment (2026-01-31T12:00:00Z, 2026-01-31, -7d, today, last week)",
    "column": "column",
    "condition": "condition (SQL, as in activity = 'click')",
    "secret": "secret (env:NAME, file:PATH)",
    "pipeline": "pipeline (a table of source, schema, …, or a configured name)",
}
"""Format in JSON Schema → the type in words."""


def describe(kind: str, name: str | None, as_json: bool) -> None:
    """A component, or all of a kind; in place of a kind the name of a component will do."""
    if name is not None:
        describe_component(kind, name, as_json)
    elif kind in KINDS:
        list_components(kind, as_json)
    else:
        found = [entry for known in KINDS for entry in components(known) if entry.name == kind]
        if not found:
            _kind(kind)
        for entry in found:
            describe_component(entry.kind, entry.name, as_json)


def list_components(kind: str, as_json: bool) -> None:
    """The components of a kind."""
    entries = components(_kind(kind))
    if as_json:
        put_json([{"name": e.name, "from": e.origin, "summary": summary(e.cls)} for e in entries])
    else:
        put_table(["name", "what it does", "from"],
                  [(e.name, summary(e.cls), e.origin) for e in entries])  # fmt: skip


def describe_component(kind: str, name: str, as_json: bool) -> None:
    """One component; as JSON its JSON Schema."""
    entry = find_entry(_kind(kind), name)
    schema = component_schema(entry.cls)
    if as_json:
        put_json(schema)
        return
    put(f"{kind} {name} ({entry.origin})\n\n{inspect.getdoc(entry.cls) or ''}\n")
    rows = list(_parameters(schema))
    if rows:
        put_table(["parameter", "type", "default", "meaning"], rows)
    put(f"\nIn a pipeline:\n\n{example(entry.cls, kind, name)}")
    if isinstance(found := _default(entry.cls), Schema):
        columns = [(c.name, c.type, c.unit, ", ".join(c.paths), c.description)
                   for c in found.all_columns()]  # fmt: skip
        put("")
        put_table(["column", "type", "unit", "from", "meaning"], columns)


def _kind(kind: str) -> Kind:
    if kind not in KINDS:
        names = {entry.name for known in KINDS for entry in components(known)}
        hint = nearest(kind, [*KINDS, *names])
        hint = hint if hint.startswith("did") else nearest(kind, KINDS)
        raise typer.BadParameter(f"there is no kind or component {kind!r}: {hint}")
    return kind


def _default(cls: type[Component]) -> Component | None:
    try:
        return cls()
    except ValueError:
        return None


def _parameters(schema: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    required = schema.get("required", ())
    for name, spec in schema.get("properties", {}).items():
        default = "required" if name in required else json.dumps(spec.get("default"))
        yield name, type_text(spec, schema), default, spec.get("description", "")


def type_text(spec: dict[str, Any], root: dict[str, Any]) -> str:
    """A JSON Schema in words.

    >>> type_text({"type": "array", "items": {"enum": ["a", "b"]}}, {})
    'list of "a" | "b"'
    """
    if "$ref" in spec:
        name = spec["$ref"].rpartition("/")[2]
        return type_text(root.get("$defs", {}).get(name, {"title": name}), root)
    if spec.get("format") in SPECIAL:
        return SPECIAL[spec["format"]]
    if "const" in spec or "enum" in spec:
        values = spec.get("enum", [spec.get("const")])
        return " | ".join(json.dumps(value) for value in values)
    if branches := spec.get("anyOf") or spec.get("oneOf"):
        if any(branch.get("format") == "condition" for branch in branches):
            return SPECIAL["condition"]
        texts = [type_text(branch, root) for branch in branches if branch.get("type") != "null"]
        return " or ".join(dict.fromkeys(texts))
    if spec.get("type") == "array":
        return f"list of {type_text(spec.get('items', {}), root)}"
    if spec.get("type") == "object" and "properties" in spec:
        return f"{{{', '.join(spec['properties'])}}}"
    names = {"string": "text", "object": "table", "null": "null"}
    return names.get(spec.get("type", ""), spec.get("type") or spec.get("title") or "any")


def example(cls: type[Component], kind: str, name: str) -> str:
    """How the component stands in a document: its first example, else required parameters."""
    schema = component_schema(cls)
    if examples := schema.get("examples"):
        params = {key: _toml(value) for key, value in examples[0].items()}
    else:
        required = schema.get("required", ())
        params = {key: _sample(schema["properties"][key], schema) for key in required}
    given = ", ".join(f"{key} = {value}" for key, value in params.items())
    written = f'{{ name = "{name}", params = {{ {given} }} }}' if given else f'"{name}"'
    return f"transforms = [{written}]" if kind == "transform" else f"{kind} = {written}"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {_toml(item)}' for key, item in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _sample(spec: dict[str, Any], root: dict[str, Any]) -> str:
    if "$ref" in spec:
        spec = root.get("$defs", {}).get(spec["$ref"].rpartition("/")[2], {})
    if spec.get("anyOf"):
        return _sample(spec["anyOf"][0], root)
    if spec.get("type") == "array":
        return f"[{_sample(spec.get('items', {}), root)}]"
    if spec.get("type") == "object":
        inner = (f"{key} = {_sample(spec['properties'][key], root)}"
                 for key in spec.get("required", ()))  # fmt: skip
        return f"{{ {', '.join(inner)} }}"
    samples = {"duration": '"30m"', "date-time": '"2026-01-31T12:00:00Z"', "moment": '"-7d"',
               "column": '"activity"', "condition": "\"activity = 'click'\"",
               "secret": '"env:NAME"', "pipeline": '"web"'}  # fmt: skip
    if spec.get("format") in samples:
        return samples[spec["format"]]
    if "enum" in spec:
        return json.dumps(spec["enum"][0])
    return {"integer": "1", "number": "1.0", "boolean": "true"}.get(spec.get("type", ""), '"…"')
