"""Documents as text: JSON and TOML."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any, Literal

from distill_core.errors import SpecError
from distill_core.pipeline import Pipeline
from distill_core.wire._build import to_document

Form = Literal["json", "toml"]


def parse(text: str, form: Form | None = None, name: str = "the document") -> dict[str, Any]:
    """The document in a text; without ``form`` JSON if it begins with a brace, else TOML.

    >>> parse('source = "web"') == parse('{"source": "web"}')
    True
    """
    text = text.removeprefix("\ufeff")
    form = form or ("json" if text.lstrip().startswith("{") else "toml")
    try:
        found = json.loads(text) if form == "json" else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise SpecError(f"{name} is no {form.upper()}: {error}", code="spec-invalid") from None
    if not isinstance(found, dict):
        raise SpecError(f"{name} is no table", code="spec-invalid", hint="it begins with a brace")
    return found


def load(path: str | Path, form: Form | None = None) -> dict[str, Any]:
    """The document in a file; without ``form`` it is named ``*.json`` or ``*.toml``.

    Raises SpecError if there is no such file, or it holds something else.
    """
    place = Path(path)
    forms: dict[str, Form] = {".json": "json", ".toml": "toml"}
    form = form or forms.get(place.suffix.lower())
    if form is None:
        raise SpecError(
            f"{str(path)!r} is neither .toml nor .json, as files of pipelines are",
            code="spec-invalid",
            hint=f"if it holds events: distill inspect {place.name} proposes a pipeline for it",
        )
    try:
        text = place.read_text("utf-8")
    except FileNotFoundError:
        raise SpecError(f"there is no file {str(path)!r}", code="spec-invalid") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{str(path)!r} cannot be read: {error}", code="spec-invalid") from None
    return parse(text, form, repr(place.name))


def to_json(pipeline: Pipeline) -> str:
    """The document as JSON, indented."""
    return json.dumps(to_document(pipeline), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def to_toml(pipeline: Pipeline) -> str:
    """The document as TOML, which has no null: what is null is left out.

    Raises SpecError if leaving it out would mean something else (a default that is not null).
    """
    import tomli_w

    document = to_document(pipeline)
    for path, component in pipeline.components():
        written = _without_nulls(component.params())
        if type(component).model_validate(written) != component:
            raise SpecError(
                "a parameter is null and its default is not: TOML cannot say so",
                code="spec-invalid",
                hint="write the pipeline as JSON",
                path=f"{path}.params",
            )
    return tomli_w.dumps(_without_nulls(document))


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value if item is not None]
    return value
