"""Which parts of a record the fast reader takes, and how columns are made of them.

A record's top-level keys are read as JSON text, where only texts are wanted as VARCHAR; an object
of which only single keys are wanted is read as a STRUCT of these. Numbers come as numbers, all
else as a dictionary of texts, each of which is decoded once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from distill_core.columns import Column
from distill_core.extract import Field, Path, Template, parse_path
from distill_files.engine import literal, quoted

Keys = tuple[str, ...]
Kind = Literal["BIGINT", "DOUBLE", "VARCHAR", "JSON"]


@dataclass(frozen=True)
class Leaf:
    """A part of a record that is fetched: by ``keys``; what is deeper is decoded from it.

    ``words``: texts, sorted, that come by their number here rather than as text.
    """

    keys: Keys
    kind: Kind
    words: tuple[str, ...] = ()

    @property
    def number(self) -> bool:
        """Whether its plain numbers come as such."""
        return self.kind in ("BIGINT", "DOUBLE")

    @property
    def coded(self) -> bool:
        """Whether ``n<i>`` has what is plain, and ``c<i>`` the rest alone."""
        return self.number or bool(self.words)


@dataclass(frozen=True)
class Plan:
    """What is fetched, and the paths of each column."""

    paths: dict[str, list[Path]]
    leaves: list[Leaf]
    structs: frozenset[str] = frozenset()

    @property
    def tops(self) -> list[str]:
        """The top-level keys that are read."""
        return list(dict.fromkeys(leaf.keys[0] for leaf in self.leaves))

    def leaf_of(self, keys: Keys) -> int:
        """The number of the leaf that holds this part."""
        for index, leaf in enumerate(self.leaves):
            if keys[: len(leaf.keys)] == leaf.keys:
                return index
        raise KeyError(keys)


def wanted_keys(path: Path) -> list[Keys]:
    """The parts of a record that a path looks at."""
    fields = path.fields if isinstance(path, Template) else (path,)
    keys: list[Keys] = []
    for part in fields:
        if isinstance(part, Field):
            keys.append((part.text,))
            if "." in part.text:
                keys.append(part.keys)
    return keys


def plan(columns: Sequence[Column], *, structs: bool, texts: bool = False) -> Plan:
    """The leaves for these columns.

    Without ``structs`` they are whole top-level keys; without ``texts`` none is VARCHAR, which
    does not tell a text from what has this text.
    """
    paths = {c.name: [parse_path(p) for p in c.paths] for c in columns if c.paths}
    kinds: dict[Keys, set[Kind]] = {}
    for column in columns:
        for path in paths.get(column.name, []):
            kind = _kind(column) if isinstance(path, Field) else "VARCHAR"
            for keys in wanted_keys(path):
                kinds.setdefault(keys, set()).add(kind if texts or kind != "VARCHAR" else "JSON")
    whole = {keys[0] for keys in kinds if len(keys) == 1}
    inner: dict[str, list[Keys]] = {}
    for keys in kinds:
        if len(keys) > 1:
            inner.setdefault(keys[0], []).append(keys)
    split = {
        top for top, found in inner.items()
        if structs and top not in whole and _may_split([keys[1:] for keys in found])
    }  # fmt: skip
    leaves: list[Leaf] = []
    for keys, found in kinds.items():
        if len(keys) == 1 or keys[0] in split:
            alone = not any(other[: len(keys)] == keys for other in kinds if other != keys)
            leaves.append(Leaf(keys, next(iter(found)) if len(found) == 1 and alone else "JSON"))
    leaves += [Leaf((top,), "JSON") for top in inner if top not in whole and top not in split]
    return Plan(paths, leaves, frozenset(split))


def _kind(column: Column) -> Kind:
    match column.type:
        case "number":
            return "DOUBLE"
        case "time" | "duration" | "integer":
            return "BIGINT"
        case "string" | "ids":
            return "VARCHAR"
        case _:
            return "JSON"


def _may_split(paths: list[Keys]) -> bool:
    """Whether one level of STRUCT does: single keys, no two that differ in case alone."""
    return all(len(p) == 1 and p[0] for p in paths) and len({p[0].lower() for p in paths}) == len(
        paths
    )


def rivals(tops: Sequence[str]) -> set[str]:
    """The keys that differ from another one in case alone: they cannot be read at once."""
    spelt: dict[str, list[str]] = {}
    for top in tops:
        spelt.setdefault(top.lower(), []).append(top)
    return {top for found in spelt.values() if len(found) > 1 for top in found}


def rounds(tops: Sequence[str]) -> list[list[str]]:
    """The keys by reading: in none of them do two differ in case alone."""
    made: list[list[str]] = []
    for top in tops:
        for names in made:
            if top.lower() not in {name.lower() for name in names}:
                names.append(top)
                break
        else:
            made.append([top])
    return made


def column_types(found: Plan, tops: Sequence[str]) -> str:
    """The ``columns`` of read_json for these top-level keys."""
    parts = []
    for top in tops:
        inner = [leaf for leaf in found.leaves if leaf.keys[0] == top]
        types = ["VARCHAR" if leaf.kind == "VARCHAR" else "JSON" for leaf in inner]
        type_ = types[0]
        if top in found.structs:
            fields = [f"{quoted(leaf.keys[1])} {t}" for leaf, t in zip(inner, types, strict=True)]
            type_ = f"STRUCT({', '.join(fields)})"
        parts.append(f"{literal(top)}: {literal(type_)}")
    return "{" + ", ".join(parts) + "}"


def selected(found: Plan, tops: Sequence[str]) -> str:
    """The SELECT list: each leaf of these keys as text ``c<i>``, numbers and words as ``n<i>``."""
    parts = []
    for index, leaf in enumerate(found.leaves):
        if leaf.keys[0] not in tops:
            continue
        place = ".".join(quoted(key) for key in leaf.keys)
        text = f"CAST({place} AS VARCHAR)"
        if not leaf.coded:
            parts.append(f"{text} AS c{index}")
            continue
        number = _plain_number(place, leaf.kind) if leaf.number else _word(text, leaf.words)
        parts.append(f"{number} AS n{index}")
        parts.append(f"CASE WHEN n{index} IS NULL THEN {text} END AS c{index}")
    return ", ".join(parts)


def _plain_number(place: str, type_: str) -> str:
    """The number, NULL for all that is not plainly one of this type."""
    text = f"CAST({place} AS VARCHAR)"
    number = f"TRY_CAST({text} AS {type_})"
    if type_ == "BIGINT":
        # A number that is not whole is written with a dot or an exponent; the cast would round it.
        whole = f"NOT contains({text}, '.') AND NOT contains({text}, 'e')"
        return f"CASE WHEN {whole} THEN {number} END"
    return f"CASE WHEN isfinite({number}) THEN {number} END"


def _word(text: str, words: Sequence[str]) -> str:
    """The text's number among the words, NULL for any other."""
    cases = [f"WHEN {literal(word)} THEN {number}::TINYINT" for number, word in enumerate(words)]
    return f"CASE {text} {' '.join(cases)} END"
