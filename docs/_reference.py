"""Pages that are made from the code: components, hooks, errors, JSON Schemas, commands."""

from __future__ import annotations

import inspect
import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from distill_core import errors, hookspec
from distill_core.component import KINDS, Component, Kind
from distill_core.registry import Entry, components

PLURAL: dict[Kind, str] = {
    "source": "sources",
    "schema": "schemas",
    "query": "queries",
    "transform": "transforms",
    "model": "models",
}


def write_all(folder: Path) -> None:
    """Write all pages into this folder, which is made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = {f"{PLURAL[kind]}.md": kind_page(kind) for kind in KINDS}
    pages |= {f"{name}.md": hook_page(name) for name in hook_names()}
    pages |= {"errors.md": errors_page(), "schemas-json.md": json_schemas_page()}
    pages["command-line.md"] = command_page()
    for name, text in pages.items():
        path = folder / name
        # An unchanged page keeps its time, so that Sphinx need not read it again.
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def kind_page(kind: Kind) -> str:
    """All components of one kind, with their parameters."""
    entries = components(kind)
    parts = [f"# {PLURAL[kind].capitalize()}", *(component_part(entry) for entry in entries)]
    return "\n\n".join(parts) + "\n"


def component_part(entry: Entry) -> str:
    """Name, description, parameters and example of one component."""
    module = f"{entry.cls.__module__}.{entry.cls.__qualname__}"
    facts = [f"*{entry.kind}*", f"from {entry.distribution}", f"`{module}`"]
    if scope := getattr(entry.cls, "scope", None):
        facts.append(f"scope {scope}")
    table = parameters(entry.cls)
    return "\n\n".join([f"## `{entry.name}`", " · ".join(facts), rst(entry.cls), table])


def rst(thing: Any) -> str:
    """A docstring as it stands; it is reStructuredText, with examples as doctests."""
    return f"```{{eval-rst}}\n{inspect.getdoc(thing) or ''}\n```"


def parameters(cls: type[Component]) -> str:
    """The table of parameters of a component."""
    rows = list(_rows(cls))
    if not rows:
        return "No parameters."
    head = "| parameter | type | default | meaning |\n| --- | --- | --- | --- |\n"
    return head + "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _rows(cls: type[Component]) -> Iterator[tuple[str, str, str, str]]:
    schema = cls.model_json_schema()
    for name, field in cls.model_fields.items():
        shown = field.alias or name
        about = schema["properties"].get(shown, {})
        default = "*required*"
        if not field.is_required():
            default = f"`{json.dumps(about['default'])}`" if "default" in about else "`null`"
        kind = type_text(about, schema.get("$defs", {})).replace("|", r"\|")
        yield f"`{shown}`", kind, default, (field.description or "").replace("|", r"\|")


def type_text(about: dict[str, Any], defs: dict[str, Any]) -> str:
    """What a JSON Schema says about a value, in a few words."""
    if "$ref" in about:
        name = about["$ref"].rpartition("/")[2]
        return type_text(defs[name], defs) if "enum" in defs[name] else name.lower()
    if "enum" in about:
        return " or ".join(f"`{json.dumps(value)}`" for value in about["enum"])
    if "const" in about:
        return f"`{json.dumps(about['const'])}`"
    if "anyOf" in about:
        texts = [type_text(option, defs) for option in about["anyOf"]]
        if "condition" in texts:  # written as text or as a tree: one thing to a reader
            texts = ["condition"]
        return " or ".join(dict.fromkeys(text for text in texts if text != "null"))
    if about.get("type") == "array":
        return f"list of {type_text(about.get('items', {}), defs)}"
    return str(about.get("format") or about.get("type") or "any")


def hook_names() -> list[str]:
    """The hooks, as the specification has them."""
    return sorted(name for name in vars(hookspec) if name.startswith("distill_"))


def hook_page(name: str) -> str:
    """One hook, with its exact arguments and what it returns."""
    function = getattr(hookspec, name)
    return f"# `{name}`\n\n```python\n{hook_line(name)}\n    ...\n```\n\n{rst(function)}\n"


def hook_line(name: str) -> str:
    """The line that defines a hook."""
    return f"def {name}{inspect.signature(getattr(hookspec, name))}:".replace("'", "")


def errors_page() -> str:
    """All codes of errors."""
    head = (
        "# Errors\n\nEvery error that Distill raises on purpose is a `DistillError` and has a code "
        "that stays. `to_dict()` gives code, message, hint and path.\n\n"
    )
    parts = (f"## {code}\n\n{meaning}\n" for code, meaning in sorted(errors.CODES.items()))
    return f"{head}{classes_table(errors)}\n\n" + "\n".join(parts)


def classes_table(module: ModuleType) -> str:
    """The classes of errors, root first."""
    found = [
        cls
        for _, cls in inspect.getmembers(module, inspect.isclass)
        if issubclass(cls, errors.DistillError)
    ]
    ordered = sorted(found, key=lambda cls: (len(cls.__mro__), cls.__name__))
    rows = (
        f"| `{cls.__name__}` | `{cls.__base__.__name__}` | {inspect.getdoc(cls).splitlines()[0]} |"
        for cls in ordered
    )
    return "| class | is a | when |\n| --- | --- | --- |\n" + "\n".join(rows).replace("``", "`")


def json_schemas_page() -> str:
    """The JSON Schema of a result."""
    from distill_core.result import SCHEMA

    text = json.dumps(SCHEMA, indent=2, ensure_ascii=False)
    return textwrap.dedent(
        """\
        # JSON Schemas

        `distill describe KIND NAME --json` prints the JSON Schema of a component's parameters.

        ## A result

        What `Result.to_dict()` gives and the command line prints:

        ```json
        {text}
        ```
        """
    ).replace("{text}", text)


def command_page() -> str:
    """All commands of ``distill`` with their arguments and options."""
    from typer.main import get_command

    from distill_core.cli._app import app

    head = """\
        # Command line

        Results go to stdout, messages and progress to stderr. Exit code 0 is well, 1 an error,
        2 wrong usage. `NO_COLOR` turns colours off, `DISTILL_TRACEBACK=1` shows the traceback of
        an error, `distill --install-completion` sets up completion."""
    parts = [
        textwrap.dedent(head),
        *_commands("distill", get_command(app)),
    ]
    return "\n\n".join(parts) + "\n"


def _commands(name: str, command: Any) -> Iterator[str]:
    rows = [row for parameter in command.params for row in _option(parameter)]
    children = getattr(command, "commands", {})
    if rows or not children:
        arguments = " ".join(row[0].strip("`") for row in rows if not row[0].startswith("`-"))
        yield f"## `{f'{name} {arguments}'.strip()}`\n\n{inspect.cleandoc(command.help or '')}"
        if rows:
            table = "\n".join(f"| {shown} | {text} |" for shown, text in rows)
            yield f"| | |\n| --- | --- |\n{table}"
    for child, inner in sorted(children.items()):
        yield from _commands(f"{name} {child}", inner)


def _option(parameter: Any) -> Iterator[tuple[str, str]]:
    if parameter.name == "help":
        return
    text = (getattr(parameter, "help", None) or "").replace("|", r"\|")
    if parameter.param_type_name == "argument":
        shown = parameter.name.upper()
        yield f"`{shown if parameter.required else f'[{shown}]'}`", text
    elif not getattr(parameter, "hidden", False):
        flags = ", ".join(parameter.opts)
        value = "" if parameter.is_flag else f" {parameter.metavar or parameter.name.upper()}"
        yield f"`{flags}{value}`", text
