"""Several passes at once, each in a thread of its own; their pages come one after the other."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, Full, Queue
from threading import Event
from typing import Any

from distill_elasticsearch.found import Found
from distill_elasticsearch.passes import Pass

POLL = 0.2
"""Seconds after which a thread that waits for another looks whether it is to stop."""


def at_once(
    pages: Callable[[Pass, int], Iterator[Found]],
    tasks: Sequence[Pass],
    n: int,
    stop: Event,
    cancel: Callable[[], None],
    end: Callable[[int], None],
) -> Generator[Found]:
    """What ``pages`` finds of each task (and its number), ``n`` tasks at a time, as it comes.

    ``stop`` ends all; ``cancel`` sets it and ends what is under way. ``end`` is told the number of
    each task that is through. Raises what a task raised. No thread is left behind.
    """
    rows: Queue[Found | BaseException | int] = Queue(maxsize=n)
    with ThreadPoolExecutor(n, thread_name_prefix="distill-scan") as workers:
        for number, task in enumerate(tasks):
            workers.submit(_work, pages, task, number, rows, stop)
        left = len(tasks)
        try:
            while left and not stop.is_set():
                try:
                    item = rows.get(timeout=POLL)
                except Empty:
                    continue
                if isinstance(item, BaseException):
                    raise item
                if isinstance(item, int):
                    end(item)
                    left -= 1
                else:
                    yield item
        finally:
            if left:
                cancel()
            workers.shutdown(cancel_futures=True)


def _work(
    pages: Callable[[Pass, int], Iterator[Found]],
    task: Pass,
    number: int,
    rows: Queue[Any],
    stop: Event,
) -> None:
    """The pages of a task, then its number, or what went wrong."""
    last: BaseException | int = number
    try:
        for found in pages(task, number):
            _put(rows, found, stop)
    except BaseException as error:  # noqa: BLE001 (the thread that reads raises it)
        last = error
    _put(rows, last, stop)


def _put(rows: Queue[Any], item: Any, stop: Event) -> None:
    while not stop.is_set():
        try:
            rows.put(item, timeout=POLL)
        except Full:
            continue
        return
