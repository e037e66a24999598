"""The event log itself. What is long lives beside it: made events, input, output, joining."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from distill_core.batch import Array, Bools, Codes, Ints, Lists, Masked
from distill_core.columns import CORE, DURATION, Column, output_order
from distill_core.conditions import Condition, mask
from distill_core.errors import DistillError, TransformError, nearest
from distill_core.ids import Ids
from distill_core.log import _derive, _frame, _input, _notes, _output
from distill_core.log._notes import Notes
from distill_core.prepare import Prepared, borders, prepare
from distill_core.reports import Reading, StepReport

if TYPE_CHECKING:
    import pandas as pd


class Step(Protocol):
    """What ``apply`` takes: a transform."""

    @property
    def __component__(self) -> str: ...
    def check(self, columns: Mapping[str, Column]) -> None: ...
    def params_key(self) -> str: ...
    def apply(self, log: EventLog) -> EventLog: ...


class EventLog:
    """Events in order O (case, time, order, arrival), by column; immutable.

    ``columns``: name → Column, in the order of every output (``duration`` among them where there
    is an ``end``). ``offsets`` (int64, cases + 1): where the rows of each case begin. ``reading``
    and ``steps``: what was read and what each step did; a slice carries neither.

    >>> log = EventLog.from_frame(
    ...     [{"who": "a", "what": "click", "at": 1}, {"who": "a", "what": "load", "at": 0}],
    ...     case="who", activity="what", time="at", unit="ms")
    >>> [event["activity"] for event in log]
    ['load', 'click']
    """

    data: Mapping[str, Array]
    _columns: dict[str, Column]
    offsets: Ints
    ids: Ids
    reading: Reading | None
    steps: tuple[StepReport, ...]
    notes: Notes

    def __init__(
        self,
        columns: Mapping[str, Column],
        data: Mapping[str, Array],
        offsets: Ints,
        ids: Ids,
        *,
        reading: Reading | None = None,
        steps: tuple[StepReport, ...] = (),
        notes: Notes | None = None,
    ) -> None:
        names = output_order(data)
        vars(self).update(
            data={name: data[name] for name in names},
            _columns={name: columns[name] for name in names},
            offsets=offsets,
            ids=ids,
            reading=reading,
            steps=steps,
            notes=notes or Notes(),
        )

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"an EventLog is immutable: {name!r} cannot be set on it")

    @classmethod
    def of(cls, prepared: Prepared, reading: Reading | None = None) -> EventLog:
        """The log of prepared columns."""
        return cls(prepared.columns, prepared.data, prepared.offsets, prepared.ids, reading=reading)

    @classmethod
    def from_frame(
        cls,
        obj: Any,
        *,
        case: str,
        activity: str,
        time: str,
        end: str | None = None,
        user: str | None = None,
        order: str | None = None,
        unit: str | None = None,
        zone: str | None = None,
        strict: bool = False,
    ) -> EventLog:
        """A log of a pandas DataFrame, a list of dicts, or (extra ``arrow``) any Arrow table.

        ``case activity time end user order`` name columns of ``obj``; all others become
        attributes, in snake_case. ``unit`` (``s ms us ns``) says what numbers in time and end
        mean, ``zone`` where times without a zone were taken. Rows without a time or activity, or
        with neither case nor user, are left out and counted in ``log.reading``; with ``strict``
        they raise SchemaError; so do times of which none can be read for want of a unit or zone.
        Text that an Arrow field says is JSON is read as such, and so are lists and structs. The
        object is not changed.
        """
        roles = {"case": case, "activity": activity, "time": time, "end": end, "user": user,
                 "order": order}  # fmt: skip
        named = {role: name for role, name in roles.items() if name is not None}
        return cls.of(*_input.read_frame(obj, named, unit, zone, strict=strict))

    def replace(self, **changes: Any) -> EventLog:
        """The log with some of its parts replaced (data, columns, offsets, ids, reading, …)."""
        parts: dict[str, Any] = {
            "columns": self._columns, "data": self.data, "offsets": self.offsets, "ids": self.ids,
            "reading": self.reading, "steps": self.steps, "notes": self.notes,
        }  # fmt: skip
        return EventLog(**(parts | changes))

    # -- looking ---------------------------------------------------------------------------------

    @cached_property
    def columns(self) -> Mapping[str, Column]:
        """Name → Column, in output order."""
        if "end" not in self._columns:
            return self._columns
        every = self._columns | {"duration": DURATION}
        return {name: every[name] for name in output_order(every)}

    def __len__(self) -> int:
        return len(self.data["time"])

    @property
    def n_cases(self) -> int:
        return len(self.offsets) - 1

    @property
    def time(self) -> Ints:
        """Each event's time, µs since the epoch."""
        return self.data["time"].values

    @cached_property
    def last(self) -> Ints:
        """Each event's end, else its time, µs since the epoch."""
        end = self.data.get("end")
        if not isinstance(end, Masked):
            return self.time
        return np.where(end.null, self.time, end.values)

    @cached_property
    def positions(self) -> Ints:
        """Each event's place in the table of ids."""
        return self.data["id"].values

    @cached_property
    def case_of(self) -> NDArray[np.int64]:
        """The number of each row's case, 0 … n_cases − 1."""
        return np.repeat(np.arange(self.n_cases, dtype=np.int64), np.diff(self.offsets))

    @cached_property
    def sources(self) -> Lists:
        """``source_ids`` as positions in the table of ids; an event's own where nothing made it."""
        found = self.data.get("source_ids")
        return found if isinstance(found, Lists) else Lists.single(self.positions)

    def sources_of(self, rows: Lists) -> Lists:
        """The ``source_ids`` of what is made of these rows: the source's, in order, each once."""
        return _derive.united_sources(self, rows)

    def column(self, name: str) -> Column:
        """The column of this name, or an error that names the nearest."""
        try:
            return self.columns[name]
        except KeyError:
            raise TransformError(
                f"there is no column {name!r} at this step",
                code="column-unknown",
                hint=nearest(name, self.columns),
            ) from None

    def get(self, name: str) -> Codes | Masked:
        """A column as conditions see it: text as codes, references to events as text too."""
        column = self.column(name)
        if name == "duration":
            end = self.data["end"]
            assert isinstance(end, Masked)
            return Masked(np.where(end.null, 0, end.values - self.time), end.null)
        found = self.data[name]
        if column.type == "ids" and isinstance(found, Masked):
            return _output.id_codes(self.ids, found)
        if isinstance(found, Lists):
            raise TransformError(f"column {name!r} holds lists", code="column-type")
        return found

    def codes(self, name: str) -> NDArray[np.int32]:
        """Whole numbers that are equal where the column is (−1: null), in the order of labels."""
        found = self.get(name)
        return found.codes if isinstance(found, Codes) else _frame.factorized(found)[0]

    def labels(self, name: str) -> pd.Index[Any]:
        """What the codes stand for, in code order (some may not occur)."""
        import pandas as pd

        found = self.get(name)
        if isinstance(found, Codes):
            labels: pd.Index[Any] = pd.Index(found.values, dtype=object)
        else:
            labels = pd.Index(_frame.factorized(found)[1])
        return labels

    @cached_property
    def cases(self) -> NDArray[Any]:
        """The label of each case, in order: an object array of str."""
        case = self.data["case"]
        assert isinstance(case, Codes)
        return case.values[case.codes[self.offsets[:-1]]]

    @property
    def frame(self) -> pd.DataFrame:
        """The columns as a DataFrame of your own: change it, then ``with_frame``.

        Text is Categorical, whole numbers Int64, times datetime64[us, UTC]; ``id`` and other
        references are whole numbers (``to_pandas`` has their text). Lists are not in it.
        """
        return _frame.own_copy(self._shared_frame)

    @cached_property
    def _shared_frame(self) -> pd.DataFrame:
        return _frame.to_frame(self)

    # -- making new logs -------------------------------------------------------------------------

    def take(self, rows: NDArray[Any] | slice) -> EventLog:
        """These rows (a mask, a slice, or rising positions) as a log without reports."""
        if isinstance(rows, np.ndarray) and rows.dtype == bool:
            rows = np.flatnonzero(rows)  # several times as fast as a mask, a column at a time
        data = {name: column.take(rows) for name, column in self.data.items()}
        return EventLog(self._columns, data, borders(_case_codes(data)), self.ids)

    def head(self, n: int = 5) -> EventLog:
        """The first ``n`` events, as a slice."""
        return self.take(slice(0, n))

    def where(self, condition: Condition | str | Mapping[str, Any]) -> EventLog:
        """The events for which the condition is true, as a slice (the transform reports).

        The condition may be text or in its JSON form; ConditionError tells what is wrong with it.
        """
        return self.take(mask(Condition.coerce(condition), self))

    def keep(self, keep: Bools | pd.Series[Any], reason: str) -> EventLog:
        """The events where the mask is true; the others are dropped, and told under ``reason``.

        The mask is an array or a Series of booleans, one an event; a null among them is not true.
        """
        stays = _frame.mask_of(keep, len(self))
        out = self.take(stays)
        notes = self.notes.drop(reason, self.positions[np.flatnonzero(~stays)])
        return out.replace(reading=self.reading, steps=self.steps, notes=notes)

    def tell(
        self, *, dangling: Mapping[str, Ints] | None = None, **counts: int | Mapping[str, Any]
    ) -> EventLog:
        """Say in the step's report which rows dangle and why, and figures under any name.

        A number goes to the report's ``counts``, anything else beside it.
        """
        notes = self.notes
        for reason, rows in (dangling or {}).items():
            notes = notes.dangle(reason, self.positions[rows])
        return self.replace(notes=notes.count(counts))

    def with_columns(self, **new: pd.Series[Any] | tuple[Column, Array]) -> EventLog:
        """With these columns added or replaced: a Series of the log's length, or column, array.

        A column that decides the order or the cases (case, time, order) cannot be replaced: use
        ``with_case``.
        """
        return _frame.with_columns(self, new)

    def with_frame(self, frame: pd.DataFrame, reason: str) -> EventLog:
        """The log of a frame made from ``log.frame``: rows left out are found by the index.

        Columns may be added, changed or removed; rows stay in order O.
        """
        return _frame.with_frame(self, frame, reason)

    def without(self, *names: str) -> EventLog:
        """Without these columns; what every log has cannot be left out."""
        if core := [name for name in names if name in CORE]:
            raise TransformError(
                f"no event log is without {', '.join(core)}",
                code="column-clash",
                hint="leave out attributes only",
            )
        return self.replace(data={n: c for n, c in self.data.items() if n not in names})

    def derive(
        self,
        by: Step,
        *,
        at: Ints | None,
        sources: Lists,
        columns: Mapping[str, tuple[Column, Array] | Array],
        drop: Bools | None = None,
        lose: Mapping[str, Bools] = MappingProxyType({}),
    ) -> EventLog:
        """Made events: one per entry of ``at`` (rows, rising), placed after that row.

        A made event has the columns of its row ``at``; ``columns`` replaces or adds some (arrays
        with one entry a made event; other events have null there if the column is new).
        ``sources``: for each the rows it is made from, in order. ``drop``: rows that are used up
        and leave; ``lose``: reason → other rows that leave, told as dropped. ``at=None``:
        windows, which have nothing but ``columns``: among them ``case`` (Masked: the number of
        its case, 0 … n_cases − 1) and ``time``, in the order of these; they precede events of
        their time. Ids are U(transform, params, ids made from), of windows U(transform, params,
        case, time).
        """
        return _derive.derive(
            self, by, at=at, sources=sources, columns=columns, drop=drop, lose=lose
        )

    def with_case(self, *names: str) -> EventLog:
        """Prepared anew, with the values of these columns as the case; ids stay.

        Several are joined by ``|``; rows with a null or "" among them are dropped, told
        ``no_case``.
        """
        case = _frame.joined_text([_frame.as_text(self.column(n), self.get(n)) for n in names])
        log = self.keep(~case.null, "no_case") if case.null.any() else self
        data = dict(log.data) | {"case": case.take(~case.null)}
        found = prepare(self._columns, data, ids=self.ids)
        return log.replace(data=found.data, offsets=found.offsets)

    def apply(self, step: Step) -> EventLog:
        """The log that the transform makes of this one, with its report in ``steps``.

        Raises TransformError for what is no transform, an unknown column or when it fails.
        """
        _check_step(step)
        number = len(self.steps)
        name = step.__component__
        try:
            step.check(self.columns)
            out = step.apply(self.replace(notes=Notes()))
            if not isinstance(out, EventLog):
                raise TypeError(f"apply returned {type(out).__name__}, not an EventLog")
        except DistillError:
            raise
        except Exception as error:
            origin = getattr(type(step), "__origin__", "") or type(step).__module__
            raise TransformError(
                f"step {number + 1}, transform {name!r} ({origin}), failed: "
                f"{type(error).__name__}: {error}",
                code="transform-failed",
                hint="its author may know more",
            ) from error
        report = _notes.report(number, name, self, out)
        return out.replace(reading=self.reading, steps=(*self.steps, report), notes=Notes())

    # -- out -------------------------------------------------------------------------------------

    def to_dicts(self) -> list[dict[str, Any]]:
        """The normative form: plain dicts; times ISO 8601 UTC, durations integer µs, lists."""
        return _output.to_dicts(self)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return _output.iterate(self)

    def to_pandas(self) -> pd.DataFrame:
        """A DataFrame with ids as text and lists; a copy of your own."""
        return _output.to_pandas(self)

    def to_arrow(self) -> Any:
        """A pyarrow Table (extra ``arrow``); fields of JSON text say so, for ``from_frame``."""
        return _output.to_arrow(self)

    def to_polars(self) -> Any:
        """A polars DataFrame (extra ``arrow``); JSON is text there, and read back as text."""
        return _output.to_polars(self)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        rejected = sum(told.count for told in self.reading.rejected.values()) if self.reading else 0
        lost = f", {rejected} rejected" if rejected else ""
        sizes = f"{len(self)} events, {self.n_cases} cases, {len(self.columns)} columns"
        return f"<EventLog: {sizes}{lost}>"

    def _repr_html_(self) -> str:
        return _output.to_html(self)


def _check_step(step: object) -> None:
    """Raise TransformError for what cannot be applied: a class, a model, anything else."""
    if isinstance(step, type):
        raise TransformError(
            f"{step.__name__} is a class, and a log is changed by what it makes",
            code="input-type",
            hint=f"call it with its parameters: log.apply({step.__name__}(…))",
        )
    if not hasattr(step, "__component__") or not callable(getattr(step, "apply", None)):
        hint = "distill describe transform lists them"
        if callable(getattr(step, "compute", None)):
            hint = "a model computes: model.compute(log)"
        raise TransformError(
            f"{type(step).__name__} is no transform",
            code="input-type",
            hint=hint,
        )


def _case_codes(data: Mapping[str, Array]) -> NDArray[np.int32]:
    case = data["case"]
    assert isinstance(case, Codes)
    return case.codes
