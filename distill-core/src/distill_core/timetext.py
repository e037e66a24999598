"""Many times at once as text: ISO 8601 in UTC with microseconds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

DAY = 86_400_000_000
_FRAME = np.frombuffer(b"0000-00-00T00:00:00.000000Z", dtype=np.uint8)
_PLACES = ((11, 36_000_000_000, 10), (12, 3_600_000_000, 10), (14, 600_000_000, 6),
           (15, 60_000_000, 10), (17, 10_000_000, 6), (18, 1_000_000, 10), (20, 100_000, 10),
           (21, 10_000, 10), (22, 1_000, 10), (23, 100, 10), (24, 10, 10), (25, 1, 10))  # fmt: skip
"""Where each digit of the time of day stands, the µs that it counts, its base."""


def time_texts(micros: NDArray[np.int64]) -> list[str]:
    """µs since the epoch (years 1 to 9999) as texts.

    >>> time_texts(np.array([1719530111079000]))
    ['2024-06-27T23:15:11.079000Z']
    """
    days, place = np.unique(micros // DAY, return_inverse=True)
    dates = np.datetime_as_string(days.astype("datetime64[D]")).astype("S10")
    letters = np.tile(_FRAME, (len(micros), 1))
    letters[:, :10] = dates.view(np.uint8).reshape(-1, 10)[place]
    within = micros % DAY
    for column, size, base in _PLACES:
        letters[:, column] += (within // size % base).astype(np.uint8)
    texts: NDArray[Any] = letters.view("S27").ravel().astype("U27")
    return texts.tolist()  # type: ignore[no-any-return]
