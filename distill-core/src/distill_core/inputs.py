"""The parameter type ``Input``: another log, which a step needs beside its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

from distill_core._walk import Earlier
from distill_core.component import Component
from distill_core.errors import DistillError
from distill_core.log import EventLog
from distill_core.pipeline import Pipeline
from distill_core.wire import Names, pipeline_of


@dataclass(frozen=True, eq=False)
class Input(Earlier):
    """Another log as a parameter: annotate a field with it, and ask ``log()`` in ``apply``.

    In Python it is given as an ``EventLog`` or a ``Pipeline``; in a document as a pipeline
    document, or as the name of a configured pipeline or source. A pipeline runs before the one
    that it is a parameter of, up to its model, which plays no part. Its written form is the
    document; a log has none.

    >>> from distill_core.component import Transform
    >>> class CountOf(Transform):
    ...     "As many events as another log has."
    ...     other: Input
    ...     def apply(self, log):
    ...         return log.head(len(self.other.log()))
    >>> one, two = (EventLog.from_frame([{"c": 1, "a": "x", "t": t} for t in range(n)],
    ...             case="c", activity="a", time="t", unit="s") for n in (5, 2))
    >>> len(one.apply(CountOf(other=two)))
    2
    """

    given: EventLog | Pipeline
    found: EventLog | None = field(default=None, repr=False)

    def log(self) -> EventLog:
        """The other log: what was read already, else read now. Raises as ``Pipeline.log``."""
        if self.found is not None:
            return self.found
        return self.given if isinstance(self.given, EventLog) else self.given.log()

    def told(self) -> dict[str, Any]:
        """What the other log says of its reading and its steps, for the report of this one."""
        log = self.log()
        return {
            "reading": log.reading.to_dict() if log.reading else None,
            "steps": [report.to_dict() for report in log.steps],
        }

    def plain(self) -> dict[str, Any]:
        if isinstance(self.given, Pipeline):
            return self.given.to_dict(masked=True)
        hashes = self.given.ids.hashes(self.given.positions).astype("<u8")
        return {"log": blake2b(hashes.tobytes(), digest_size=8).hexdigest()}

    def components(self) -> Iterator[tuple[str, Component]]:
        if isinstance(self.given, Pipeline):
            yield from self.given.components()

    def explain(self) -> dict[str, Any]:
        if isinstance(self.given, Pipeline):
            return self.given.explain()
        return {"log": f"{len(self.given)} events"}

    def checked(self) -> Input:
        if isinstance(self.given, Pipeline):
            return replace(self, found=self.given.empty())
        return replace(self, found=self.given.head(0))

    def read(self, *, strict: bool) -> Input:
        if isinstance(self.given, Pipeline):
            return replace(self, found=self.given.log(strict=strict))
        return self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Input):
            return NotImplemented
        if isinstance(self.given, EventLog) and isinstance(other.given, EventLog):
            return self.given is other.given or _equal(self.given, other.given)
        return bool(self.given == other.given)

    def __hash__(self) -> int:
        return hash((Input, repr(self.plain())))

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(
            _validated,
            serialization=core_schema.plain_serializer_function_ser_schema(
                _written, info_arg=True, when_used="json"
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        example = {"source": "web", "transforms": ["elapsed"]}
        return {"type": ["object", "string"], "format": "pipeline", "examples": [example, "web"]}


def _validated(value: Any, info: core_schema.ValidationInfo) -> Input:
    if isinstance(value, Input):
        return value
    if isinstance(value, EventLog):
        return Input(value)
    if isinstance(value, Mapping | str):
        try:
            value = _pipeline(value, (info.context or {}).get("names") or Names())
        except DistillError as error:  # pydantic adds where it is, wire makes it this error again
            context = {"text": str(error), "error": error}
            raise PydanticCustomError("input", "{text}", context) from None
    if not isinstance(value, Pipeline):
        raise ValueError("a log, a pipeline, its document, or the name of one is wanted")
    return Input(replace(value, model=None))


def _pipeline(written: Mapping[str, Any] | str, names: Names) -> Pipeline:
    if isinstance(written, str):
        return pipeline_of(*names.document(written))
    return pipeline_of(written, names)


def _written(value: Input, info: core_schema.SerializationInfo) -> dict[str, Any]:
    masked = bool(info.context and info.context.get("masked"))
    if isinstance(value.given, Pipeline):
        return value.given.to_dict(masked=masked)
    if not masked:
        raise ValueError("a log has no written form: give the pipeline that makes it")
    return value.plain()


def _equal(one: EventLog, other: EventLog) -> bool:
    same = len(one) == len(other) and dict(one.columns) == dict(other.columns)
    return same and one.to_dicts() == other.to_dicts()
