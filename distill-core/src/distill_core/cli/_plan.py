"""What ``distill run --explain`` tells: the source's part, and each step with its parameters."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any


def plan_lines(plan: Mapping[str, Any]) -> Iterator[str]:
    r"""``Pipeline.explain()`` as lines of text.

    >>> plan = {"source": {"name": "files", "params": {"path": "a.csv"}},
    ...         "schema": {"name": "fields", "params": {}}, "query": None,
    ...         "columns": {"case": ["who"]}, "pushed": None, "local": "activity = 'a'",
    ...         "sort": None, "limit": None, "documents": False,
    ...         "steps": [{"name": "elapsed", "params": {}, "adds": ["since_start"]}],
    ...         "model": None}
    >>> print("\n".join(plan_lines(plan)))
    source: files
      path = "a.csv"
      asked for: 1 column, all records
    schema: fields
      case ← who
    kept: events where activity = 'a'
    step 0: elapsed
      adds: since_start
    result: the events
    """
    if "log" in plan:  # an input that is a log already
        yield f"log: {plan['log']}"
        return
    before = plan.get("inputs", {})
    yield from _component("source", plan["source"])
    yield f"  asked for: {_asked(plan)}"
    yield from _component("schema", plan["schema"])
    for name, paths in plan["columns"].items():
        yield f"  {name} ← {', '.join(paths) if paths else '(made)'}"
    if plan["query"]:
        yield from _component("query", plan["query"])
    if plan["local"]:
        yield f"kept: events where {plan['local']}"
    for number, step in enumerate(plan["steps"]):
        yield from _component(f"step {number}", step, before, f"transforms.{number}")
        for word in ("adds", "removes"):
            if step.get(word):
                yield f"  {word}: {', '.join(step[word])}"
    if plan["model"]:
        yield from _component("model", plan["model"], before, "model")
    elif plan.get("summary"):
        yield f"result: {json.dumps(plan['summary'], ensure_ascii=False)}"
        yield f"  made {plan['summarized']}"
    else:
        yield "result: the events"
    for path, inner in before.items():
        yield f"{path}:"
        yield from (f"  {line}" for line in plan_lines(inner))


def _component(
    title: str, told: Mapping[str, Any], before: Mapping[str, Any] | None = None, path: str = ""
) -> Iterator[str]:
    yield f"{title}: {told['name']}"
    for name, value in told["params"].items():
        elsewhere = f"{path}.params.{name}" in (before or {})
        text = "another log, below" if elsewhere else json.dumps(value, ensure_ascii=False)
        yield f"  {name} = {text}"


def _asked(plan: Mapping[str, Any]) -> str:
    count = len(plan["columns"])
    columns = f"{count} column{'' if count == 1 else 's'}"
    parts = ["whole documents" if plan["documents"] else columns]
    parts += [f"records where {plan['pushed']}" if plan["pushed"] else "all records"]
    if plan["sort"]:
        parts.append("the last first" if plan["sort"].startswith("-") else "in the order of time")
    if plan["limit"] is not None:
        parts.append(f"{plan['limit']:,} at most")
    return ", ".join(parts)
