"""Distill: raw behavioural event logs into analysis-ready logs, intervals, graphs and features.

Its names are found on first use, so importing this package costs next to nothing::

    import distill_core as dl

    dl.Pipeline(source=…, schema=…, transforms=[dl.Collapse(same=["activity"])]).run()
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distill_core.batch import Batch, Codes, Lists, Masked
    from distill_core.builtin.algebra import Algebra
    from distill_core.builtin.append import Append
    from distill_core.builtin.collapse import Collapse
    from distill_core.builtin.compare import Compare
    from distill_core.builtin.counts import Cases, Count, Timeline, Top, Users, Values
    from distill_core.builtin.dedupe import Dedupe
    from distill_core.builtin.drop import Drop
    from distill_core.builtin.drop_dangling import DropDangling
    from distill_core.builtin.drop_near import DropNear
    from distill_core.builtin.edges import Edges
    from distill_core.builtin.elapsed import Elapsed
    from distill_core.builtin.events import Events
    from distill_core.builtin.features import Features
    from distill_core.builtin.fields import Fields
    from distill_core.builtin.fill import Fill
    from distill_core.builtin.filter_cases import FilterCases
    from distill_core.builtin.filter_variants import FilterVariants
    from distill_core.builtin.intervals import Intervals
    from distill_core.builtin.label import Label
    from distill_core.builtin.lookups import Around, Case, Latest, User
    from distill_core.builtin.match import Match
    from distill_core.builtin.patch import Patch
    from distill_core.builtin.relate import Relate
    from distill_core.builtin.rename import Rename
    from distill_core.builtin.rename_by_url import RenameByUrl
    from distill_core.builtin.replace import Replace
    from distill_core.builtin.sample import Sample
    from distill_core.builtin.sandwich import Sandwich
    from distill_core.builtin.segment import Segment
    from distill_core.builtin.select import Select
    from distill_core.builtin.sequences import Sequences
    from distill_core.builtin.sessionize import Sessionize
    from distill_core.builtin.truncate import Truncate
    from distill_core.builtin.where import Where
    from distill_core.columns import Column
    from distill_core.component import (
        Finding,
        Mergeable,
        Model,
        Query,
        Request,
        Scan,
        Schema,
        Selection,
        Source,
        Transform,
    )
    from distill_core.conditions import Condition, col
    from distill_core.config import load_pipeline
    from distill_core.decorators import model, query, transform
    from distill_core.errors import (
        ComponentNotFound,
        ConditionError,
        DistillError,
        DuplicateIdError,
        ModelError,
        OverlapError,
        PluginError,
        SchemaError,
        SourceError,
        SpecError,
        TransformError,
    )
    from distill_core.hookspec import hookimpl
    from distill_core.inputs import Input
    from distill_core.log import EventLog, concat
    from distill_core.moments import Moment
    from distill_core.params import ColumnName, Duration, Every, Instant, Secret, Zone
    from distill_core.pipeline import Pipeline
    from distill_core.registry import components, find
    from distill_core.result import Result
    from distill_core.summary import Group, Measure, Summarized, Summary
    from distill_core.wire import from_document, read, to_document

__all__ = [
    "Algebra",
    "Append",
    "Around",
    "Batch",
    "Case",
    "Cases",
    "Codes",
    "Collapse",
    "Column",
    "ColumnName",
    "Compare",
    "ComponentNotFound",
    "Condition",
    "ConditionError",
    "Count",
    "Dedupe",
    "DistillError",
    "Drop",
    "DropDangling",
    "DropNear",
    "DuplicateIdError",
    "Duration",
    "Edges",
    "Elapsed",
    "EventLog",
    "Events",
    "Every",
    "Features",
    "Fields",
    "Fill",
    "FilterCases",
    "FilterVariants",
    "Finding",
    "Group",
    "Input",
    "Instant",
    "Intervals",
    "Label",
    "Latest",
    "Lists",
    "Masked",
    "Match",
    "Measure",
    "Mergeable",
    "Model",
    "ModelError",
    "Moment",
    "OverlapError",
    "Patch",
    "Pipeline",
    "PluginError",
    "Query",
    "Relate",
    "Rename",
    "RenameByUrl",
    "Replace",
    "Request",
    "Result",
    "Sample",
    "Sandwich",
    "Scan",
    "Schema",
    "SchemaError",
    "Secret",
    "Segment",
    "Select",
    "Selection",
    "Sequences",
    "Sessionize",
    "Source",
    "SourceError",
    "SpecError",
    "Summarized",
    "Summary",
    "Timeline",
    "Top",
    "Transform",
    "TransformError",
    "Truncate",
    "User",
    "Users",
    "Values",
    "Where",
    "Zone",
    "col",
    "components",
    "concat",
    "find",
    "from_document",
    "hookimpl",
    "load_pipeline",
    "model",
    "query",
    "read",
    "to_document",
    "transform",
]

_HOMES = {
    "batch": ("Batch", "Codes", "Lists", "Masked"),
    "builtin.algebra": ("Algebra",),
    "builtin.append": ("Append",),
    "builtin.collapse": ("Collapse",),
    "builtin.compare": ("Compare",),
    "builtin.counts": ("Cases", "Count", "Timeline", "Top", "Users", "Values"),
    "builtin.dedupe": ("Dedupe",),
    "builtin.drop": ("Drop",),
    "builtin.drop_dangling": ("DropDangling",),
    "builtin.drop_near": ("DropNear",),
    "builtin.edges": ("Edges",),
    "builtin.elapsed": ("Elapsed",),
    "builtin.events": ("Events",),
    "builtin.features": ("Features",),
    "builtin.fields": ("Fields",),
    "builtin.fill": ("Fill",),
    "builtin.filter_cases": ("FilterCases",),
    "builtin.filter_variants": ("FilterVariants",),
    "builtin.intervals": ("Intervals",),
    "builtin.label": ("Label",),
    "builtin.lookups": ("Around", "Case", "Latest", "User"),
    "builtin.match": ("Match",),
    "builtin.patch": ("Patch",),
    "builtin.relate": ("Relate",),
    "builtin.rename": ("Rename",),
    "builtin.rename_by_url": ("RenameByUrl",),
    "builtin.replace": ("Replace",),
    "builtin.sample": ("Sample",),
    "builtin.sandwich": ("Sandwich",),
    "builtin.segment": ("Segment",),
    "builtin.select": ("Select",),
    "builtin.sequences": ("Sequences",),
    "builtin.sessionize": ("Sessionize",),
    "builtin.truncate": ("Truncate",),
    "builtin.where": ("Where",),
    "columns": ("Column",),
    "component": (
        "Finding", "Mergeable", "Model", "Query", "Request", "Scan", "Schema", "Selection",
        "Source", "Transform",
    ),
    "conditions": ("Condition", "col"),
    "config": ("load_pipeline",),
    "decorators": ("model", "query", "transform"),
    "errors": (
        "ComponentNotFound", "ConditionError", "DistillError", "DuplicateIdError", "ModelError",
        "OverlapError", "PluginError", "SchemaError", "SourceError", "SpecError", "TransformError",
    ),
    "hookspec": ("hookimpl",),
    "inputs": ("Input",),
    "log": ("EventLog", "concat"),
    "moments": ("Moment",),
    "params": ("ColumnName", "Duration", "Every", "Instant", "Secret", "Zone"),
    "pipeline": ("Pipeline",),
    "registry": ("components", "find"),
    "result": ("Result",),
    "summary": ("Group", "Measure", "Summarized", "Summary"),
    "wire": ("from_document", "read", "to_document"),
}  # fmt: skip
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        from distill_core.errors import nearest

        hint = "" if name.startswith("_") else nearest(name, __all__)
        told = f": {hint}" if hint.startswith("did you mean") else ""
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{told}")
    found = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
