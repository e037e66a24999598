"""The way to the server: TLS, authentication and node selection are the client's transport's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Answer:
    """What the server said to one request that succeeded; ``body`` as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection(Protocol):
    """One reading's connections; used by several threads at once."""

    def call(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None,
        body: Any = None, timeout: float | None = None,
    ) -> Answer:
        """One request, without another try. Raises Failure."""
        ...  # fmt: skip

    def cancel(self) -> None:
        """Close all sockets, so that calls under way raise Failure("cancelled")."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...
