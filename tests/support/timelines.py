"""Logs written as the semantics write them: ``focus@0(a) click@5(a) blur@9(a)``."""

from __future__ import annotations

import re
from typing import Any

import distill_core as dl

_EVENT = re.compile(r"(\w+)@(\d+)(?:-(\d+))?(?:\((\w*)\))?")


def timeline(text: str, case: str = "c") -> dl.EventLog:
    """Events e1, e2 … of one case: activity@time, in ms, -end where there is one, (key) as ``k``.

    ``()`` is a null key.
    """
    rows: list[dict[str, Any]] = []
    for word in text.split():
        found = _EVENT.fullmatch(word)
        assert found, word
        activity, time, end, key = found.groups()
        rows.append({"id": f"e{len(rows) + 1}", "case": case, "activity": activity,
                     "time": int(time), "end": end and int(end), "k": key or None})  # fmt: skip
    return dl.EventLog.from_frame(
        rows, case="case", activity="activity", time="time", end="end", unit="ms"
    )


def spans(log: dl.EventLog, *names: str) -> list[tuple[Any, ...]]:
    """(time, end) in ms, and further columns, of the intervals that a step made."""
    rows = [row for row in log.to_dicts() if row["start_id"] is not None]
    times = {
        row["id"]: (int(t) // 1000, e if e is None else e // 1000)
        for row, t, e in zip(log.to_dicts(), log.time, log.data["end"].to_list(), strict=True)
    }  # type: ignore[union-attr]
    return [(*times[row["id"]], *(row[name] for name in names)) for row in rows]


def dangling(log: dl.EventLog) -> dict[str, list[str]]:
    """Reason → ids, as the last step told them."""
    return {reason: list(told.ids) for reason, told in log.steps[-1].dangling.items()}


def dropped(log: dl.EventLog) -> dict[str, list[str]]:
    """Reason → ids, as the last step told them."""
    return {reason: list(told.ids) for reason, told in log.steps[-1].dropped.items()}
