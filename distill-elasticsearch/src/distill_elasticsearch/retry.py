"""One request until it succeeds: waits grow, and are random so that readers keep no step."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import TypeVar

from distill_elasticsearch.failures import Failure

T = TypeVar("T")

SHORTEST, LONGEST = 0.25, 10.0
"""Seconds that the first wait is at most, and any."""


@dataclass
class Patience:
    """How long one request is tried for (``deadline``, seconds); ``stop`` ends every wait."""

    deadline: float
    stop: Event = field(default_factory=Event)
    retries: int = 0

    def until_done(self, call: Callable[[], T]) -> T:
        """What ``call`` returns. Raises its Failure if that will not pass, or did not in time."""
        end = time.monotonic() + self.deadline
        for attempt in range(1_000_000):
            try:
                return call()
            except Failure as failure:
                left = end - time.monotonic()
                wait = random.uniform(0, min(LONGEST, SHORTEST * 2 ** min(attempt, 10)))  # noqa: S311
                wait = max(wait, failure.retry_after or 0)
                if not failure.transient or wait > left:
                    raise
                self.retries += 1
                if self.stop.wait(wait):
                    raise Failure("cancelled", "the reading was cancelled") from None
        raise AssertionError
