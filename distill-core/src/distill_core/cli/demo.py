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


LOG, TOML, PYTHON = "shop.ndjson.gz", "shop.toml", "shop.py"
"""What ``--files`` leaves in the working directory, beside the page."""


def run_demo(
    out: str = "distill-demo.html", *, as_json: bool = False, with_files: bool = False
) -> None:
    """Run the sample through ``demo.toml``; write the page to ``out``, tell of it on stdout.

    With ``as_json`` stdout is the result, as ``distill run --json`` writes it. ``with_files``
    leaves the log and the pipeline, as TOML and as Python, in the working directory. Raises
    ComponentNotFound if a plugin is not installed, SpecError if something cannot be written, or
    one of these files is there and is another.
    """
    from distill_core.cli._demo_page import demo_page
    from distill_core.cli._demo_terminal import tell
    from distill_core.cli._output import put, say, watched

    if with_files:
        _leave(LOG, _sample().read_bytes())
    demo = load_demo(LOG if with_files else _sample().as_posix())
    _put_file(Path(out), demo_page(demo).encode(), "name another file by --out")
    if with_files:
        _leave(TOML, demo.toml.encode())
        _leave(PYTHON, demo.python.encode())
    if not as_json:
        tell(demo)
        if with_files:
            put(f"\nThe log is in {LOG}, the pipeline in {TOML} and {PYTHON}: distill run {TOML}")
        else:
            put("\n`distill demo --files` leaves log and pipeline here, to run and to change.")
        put(f"Open {Path(out).resolve()} in a browser: it needs no network.")
        return
    put(demo.result.to_json())
    if watched():
        say(f"wrote {out}")


def _leave(name: str, content: bytes) -> None:
    """A file of the demo in the working directory; another of its name is not overwritten."""
    place, hint = Path(name), "run the demo in an empty folder"
    if place.exists() and place.read_bytes() != content:
        raise SpecError(
            f"there is another {name!r} here, which is kept", code="param-invalid", hint=hint
        )
    _put_file(place, content, hint)


def _put_file(place: Path, content: bytes, hint: str) -> None:
    try:
        place.write_bytes(content)
    except OSError as error:
        raise SpecError(
            f"{str(place)!r} cannot be written: {error.strerror or error}",
            code="output-failed",
            hint=hint,
        ) from None


def load_demo(path: str) -> Demo:
    """Find the components, read the sample in ``path``, run the steps."""
    import tomllib

    from distill_core.cli._demo_code import python_code
    from distill_core.wire import from_document

    toml = demo_toml(path)
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


def demo_toml(path: str) -> str:
    """The pipeline as a file that ``distill run`` takes, with the sample's path in it."""
    text = (files("distill_core.cli") / "demo.toml").read_text(encoding="utf-8")
    return text.replace(f'"{SAMPLE}"', _quoted(path))


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
