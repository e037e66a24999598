"""Make the sample log anew: ``python make_sample.py FOLDER`` where FOLDER holds the recordings.

Whole sessions of the people named below, all their records in the order of arrival. A record
without a session comes along if the array that it was posted in is of a chosen session.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

RECORDING = "userale-2.4.0-shop.batches.ndjson.gz"
SAMPLE = Path(__file__).parents[1] / "src" / "distill_userale" / "data" / "sample.ndjson.gz"
PEOPLE = 15
"""The first ones: each of the ten kinds at least once."""


def chosen(arrays: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The records of the sample, in the order of arrival."""
    users = {str(r["userId"]) for array in arrays for r in array if r.get("userId")}
    people = set(sorted(users)[:PEOPLE])
    sessions = {r["sessionID"] for array in arrays for r in array if r.get("userId") in people}
    found = []
    for array in arrays:
        if any(r.get("sessionID") in sessions for r in array):
            found += [r for r in array if r.get("sessionID") in {None, *sessions}]
    return found


def main(folder: str) -> None:
    """Read the recording, write the sample: the same bytes each time."""
    with gzip.open(Path(folder) / RECORDING, "rt", encoding="utf-8") as lines:
        arrays = [json.loads(line) for line in lines]
    text = "".join(
        json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"
        for record in chosen(arrays)
    )
    with SAMPLE.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as out:
        out.write(text.encode("utf-8"))


if __name__ == "__main__":
    main(sys.argv[1])
