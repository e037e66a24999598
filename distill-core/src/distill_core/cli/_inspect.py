"""``distill inspect``: look into a file before there is a pipeline for it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast

from distill_core.batch import Batch
from distill_core.cli._output import put, put_json, put_table
from distill_core.cli._survey import Field, columns_for, fields_of, schemas, suspects
from distill_core.component import Request, Scan, Source
from distill_core.wire import build

SAMPLE = 1_000
"""How many documents are looked at."""


def inspect_file(file: str, as_json: bool, sample: int = SAMPLE) -> None:
    """Format, fields, schemas that fit, suspected columns, first documents."""
    found = survey(file, sample)
    if as_json:
        put_json(found)
    else:
        _put(found, sample)


def survey(file: str, sample: int = SAMPLE) -> dict[str, Any]:
    """All that ``distill inspect --json`` tells of a file's first records; ``sample`` 0: all.

    Raises SourceError.
    """
    params: dict[str, Any] = {"path": file}
    source = cast("Source", build("source", {"name": "files", "params": params}))
    documents, scan = _sample(source, sample)
    once = file == "-"
    if not (documents or once) and scan.rejected and "arrays" in type(source).model_fields:
        params["arrays"] = "flatten"  # each line a list of records, as loggers post them
        source = cast("Source", build("source", {"name": "files", "params": params}))
        documents, scan = _sample(source, sample)
    fields = fields_of(documents)
    ranked, likely = schemas(documents, fields), suspects(fields, len(documents))
    return {
        "file": file,
        "looked_at": len(documents),
        "formats": getattr(source, "formats", {}),
        "facts": dict(scan.facts),
        "rejected": dict(Counter(reason for reason, _ in scan.rejected)),
        "places": _places(source, scan),
        "fields": [one.to_dict(len(documents)) for one in fields],
        "schemas": ranked,
        "suspects": likely,
        "pipeline": _pipeline(params, ranked, likely, fields),
        "sample": documents[:3],
    }


def _places(source: Source, scan: Scan) -> dict[str, list[str]]:
    """Reason → where the first records are that were rejected for it."""
    arrivals: dict[str, list[int]] = {}
    for reason, arrival in sorted(scan.rejected, key=lambda one: one[1]):
        arrivals.setdefault(reason, []).append(arrival)
    return {reason: source.locate(found[:3]) for reason, found in arrivals.items()}


def _sample(source: Source, sample: int) -> tuple[list[Mapping[str, Any]], Scan]:
    """The first documents, all of them if ``sample`` is 0."""
    found: list[Mapping[str, Any]] = []
    scan, most = Scan(), sample or None
    chunks = source.read(Request(columns=(), documents=True, limit=most), scan)
    try:
        for chunk in chunks:
            if not isinstance(chunk, Batch):  # documents were asked for
                found += [document for document in chunk if isinstance(document, Mapping)]
            if most and len(found) >= most:
                break
    finally:
        scan.cancel()
        getattr(chunks, "close", lambda: None)()
    return found[:most], scan


def _pipeline(
    params: Mapping[str, Any],
    ranked: Sequence[Mapping[str, Any]],
    likely: Mapping[str, Sequence[Mapping[str, Any]]],
    fields: Sequence[Field],
) -> dict[str, Any] | None:
    """A pipeline to begin with: the schema that fits, else ``fields`` with what is suspected."""
    source = {"name": "files", "params": dict(params)}
    if ranked and ranked[0]["score"] >= 0.5:
        return {"source": source, "schema": {"name": ranked[0]["name"]}}
    first = {role: ones[0] for role, ones in likely.items() if ones}
    if "time" not in first or "activity" not in first or not {"case", "user"} & first.keys():
        return None
    known: dict[str, Any] = {role: one["path"] for role, one in first.items()}
    known |= {"unit": first["time"]["unit"]} if "unit" in first["time"] else {}
    if columns := columns_for(fields, set(known.values())):
        known["columns"] = columns
    return {"source": source, "schema": {"name": "fields", "params": known}}


def _put(found: Mapping[str, Any], sample: int) -> None:
    told = {**found["formats"], **found["facts"]}
    facts = ", ".join(f"{name}: {value}" for name, value in told.items())
    count = f"{'the first ' if found['looked_at'] == sample else ''}{found['looked_at']} documents"
    put(f"{found['file']}: looked at {count}{facts and f' ({facts})'}")
    for reason, count in found["rejected"].items():
        first = ", ".join(found["places"][reason])
        put(f"rejected {reason}: {count} ({first}{', …' if count > 3 else ''})")
    put("")
    put_table(
        ["field", "types", "null", "distinct", "examples"],
        [(one["path"], ", ".join(one["types"]), _share(one["null"]), one["distinct"],
          " · ".join(one["examples"])[:60]) for one in found["fields"]],
    )  # fmt: skip
    put("")
    fit = [one for one in found["schemas"] if one["score"] or "error" in one]
    if not fit:
        put("no schema is made for these records; fields reads any, by parameters")
    for one in fit:
        reads = ", ".join(f"{name} ← {path}" for name, path in [*one["reads"].items()][:6])
        why = f": it would read {reads}" if reads and one["score"] else ""
        put(f"schema {one['name']}: {one['score']:.0%} sure{why}{one.get('error', '')}")
    nulls = {one["path"]: _share(one["null"]) for one in found["fields"]}
    for role, fields in found["suspects"].items():
        texts = [f"{one['path']}{' in ' + one['unit'] if 'unit' in one else ''}"
                 f" ({nulls[one['path']]} null)" for one in fields]  # fmt: skip
        put(f"may be the {role}: {', '.join(texts) or 'none'}")
    for document in found["sample"]:
        put(f"\n{json.dumps(document, ensure_ascii=False)[:400]}")
    if found["pipeline"] is not None:
        import tomli_w

        put(f"\nTo begin with (distill run FILE.toml):\n\n{tomli_w.dumps(found['pipeline'])}")


def _share(null: float) -> str:
    """A share in percent; what is neither none nor all is not shown as such.

    >>> [_share(null) for null in (0, 0.0034, 0.5, 0.999, 1)]
    ['0%', '<1%', '50%', '>99%', '100%']
    """
    return "<1%" if 0 < null < 0.01 else ">99%" if 0.99 < null < 1 else f"{null:.0%}"
