"""What a page of hits becomes: rows for the reader, and what is to be told of them."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distill_core.batch import Batch, Codes, Ints, Masked
from distill_core.prepare import join
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
    """Up to where the passes of a reading, which go by time, are delivered."""

    def __init__(self, tasks: Sequence[Pass]) -> None:
        self.tasks = tasks
        self.reached: dict[int, Any] = {n: task.low for n, task in enumerate(tasks)}

    def move(self, found: Found) -> None:
        """A page is delivered."""
        if len(found.times):
            self.reached[found.task] = found.times[-1]

    def end(self, task: int) -> None:
        """The pass is through."""
        self.reached.pop(task, None)

    def __str__(self) -> str:
        """What is whole, so that a later reading may go on there; empty if nothing can be said."""
        left = ((self.tasks[n].caps, time) for n, time in self.reached.items())
        first = next(((caps, time) for caps, time in left if caps is not None), None)
        if first is None or first[0] is None:
            return ""
        field = first[0]
        times = [time for n, time in self.reached.items() if self.tasks[n].caps == field]
        if None in times:
            return ""
        last = min(times)
        text = f"{np.datetime64(int(last), 'ms')}Z" if field.family == "date" else str(last)
        return f"all those whose {field.name} is before {text}"


def in_order(pages: Iterator[Found]) -> Generator[Found]:
    """The same rows, cut so that rows of one time are never in two batches.

    The server's order is of milliseconds: in a whole batch the reader can put them in order.
    """
    held: Batch | None = None
    for found in pages:
        assert isinstance(found.item, Batch)
        rows, times = len(found.times), found.times
        while rows and times[rows - 1] == times[-1]:
            rows -= 1
        whole = joined(held, found.item)
        kept = len(whole) - (len(found.item) - rows) if rows else 0
        held = whole.take(slice(kept, None))
        yield replace(found, item=whole.take(slice(0, kept)))
    if held is not None:
        yield Found(held, np.zeros(0))


def joined(one: Batch | None, other: Batch) -> Batch:
    """Both, one after the other."""
    if one is None:
        return other
    columns: dict[str, Codes | Masked] = {
        name: join([one.columns[name], column]) for name, column in other.columns.items()
    }
    faults = {
        name: np.concatenate(
            [batch.faults.get(name, np.zeros(len(batch), dtype=bool)) for batch in (one, other)]
        )
        for name in {*one.faults, *other.faults}
    }
    return Batch(columns, np.concatenate([one.arrival, other.arrival]), faults, other.wanted)
