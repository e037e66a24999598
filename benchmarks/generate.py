"""Make behavioural logs of any size, the same for the same seed: UserALE-like NDJSON.

About 630 bytes a record, as UserALE.js 2.4 writes them: sessions of some twenty events, six
event types with the shares of a real shop, a few hundred targets, pauses with a long tail.

    python benchmarks/generate.py 1000000 /tmp/events.ndjson
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

START = 1_790_000_000_000
TYPES = np.array(["mouseover", "click", "focus", "blur", "keydown", "scroll"])
SHARES = np.array([0.36, 0.14, 0.16, 0.16, 0.12, 0.06])
BLOCK = 100_000


def columns(events: int, seed: int = 7) -> dict[str, np.ndarray[Any, Any]]:
    """session, user (numbers), time (ms), type and target (numbers): rows by session and time."""
    rng = np.random.default_rng(seed)
    sizes = rng.geometric(1 / 20, size=events // 10 + 10)
    session = np.repeat(np.arange(len(sizes)), sizes)[:events]
    starts = rng.integers(0, 30 * 86_400_000, size=len(sizes))
    pause = rng.exponential(2_500, size=events).astype(np.int64)
    pause[rng.random(events) < 0.01] += 40 * 60_000
    first = np.ones(events, dtype=bool)
    first[1:] = session[1:] != session[:-1]
    pause[first] = 0
    gone = np.cumsum(pause)
    gone -= np.repeat(gone[first], np.diff(np.append(np.flatnonzero(first), events)))
    kind = rng.choice(len(TYPES), size=events, p=SHARES)
    target = rng.zipf(1.4, size=events) % 300
    again = (rng.random(events) < 0.3) & ~first
    kind[again], target[again] = kind[np.flatnonzero(again) - 1], target[np.flatnonzero(again) - 1]
    users = rng.integers(0, max(len(sizes) // 3, 1), size=len(sizes))
    # As in the shop's recordings, a session sees one to three pages, not one an event.
    page = np.cumsum(first | (rng.random(events) < 0.03)) * 7919 % 300
    return {
        "session": session, "user": users[session], "time": START + starts[session] + gone,
        "type": kind, "target": target, "page": page,
    }  # fmt: skip


def records(events: int, seed: int = 7) -> Any:
    """Lines of NDJSON, in the order in which a collector would get them: by time."""
    made = columns(events, seed)
    order = np.argsort(made["time"], kind="stable")
    micro = np.random.default_rng(seed + 1).integers(0, 10, size=events)
    targets = [f"button#item-{n}.btn btn-{n % 7}" for n in range(300)]
    paths = [json.dumps([t, "div#list.grid", "main#main.content", "body.shop", "html"])
             for t in targets]  # fmt: skip
    for start in range(0, events, BLOCK):
        rows = order[start : start + BLOCK]
        block = zip(
            made["session"][rows].tolist(), made["user"][rows].tolist(),
            made["time"][rows].tolist(), TYPES[made["type"][rows]].tolist(),
            made["target"][rows].tolist(), made["page"][rows].tolist(),
            micro[start : start + BLOCK].tolist(), strict=True,
        )  # fmt: skip
        yield "".join(
            f'{{"target":"{targets[g]}","path":{paths[g]},'
            f'"pageUrl":"http://shop.example:8080/product/{p}?user=u{u}",'
            f'"pageTitle":"Example Shop",'
            f'"pageReferrer":"http://shop.example:8080/","browser":{{"browser":"chrome",'
            f'"version":"156.0.0"}},"clientTime":{t},"microTime":0.{m},'
            f'"location":{{"x":{g * 3},"y":{g + 40}}},"scrnRes":{{"width":1366,"height":625}},'
            f'"type":"{k}","logType":"raw","userAction":true,"details":{{"clicks":1,"ctrl":false,'
            f'"alt":false,"shift":false,"meta":false}},"userId":"user-{u:07d}",'
            f'"toolVersion":"1.4.2","toolName":"Example Shop","useraleVersion":"2.4.0",'
            f'"sessionID":"session_{s:012d}"}}\n'
            for s, u, t, k, g, p, m in block
        )


def write(events: int, path: Path, seed: int = 7) -> Path:
    """The NDJSON file; kept if it is there already."""
    if not path.exists():
        part = path.with_suffix(".part")
        with part.open("w", encoding="utf-8", newline="\n") as file:
            for block in records(events, seed):
                file.write(block)
        part.rename(path)
    return path


if __name__ == "__main__":
    write(int(sys.argv[1]), Path(sys.argv[2]))
