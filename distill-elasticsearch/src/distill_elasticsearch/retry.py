"""One request until it succeeds: waits grow, and are random so that readers keep no step."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import Any, TypeVar

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
        """What ``call`` returns. Raises its Failure if that will not pass, or did not in time.

        The last try begins at the deadline, unless the server asks for a longer wait.
        """
        end = time.monotonic() + self.deadline
        for attempt in range(1_000_000):
            try:
                return call()
            except Failure as failure:
                left, asked = end - time.monotonic(), failure.retry_after or 0.0
                if not failure.transient or left <= 0 or asked > left:
                    raise
                wait = random.uniform(0, min(LONGEST, SHORTEST * 2 ** min(attempt, 10)))  # noqa: S311
                self.retries += 1
                if self.stop.wait(min(max(wait, asked), left)):
                    raise Failure("cancelled", "the reading was cancelled") from None
        raise AssertionError


def parsed(body: bytes) -> Any:
    """The JSON of an answer. Raises Failure if it was cut, or spoilt on the way."""
    try:
        return json.loads(body)
    except ValueError:
        raise Failure("connection", "the answer is not whole, or no JSON") from None
