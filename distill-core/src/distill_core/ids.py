"""Stable ids of events: a 64-bit hash where the source has none, text only on output.

A log's events are positions in one table of ids, ``Ids``, that only grows; what is made is hashed
when somebody asks. The hash is SplitMix64's finaliser (Steele, Lea, Flood: Fast Splittable
Pseudorandom Number Generators, OOPSLA 2014) over the parts, text by BLAKE2b (RFC 7693).
"""

from __future__ import annotations

import re
from binascii import hexlify
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distill_core.batch import Codes, Ints, Lists, Masked

U64 = NDArray[np.uint64]
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MASK = 2**64 - 1
_HEX = re.compile(r"[0-9a-f]{16}")


def mix(x: U64) -> U64:
    """SplitMix64's finaliser, element by element."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _times(count: int) -> np.uint64:
    return np.uint64(count * int(GOLDEN) & _MASK)


def hash_text(text: str) -> int:
    """16 lower-case hex digits are that number, other text its BLAKE2b-64, little-endian."""
    if _HEX.fullmatch(text):
        return int(text, 16)
    data = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little")


def part(value: Any, rows: int = 1) -> U64:
    """``u`` of one part: text, a whole number, a float, a null or a column of such, as uint64."""
    match value:
        case Codes():
            table = [*(hash_text(v) for v in value.values), int(GOLDEN)]
            return np.array(table, dtype=np.uint64)[value.codes]
        case Masked():
            return np.where(value.null, GOLDEN, _bits(value.values))
        case np.ndarray():
            return _bits(value)
        case None:
            return np.full(rows, GOLDEN)
        case str():
            return np.full(rows, np.uint64(hash_text(value)))
        case float() if not value.is_integer():
            return np.full(rows, np.float64(value)).view(np.uint64)
        case _:
            return np.full(rows, np.int64(value)).view(np.uint64)


def _bits(values: NDArray[Any]) -> U64:
    if values.dtype.kind != "f":
        return values.astype(np.int64).view(np.uint64)
    whole = np.isfinite(values) & (values == np.floor(values)) & (np.abs(values) < 2.0**63)
    with np.errstate(invalid="ignore"):
        as_int = np.where(whole, values, 0).astype(np.int64).view(np.uint64)
    return np.where(whole, as_int, values.astype(np.float64).view(np.uint64))


def combine(parts: Sequence[U64]) -> U64:
    """``U(x1…xn)`` of parts of equal length (or of length 1), element by element.

    >>> words = [part(x) for x in ("intervals", "{}", "e1", "e3")]
    >>> texts(combine(words)).tolist()
    ['62fe04fafb5c858b']
    """
    total = np.zeros(np.broadcast_shapes(*(p.shape for p in parts)), dtype=np.uint64)
    for index, word in enumerate(parts, 1):
        total += mix(word + _times(index))
    return mix(total + _times(len(parts)))


def combine_lists(head: Sequence[U64], members: U64, offsets: NDArray[np.int64]) -> U64:
    """``U(head…, members of the row…)`` a row: rows of different lengths, none of them empty."""
    rows, lengths = len(offsets) - 1, np.diff(offsets)
    place = np.arange(len(members)) - np.repeat(offsets[:-1], lengths) + len(head) + 1
    mixed = mix(members + place.astype(np.uint64) * GOLDEN)
    total = np.add.reduceat(mixed, offsets[:-1]) if rows else np.zeros(0, dtype=np.uint64)
    for index, word in enumerate(head, 1):
        total = total + mix(word + _times(index))
    return mix(total + (lengths + len(head)).astype(np.uint64) * GOLDEN)


def texts(hashes: U64) -> NDArray[Any]:
    """16 lower-case hex digits each, as an object array of str."""
    raw = hexlify(hashes.astype(">u8").tobytes())
    return np.frombuffer(raw, dtype="S16").astype("U16").astype(object)


class _Part:
    """Ids made at one time: hashes computed on demand, or texts (the source's own) over them."""

    def __init__(self, length: int, compute: Callable[[], U64], own: Codes | None) -> None:
        self.length, self.own = length, own
        self._compute: Callable[[], U64] | None = compute
        self._hashes: U64 | None = None

    def hashes(self) -> U64:
        if self._hashes is None:
            made = self._compute() if self._compute else np.zeros(0, dtype=np.uint64)
            self._hashes = made if self.own is None else _over(self.own, made)
            self._compute = None
        return self._hashes

    def texts(self, rows: NDArray[Any]) -> NDArray[Any]:
        if self.own is None:
            return texts(self.hashes()[rows])
        found: NDArray[Any] = np.append(self.own.values, [None])[self.own.codes[rows]]
        missing = self.own.codes[rows] < 0
        if missing.any():
            found[missing] = texts(self.hashes()[rows[missing]])
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        if self.own is not None and not self.own.null.any():
            return (_text_part, (self.own,))
        return (_hash_part, (self.hashes(), self.own))


def _over(own: Codes, made: U64) -> U64:
    found = part(own)
    return np.where(own.null, made, found) if own.null.any() else found


def _hash_part(hashes: U64, own: Codes | None) -> _Part:
    return _Part(len(hashes), lambda: hashes, own)


def _text_part(own: Codes) -> _Part:
    return _Part(len(own), lambda: np.full(len(own), GOLDEN), own)


class Ids:
    """A table of ids that only grows: a position in it stays what it is for ever."""

    def __init__(self, parts: tuple[_Part, ...] = ()) -> None:
        self._parts = parts
        self._starts = np.cumsum([0, *(p.length for p in parts)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def append(self, length: int, compute: Callable[[], U64], own: Codes | None = None) -> Ids:
        """The table with ``length`` more ids: ``own`` texts where not null, else hashes."""
        return Ids((*self._parts, _Part(length, compute, own)))

    def append_texts(self, own: Codes) -> Ids:
        """The table with these texts (none null) added."""
        return Ids((*self._parts, _text_part(own)))

    def join(self, other: Ids) -> Ids:
        """Both tables, one after the other."""
        return Ids((*self._parts, *other._parts))

    def hashes(self, positions: NDArray[Any]) -> U64:
        """``u`` of the ids at these positions."""
        return self._gather(positions, np.uint64, lambda p, rows: p.hashes()[rows])

    def texts(self, positions: NDArray[Any]) -> NDArray[Any]:
        """The ids at these positions, as an object array of str."""
        return self._gather(positions, object, lambda p, rows: p.texts(rows))

    def _gather(
        self, positions: NDArray[Any], dtype: Any, read: Callable[[_Part, Any], Any]
    ) -> NDArray[Any]:
        found = np.empty(len(positions), dtype=dtype)
        for start, item in zip(self._starts[:-1], self._parts, strict=True):
            chosen = np.flatnonzero((positions >= start) & (positions < start + item.length))
            if len(chosen):
                found[chosen] = read(item, positions[chosen] - start)
        return found


def made_ids(table: Ids, name: str, params: str, sources: Lists) -> Callable[[], U64]:
    """Hashes of made events: U(transform, params, ids made from, in order), when asked for."""

    def compute() -> U64:
        rows = len(sources)
        head = [part(name, rows), part(params, rows)]
        return combine_lists(head, table.hashes(sources.values), sources.offsets)

    return compute


def window_ids(transform: str, params: str, case: Codes, time: Ints) -> Callable[[], U64]:
    """Hashes of windows, when asked for: U(transform, params, case, time), in order of these.

    Further windows of one case and time have their number, from 1, as one more part.
    """

    def compute() -> U64:
        rows = len(time)
        new = np.ones(rows, dtype=bool)
        new[1:] = case.codes[1:] != case.codes[:-1]
        first = np.flatnonzero(new)
        labels = Codes(np.arange(len(first)), case.values[case.codes[first]])
        words = [part(transform, rows), part(params, rows)]
        words += [np.repeat(part(labels), np.diff(np.append(first, rows))), part(time)]
        found = combine(words)
        new[1:] |= time[1:] != time[:-1]
        again = np.flatnonzero(~new)
        place = np.arange(rows)
        number = (place - np.maximum.accumulate(np.where(new, place, 0)))[again]
        found[again] = combine([*(word[again] for word in words), part(number)])
        return found

    return compute
