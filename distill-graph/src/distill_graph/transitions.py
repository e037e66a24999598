"""The model ``transitions``: the directly-follows graph of a log."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from distill_core.batch import Codes
from distill_core.columns import Column, Type
from distill_core.component import Mergeable, Scope
from distill_core.errors import ModelError
from distill_core.log import EventLog
from distill_core.params import ColumnName, instant_text
from distill_core.result import Result
from distill_graph._medians import medians, rounded, totals
from distill_graph._tally import NODE_SUMS, Tally, merge, tally

if TYPE_CHECKING:
    from distill_core.picture import Picture

_WHOLE = ("count", "cases", "start", "end", "overlaps")


def _columns(*names: str) -> tuple[Column, ...]:
    types: Mapping[str, Type] = {
        name: "integer" if name in _WHOLE else "duration" for name in names
    }
    return tuple(Column(name, type=kind) for name, kind in types.items())


NODE_COLUMNS = (Column("id"), *_columns(*NODE_SUMS))
EDGE_COLUMNS = (
    Column("source"),
    Column("target"),
    *_columns("count", "cases", "total", "mean", "median", "overlaps"),
)


class Transitions(Mergeable[Tally]):
    """What directly follows what: the directly-follows graph.

    A node is a value of the column ``node``: how many events have it (``count``), in how many
    cases it occurs (``cases``), how many cases begin and end with it (``start``, ``end``), and how
    long its events last together (``duration``). An edge stands for two neighbours in a case: how
    often (``count``), in how many cases (``cases``), how much time lies between, from the end of
    the one (its time, where it has no end) to the time of the other (``total``, ``mean``,
    ``median``; µs, halves rounded to even), and how often the other began before that end
    (``overlaps``; no time lies between then).

    Events with null in ``node`` are left out before neighbours are sought; ``meta["counts"]`` tells
    how many (``null_node``), and what ``self_loops``, ``min_count`` and ``top`` leave out
    (``hidden_edges``, and their counts in ``hidden_transitions``). Nodes always count everything.

    >>> from distill_core.log import EventLog
    >>> rows = [{"c": 1, "a": a, "t": t} for a, t in [("a", 0), ("b", 4), ("a", 9), ("b", 10)]]
    >>> log = EventLog.from_frame(rows, case="c", activity="a", time="t", unit="us")
    >>> for edge in Transitions().compute(log).edges:
    ...     print(edge["source"], edge["target"], edge["count"], edge["total"], edge["median"])
    a b 2 5 2
    b a 1 5 5
    """

    scope: ClassVar[Scope] = "case"
    reads: ClassVar[tuple[str, ...] | None] = ()

    node: ColumnName = Field("activity", description="the column whose values are the nodes")
    self_loops: bool = Field(
        True, description="keep edges from a node to itself; without them nothing is merged"
    )
    min_count: int = Field(1, ge=1, description="leave out edges that occur less often than this")
    top: int | None = Field(
        None, ge=0, description="keep only so many edges, the most frequent ones; null: all"
    )

    def partial(self, log: EventLog) -> Tally:
        """Nodes and all edges of a part; parts share no case."""
        codes, labels = _labelled(log, self.node)
        return tally(codes, labels, log.offsets, log.time, log.last)

    def combine(self, one: Tally, other: Tally) -> Tally:
        return merge([one, other])

    def finish(self, state: Tally) -> Result:
        shown = self._shown(state)
        nodes = _rows(NODE_COLUMNS, {"id": state.labels, **state.nodes})
        count = state.waits.lengths
        total = totals(state.waits)
        edges = {
            "source": np.array(state.labels, dtype=object)[state.source],
            "target": np.array(state.labels, dtype=object)[state.target],
            "count": count,
            "cases": state.cases,
            "total": total,
            "mean": rounded(total, count),
            "median": medians(state.waits),
            "overlaps": state.overlaps,
        }
        counts = {
            "null_node": state.null_node,
            "hidden_edges": len(shown) - int(shown.sum()),
            "hidden_transitions": int(count[~shown].sum()),
        }
        return Result.graph(
            nodes,
            _rows(EDGE_COLUMNS, {name: column[shown] for name, column in edges.items()}),
            node_columns=NODE_COLUMNS,
            edge_columns=EDGE_COLUMNS,
        ).with_meta(counts=counts)

    def _shown(self, state: Tally) -> NDArray[np.bool_]:
        """Which edges the parameters let through."""
        count = state.waits.lengths
        shown = count >= self.min_count
        if not self.self_loops:
            shown &= state.source != state.target
        if self.top is not None:
            rows = np.flatnonzero(shown)
            least = rows[np.argsort(-count[rows], kind="stable")[self.top :]]
            shown[least] = False
        return shown

    def draw(self, result: Result) -> Picture:
        """A layered graph of the most frequent nodes and edges; it says what it does not show."""
        from distill_graph._drawing import draw_transitions

        return draw_transitions(result)


def _rows(
    columns: Sequence[Column], values: Mapping[str, Sequence[Any] | NDArray[Any]]
) -> list[dict[str, Any]]:
    """Rows of plain values, in the order of the columns."""
    names = [column.name for column in columns]
    lists = [v.tolist() if isinstance(v := values[name], np.ndarray) else v for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*lists, strict=True)]


def _labelled(log: EventLog, name: str) -> tuple[NDArray[np.int32], Sequence[str]]:
    """A column as codes into labels, which are distinct and sorted by code point."""
    column, found = log.column(name), log.get(name)
    if isinstance(found, Codes):
        found = found.sort_values()
        return found.codes, found.values  # type: ignore[return-value]
    values, codes = np.unique(found.values, return_inverse=True)
    match column.type:
        case "time":
            labels = [instant_text(value) for value in values.tolist()]
        case "integer" | "boolean" | "number" | "duration":
            labels = [json.dumps(value) for value in values.tolist()]
        case _:
            raise ModelError(
                f"column {name!r} is of type {column.type}: its values cannot be nodes",
                code="column-type",
                hint="name a column of text, or make one by the transform label",
            )
    return Codes(np.where(found.null, -1, codes), labels).sort_values().codes, sorted(set(labels))
