"""What looking at the server brings up: is it there, what is meant, who may do what."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from distill_core.columns import Column
from distill_core.component import Finding
from distill_core.errors import SourceError
from distill_elasticsearch.allowed import index_path
from distill_elasticsearch.connection import Connection, open_connection
from distill_elasticsearch.dsl import ALL
from distill_elasticsearch.failures import Failure, source_error
from distill_elasticsearch.mapping import field_names, read_mappings
from distill_elasticsearch.passes import passes

if TYPE_CHECKING:
    from distill_elasticsearch.source import Elasticsearch

NEEDED = ("read", "view_index_metadata")
TOO_MUCH = ("create", "index", "write", "delete", "manage")
OLDEST = 8
MODES = "*.settings.index.mode,*.settings.index.mapping.source.mode"
"""Whether an index keeps documents, or makes them up when they are asked for."""


class _Enough(Exception):
    """Nothing that could still be looked at would make sense."""


def look(source: Elasticsearch, columns: Sequence[Column]) -> Iterator[Finding]:
    """The findings of server, indices, rights and fields; an error among them if reading fails.

    Raises SourceError and SpecError of opening connections.
    """
    connection = open_connection(source)
    try:
        yield from _server(connection)
        names = yield from _indices(connection, source.expression)
        yield from _rights(connection, names)
        yield from _documents(connection, source.expression)
        yield from _fields(connection, source.expression, columns)
    except _Enough:
        return
    finally:
        connection.close()


def _ask(connection: Connection, method: str, path: str, **asked: Any) -> Any:
    return json.loads(connection.call(method, path, **asked).body)


def _server(connection: Connection) -> Iterator[Finding]:
    try:
        found = _ask(connection, "GET", "/")
    except Failure as failure:
        if failure.status in {400, 403, 404, 405} and not failure.foreign:
            text = "it answers; these credentials are not shown its version"
            yield Finding("server", "ok", text)
            return
        yield Finding("server", "error", str(source_error(failure, "asking the server")))
        raise _Enough from failure
    number = str(found.get("version", {}).get("number", "of an unknown version"))
    text = f"Elasticsearch {number}, cluster {found.get('cluster_name', 'without a name')}"
    major = number.partition(".")[0]
    if major.isdecimal() and int(major) < OLDEST:
        yield Finding("server", "error", f"{text}: Distill reads it from {OLDEST} on")
        raise _Enough
    yield Finding("server", "ok", text)


def _indices(connection: Connection, expression: str) -> Generator[Finding, None, list[str]]:
    """The findings; returns the names by which the server knows rights."""
    try:
        found = _ask(connection, "GET", index_path("_resolve", "index", expression))
    except Failure as failure:
        error = source_error(failure, f"looking for {expression!r}", index=expression)
        yield Finding("indices", "error", str(error))
        raise _Enough from failure
    streams = [one["name"] for one in found["data_streams"]]
    aliases = [one["name"] for one in found["aliases"]]
    indices = [one["name"] for one in found["indices"] if "data_stream" not in one]
    closed = [one["name"] for one in found["indices"] if "closed" in one["attributes"]]
    if not (names := [*streams, *aliases, *indices]):
        text = f"{expression!r} means no index, or none that these credentials may see"
        yield Finding("indices", "error", text)
        raise _Enough
    kinds = {"data stream": streams, "alias": aliases, "index": indices}
    told = "; ".join(f"{kind} {_some(of)}" for kind, of in kinds.items() if of)
    yield Finding("indices", "ok", told)
    if closed:
        named = set(closed) & set(expression.split(","))
        text = f"closed: {_some(closed)}; what a pattern means is left out"
        yield Finding("closed indices", "error" if named else "warning", text)
    return names


def _rights(connection: Connection, names: Sequence[str]) -> Iterator[Finding]:
    wanted = {"names": list(names), "privileges": [*NEEDED, *TOO_MUCH]}
    body = {"cluster": ["manage"], "index": [wanted]}
    try:
        found = _ask(connection, "POST", "/_security/user/_has_privileges", body=body)
    except Failure as failure:
        if failure.status in {400, 404, 405, 500}:
            text = "the server has no security: whoever reaches it may read and write"
            yield Finding("rights", "warning", text)
            return
        yield Finding("rights", "error", str(source_error(failure, "asking for the rights")))
        return
    granted = {right: [name for name, rights in found["index"].items() if rights[right]]
               for right in (*NEEDED, *TOO_MUCH)}  # fmt: skip
    lacking = {right: sorted(set(names) - set(granted[right])) for right in NEEDED}
    for right, of in lacking.items():
        if of:
            yield Finding("rights", "error", f"the privilege {right} is missing on {_some(of)}")
    if not any(lacking.values()):
        yield Finding("rights", "ok", "all that reading needs is granted")
    yield _writing(granted, on_cluster=found["cluster"]["manage"])


def _writing(granted: dict[str, list[str]], *, on_cluster: bool) -> Finding:
    by_names: dict[tuple[str, ...], list[str]] = {}
    for right in TOO_MUCH:
        if granted[right]:
            by_names.setdefault(tuple(granted[right]), []).append(right)
    told = [f"{', '.join(rights)} on {_some(names)}" for names, rights in by_names.items()]
    told += ["manage on the cluster"] if on_cluster else []
    if not told:
        return Finding("writing", "ok", "these credentials cannot write")
    text = f"these credentials could write: {'; '.join(told)}; {' and '.join(NEEDED)} are enough"
    return Finding("writing", "warning", text)


def _documents(connection: Connection, index: str) -> Iterator[Finding]:
    """Where the server does not give back documents as they were sent."""
    try:
        mappings = _ask(connection, "GET", index_path(index, "_mapping"),
                        params={"filter_path": "*.mappings._source"})  # fmt: skip
        settings = _ask(connection, "GET", index_path(index, "_settings"),
                        params={"filter_path": MODES})  # fmt: skip
    except Failure as failure:
        yield Finding("documents", "error", str(source_error(failure, "reading the mappings")))
        return
    kept = {name: told["mappings"]["_source"] for name, told in mappings.items()}
    made = {name for name, told in kept.items() if told.get("mode") == "synthetic"}
    for name, told in settings.items():
        of = told["settings"]["index"]
        mode = of.get("mapping", {}).get("source", {}).get("mode")
        by_default = mode is None and of.get("mode") in ("logsdb", "time_series")
        if (mode == "synthetic" or by_default) and "mode" not in kept.get(name, {}):
            made.add(name)
    if made:
        text = (
            f"{_some(sorted(made))}: the server makes documents up from its index (synthetic "
            "_source): values come as their field has them, lists may be sorted, without doublets"
        )
        yield Finding("documents", "warning", text)
    if cut := sorted(name for name, told in kept.items() if {"includes", "excludes"} & {*told}):
        text = f"{_some(cut)}: parts of the documents are not kept (_source includes or excludes)"
        yield Finding("kept parts", "warning", text)


def _fields(connection: Connection, index: str, columns: Sequence[Column]) -> Iterator[Finding]:
    """Whether indices keep the columns' fields in one way."""
    names = field_names(columns)
    if not names:
        return
    try:
        mappings = read_mappings(lambda *a, **k: _ask(connection, *a, **k), index, columns)
        passes(ALL, columns, mappings)
    except Failure as failure:
        yield Finding("fields", "error", str(source_error(failure, "reading the mappings")))
        return
    except SourceError as error:
        yield Finding("fields", "error", str(error))
        return
    at_odds = [caps for caps in map(mappings.get, names) if caps is not None and caps.conflict]
    for caps in at_odds:
        kinds = "; ".join(f"{kind} in {_some(of)}" for kind, of in caps.types.items())
        text = f"{caps.name} is {kinds}: conditions on it are not left to the server"
        yield Finding("fields", "warning", text)
    if not at_odds:
        yield Finding("fields", "ok", "no field is kept in ways that do not go together")


def _some(names: Sequence[str]) -> str:
    """The first few, and how many there are beyond."""
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{', '.join(names[:5])}{more}"
