"""Every error that Distill raises on purpose: one root, one stable code each.

A message says what is wrong, ``hint`` what to do next, ``path`` where in a document (dotted, as
``--set`` takes it) the fault lies. ``CODES`` is the list of codes; each has a page in the
documentation.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

CODES = {
    "arrow-missing": "A polars, pyarrow or Arrow object was given and the extra `arrow` is absent.",
    "cell-unreadable": "A value could not be read as its column's type (strict reading only).",
    "column-clash": "Two columns, or a column and a reserved one, want the same name.",
    "column-type": "A column has a type that this operation cannot use.",
    "column-unknown": "A column is named that the log does not have at this step.",
    "component-unknown": "No installed plugin offers a component of this kind and name.",
    "component-clash": "Two installed distributions offer a component of one kind and name.",
    "condition-column": "A condition names a column that is not there.",
    "condition-json": "The JSON form of a condition is not of the documented shape.",
    "condition-literal": "A literal in a condition does not fit its column's type.",
    "condition-pattern": "A pattern in a condition is no valid RE2 expression.",
    "condition-syntax": "The text of a condition is not an expression that Distill accepts.",
    "config-invalid": "distill.toml is not of the documented shape.",
    "config-unknown": "A name is used that distill.toml does not define.",
    "duplicate-id": "One id stands for two different events.",
    "input-type": "An object was given that no event log can be made of.",
    "join-limit": "A join of intervals would have to look at more pairs than its limit.",
    "key-ambiguous": "Several events of another log have one key, where one is wanted.",
    "model-failed": "A model raised an error.",
    "model-limit": "A model's result would go beyond a documented limit.",
    "output-failed": "The output of a command could not be written, or not all of it.",
    "overlap": "One event is in two replacements.",
    "param-invalid": "A parameter has a value that its component does not accept.",
    "pattern-invalid": "A pattern may be empty, begins with what is forbidden, or ends so.",
    "pattern-syntax": "The text of a pattern is not one that Distill accepts.",
    "plugin-broken": "A plugin could not be loaded, or one of its hooks failed.",
    "record-rejected": "A record was rejected (strict reading only).",
    "schema-invalid": "A schema's columns contradict each other or the reserved ones.",
    "schema-columns": "A schema returned something that is not a batch of its own columns.",
    "secret-missing": "The environment variable or file of a secret is not there.",
    "source-conflict": "A source keeps one field in ways that do not go together.",
    "source-denied": "A source does not let these credentials in, or not at what is asked for.",
    "source-failed": "A source raised an error while it was read.",
    "source-format": "A source's data is of a form that it cannot read.",
    "source-limit": "A source's data goes beyond a documented limit.",
    "source-missing": "What a source should read is not there.",
    "source-overloaded": "A source asked to be left alone until the deadline was over.",
    "source-partial": "A source's answer lacks parts, such as shards that failed.",
    "source-tls": "A source's certificate is not trusted, or no TLS can be spoken with it.",
    "source-unavailable": "A source could not be reached, or did not answer in time.",
    "source-version": "A source is of a version or make that the installed client cannot read.",
    "spec-invalid": "A pipeline document is not of the documented shape.",
    "summary-limit": "A summary would have more rows, or greater figures, than it allows.",
    "transform-failed": "A transform raised an error.",
    "window-limit": "A step would make more windows, or later ones, than it allows.",
}
"""Code → what it means, in one sentence."""


class DistillError(Exception):
    """The root: ``message`` says what is wrong, ``hint`` what to do, ``path`` where.

    >>> raise DistillError("no such thing", code="spec-invalid", hint="see the guide")
    Traceback (most recent call last):
    distill_core.errors.DistillError: no such thing (see the guide) [spec-invalid]
    """

    def __init__(
        self, message: str, *, code: str, hint: str | None = None, path: str | None = None
    ) -> None:
        super().__init__(message)
        self.message, self.code, self.hint, self.path = message, code, hint, path

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{where}{self.message}{hint} [{self.code}]"

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.args, self.__dict__.copy()))

    def at(self, path: str) -> DistillError:
        """The same error with ``path`` set in front of its own path."""
        self.path = ".".join(part for part in (path, self.path) if part)
        return self

    def to_dict(self) -> dict[str, str]:
        """Plain form for JSON: ``code``, ``message`` and, where known, ``hint`` and ``path``."""
        found = {"code": self.code, "message": self.message, "hint": self.hint, "path": self.path}
        return {key: value for key, value in found.items() if value is not None}


def _rebuild(
    cls: type[DistillError], args: tuple[object, ...], state: dict[str, object]
) -> DistillError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class PluginError(DistillError):
    """A plugin is broken, or two of them clash; the cause is chained."""


class ComponentNotFound(DistillError):
    """A component is named that no plugin offers."""


class SpecError(DistillError, ValueError):
    """A pipeline document, a parameter or a configuration file is wrong."""


class SchemaError(DistillError):
    """A schema is wrong, or strict reading met a record that does not fit it."""


class ConditionError(DistillError, ValueError):
    """A condition is wrong; ``position`` is the offset in its text, where there is one."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        hint: str | None = None,
        path: str | None = None,
        position: int | None = None,
    ) -> None:
        super().__init__(message, code=code, hint=hint, path=path)
        self.position = position

    def to_dict(self) -> dict[str, str]:
        found = super().to_dict()
        return found if self.position is None else found | {"position": str(self.position)}


class SourceError(DistillError):
    """A source could not be read; secrets are removed from the message."""


class TransformError(DistillError):
    """A transform failed; the message names step, component, distribution and version."""


class DuplicateIdError(TransformError):
    """One id stands for two different events."""


class OverlapError(TransformError):
    """One event is in two replacements."""


class ModelError(DistillError):
    """A model failed; the message names step, component, distribution and version."""


def nearest(name: str, choices: Iterable[str]) -> str:
    """A hint for a misspelt name: the nearest of ``choices``, else all of them.

    >>> nearest("activty", ["activity", "case"])
    "did you mean 'activity'?"
    """
    known = sorted(choices)
    if close := get_close_matches(name, known, n=1):
        return f"did you mean {close[0]!r}?"
    return f"there are: {', '.join(known)}" if known else "there are none"
