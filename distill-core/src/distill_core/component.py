"""The five kinds of component: source, schema, query, transform, model.

Each is a frozen pydantic model; its fields are its parameters, for Python, TOML, JSON, the command
line and other tools alike. Its name, in snake_case, comes from the class or is given::

    class DropBots(Transform, name="drop_bots"): ...

and is no field, so a parameter may be called ``name``.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from distill_core._faults import invalid, parameters
from distill_core._walk import columns_named, plain_params
from distill_core.batch import Batch
from distill_core.columns import Column
from distill_core.conditions import Condition, bind
from distill_core.errors import SpecError, TransformError, nearest
from distill_core.summary import Summarized, Summary

if TYPE_CHECKING:
    from distill_core.log import EventLog
    from distill_core.picture import Picture
    from distill_core.result import Result

Kind = Literal["source", "schema", "query", "transform", "model"]
KINDS: tuple[Kind, ...] = ("source", "schema", "query", "transform", "model")
Scope = Literal["event", "case", "log"]


class Component(BaseModel):
    """What all five kinds share: parameters as fields, a name, an origin.

    Wrong parameters raise SpecError, or the error of a parameter's own type (ConditionError):
    the words are those of a document, less the path to the component.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, serialize_by_alias=True
    )

    __kind__: ClassVar[Kind]
    __component__: ClassVar[str] = ""
    __origin__: ClassVar[str] = ""

    def __new__(cls, *args: Any, **_: Any) -> Self:
        """Refuse positional arguments in words; here, so that the signature has none."""
        if args:
            first = next(iter(parameters(cls)), None)
            like = f": {cls.__name__}({first}=…)" if first else f", and {cls.__name__} has none"
            raise TypeError(f"parameters are given by name{like}")
        return super().__new__(cls)

    def __init__(self, /, **params: Any) -> None:
        try:
            super().__init__(**params)
        except ValidationError as error:
            raise invalid(type(self), error, params) from None

    # Without this mark pydantic would call __init__ for documents too, and lose their context.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    def __init_subclass__(cls, *, name: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        type.__setattr__(cls, "__component__", name or _snake(cls.__name__))
        type.__setattr__(cls, "__origin__", "")

    def check(self, columns: Mapping[str, Column]) -> None:
        """Raise if a parameter names a column that is not there, or a literal does not fit.

        Extend it for rules of your own (call ``super().check(columns)`` first).
        """
        for path, name, condition in columns_named(self):
            if condition is not None:
                try:
                    bind(condition, columns)
                except Exception as error:
                    if hasattr(error, "at"):
                        raise error.at(path) from error.__cause__
                    raise
            elif name not in columns:
                raise TransformError(
                    f"there is no column {name!r} at this step",
                    code="column-unknown",
                    hint=nearest(name, columns),
                    path=path,
                )

    def named_columns(self) -> frozenset[str]:
        """The columns that the parameters name, in conditions too."""
        found: set[str] = set()
        for _, name, condition in columns_named(self):
            found |= {name} if condition is None else condition.columns
        return frozenset(found)

    def params(self) -> dict[str, Any]:
        """The parameters as JSON values, with defaults."""
        return self.model_dump(mode="json")

    def params_key(self) -> str:
        """The parameters as ids are made of them: RFC 8785, defaults left out, durations in µs."""
        import rfc8785

        return rfc8785.dumps(plain_params(self)).decode("utf-8")


def _snake(name: str) -> str:
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()


def component_name(component: Component | type[Component]) -> str:
    """The name by which documents and the command line know it.

    >>> class DropBots(Transform): ...
    >>> component_name(DropBots)
    'drop_bots'
    """
    return component.__component__


def check_written(columns: Mapping[str, Column], new: tuple[Column, ...]) -> None:
    """Raise TransformError if a column that is written is there with another type."""
    for column in new:
        known = columns.get(column.name)
        if known is not None and known.type != column.type:
            raise TransformError(
                f"column {column.name!r} is {known.type}, but this step writes "
                f"{column.type} there",
                code="column-clash",
                hint="give the log's own column another name, or leave it out by select",
            )


@dataclass(frozen=True)
class Selection:
    """What a query asks, in names: columns (none: all), a condition, order and limit.

    With a ``summary`` no events come, but figures of all those for which ``where`` is true:
    columns, sort and limit have no meaning then.
    """

    columns: tuple[str, ...] = ()
    where: Condition | None = None
    sort: Literal["time", "-time"] | None = None
    limit: int | None = None
    summary: Summary | None = None

    def __post_init__(self) -> None:
        if self.summary is not None and (self.columns or self.sort or self.limit is not None):
            raise SpecError(
                "a summary is of all events: columns, sort and limit have no meaning",
                code="spec-invalid",
                hint="its rows are limited by top",
            )


@dataclass(frozen=True)
class Request:
    """A selection made ready for one reading; frozen, pickles.

    ``columns``: the wanted ones, with their paths. ``where``: a condition on these columns, which
    the source may use to leave rows out, never fewer than it says (the core applies it again).
    ``sort`` and ``limit`` are hints. ``documents``: whole documents are wanted, as dicts.
    ``part``: what ``split`` of the same source wrote, its own affair. ``match``: the schema's, of
    ``summarize`` only.
    """

    columns: tuple[Column, ...]
    where: Condition | None = None
    sort: Literal["time", "-time"] | None = None
    limit: int | None = None
    documents: bool = False
    part: Mapping[str, Any] | None = None
    match: Condition | None = None


@dataclass
class Scan:
    """One reading as its source sees it; the core makes one for each reading.

    ``cancelled`` turns true when the reader has enough: a source stops as soon as it can.
    ``sorted`` is set by a source that keeps ``request.sort``.
    """

    cancelled: bool = False
    sorted: bool = False
    rejected: list[tuple[str, int]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    on_progress: Callable[[int, int | None], None] | None = None
    _on_cancel: list[Callable[[], None]] = field(default_factory=list)

    def on_cancel(self, call: Callable[[], None]) -> None:
        """Have ``call`` run when the reading is cancelled, from whatever thread cancels it."""
        self._on_cancel.append(call)

    def cancel(self) -> None:
        """Stop the reading; safe to call twice."""
        if not self.cancelled:
            self.cancelled = True
            for call in self._on_cancel:
                call()

    def progress(self, done: int, total: int | None = None) -> None:
        """Tell how many documents are read, of how many where that is known."""
        if self.on_progress:
            self.on_progress(done, total)

    def reject(self, reason: str, arrival: int) -> None:
        """Tell of a record that is no document: ``reason`` in snake_case, its place."""
        self.rejected.append((reason, arrival))

    def note(self, **facts: Any) -> None:
        """Facts for the report (plain JSON values); numbers under one name add up."""
        for name, value in facts.items():
            old = self.facts.get(name)
            both = isinstance(value, int | float) and isinstance(old, int | float)
            self.facts[name] = old + value if both else value


@dataclass(frozen=True)
class Finding:
    """What looking at a source brought up: ``name`` of what was looked at, and how it stands."""

    name: str
    status: Literal["ok", "warning", "error"]
    text: str


class Source(Component):
    """Reads documents. It only reads: it never writes to what it reads from, by construction.

    ``read`` yields batches (codes and arrays, of the request's columns) or lists of plain dicts,
    in any order, in bounded memory. It may give more rows than ``request.where`` asks for, never
    fewer. A columnar source must read each value as ``distill_core.extract`` does. Raise
    ``SourceError`` for what the user can mend; never put a secret into a message.
    """

    __kind__: ClassVar[Kind] = "source"

    @abstractmethod
    def read(
        self, request: Request, scan: Scan
    ) -> Iterator[Batch | Sequence[Mapping[str, Any]]]:
        """The documents that the request asks for, or more."""
        raise NotImplementedError

    def split(self, request: Request, n: int) -> Sequence[Request]:
        """At most ``n`` requests that together are this one; they may cut cases."""
        return [request]

    def summarize(self, request: Request, summary: Summary) -> Summarized | None:
        """The summary computed where the data is; None: not exactly, the core does it.

        It must be what the core would find, the report on the reading included. That is, in this
        order: each value is what ``extract`` reads; records for which ``request.match`` is not
        true are ``foreign``; blank text is null in ``id case activity user``, and a case that is
        null becomes ``user:`` and the user (told in ``counts`` as ``case_from_user``, of what is
        kept), if there is a user; ``request.where``, here exact, leaves out what it is not true
        for; of the rest, records that lack time, activity, case or a required column are rejected
        (``no_time``, or ``bad_time`` for a fault, and so on, by the first that is lacking), and
        faults in ``summary.columns`` are ``nulled``. What is kept is summarised. ``summary.top``
        may leave out groups that cannot be among the first.

        The core asks only if all columns that count have paths, and are not the end of an event.
        """
        return None

    def fingerprint(self, request: Request) -> str | None:
        """A text that changes whenever the answer may change; None: not known."""
        return None

    def locate(self, arrivals: Sequence[int]) -> list[str]:
        """Where a user finds the records of these arrivals, such as ``web.ndjson:12``."""
        return [str(arrival) for arrival in arrivals]

    def probe(self, columns: Sequence[Column]) -> Iterator[Finding]:
        """Look whether reading these columns will do: what ``distill sources check`` tells.

        Here a first record is read. A source that knows more (who may read what, which fields
        contradict each other) tells that instead. What the user can mend is a finding, or the
        DistillError that reading would raise.
        """
        scan = Scan()
        chunks = self.read(Request(columns=tuple(columns), limit=1), scan)
        try:
            some = any(map(len, chunks))
        finally:
            scan.cancel()
            getattr(chunks, "close", lambda: None)()
        if some:
            yield Finding("reading", "ok", "a record was read")
        else:
            yield Finding("reading", "warning", "there are no records")


class Schema(Component):
    """Turns documents into events: which columns there are and where documents keep them.

    A schema with paths alone needs no code but ``columns``. ``parse`` fills the wanted columns
    that have no paths from those named in their ``of``; it works row by row, fills no other
    column and drops nothing. ``match``: documents for which it is not true are counted
    ``foreign`` and left out.
    """

    __kind__: ClassVar[Kind] = "schema"
    version: ClassVar[str] = ""
    """Changes whenever the same documents would give other events; results tell it."""
    match: ClassVar[Condition | None] = None

    extra: tuple[Column, ...] = Field(
        (), description="further columns of your own, such as dialog_id ← details.dialog_id"
    )

    @field_validator("extra")
    @classmethod
    def _extra_is_read(cls, extra: tuple[Column, ...]) -> tuple[Column, ...]:
        for column in extra:
            if not column.paths:
                raise ValueError(f"column {column.name!r} has no paths: where is it kept?")
        return extra

    @abstractmethod
    def columns(self) -> tuple[Column, ...]:
        """The columns of the log, in the order of its attributes."""
        raise NotImplementedError

    def parse(self, batch: Batch) -> Batch:
        """Fill the wanted columns that have no paths."""
        return batch

    def unpack(self, document: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
        """The events in a document, for a schema whose documents hold several."""
        return [document]

    @classmethod
    def detect(cls, sample: Sequence[Mapping[str, Any]]) -> float:
        """How surely these documents are of this schema, 0 to 1; for ``distill inspect``."""
        return 0.0

    def named(self) -> frozenset[str]:
        """Columns that its user named: a reading notes those of which no event has a value."""
        return frozenset(column.name for column in self.extra)

    def all_columns(self) -> tuple[Column, ...]:
        """``columns()`` and ``extra``; an extra column replaces one of its name."""
        extra = {column.name: column for column in self.extra}
        own = self.columns()
        if len(extra) < len(self.extra):
            return (*own, *self.extra)  # a name twice, which check_columns tells
        names = {column.name for column in own}
        new = (column for name, column in extra.items() if name not in names)
        return (*(extra.get(column.name, column) for column in own), *new)


class Query(Component):
    """Which events are asked for; ``now`` is the moment that relative times count from (UTC)."""

    __kind__: ClassVar[Kind] = "query"

    @abstractmethod
    def select(self, now: datetime) -> Selection:
        """The selection, in names of columns."""
        raise NotImplementedError


class Transform(Component):
    """Event log → event log.

    ``scope``: what may be cut apart without changing the result: ``event`` (each event alone),
    ``case`` (whole cases) or ``log``. ``reads``: the columns that ``apply`` uses beyond the
    reserved ones and those that parameters name; None: any.
    """

    __kind__: ClassVar[Kind] = "transform"
    scope: ClassVar[Scope] = "log"
    reads: ClassVar[tuple[str, ...] | None] = None

    @abstractmethod
    def apply(self, log: EventLog) -> EventLog:
        """The new log; the given one is not changed."""
        raise NotImplementedError

    def writes(self) -> tuple[Column, ...]:
        """The columns that ``apply`` writes: the log must not have them with another type."""
        return ()

    def check(self, columns: Mapping[str, Column]) -> None:
        super().check(columns)
        check_written(columns, self.writes())


class Model(Component):
    """Event log → result (``scope`` and ``reads`` as for transforms)."""

    __kind__: ClassVar[Kind] = "model"
    scope: ClassVar[Scope] = "log"
    reads: ClassVar[tuple[str, ...] | None] = None

    @abstractmethod
    def compute(self, log: EventLog) -> Result:
        """The result of the log."""
        raise NotImplementedError

    def draw(self, result: Result) -> Picture:
        """A picture of the result; a table unless the model knows better."""
        from distill_core.picture import table_picture

        return table_picture(result)


S = TypeVar("S")


class Mergeable(Model, Generic[S]):
    """A model that can be computed in parts: states are keyed by labels, never by codes."""

    @abstractmethod
    def partial(self, log: EventLog) -> S:
        """The state of a part of the log, cut between cases."""
        raise NotImplementedError

    @abstractmethod
    def combine(self, one: S, other: S) -> S:
        """The state of both parts; associative, in any order."""
        raise NotImplementedError

    @abstractmethod
    def finish(self, state: S) -> Result:
        """The result of a state."""
        raise NotImplementedError

    def compute(self, log: EventLog) -> Result:
        return self.finish(self.partial(log))
