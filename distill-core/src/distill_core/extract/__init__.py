"""The normative reading of documents: plain dicts become a batch of columns.

What a column's paths mean is in ``paths``, what a value means in ``values``, JSON text in
``jsontext``; ``bulk`` reads the values of a column at once, with the same meaning. A source that
hands over columns itself reads every value as these modules do.
"""

from __future__ import annotations

from distill_core.extract.bulk import read_values
from distill_core.extract.documents import extract
from distill_core.extract.jsontext import (
    MAX_DEPTH,
    Unreadable,
    canonical,
    count_surrogates,
    mended,
    too_deep,
)
from distill_core.extract.paths import Constant, Field, Path, Rest, Template, parse_path

__all__ = [
    "MAX_DEPTH",
    "Constant",
    "Field",
    "Path",
    "Rest",
    "Template",
    "Unreadable",
    "canonical",
    "count_surrogates",
    "extract",
    "mended",
    "parse_path",
    "read_values",
    "too_deep",
]
