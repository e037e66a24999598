"""``distill inspect``: look into a file before there is a pipeline for it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast

from distill_core.batch import Batch
from distill_core.cli._output import put, put_json, put_table
from distill_core.cli._survey import fields_of, schemas, suspects
from distill_core.component import Request, Scan, Source
from distill_core.wire import build

SAMPLE = 1_000
"""How many documents are looked at."""


def inspect_file(file: str, as_json: bool) -> None:
    """Format, fields, schemas that fit, suspected columns, first documents."""
    found = survey(file)
    if as_json:
        put_json(found)
    else:
        _put(found)


def survey(file: str) -> dict[str, Any]:
    """All that ``distill inspect --json`` tells of a file. Raises SourceError."""
    params: dict[str, Any] = {"path": file}
    source = cast("Source", build("source", {"name": "files", "params": params}))
    documents, scan = _sample(source)
    once = file == "-"
    if not (documents or once) and scan.rejected and "arrays" in type(source).model_fields:
        params["arrays"] = "flatten"  # each line a list of records, as loggers post them
        source = cast("Source", build("source", {"name": "files", "params": params}))
        documents, scan = _sample(source)
    fields = fields_of(documents)
    ranked, likely = schemas(documents, fields), suspects(fields, len(documents))
    return {
        "file": file,
        "looked_at": len(documents),
        "formats": getattr(source, "formats", {}),
        "facts": dict(scan.facts),
        "rejected": dict(Counter(reason for reason, _ in scan.rejected)),
        "fields": [one.to_dict(len(documents)) for one in fields],
        "schemas": ranked,
        "suspects": likely,
        "pipeline": _pipeline(params, ranked, likely),
        "sample": documents[:3],
    }


def _sample(source: Source) -> tuple[list[Mapping[str, Any]], Scan]:
    found: list[Mapping[str, Any]] = []
    scan = Scan()
    chunks = source.read(Request(columns=(), documents=True, limit=SAMPLE), scan)
    try:
        for chunk in chunks:
            if not isinstance(chunk, Batch):  # documents were asked for
                found += [document for document in chunk if isinstance(document, Mapping)]
            if len(found) >= SAMPLE:
                break
    finally:
        scan.cancel()
        getattr(chunks, "close", lambda: None)()
    return found[:SAMPLE], scan


def _pipeline(
    params: Mapping[str, Any],
    ranked: Sequence[Mapping[str, Any]],
    likely: Mapping[str, Sequence[Mapping[str, Any]]],
) -> dict[str, Any] | None:
    """A pipeline to begin with: the schema that fits, else ``fields`` with what is suspected."""
    source = {"name": "files", "params": dict(params)}
    if ranked and ranked[0]["score"] >= 0.5:
        return {"source": source, "schema": {"name": ranked[0]["name"]}}
    first = {role: ones[0] for role, ones in likely.items() if ones}
    if "time" not in first or "activity" not in first or not {"case", "user"} & first.keys():
        return None
    fields = {role: one["path"] for role, one in first.items()}
    fields |= {"unit": first["time"]["unit"]} if "unit" in first["time"] else {}
    return {"source": source, "schema": {"name": "fields", "params": fields}}


def _put(found: Mapping[str, Any]) -> None:
    told = {**found["formats"], **found["facts"]}
    facts = ", ".join(f"{name}: {value}" for name, value in told.items())
    count = f"{'the first ' if found['looked_at'] == SAMPLE else ''}{found['looked_at']} documents"
    put(f"{found['file']}: looked at {count}{facts and f' ({facts})'}")
    for reason, count in found["rejected"].items():
        put(f"rejected {reason}: {count}")
    put("")
    put_table(
        ["field", "types", "null", "distinct", "examples"],
        [(one["path"], ", ".join(one["types"]), f"{one['null']:.0%}", one["distinct"],
          " · ".join(one["examples"])[:60]) for one in found["fields"]],
    )  # fmt: skip
    put("")
    for one in found["schemas"]:
        reads = ", ".join(f"{name} ← {path}" for name, path in [*one["reads"].items()][:6])
        why = f": it would read {reads}" if reads and one["score"] else ""
        put(f"schema {one['name']}: {one['score']:.0%} sure{why}{one.get('error', '')}")
    for role, fields in found["suspects"].items():
        texts = [f"{one['path']}{' in ' + one['unit'] if 'unit' in one else ''}" for one in fields]
        put(f"may be the {role}: {', '.join(texts) or 'none'}")
    for document in found["sample"]:
        put(f"\n{json.dumps(document, ensure_ascii=False)[:400]}")
    if found["pipeline"] is not None:
        import tomli_w

        put(f"\nTo begin with (distill run FILE.toml):\n\n{tomli_w.dumps(found['pipeline'])}")
