"""What can go wrong with one request, and what of it is worth another try."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass
class Failure(Exception):
    """One request failed. ``kind``: no connection, no answer in time, TLS, or an HTTP status.

    ``type`` and ``reason`` are Elasticsearch's own (``index_not_found_exception``), ``root`` the
    types of all causes and failed shards. ``retry_after``: seconds that the server asks for.
    """

    kind: Literal["connection", "timeout", "tls", "status", "cancelled"]
    reason: str
    status: int = 0
    type: str = ""
    root: frozenset[str] = frozenset()
    retry_after: float | None = None

    @property
    def transient(self) -> bool:
        """Whether the same request may succeed a little later."""
        if self.kind == "status":
            return self.status == 429 or self.status >= 500
        return self.kind in ("connection", "timeout")
