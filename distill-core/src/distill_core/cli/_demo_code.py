"""A pipeline document as the Python that says the same."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distill_core.component import Component
    from distill_core.pipeline import Pipeline

WIDE = 92


def python_code(pipeline: Pipeline, document: Mapping[str, Any]) -> str:
    """A script that makes this pipeline, which is that of the document, and runs it."""
    imports = {"import distill_core as dl"}
    lines = []
    for kind in ("source", "schema", "query", "transforms", "model"):
        if kind not in document:
            continue
        if kind == "transforms":
            lines.append("    transforms=[")
            for component, written in zip(pipeline.transforms, document[kind], strict=True):
                lines.append(f"        {_call(component, written, imports, 8)},")
            lines.append("    ],")
        else:
            call = _call(getattr(pipeline, kind), document[kind], imports, 4)
            lines.append(f"    {kind}={call},")
    head = sorted(imports, key=lambda line: (not line.startswith("import"), line))
    return "\n".join([
        *head, "", "pipeline = dl.Pipeline(", *lines, ")", "result = pipeline.run()",
        "print(result.explain())", 'result.plot().save("steps.html")', "",
    ])  # fmt: skip


def _call(component: Component, written: Any, imports: set[str], indent: int) -> str:
    """``Name(parameter=value, …)``; adds what must be imported."""
    name = type(component).__name__
    package = type(component).__module__.partition(".")[0]
    if getattr(import_module(package), name, None) is not type(component):
        imports.add(f"from {type(component).__module__} import {name}")
    elif package == "distill_core":
        name = f"dl.{name}"
    else:
        imports.add(f"from {package} import {name}")
    params = written.get("params", {}) if isinstance(written, Mapping) else {}
    items = [(f"{key}=", value) for key, value in params.items()]
    return _laid(f"{name}(", items, ")", indent)


def _literal(value: Any, indent: int) -> str:
    """A value as Python, on several lines if it is long."""
    match value:
        case dict():
            return _laid("{", [(f"{_text(k)}: ", v) for k, v in value.items()], "}", indent)
        case list():
            return _laid("[", [("", item) for item in value], "]", indent)
        case str():
            return _text(value)
        case _:
            return repr(value)


def _laid(opening: str, items: list[tuple[str, Any]], closing: str, indent: int) -> str:
    flat = ", ".join(f"{head}{_literal(value, 0)}" for head, value in items)
    line = f"{opening}{flat}{closing}"
    if "\n" not in line and len(line) + indent <= WIDE:
        return line
    pad = " " * (indent + 4)
    inner = [f"{pad}{head}{_literal(value, indent + 4)},\n" for head, value in items]
    return f"{opening}\n{''.join(inner)}{' ' * indent}{closing}"


def _text(value: str) -> str:
    """A text in double quotes; of several lines in three."""
    if "\n" in value and "\\" not in value and '"""' not in value:
        return f'"""\n{value}"""' if not value.endswith('"') else repr(value)
    quoted = repr(value)
    if quoted.startswith("'") and '"' not in value:
        return f'"{quoted[1:-1]}"'
    return quoted
