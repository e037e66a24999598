"""The written form of a pipeline: one document for JSON, TOML, the command line and HTTP.

A document is ``{"source", "schema", "query", "transforms", "model", "stream"}``; each component is
``{"name", "params"}``, or its bare name if it needs no parameters; a query may be a condition. A
bare ``source`` may also be the name of one that is configured with its schema.
"""

from distill_core.wire._build import (
    KEYS,
    build,
    from_document,
    inline,
    pipeline_of,
    read,
    to_document,
)
from distill_core.wire._names import Names
from distill_core.wire._params import parameters
from distill_core.wire._paths import parse_value, set_keys, set_path
from distill_core.wire._schemas import component_schema, document_schema
from distill_core.wire._text import load, parse, to_json, to_toml

__all__ = [
    "KEYS",
    "Names",
    "build",
    "component_schema",
    "document_schema",
    "from_document",
    "inline",
    "load",
    "parameters",
    "parse",
    "parse_value",
    "pipeline_of",
    "read",
    "set_keys",
    "set_path",
    "to_document",
    "to_json",
    "to_toml",
]
