"""The portable output of a pipeline: events, a table or a graph, with where it came from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol

from distill_core.batch import Lists
from distill_core.columns import Column
from distill_core.errors import DistillError
from distill_core.log import EventLog

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd

    from distill_core.picture import Picture

FORMAT = 1
Row = Mapping[str, Any]


class Artist(Protocol):
    """What draws a result: its model."""

    def draw(self, result: Result) -> Picture: ...


@dataclass(frozen=True, repr=False)
class Result:
    """Rows of plain values with the columns that describe them, or nodes and edges.

    ``kind`` is ``events`` or ``table`` (``columns``, ``rows``) or ``graph`` (``nodes``, ``edges``,
    ``node_columns``, ``edge_columns``; node-link form as networkx has it). Values are JSON's:
    times ISO 8601 in UTC, durations integer µs, missing values null. ``meta`` holds pipeline,
    versions, reading, steps, truncated.

    >>> result = Result.table([Column("who"), Column("n", type="integer")], [{"who": "a", "n": 1}])
    >>> result.rows
    [{'who': 'a', 'n': 1}]
    >>> result
    <Result table: 1 rows of who, n>
    """

    kind: Literal["events", "table", "graph"]
    columns: tuple[Column, ...] = ()
    table_rows: Sequence[Row] = ()
    nodes: Sequence[Row] = ()
    edges: Sequence[Row] = ()
    node_columns: tuple[Column, ...] = ()
    edge_columns: tuple[Column, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)
    log: EventLog | None = None
    artist: Artist | None = None

    def __repr__(self) -> str:
        """Kind, size and columns in a line: rows may be millions."""
        if self.kind == "graph":
            return f"<Result graph: {len(self.nodes):,} nodes, {len(self.edges):,} edges>"
        size = len(self.log if self.log is not None else self.table_rows)
        names = ", ".join(column.name for column in self.columns)
        return f"<Result {self.kind}: {size:,} rows of {names}>"

    @classmethod
    def of_log(cls, log: EventLog) -> Result:
        """The events of a log; rows are made when they are asked for."""
        columns = tuple(_written(name, column, log) for name, column in log.columns.items())
        return cls("events", columns, log=log)

    @classmethod
    def table(cls, columns: Sequence[Column], rows: Sequence[Row]) -> Result:
        """A table; each row has a value (or None) for each column."""
        return cls("table", tuple(columns), rows)

    @classmethod
    def graph(
        cls,
        nodes: Sequence[Row],
        edges: Sequence[Row],
        *,
        node_columns: Sequence[Column],
        edge_columns: Sequence[Column],
    ) -> Result:
        """A directed graph; nodes have ``id``, edges ``source`` and ``target``."""
        return cls("graph", (), (), nodes, edges, tuple(node_columns), tuple(edge_columns))

    @cached_property
    def rows(self) -> Sequence[Row]:
        """The rows as a list of plain dicts."""
        return list(self.iterate())

    def iterate(self) -> Iterator[Row]:
        """The rows one at a time; of a graph its edges."""
        if self.log is not None:
            yield from self.log
        else:
            yield from self.edges if self.kind == "graph" else self.table_rows

    def with_meta(self, **meta: Any) -> Result:
        """With these entries in ``meta``."""
        return replace(self, meta={**self.meta, **meta})

    def to_dict(self) -> dict[str, Any]:
        """Plain Python objects, the same as ``to_json`` says in text."""
        head = {"distill": FORMAT, "kind": self.kind}
        meta = {"meta": dict(self.meta)}
        if self.kind != "graph":
            columns = [column_dict(column) for column in self.columns]
            return {**head, "columns": columns, "rows": [dict(row) for row in self.rows], **meta}
        columns_of = {
            "nodes": [column_dict(column) for column in self.node_columns],
            "edges": [column_dict(column) for column in self.edge_columns],
        }
        nodes, edges = [dict(row) for row in self.nodes], [dict(row) for row in self.edges]
        return {**head, "directed": True, "multigraph": False, "columns": columns_of,
                "nodes": nodes, "edges": edges, **meta}  # fmt: skip

    def to_json(self) -> str:
        """One line of JSON; the same bytes for the same pipeline and data, whoever asks."""
        return json.dumps(
            self.to_dict(), ensure_ascii=False, allow_nan=False, separators=(",", ":")
        )

    def to_pandas(self) -> pd.DataFrame:
        """The rows (of a graph: its edges) as a DataFrame typed by the columns."""
        if self.log is not None:
            return self.log.to_pandas()
        import pandas as pd

        columns = self.edge_columns if self.kind == "graph" else self.columns
        frame = pd.DataFrame(list(self.iterate()), columns=[c.name for c in columns])
        for column in columns:
            frame[column.name] = _typed(frame[column.name], column)
        return frame

    def to_networkx(self) -> nx.DiGraph[Any]:
        """The graph as networkx has it. Raises DistillError for events and tables."""
        if self.kind != "graph":
            raise DistillError(
                f"a result of kind {self.kind!r} is no graph",
                code="input-type",
                hint="end the pipeline with a model that makes a graph, such as transitions",
            )
        import networkx as nx

        graph = nx.node_link_graph(self.to_dict(), edges="edges")
        assert isinstance(graph, nx.DiGraph)
        return graph

    def plot(self) -> Picture:
        """A picture, which a notebook shows and ``save`` writes as one HTML file."""
        from distill_core.picture import table_picture

        return self.artist.draw(self) if self.artist else table_picture(self)

    def explain(self) -> str:
        """What was read and what each step did, in lines of text."""
        from distill_core.explain import explain

        return explain(self.meta)

    def _repr_html_(self) -> str:
        return self.plot()._repr_html_()


def column_dict(column: Column) -> dict[str, Any]:
    """A column as results describe it."""
    unit = "us" if column.type == "duration" else column.unit if column.type != "time" else None
    return {"name": column.name, "type": column.type, "unit": unit}


def _written(name: str, column: Column, log: EventLog) -> Column:
    """One reference to an event is text in the output; ``ids`` are lists of such."""
    one = column.type == "ids" and not isinstance(log.data.get(name), Lists)
    return replace(column, type="string") if one else column


def _typed(series: Any, column: Column) -> Any:
    import pandas as pd

    match column.type:
        case "integer":
            return series.astype("Int64")
        case "number":
            return series.astype("float64")
        case "boolean":
            return series.astype("boolean")
        case "time":
            return pd.to_datetime(series, utc=True, format="ISO8601").dt.as_unit("us")
        case "duration":
            return pd.to_timedelta(series.astype("Int64"), unit="us").astype("timedelta64[us]")
        case _:
            return series


_COLUMNS = {"type": "array", "items": {"$ref": "#/$defs/column"}}
_ROWS = {"type": "array", "items": {"type": "object"}}
_HEAD = {"distill": {"const": FORMAT}, "meta": {"$ref": "#/$defs/meta"}}
SCHEMA: Mapping[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Distill result",
    "oneOf": [
        {
            "type": "object",
            "required": ["distill", "kind", "columns", "rows", "meta"],
            "properties": {**_HEAD, "kind": {"enum": ["events", "table"]}, "columns": _COLUMNS,
                           "rows": _ROWS},
            "additionalProperties": False,
        },
        {
            "type": "object",
            "required": ["distill", "kind", "columns", "nodes", "edges", "meta"],
            "properties": {**_HEAD, "kind": {"const": "graph"}, "directed": {"const": True},
                           "multigraph": {"const": False},
                           "columns": {"type": "object", "required": ["nodes", "edges"],
                                       "properties": {"nodes": _COLUMNS, "edges": _COLUMNS}},
                           "nodes": {**_ROWS, "items": {"type": "object", "required": ["id"]}},
                           "edges": {**_ROWS, "items": {"type": "object",
                                                        "required": ["source", "target"]}}},
            "additionalProperties": False,
        },
    ],
    "$defs": {
        "column": {
            "type": "object",
            "required": ["name", "type", "unit"],
            "properties": {
                "name": {"type": "string"},
                "type": {"enum": ["string", "integer", "number", "boolean", "time", "duration",
                                  "json", "ids"]},
                "unit": {"type": ["string", "null"]},
            },
            "additionalProperties": False,
        },
        "meta": {
            "type": "object",
            "properties": {
                "pipeline": {"type": "object"},
                "versions": {"type": "object", "additionalProperties": {"type": "string"}},
                "reading": {"type": ["object", "null"],
                            "properties": {"notes": {"type": "array",
                                                     "items": {"type": "string"}}}},
                "steps": {"type": "array", "items": {"type": "object"}},
                "truncated": {"type": "boolean"},
            },
        },
    },
}  # fmt: skip
"""The JSON Schema of ``to_dict``."""
