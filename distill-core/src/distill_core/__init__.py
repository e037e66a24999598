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
    from distill_core.columns import Column
    from distill_core.component import (
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
    from distill_core.decorators import model, query, transform
    from distill_core.errors import (
        ComponentNotFound,
        ConditionError,
        DistillError,
        DuplicateIdError,
        ModelError,
        PluginError,
        SchemaError,
        SourceError,
        SpecError,
        TransformError,
    )
    from distill_core.hookspec import hookimpl
    from distill_core.log import EventLog, concat
    from distill_core.params import ColumnName, Duration, Instant, Secret
    from distill_core.pipeline import Pipeline
    from distill_core.registry import components, find
    from distill_core.result import Result
    from distill_core.wire import from_document, read, to_document

__all__ = [
    "Batch",
    "Codes",
    "Column",
    "ColumnName",
    "ComponentNotFound",
    "Condition",
    "ConditionError",
    "DistillError",
    "DuplicateIdError",
    "Duration",
    "EventLog",
    "Instant",
    "Lists",
    "Masked",
    "Mergeable",
    "Model",
    "ModelError",
    "Pipeline",
    "PluginError",
    "Query",
    "Request",
    "Result",
    "Scan",
    "Schema",
    "SchemaError",
    "Secret",
    "Selection",
    "Source",
    "SourceError",
    "SpecError",
    "Transform",
    "TransformError",
    "col",
    "components",
    "concat",
    "find",
    "from_document",
    "hookimpl",
    "model",
    "query",
    "read",
    "to_document",
    "transform",
]

_HOMES = {
    "batch": ("Batch", "Codes", "Lists", "Masked"),
    "columns": ("Column",),
    "component": (
        "Mergeable", "Model", "Query", "Request", "Scan", "Schema", "Selection", "Source",
        "Transform",
    ),
    "conditions": ("Condition", "col"),
    "decorators": ("model", "query", "transform"),
    "errors": (
        "ComponentNotFound", "ConditionError", "DistillError", "DuplicateIdError", "ModelError",
        "PluginError", "SchemaError", "SourceError", "SpecError", "TransformError",
    ),
    "hookspec": ("hookimpl",),
    "log": ("EventLog", "concat"),
    "params": ("ColumnName", "Duration", "Instant", "Secret"),
    "pipeline": ("Pipeline",),
    "registry": ("components", "find"),
    "result": ("Result",),
    "wire": ("from_document", "read", "to_document"),
}  # fmt: skip
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
