"""The resumable scan: every document of a pass once, whatever happens on the way.

A page is asked for by a point in time and the sort values of the last hit (``search_after``), so
the same request has the same answer and may be sent again. If the server lost the point in time, a
new one is opened and the scan goes on at the time where it stood; what it had delivered of that
very time is known by index and id.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np

from distill_core.batch import Bools
from distill_core.errors import SourceError
from distill_elasticsearch.allowed import index_path
from distill_elasticsearch.connection import Connection
from distill_elasticsearch.decode import Garbled, Page, Pages
from distill_elasticsearch.dsl import Query
from distill_elasticsearch.failures import Failure, clean
from distill_elasticsearch.mapping import silent_indices
from distill_elasticsearch.passes import Pass
from distill_elasticsearch.retry import Patience, parsed

NUMBERED = {"pre_filter_shard_size": "100000"}
"""All shards are asked: the number that a hit tells of its shard counts those that were."""
LEAN = {"filter_path": "-hits.hits._score,-hits.hits._primary_term"}
"""A tenth of a hit of few columns; with whole documents it is not worth the server's work."""
KEEP_ALIVE = "60s"
MAX_LOSSES = 20
"""Points in time that a scan may lose one after the other before something new comes."""
MAX_SEEN = 1_000_000
"""Documents of one time whose ids a scan remembers at most."""


class Snapshot:
    """The point in time that the scans of a reading share; opened anew when the server lost it.

    ``indices``: those that the reading began with. They are all there still, and no others, or it
    ends: a pattern would silently mean the others alone; of more, shards have other numbers.
    ``lacks``: where indices that do not answer are put down, if they may be missing.
    """

    def __init__(
        self, connection: Connection, index: str, patience: Patience, lacks: set[str] | None
    ) -> None:
        self.connection, self.index, self.patience = connection, index, patience
        self.params = {"keep_alive": KEEP_ALIVE, **(partly(True) if lacks is not None else {})}
        self.lacks = lacks
        self.indices: Sequence[str] = ()
        self.opened, self._compared = 0, 1
        self._id: str | None = None
        self._lock = Lock()

    def open(self) -> tuple[int, str]:
        """Which opening it is, counted from 1, and the id."""
        with self._lock:
            if self._id is None:
                self._id = str(self._ask("_pit", params=self.params)["id"])
                self.opened += 1
            if self._compared < self.opened:
                self._compare()
                self._compared = self.opened
            return self.opened, self._id

    def _ask(self, what: str, **asked: Any) -> Any:
        path = index_path(self.index, what)
        return self.patience.until_done(
            lambda: parsed(self.connection.call("POST", path, **asked).body)
        )

    def _compare(self) -> None:
        """Raises Failure if indices are gone, or do not answer, and SourceError if others came."""
        told = self._ask("_field_caps", body={"fields": ["_id"]})
        known, now, silent = {*self.indices}, {*told["indices"]}, silent_indices(told)
        if silent and self.lacks is None:
            raise Failure("status", f"no answer from {', '.join(silent)}", 503)
        if silent and self.lacks is not None:
            self.lacks.update(f"{name}: did not answer" for name in silent)
        if gone := sorted(known - now - {*silent}):
            text = f"no such index [{', '.join(gone)}]: deleted since the reading began"
            raise Failure("status", text, 404, "index_not_found_exception")
        if new := sorted(now - known):
            raise SourceError(
                f"the point in time was lost, and {', '.join(map(clean, new))} came since the "
                "reading began: the shards are numbered otherwise now",
                code="source-conflict",
                hint="read again",
            )

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
        place = _Place(part, self.order)
        while True:
            page = self.patience.until_done(lambda: self._page(place))
            if len(page):
                yield page, place.fresh(page)
                place.move(page)
            cut = page.timed_out or page.terminated_early
            if len(page) < (1 if cut else self.size):
                return

    def _page(self, place: _Place) -> Page:
        """The next page. If the point in time was lost, another try opens a new one."""
        opened, pit = self.snapshot.open()
        body = {
            "size": self.size,
            "pit": {"id": pit, "keep_alive": KEEP_ALIVE},
            "track_total_hits": False,
            "seq_no_primary_term": True,
            "_source": self.source,
            **place.asked(opened),
        }
        params = {**partly(self.allow_partial), **NUMBERED}
        if self.source is not True:
            params |= LEAN
        try:
            answer = self.connection.call(
                "POST", "/_search", params=params, body=body, timeout=self.timeout
            )  # fmt: skip
            page = decoded(self.pages, answer.body)
            self.partial.update(missing(page, self.allow_partial))
        except Failure as failure:
            if failure.lost:
                self.snapshot.lost(opened)
            raise
        self.snapshot.renewed(opened, page.pit_id)
        return page


def partly(allowed: bool) -> dict[str, str]:
    """The parameter that says whether shards may be missing."""
    return {"allow_partial_search_results": str(allowed).lower()}


def decoded(pages: Pages, body: bytes) -> Page:
    """The page that an answer holds. Raises Failure if it was cut, or spoilt on the way."""
    try:
        return pages.decode(body)
    except Garbled as error:
        raise Failure("connection", f"the answer is not whole: {clean(str(error))}") from None


def missing(page: Page, allow_partial: bool) -> list[str]:
    """What an answer lacks. Raises Failure if that is not allowed, or can be had after all."""
    found = [f"{f.index}[{f.shard}]: {f.type} {f.reason}".strip() for f in page.failures]
    if page.failed and not found:
        found.append(f"{page.failed} of {page.shards} shards did not answer")
    if page.timed_out or page.terminated_early:
        found.append("the server stopped before it was through")
    told = list(map(clean, found))
    if told:
        root = frozenset(failure.type for failure in page.failures)
        failure = Failure("partial", "; ".join(told[:5]), root=root)
        if failure.lost or not allow_partial:
            raise failure
    return told


class _Place:
    """Where a scan is."""

    def __init__(self, part: Pass, order: str) -> None:
        self.part, self.order = part, order
        self.opened = 0
        self.after: list[Any] | None = None
        self.last: Any = None
        self.seen: set[tuple[str, str]] = set()
        self.too_many = False
        self.again = False
        self.losses = 0

    def asked(self, opened: int) -> dict[str, Any]:
        """The part of a request that says which documents come next."""
        if opened != self.opened:
            if self.too_many:
                raise SourceError(
                    f"the point in time was lost amid more than {MAX_SEEN:,} documents of one "
                    "time, or of none",
                    code="source-limit",
                    hint="try again, or ask for fewer by a condition on another column",
                )
            self.losses += 1
            if self.losses > MAX_LOSSES:
                raise SourceError(
                    f"{MAX_LOSSES} points in time were lost before anything new came",
                    code="source-unavailable",
                    hint="smaller pages may help",
                )
            self.again = self.last is not None or bool(self.seen)
            self.opened, self.after = opened, None
        asked = {"query": self._query(), "sort": self.part.sort(self.order)}
        return asked if self.after is None else {**asked, "search_after": self.after}

    def _query(self) -> Query:
        """The documents that are left, and those of the time where the scan stood."""
        low, high = self.part.low, self.part.high
        if self.part.caps is None:
            return self.part.query
        if not self.again:
            return self.part.within(low, high)
        if self.order == "asc":
            return self.part.within(self.last, high)
        return self.part.within(low, self.last, included=True)

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
        if good.any():
            self.losses = 0
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
                self.last, self.seen, self.again, self.too_many = last, set(), False, False
            start = len(page)
            while start and page.sort[start - 1][0] == last:
                start -= 1
        if not self.too_many:
            self.seen.update(zip(page.index[start:], page.ids[start:], strict=True))
        if len(self.seen) > MAX_SEEN:
            self.too_many = True
            if not self.again:  # else what was delivered before comes once more
                self.seen = set()
