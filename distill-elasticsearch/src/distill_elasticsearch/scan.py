"""The resumable scan: every document of a pass once, whatever happens on the way.

A page is asked for by a point in time and the sort values of the last hit (``search_after``), so
the same request has the same answer and may be sent again. If the server lost the point in time, a
new one is opened and the scan goes on at the time where it stood; what it had delivered of that
very time is known by index and id.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np

from distill_core.batch import Bools
from distill_core.errors import SourceError
from distill_elasticsearch.allowed import index_path
from distill_elasticsearch.connection import Connection
from distill_elasticsearch.decode import Page, Pages
from distill_elasticsearch.failures import Failure
from distill_elasticsearch.passes import Pass
from distill_elasticsearch.retry import Patience

KEEP_ALIVE = "60s"
MAX_LOSSES = 5
"""Points in time that are lost one after the other before a scan gives up."""
MAX_SEEN = 1_000_000
"""Documents of one time whose ids a scan remembers at most."""


class Snapshot:
    """The point in time that the scans of a reading share; opened anew when the server lost it."""

    def __init__(self, connection: Connection, index: str, patience: Patience) -> None:
        self.connection, self.index, self.patience = connection, index, patience
        self.opened = 0
        self._id: str | None = None
        self._lock = Lock()

    def open(self) -> tuple[int, str]:
        """Which opening it is, counted from 1, and the id."""
        with self._lock:
            if self._id is None:
                answer = self.patience.until_done(
                    lambda: self.connection.call(
                        "POST", index_path(self.index, "_pit"), params={"keep_alive": KEEP_ALIVE}
                    )
                )
                self._id = str(json.loads(answer.body)["id"])
                self.opened += 1
            return self.opened, self._id

    def renewed(self, opened: int, to: str | None) -> None:
        """The server gave the same point in time another id."""
        with self._lock:
            if opened == self.opened and self._id is not None and to:
                self._id = to

    def lost(self, opened: int) -> None:
        """The server does not know this opening any more."""
        with self._lock:
            if opened == self.opened:
                self._id = None

    def close(self) -> None:
        """Give it back; after a cancelled reading too."""
        with self._lock:
            if self._id is None:
                return
            body, self._id = {"id": self._id}, None
            with suppress(Failure):  # it ends by itself after KEEP_ALIVE
                self.connection.call("DELETE", "/_pit", body=body, closing=True)


@dataclass
class Scanner:
    """What the scans of one reading have in common."""

    connection: Connection
    snapshot: Snapshot
    pages: Pages
    patience: Patience
    size: int
    timeout: float
    allow_partial: bool
    source: Any = True
    order: str = "asc"
    partial: set[str] = field(default_factory=set)

    def scan(self, part: Pass) -> Iterator[tuple[Page, Bools]]:
        """The pass page by page, and which hits of a page count."""
        place, losses = _Place(part, self.order), 0
        while True:
            page = self.patience.until_done(lambda: self._page(place))
            if page is None:
                losses += 1
                if losses > MAX_LOSSES:
                    raise Failure("status", "the server loses every point in time", 404)
                continue
            losses = 0
            if len(page):
                yield page, place.fresh(page)
                place.move(page)
            if len(page) < self.size:
                return

    def _page(self, place: _Place) -> Page | None:
        """The next page; None if the point in time was lost."""
        opened, pit = self.snapshot.open()
        body = {
            "size": self.size,
            "pit": {"id": pit, "keep_alive": KEEP_ALIVE},
            "track_total_hits": False,
            "seq_no_primary_term": True,
            "_source": self.source,
            **place.asked(opened),
        }
        params = {"allow_partial_search_results": str(self.allow_partial).lower()}
        try:
            answer = self.connection.call(
                "POST", "/_search", params=params, body=body, timeout=self.timeout
            )
        except Failure as failure:
            if "search_context_missing_exception" in failure.root:
                self.snapshot.lost(opened)
                return None
            raise
        page = self.pages.decode(answer.body)
        self.snapshot.renewed(opened, page.pit_id)
        self._check(page)
        return page

    def _check(self, page: Page) -> None:
        """Raise Failure if a part of the answer is missing; with allow_partial it is told."""
        missing = [f"{f.index}[{f.shard}]: {f.type} {f.reason}" for f in page.failures]
        if page.failed and not missing:
            missing.append(f"{page.failed} of {page.shards} shards did not answer")
        if page.timed_out or page.terminated_early:
            missing.append("the server stopped before it was through")
        if not missing:
            return
        if not self.allow_partial:
            raise Failure("status", "; ".join(missing), 503, "partial_result")
        self.partial.update(missing)


class _Place:
    """Where a scan is."""

    def __init__(self, part: Pass, order: str) -> None:
        self.part, self.order = part, order
        self.opened = 0
        self.after: list[Any] | None = None
        self.last: Any = None
        self.seen: set[tuple[str, str]] = set()
        self.again = False

    def asked(self, opened: int) -> dict[str, Any]:
        """The part of a request that says which documents come next."""
        low, high = self.part.low, self.part.high
        if opened != self.opened:
            self.again = self.last is not None or bool(self.seen)
            self.opened, self.after = opened, None
        if self.again and self.last is not None:
            low, high = (self.last, high) if self.order == "asc" else (low, self.last + 1)
        query = self.part.within(low, high) if self.part.caps else self.part.query
        asked = {"query": query, "sort": self.part.sort(self.order)}
        return asked if self.after is None else {**asked, "search_after": self.after}

    def fresh(self, page: Page) -> Bools:
        """The hits that belong to this pass's range and were not delivered before."""
        good = np.ones(len(page), dtype=bool)
        if self.part.caps is not None:
            times = np.array([values[0] for values in page.sort])
            if self.part.low is not None:
                good &= times >= self.part.low
            if self.part.high is not None:
                good &= times < self.part.high
            if self.again:
                good &= times >= self.last if self.order == "asc" else times <= self.last
        if self.again:
            known = zip(page.index, page.ids, strict=True)
            good &= np.fromiter((hit not in self.seen for hit in known), bool, len(page))
        return good

    def move(self, page: Page) -> None:
        """The next page begins behind this one."""
        self.after = page.sort[-1]
        start = 0
        if self.part.caps is not None:
            last = self.after[0]
            if self.again and (last < self.last if self.order == "asc" else last > self.last):
                return  # documents of several times, delivered by another of these
            if last != self.last:
                self.last, self.seen, self.again = last, set(), False
            start = len(page)
            while start and page.sort[start - 1][0] == last:
                start -= 1
        self.seen.update(zip(page.index[start:], page.ids[start:], strict=True))
        if len(self.seen) > MAX_SEEN:
            raise SourceError(
                f"more than {MAX_SEEN:,} documents have one time, or none",
                code="source-limit",
                hint="ask for fewer by a condition on another column",
            )
