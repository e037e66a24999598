"""A document's arrival: index, shard and the number that the shard gave it when it was written.

64 bits: the index's place among the names in order (12), the shard (12), the sequence number (38).
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

import numpy as np

from distill_core.batch import Ints
from distill_core.errors import SourceError
from distill_elasticsearch.decode import Page

SHARD_BITS, NUMBER_BITS = 12, 38


class Arrivals:
    """Arrivals for the indices of a reading; one that appears meanwhile comes after them."""

    def __init__(self, indices: Sequence[str]) -> None:
        self.indices = list(indices)
        self._place = {name: place for place, name in enumerate(indices)}
        self._lock = Lock()

    def of(self, page: Page) -> Ints:
        """The arrival of each hit. Raises SourceError ``source-limit`` beyond 4,096 indices,
        ``source-format`` if a document has no number.
        """
        places = {name: self._place_of(name) for name in set(page.index)}
        index = np.array([places[name] for name in page.index], dtype=np.int64)
        shard = np.array([values[-1] for values in page.sort], dtype=np.int64) >> 32
        if None in page.seq_no:
            raise SourceError(
                f"the index {page.index[page.seq_no.index(None)]!r} tells no sequence numbers "
                "of its documents",
                code="source-format",
                hint="without them nothing says in which order events of one time were written",
            )
        number = np.array(page.seq_no, dtype=np.int64)
        if len(self.indices) > 2**SHARD_BITS or (len(shard) and shard.max() >= 2**SHARD_BITS):
            raise SourceError(
                f"this reads more than {2**SHARD_BITS:,} indices or shards at once",
                code="source-limit",
                hint="name fewer of them in index, and join the logs with append",
            )
        return (((index << SHARD_BITS) | shard) << NUMBER_BITS) | number

    def _place_of(self, name: str) -> int:
        with self._lock:
            if name not in self._place:
                self._place[name] = len(self.indices)
                self.indices.append(name)
            return self._place[name]

    def parts(self, arrival: int) -> tuple[str, int]:
        """(index, sequence number) of an arrival; "index unknown" if it is of another reading."""
        place, number = arrival >> (SHARD_BITS + NUMBER_BITS), arrival & (2**NUMBER_BITS - 1)
        here = 0 <= place < len(self.indices)
        return (self.indices[place] if here else "index unknown"), number
