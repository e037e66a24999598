"""One reading: what it needs is found out, its passes are scanned at once, all is given back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from distill_core.batch import Bools
from distill_core.component import Request, Scan
from distill_core.errors import SourceError
from distill_core.extract import Rest, parse_path
from distill_elasticsearch.allowed import index_path
from distill_elasticsearch.arrival import Arrivals
from distill_elasticsearch.at_once import at_once
from distill_elasticsearch.connection import open_connection
from distill_elasticsearch.decode import Page, Pages
from distill_elasticsearch.dsl import to_query
from distill_elasticsearch.failures import Failure, source_error
from distill_elasticsearch.found import Documents, Found, Frontier, Item, in_order, out_of_order
from distill_elasticsearch.mapping import field_names, read_mappings
from distill_elasticsearch.marks import marks
from distill_elasticsearch.passes import Pass, orderly, passes
from distill_elasticsearch.retry import Patience, parsed
from distill_elasticsearch.scan import Scanner, Snapshot, decoded, missing, partly

if TYPE_CHECKING:
    from distill_elasticsearch.source import Elasticsearch


_COARSE = {"float", "half_float", "scaled_float"}
"""Types in which the index rounds a border, and so has another than a hit's value tells."""


class Reading:
    """A request to the server that ``source`` describes; use it once, and close it."""

    def __init__(self, source: Elasticsearch, request: Request, scan: Scan | None = None) -> None:
        self.source, self.request = source, request
        self.index = source.expression
        self.patience = Patience(source.deadline.total_seconds())
        self.connection = open_connection(source)
        if scan is not None:
            scan.on_cancel(self.cancel)
        self.partial: set[str] = set()
        lacks = self.partial if source.allow_partial else None
        self.snapshot = Snapshot(self.connection, self.index, self.patience, lacks)
        self.pages = Pages(request.columns, documents=request.documents)
        self.delivered, self.frontier = 0, Frontier(())
        try:
            mappings = read_mappings(self.call, self.index, request.columns, lacks)
            self.arrivals = Arrivals(mappings.indices)
            self.snapshot.indices = mappings.indices
            query, told = to_query(request.where, request.columns, mappings)
            self.passes = passes(query, request.columns, mappings)
            self.orderly = orderly(request.columns, mappings)
            self.pushed = None if told is None else str(told)
        except BaseException:
            self.close()
            raise

    def tasks(self, n: int) -> tuple[list[Pass], int]:
        """The passes that find something, cut into about ``n`` ranges each; documents in all."""
        found: list[Pass] = []
        total = 0
        for one in self.passes:
            count, borders = self._survey(one, n)
            total += count
            if count:
                found += one.cut(borders) if count > self.source.page else [one]
        return found, total

    def _survey(self, one: Pass, n: int) -> tuple[int, list[int]]:
        """How many documents a pass finds, and where its field cuts them into ``n`` alike."""
        body: dict[str, Any] = {"size": 0, "query": one.query, "track_total_hits": True}
        if one.caps is not None and n > 1 and one.caps.types.keys().isdisjoint(_COARSE):
            percents = [100 * i / n for i in range(1, n)]
            quantiles = {"field": one.caps.name, "percents": percents, "keyed": False}
            body["aggs"] = {"cuts": {"percentiles": quantiles}}
        answer = self._search(self.index, body, allow_partial=self.source.allow_partial)
        values = answer.get("aggregations", {}).get("cuts", {}).get("values", [])
        borders = [int(cut["value"]) for cut in values if cut["value"] is not None]
        return int(answer["hits"]["total"]["value"]), borders

    def parts(self, n: int) -> list[dict[str, Any]]:
        """At most ``n`` parts of the reading, as requests carry them."""
        tasks, _ = self.tasks(n)
        ends = [[task.caps and task.caps.name, task.low, task.high] for task in tasks]
        fields = self._fields_of_time()
        return [{"fields": fields, "tasks": ends[i::n]} for i in range(min(n, len(ends)))]

    def _fields_of_time(self) -> list[list[Any]]:
        """What decides in which pass a document is."""
        every = [one.caps for one in self.passes if one.caps is not None]
        return [[caps.name, caps.family, sorted(caps.formats)] for caps in every]

    def _tasks_of(self, part: Mapping[str, Any]) -> list[Pass]:
        """The tasks of a part. Raises SourceError if its passes are not these."""
        now = self._fields_of_time()
        if part["fields"] != now:
            then, names = ([field[0] for field in of] for of in (part["fields"], now))
            raise SourceError(
                f"the fields of the time are mapped otherwise than when {self.index!r} was split: "
                f"{', '.join(then) or 'none'} then, {', '.join(names) or 'none'} now",
                code="source-conflict",
                hint="split it again",
            )
        known = {one.caps and one.caps.name: one for one in reversed(self.passes)}
        return [known[name].cut_to(low, high) for name, low, high in part["tasks"]]

    def fingerprint(self) -> str:
        """Changes with every document that is written, changed or removed."""
        told = [self.source.hosts, self.source.cloud_id, self.index, *marks(self.call, self.index)]
        return hashlib.blake2b(json.dumps(told).encode(), digest_size=16).hexdigest()

    def locate(self, arrivals: Sequence[int], indices: Sequence[str]) -> list[str]:
        """Index and id of each arrival, as the server names a document."""
        known = Arrivals(indices or self.arrivals.indices)
        asked = [known.parts(arrival) for arrival in arrivals]
        # Of several shards the arrival tells which, unless they are numbered otherwise by now.
        same = sorted(known.indices) == sorted(self.arrivals.indices)
        places = zip(("_index", "_seq_no"), map(set, zip(*asked, strict=True)), strict=True)
        query = {"bool": {"filter": [{"terms": {name: sorted(of)}} for name, of in places]}}
        found: dict[int, str] = {}
        for page, _ in self._scanner(None).scan(Pass(query, None)) if asked and same else ():
            names = [f"{index}/_doc/{id_}" for index, id_ in zip(page.index, page.ids, strict=True)]
            found |= zip(known.of(page).tolist(), names, strict=True)
        return [
            found.get(arrival, f"{index} (number {number})")
            for arrival, (index, number) in zip(arrivals, asked, strict=True)
        ]

    def call(
        self, method: str, path: str, *, allow_partial: bool = False, **asked: Any
    ) -> Any:
        """One request, tried until the deadline, and its answer. Raises SourceError.

        The answer to a search is whole, unless that is allowed.
        """

        def once() -> Any:
            body = self.connection.call(method, path, **asked).body
            if path.endswith("/_search"):
                self.partial.update(missing(decoded(self.pages, body), allow_partial))
            return parsed(body)

        try:
            return self.patience.until_done(once)
        except Failure as failure:
            raise self._told(failure) from None

    def _search(self, index: str, body: Any, *, allow_partial: bool = False) -> Any:
        """The answer to a search without a point in time."""
        return self.call(
            "POST", index_path(index, "_search"), params=partly(allow_partial), body=body,
            allow_partial=allow_partial,
        )  # fmt: skip

    def run(self, scan: Scan) -> Iterator[Item]:
        """A page each, from several threads; in the order of time if that is asked and can be."""
        tasks, total = self._tasks()
        sign = -1 if self.request.sort == "-time" else 1
        self.frontier = Frontier(tasks, sign, together=self._by_time)
        if self._by_time:
            items = self._sorted(tasks, scan)
        else:
            n, stop = self.source.slices, self.patience.stop
            items = at_once(self._pages, tasks, n, stop, self.cancel, self.frontier.end)
        try:
            with closing(items):
                yield from self._counted(scan, items, total)
        except Failure as failure:
            if not scan.cancelled:
                raise self._told(failure) from None
        finally:
            scan.note(**self._facts())

    def _tasks(self) -> tuple[list[Pass], int]:
        request = self.request
        if request.part is not None:
            return self._tasks_of(request.part), 0
        return self.tasks(1 if self._by_time else self.source.slices)

    @property
    def _by_time(self) -> bool:
        """Whether the first by time come first, so that the reader may stop when it has enough."""
        asked = self.request
        few = asked.sort is not None and asked.limit is not None and asked.part is None
        return few and self.orderly and not asked.documents

    def _sorted(self, tasks: Sequence[Pass], scan: Scan) -> Generator[Found]:
        """All pages in the order of time, behind what the server has no time of."""
        sign = -1 if self.request.sort == "-time" else 1
        streams = []
        for number, task in enumerate(tasks):
            if task.caps is None:
                yield from out_of_order(self._pages(task, number), sign)
            else:
                streams.append(self._pages(task, number, self.request.limit))
        scan.sorted = True
        yield from in_order(streams, sign)

    def _counted(self, scan: Scan, found: Iterator[Found], total: int) -> Iterator[Item]:
        """The items alone; what else is to be told of them is told to the scan."""
        for one in found:
            self.delivered += len(one.item)
            self.frontier.move(one)
            for reason, arrivals in one.rejected.items():
                for arrival in arrivals:
                    scan.reject(reason, arrival)
            if one.counts:
                scan.note(**one.counts)
            scan.progress(self.delivered, total or None)
            if len(one.item):
                yield one.item

    def _scanner(self, limit: int | None) -> Scanner:
        source = self.source
        return Scanner(
            self.connection, self.snapshot, self.pages, self.patience,
            size=source.page if limit is None else min(source.page, max(limit, 100)),
            timeout=source.timeout.total_seconds(), allow_partial=source.allow_partial,
            source=self._fields(), order="desc" if self.request.sort == "-time" else "asc",
            partial=self.partial,
        )  # fmt: skip

    def _pages(self, task: Pass, number: int = 0, limit: int | None = None) -> Iterator[Found]:
        for page, good in self._scanner(limit).scan(task):
            yield replace(self._found(page, good), task=number)

    def _found(self, page: Page, good: Bools) -> Found:
        """What a page brings: its rows that are ``good``."""
        if page.without_source:
            raise SourceError(
                f"an index of {self.index!r} does not keep the documents (_source is disabled)",
                code="source-format",
                hint="it can be searched, but not read; name the others alone",
            )
        arrival = self.arrivals.of(page)
        among = np.flatnonzero(good).tolist()
        rows = page.rows(among)
        item: Item = Documents([page.sources[row] for row in rows], arrival[rows])
        if not self.request.documents:
            item = page.batch(arrival, self.request.columns, among=among)
        return Found(
            item,
            np.array([page.sort[row][0] for row in rows]),
            {reason: arrival[[row for row in places if good[row]]].tolist()
             for reason, places in page.rejected.items()},
            {name: count for name, count in
             (("repaired", page.repaired), ("surrogates", page.surrogates)) if count},
        )  # fmt: skip

    def cancel(self) -> None:
        """End all that is under way, from whatever thread."""
        self.patience.stop.set()
        self.connection.cancel()

    def close(self) -> None:
        """Give the point in time and the connections back."""
        self.cancel()
        self.snapshot.close()
        self.connection.close()

    def _fields(self) -> Any:
        """What of ``_source`` is fetched: all, or what the columns' paths lead to."""
        if self.source.fetch == "documents" or self.request.documents:
            return True
        paths = [parse_path(path) for column in self.request.columns for path in column.paths]
        if any(isinstance(path, Rest) for path in paths):
            return True
        return {"includes": field_names(self.request.columns)}

    def _facts(self) -> dict[str, Any]:
        found: dict[str, Any] = {"pushed": self.pushed} if self.pushed else {}
        if self.snapshot.opened > 1:
            found["snapshot"] = "reopened"
        if self.patience.retries:
            found["retries"] = self.patience.retries
        if self.partial:
            found["partial"] = sorted(self.partial)
        return found

    def _told(self, failure: Failure) -> SourceError:
        """The failure as the user hears of it: what was done, and how far it came."""
        far = f" after {self.delivered:,} documents" if self.delivered else ""
        if far and (whole := str(self.frontier)):
            far += f", among them {whole}"
        return source_error(failure, f"reading {self.index!r}{far}", index=self.index)
