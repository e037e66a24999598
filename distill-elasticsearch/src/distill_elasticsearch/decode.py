"""The answer to a search, from bytes to columns.

Only what columns read of a document is made into Python objects; the rest is skipped, so what is
broken there may pass unseen. What the fast decoder refuses is repaired document by document: lone
surrogates become U+FFFD, NaN and numbers beyond every float are faults, as is right for
``extract``, comments (which Elasticsearch takes, and gives back) are left out.
"""

from __future__ import annotations

import gc
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, TypedDict

import msgspec
import numpy as np

from distill_core.batch import Batch, Ints
from distill_core.columns import Column
from distill_core.extract import (
    MAX_DEPTH,
    Rest,
    count_surrogates,
    extract,
    parse_path,
    too_deep,
)
from distill_elasticsearch.mapping import METADATA
from distill_elasticsearch.pause import paused_gc
from distill_elasticsearch.repair import Rejected, cut_documents, repaired, without_surrogates


class Garbled(ValueError):
    """The body is no answer to a search."""


@dataclass(frozen=True)
class ShardFailure:
    """A shard that did not answer: whose it is, and Elasticsearch's own words."""

    index: str
    shard: int
    type: str
    reason: str


@dataclass
class Page:
    """One answer: whether it is whole, and its hits, each in one place of all lists.

    ``sort``: the values to go on after. ``sources``: what the columns read of the documents, or
    whole ones; None where there is none: it is in ``rejected`` then (reason → places: ``corrupt``,
    ``too_deep``), or the index keeps no documents (``without_source``). ``repaired``: documents
    that the fast decoder could not read. ``total``: all hits of the search, where that is exact.
    """

    timed_out: bool
    terminated_early: bool
    shards: int
    failed: int
    failures: list[ShardFailure]
    pit_id: str | None = field(repr=False)  # who has it may search by it
    total: int | None
    index: list[str]
    ids: list[str]
    seq_no: list[int | None]
    sort: list[list[Any]]
    sources: list[dict[str, Any] | None] = field(repr=False)
    rejected: dict[str, list[int]] = field(default_factory=dict)
    without_source: bool = False
    repaired: int = 0
    surrogates: int = 0

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, among: Sequence[int] | None = None) -> list[int]:
        """The places, ``among`` some, whose documents are there."""
        places = range(len(self)) if among is None else among
        if not self.rejected and not self.without_source:
            return list(places)
        return [row for row in places if self.sources[row] is not None]

    def batch(
        self,
        arrival: Ints,
        columns: Sequence[Column],
        wanted: Collection[str] = frozenset(),
        among: Sequence[int] | None = None,
    ) -> Batch:
        """The columns of the documents in ``rows(among)``; ``arrival``: of every hit."""
        rows = self.rows(among)
        documents: list[Any] = [self.sources[row] for row in rows]
        roots = _roots(columns)
        for name, values in zip(METADATA, (self.index, self.ids), strict=True):
            if name in roots:
                documents = [
                    {**document, name: values[row]}
                    for document, row in zip(documents, rows, strict=True)
                ]
        with paused_gc():
            return extract(documents, columns, np.asarray(arrival, dtype=np.int64)[rows], wanted)


class Pages:
    """Decodes the answers of one reading; safe for several threads.

    ``documents``: whole documents are wanted, else what ``columns`` read.
    """

    def __init__(self, columns: Sequence[Column], *, documents: bool) -> None:
        paths = [parse_path(path) for column in columns for path in column.paths]
        whole = documents or any(isinstance(path, Rest) for path in paths)
        self._keys = None if whole else _roots(columns)
        source = _source(self._keys)
        self._answer = msgspec.json.Decoder(_answer(source | None, None))
        self._cut = msgspec.json.Decoder(_answer(msgspec.Raw, msgspec.Raw()))
        self._numbered = msgspec.json.Decoder(_answer(int | None, None))
        self._source = msgspec.json.Decoder(source)

    def decode(self, body: bytes) -> Page:
        """The page that the body is. Raises Garbled if it is no answer to a search."""
        with paused_gc():
            try:
                answer = self._answer.decode(body)
            except _REFUSED:
                page = self._repaired(body)
            else:
                page = _page(answer, [hit.source for hit in answer.hits.hits])
            _judge(page)
        return page

    def _repaired(self, body: bytes) -> Page:
        """The page whose documents are decoded one by one, as far as lone surrogates do not do."""
        body, surrogates = without_surrogates(body)
        try:
            answer = self._answer.decode(body)
        except _REFUSED:
            answer, texts = self._texts(body)
            page = _page(answer, [])
            for text in texts:
                page.sources.append(self._document(text, page) if text else None)
        else:
            page = _page(answer, [hit.source for hit in answer.hits.hits])
        page.surrogates += surrogates
        return page

    def _texts(self, body: bytes) -> tuple[Any, list[bytes]]:
        """The answer, and the text of each hit's document, empty if it has none."""
        try:
            answer = self._cut.decode(body)
        except _REFUSED:
            pass
        else:
            return answer, [bytes(hit.source) for hit in answer.hits.hits]
        bare, texts = cut_documents(body)
        try:
            answer = self._numbered.decode(bare)
        except _REFUSED as error:
            raise Garbled(f"the body is no answer to a search: {error}") from None
        numbers = [hit.source for hit in answer.hits.hits]
        return answer, [b"" if number is None else texts[number] for number in numbers]

    def _document(self, text: bytes, page: Page) -> dict[str, Any] | None:
        """One document, repaired if need be; None if it is rejected."""
        try:
            found: dict[str, Any] = self._source.decode(text)
        except _REFUSED:
            page.repaired += 1
        else:
            return found
        try:
            found = repaired(text)
        except Rejected as error:
            page.rejected.setdefault(error.reason, []).append(len(page.sources))
            return None
        if self._keys is not None:
            found = {key: value for key, value in found.items() if key in self._keys}
        page.surrogates += count_surrogates(found)
        return found


_REFUSED = (msgspec.MsgspecError, ValueError, RecursionError)


def _judge(page: Page) -> None:
    """Reject what is nested too deep, and tell whether documents are not kept at all."""
    if type(None) in set(map(type, page.sources)):
        missing = sum(source is None for source in page.sources)
        page.without_source = missing > sum(map(len, page.rejected.values()))
    if _maybe_deep(page.sources):
        for place, source in enumerate(page.sources):
            if source is not None and too_deep(source):
                page.rejected.setdefault("too_deep", []).append(place)
                page.sources[place] = None


def _source(keys: Collection[str] | None) -> Any:
    """The type of a document of which only these keys matter; None: all."""
    if keys is None:
        return dict[str, Any]
    make: Any = TypedDict  # the checker knows it as syntax only
    return make("Source", dict.fromkeys(sorted(keys), Any), total=False)


def _answer(source: Any, absent: Any) -> Any:
    """The type of an answer whose documents are of the type ``source``."""
    hit = msgspec.defstruct(
        "Hit",
        [
            ("index", str), ("id", str, ""), ("seq_no", int | None, None),
            ("sort", list[Any], msgspec.field(default_factory=list)), ("source", source, absent),
        ],
        rename={"index": "_index", "id": "_id", "seq_no": "_seq_no", "source": "_source"},
        gc=False,
    )  # fmt: skip
    found: Any = list
    hits = msgspec.defstruct("Hits", [("hits", found[hit]), ("total", Any, None)])
    return msgspec.defstruct(
        "Answer",
        [
            ("hits", hits), ("timed_out", bool), ("shards", _Shards),
            ("terminated_early", bool | None, None), ("pit_id", str | None, None),
        ],
        rename={"shards": "_shards"},
    )  # fmt: skip


class _Shards(msgspec.Struct):
    total: int
    failed: int
    failures: list[dict[str, Any]] = []


def _page(answer: Any, sources: list[dict[str, Any] | None]) -> Page:
    hits = answer.hits.hits
    total = answer.hits.total
    exact = isinstance(total, dict) and total.get("relation") == "eq"
    return Page(
        timed_out=answer.timed_out,
        terminated_early=bool(answer.terminated_early),
        shards=answer.shards.total,
        failed=answer.shards.failed,
        failures=[_failure(found) for found in answer.shards.failures],
        pit_id=answer.pit_id,
        total=total["value"] if exact else None,
        index=[hit.index for hit in hits],
        ids=[hit.id for hit in hits],
        seq_no=[hit.seq_no for hit in hits],
        sort=[hit.sort for hit in hits],
        sources=sources,
    )


def _failure(found: dict[str, Any]) -> ShardFailure:
    reason = found.get("reason")
    why = reason if isinstance(reason, dict) else {}
    shard = found.get("shard")
    return ShardFailure(
        str(found.get("index") or ""), shard if isinstance(shard, int) else -1,
        str(why.get("type") or ""), str(why.get("reason") or ""),
    )  # fmt: skip


def _roots(columns: Sequence[Column]) -> frozenset[str]:
    paths = (parse_path(path) for column in columns for path in column.paths)
    return frozenset().union(*(path.roots for path in paths))


def _maybe_deep(documents: Sequence[dict[str, Any] | None]) -> bool:
    """Whether ``too_deep`` may be true of one of them, which is quickly ruled out.

    What the collector does not track holds no other lists or objects; it knows that of itself.
    """
    level: Sequence[Any] = list(filter(gc.is_tracked, documents))
    for _ in range(MAX_DEPTH - 1):
        inner = (found.values() if type(found) is dict else found for found in level)
        level = list(filter(gc.is_tracked, chain.from_iterable(inner)))
        if not level:
            return False
    return True
