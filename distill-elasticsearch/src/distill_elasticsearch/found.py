"""What a page of hits becomes: rows for the reader, and what is to be told of them."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distill_core.batch import Batch, Codes, Ints, Masked
from distill_core.prepare import join
from distill_elasticsearch.mapping import FieldCaps
from distill_elasticsearch.passes import Pass


@dataclass
class Documents(Sequence[Any]):
    """Whole documents, and their places."""

    items: list[Any]
    arrival: Ints

    def __getitem__(self, place: Any) -> Any:
        return self.items[place]

    def __len__(self) -> int:
        return len(self.items)


Item = Batch | Documents


@dataclass(frozen=True)
class Found:
    """What a page brings, the times that it is sorted by, and what there is to tell of it.

    ``task``: the number of the pass that it belongs to.
    """

    item: Item
    times: NDArray[Any]
    rejected: Mapping[str, list[int]] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    task: int = 0


class Frontier:
    """Up to where the passes of a reading, which go by time, are delivered.

    ``sign``: -1 if they go backwards. ``together``: no row comes before all passes are there.
    """

    def __init__(self, tasks: Sequence[Pass], sign: int = 1, *, together: bool = False) -> None:
        self.tasks, self.sign, self.together = tasks, sign, together
        begin = ((n, task.low if sign > 0 else task.high) for n, task in enumerate(tasks))
        self.reached: dict[int, Any] = dict(begin)

    def move(self, found: Found) -> None:
        """A page is delivered."""
        if len(found.times):
            self.reached[found.task] = found.times[-1]

    def end(self, task: int) -> None:
        """The pass is through."""
        self.reached.pop(task, None)

    def __str__(self) -> str:
        """What is whole, so that a later reading may go on there; empty if nothing can be said."""
        left = [(caps, time) for n, time in self.reached.items() if (caps := self.tasks[n].caps)]
        if not left:
            return ""
        field = left[0][0]
        times = [time for caps, time in left if caps == field or self.together]
        if None in times:
            return ""
        last = min(times) if self.sign > 0 else max(times)
        whole = f"all those whose {field.name} is"
        if self.sign > 0:
            return f"{whole} before {_text(field, last)}"
        if field.family == "date":  # the index knows milliseconds, a document may be later in it
            return f"{whole} {_text(field, last + 1)} or later"
        return f"{whole} above {_text(field, last)}"


def _text(caps: FieldCaps, time: Any) -> str:
    return f"{np.datetime64(int(time), 'ms')}Z" if caps.family == "date" else str(time)


def in_order(streams: Sequence[Iterator[Found]], sign: int) -> Generator[Found]:
    """The rows of all streams in one order, cut so that rows of one time are never in two batches.

    Each stream is in order of its times, ascending if ``sign`` is 1, else descending. The
    server's order is of milliseconds: in a whole batch the reader can put them in order.
    """
    held: list[Batch] = []
    times: list[NDArray[Any]] = []
    last: dict[int, Any] = dict.fromkeys(range(len(streams)), -np.inf)
    while last:
        behind = min(last, key=last.__getitem__)
        found = next(streams[behind], None)
        if found is None:
            del last[behind]
            continue
        assert isinstance(found.item, Batch)
        held.append(found.item)
        times.append(sign * found.times)
        if len(found.times):
            last[behind] = times[-1][-1]
        end = min(last.values())
        if not any(len(page) and page.min() < end for page in times):
            # To put in order what stays would copy a long run of one time at each of its pages.
            yield replace(found, item=found.item.take(np.zeros(0, dtype=np.int64)))
            continue
        rows, moments = joined(held), np.concatenate(times)
        order = np.argsort(moments, kind="stable")
        ready = np.searchsorted(moments[order], end)
        yield replace(found, item=rows.take(order[:ready]))
        held, times = [rows.take(order[ready:])], [moments[order[ready:]]]
    if held:
        order = np.argsort(np.concatenate(times), kind="stable")
        yield Found(joined(held).take(order), np.zeros(0))


def out_of_order(pages: Iterator[Found], sign: int) -> Generator[Found]:
    """The rows of pages that come in no order; those with a time at the end, the last one first.

    So what comes last is never later than what came before it: nobody takes it for the order.
    """
    held: list[Batch] = []
    for found in pages:
        assert isinstance(found.item, Batch)
        none = found.item.columns["time"].null
        held.append(found.item.take(~none))
        yield replace(found, item=found.item.take(none))
    if held:
        rows = joined(held)
        times = rows.columns["time"].values
        yield Found(rows.take(np.argsort(-sign * times)), np.zeros(0))


def joined(parts: Sequence[Batch]) -> Batch:
    """All of them, one after the other; one at least."""
    columns: dict[str, Codes | Masked] = {
        name: join([part.columns[name] for part in parts]) for name in parts[0].columns
    }
    faults = {
        name: np.concatenate(
            [part.faults.get(name, np.zeros(len(part), dtype=bool)) for part in parts]
        )
        for name in {name for part in parts for name in part.faults}
    }
    arrival = np.concatenate([part.arrival for part in parts])
    return Batch(columns, arrival, faults, parts[0].wanted)
