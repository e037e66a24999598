"""How Sphinx builds the documentation; the pages on components are made from the registry."""

from __future__ import annotations

import sys
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from _reference import write_all
from pygments.lexers.data import JsonLexer

project = "Distill"
author = "The Distill developers"
copyright = author  # noqa: A001 - the name that Sphinx looks for
version = release = version_of("distill-core")

extensions = ["myst_parser", "sphinx.ext.autodoc"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "README.md"]
html_theme = "furo"
html_title = f"Distill {version}"

autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
nitpicky = True
nitpick_ignore_regex = [
    # Bases and types of other libraries, whose documentation is not fetched: builds are offline.
    (r"py:.*", r"(pydantic|pandas|numpy|networkx|collections|typing|datetime|enum)\..*"),
    (r"py:class", r"(BaseModel|ABC|Generic|Exception|ValueError|object|Protocol)"),
    (r"py:.*", r"distill_core\..*\._.*"),
]


def setup(app: Any) -> None:
    """Write the generated pages before Sphinx looks for pages; NDJSON is coloured as JSON."""
    app.add_lexer("ndjson", JsonLexer)
    write_all(Path(app.srcdir) / "reference" / "generated")
