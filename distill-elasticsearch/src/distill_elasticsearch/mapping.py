"""How indices keep the fields that columns are read from: types, and where these disagree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from distill_core.columns import Column
from distill_core.errors import SourceError
from distill_core.extract import Field as PathField
from distill_core.extract import Template, parse_path
from distill_elasticsearch.allowed import index_path

FAMILIES = {
    "date": "date", "date_nanos": "date",
    "long": "whole", "integer": "whole", "short": "whole", "byte": "whole",
    "double": "decimal", "float": "decimal", "half_float": "decimal", "scaled_float": "decimal",
    "keyword": "keyword", "constant_keyword": "keyword", "wildcard": "keyword",
    "boolean": "boolean",
}  # fmt: skip
"""Type of a field → types of one family compare and sort alike."""


METADATA = ("_index", "_id")
"""What of a hit a path may name that no document has."""


@dataclass(frozen=True)
class FieldCaps:
    """A field in all indices: ``types`` (type → indices that have it so; () means all).

    ``formats``: how dates are read; ``unmapped``: the indices that do not have it;
    ``normalized``: an index keeps another text than the document's.
    """

    name: str
    types: Mapping[str, tuple[str, ...]]
    searchable: bool = True
    aggregatable: bool = True
    formats: frozenset[str] = frozenset()
    unmapped: tuple[str, ...] = ()
    normalized: bool = False

    @property
    def family(self) -> str | None:
        """The family of all its types; None if they are of several, or of none known."""
        families = {FAMILIES.get(kind) for kind in self.types}
        return families.pop() if len(families) == 1 else None

    @property
    def conflict(self) -> dict[str, tuple[str, ...]] | None:
        """Type → indices, where types do not compare alike."""
        families = {FAMILIES.get(kind, kind) for kind in self.types}
        return dict(self.types) if len(families) > 1 else None


@dataclass(frozen=True)
class Mappings:
    """What the indices of a reading have: their names, sorted, and the fields by name.

    ``closed``: objects (``""``: documents) and fields that may be there without being mapped, or
    are indexed apart from their documents. ``leaves``: fields of whose value, if it is an object,
    the keys are not mapped. ``plain``: a field at the top that has a value in the index has it in
    the document that comes (no aliases, copies, values for null, scripts, parts left out of
    ``_source``). Of a path with dots that says nothing: inside a list of objects the index has
    it, and the document has no such path.
    """

    indices: tuple[str, ...]
    fields: Mapping[str, FieldCaps] = field(default_factory=dict)
    closed: frozenset[str] = frozenset()
    leaves: frozenset[str] = frozenset()
    plain: bool = True

    def get(self, name: str) -> FieldCaps | None:
        """The field; None if no index maps it."""
        return self.fields.get(name)

    def tells(self, name: str) -> bool:
        """Whether an index that does not map the field has it in no document."""
        *outer, own = ["", *prefixes(name)]
        return self.closed.isdisjoint([*outer, own]) and self.leaves.isdisjoint(outer)


def prefixes(name: str) -> list[str]:
    """``a``, ``a.b`` and ``a.b.c`` for ``a.b.c``."""
    keys = name.split(".")
    return [".".join(keys[:depth]) for depth in range(1, len(keys) + 1)]


def field_names(columns: Iterable[Column]) -> list[str]:
    """The fields that the columns' paths lead to."""
    names: dict[str, None] = {}
    for column in columns:
        for path in map(parse_path, column.paths):
            fields = path.fields if isinstance(path, Template) else (path,)
            names |= {part.text: None for part in fields if isinstance(part, PathField)}
    return [name for name in names if name not in METADATA]


def read_mappings(
    ask: Callable[..., Any], index: str, columns: Iterable[Column], lacks: set[str] | None = None
) -> Mappings:
    """Ask the server (``ask``: method, path, params, body → the answer).

    ``lacks``: where indices that do not tell their fields are put down, if they may be missing;
    else SourceError ``source-partial`` is raised.

    Raises SourceError ``source-missing`` if the expression means no index.
    """
    names = field_names(columns)
    fields = [*names, *(f"{name}.keyword" for name in names)] or ["_id"]
    found = ask("POST", index_path(index, "_field_caps"), params={"include_unmapped": "true"},
                body={"fields": fields})  # fmt: skip
    indices = tuple(sorted(found["indices"]))
    if failed := found.get("failed_indices"):
        if lacks is None or not indices:
            raise SourceError(
                f"{failed} of the indices {index!r} did not tell their fields",
                code="source-partial",
                hint="mend their shards, or give allow_partial = true to go on without them",
            )
        lacks.update(f"{name}: did not tell its fields" for name in silent_indices(found))
    if not indices:
        raise SourceError(
            f"no index matches {index!r}, or none that these credentials may read",
            code="source-missing",
            hint="distill sources check tells what the server has",
        )
    kept = ask("GET", index_path(index, "_mapping"), params={"filter_path": LOOKED_AT})
    details = _Details(kept)
    told = {name: _caps(name, types) for name, types in found["fields"].items()}
    return Mappings(
        indices,
        {
            name: replace(
                caps,
                formats=frozenset(details.formats.get(name, ())),
                normalized=name in details.normalized,
            )
            for name, caps in told.items()
            if caps is not None and details.apart.isdisjoint(prefixes(name))
        },
        frozenset(details.closed | details.apart),
        frozenset(details.leaves),
        details.plain,
    )


def silent_indices(told: Mapping[str, Any]) -> list[str]:
    """The indices whose shards did not answer, when they were asked for their fields."""
    failed = {name for failure in told.get("failures", ()) for name in failure["indices"]}
    return sorted(failed) if failed or not told.get("failed_indices") else ["an index"]


def _caps(name: str, types: Mapping[str, Any]) -> FieldCaps | None:
    mapped = {kind: told for kind, told in types.items() if kind != "unmapped"}
    if not mapped:
        return None
    return FieldCaps(
        name,
        {kind: tuple(sorted(told.get("indices", ()))) for kind, told in sorted(mapped.items())},
        all(told["searchable"] for told in mapped.values()),
        all(told["aggregatable"] for told in mapped.values()),
        unmapped=tuple(sorted(types.get("unmapped", {}).get("indices", ()))),
    )


class _Details:
    """What field_caps does not tell of the mappings of all indices.

    ``apart``: what a query on the document itself does not find (nested), or finds by something
    else than the document's value (fields of run time; all of a flattened object is text).
    """

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self.formats: dict[str, set[str]] = {}
        self.closed: set[str] = set()
        self.apart: set[str] = set()
        self.leaves: set[str] = set()
        self.normalized: set[str] = set()
        self.plain = True
        for told in answer.values():
            mappings = told.get("mappings", {})
            if not mappings.get("_source", {}).keys().isdisjoint(_NOT_WHOLE):
                self.plain = False
            if runtime := mappings.get("runtime"):
                self.plain = False
                self.apart.update(runtime)
            self._walk(mappings, "")

    def _walk(self, node: Mapping[str, Any], name: str) -> None:
        if str(node.get("dynamic")).lower() in ("false", "runtime") or "enabled" in node:
            self.closed.add(name)
        if node.get("type") in ("nested", "flattened"):
            self.apart.add(name)
        if node.get("type") not in (None, "object", "passthrough"):
            self.leaves.add(name)
        if node.get("type") in ("alias", "passthrough") or not node.keys().isdisjoint(_NOT_PLAIN):
            self.plain = False
        if "normalizer" in node:
            self.normalized.add(name)
        if node.get("type") in ("date", "date_nanos"):
            self.formats.setdefault(name, set()).add(node.get("format", DEFAULT_FORMAT))
        for inner in ("properties", "fields"):
            for key, child in node.get(inner, {}).items():
                self._walk(child, f"{name}.{key}" if name else key)


_NOT_PLAIN = ("copy_to", "null_value", "script")
_NOT_WHOLE = ("includes", "excludes", "mode")
"""What says that a document may not come back as it was sent."""

LOOKED_AT = ",".join(
    [f"**.{key}" for key in ("type", "format", "dynamic", "enabled", "normalizer", *_NOT_PLAIN)]
    + ["*.mappings.runtime", "*.mappings._source"]
)
"""The parts of mappings that are asked for; the whole may be very long."""

DEFAULT_FORMAT = "strict_date_optional_time||epoch_millis"
"""How Elasticsearch reads dates unless a mapping says otherwise."""


def conflict_error(caps: FieldCaps, column: str) -> SourceError:
    """The indices keep a field in ways that do not compare: what to tell the user."""
    told = "; ".join(f"{kind} in {', '.join(names)}" for kind, names in caps.types.items())
    return SourceError(
        f"the field {caps.name!r}, from which {column!r} is read, is {told}",
        code="source-conflict",
        hint="read these indices one by one and join the logs with append",
    )
