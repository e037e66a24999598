"""``distill demo``: a real log through a real pipeline, told on the terminal and on one page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distill_core.errors import PluginError, SpecError

if TYPE_CHECKING:
    from distill_core.log import EventLog
    from distill_core.pipeline import Pipeline
    from distill_core.result import Result

NEEDED = (("source", "files"), ("schema", "userale"), ("model", "transitions"))
SAMPLE = "SAMPLE"
"""Stands in ``demo.toml`` for the path of the sample log."""


@dataclass(frozen=True)
class Demo:
    """The pipeline in its written forms, why each transform is there, and what came of it."""

    toml: str
    python: str
    reasons: tuple[str, ...]
    pipeline: Pipeline
    log: EventLog
    result: Result


def run_demo(out: str = "distill-demo.html", *, as_json: bool = False) -> None:
    """Run the sample through ``demo.toml``; write the page to ``out``, tell of it on stdout.

    With ``as_json`` stdout is the result, as ``distill run --json`` writes it. Raises
    ComponentNotFound if a plugin is not installed, SpecError if the page cannot be written.
    """
    from distill_core.cli._demo_page import demo_page
    from distill_core.cli._demo_terminal import tell
    from distill_core.cli._output import put, say, watched

    demo = load_demo()
    place = Path(out)
    try:
        place.write_text(demo_page(demo), encoding="utf-8", newline="\n")
    except OSError as error:
        raise SpecError(
            f"the page cannot be written to {out!r}: {error.strerror or error}",
            code="param-invalid",
            hint="name another file by --out",
        ) from None
    if not as_json:
        tell(demo)
        put(f"Open {place.resolve()} in a browser: it needs no network.")
        return
    put(demo.result.to_json())
    if watched():
        say(f"wrote {place}")


def load_demo() -> Demo:
    """Find the components, read the sample, run the steps."""
    import tomllib

    from distill_core.cli._demo_code import python_code
    from distill_core.wire import from_document

    toml = demo_toml()
    document = tomllib.loads(toml)
    pipeline = from_document(document)
    return Demo(
        toml,
        python_code(pipeline, document),
        reasons(toml),
        pipeline,
        pipeline.log(),
        pipeline.run(),
    )


def demo_toml() -> str:
    """The pipeline as a file that ``distill run`` takes, with the sample's path in it."""
    text = (files("distill_core.cli") / "demo.toml").read_text(encoding="utf-8")
    return text.replace(f'"{SAMPLE}"', _quoted(_sample().as_posix()))


def reasons(toml: str) -> tuple[str, ...]:
    r"""The comment above each transform.

    >>> reasons("# Why\n# so.\n[[transforms]]\n")
    ('Why so.',)
    """
    found = re.findall(r"((?:^# .*\n)+)\[\[transforms\]\]", toml, flags=re.MULTILINE)
    return tuple(" ".join(line[2:] for line in block.splitlines()) for block in found)


def _sample() -> Path:
    """The sample log of the distribution that offers the schema."""
    from distill_core.registry import find

    classes: list[Any] = [find(kind, name) for kind, name in NEEDED]  # type: ignore[arg-type]
    package = classes[1].__module__.partition(".")[0]
    try:
        path: Path = import_module(package).sample_path()
    except AttributeError:
        raise PluginError(
            f"the schema 'userale' of {package} brings no sample log",
            code="plugin-broken",
            hint="pip install --upgrade distill-userale",
        ) from None
    return path


def _quoted(text: str) -> str:
    """A basic string of TOML."""
    import json

    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
