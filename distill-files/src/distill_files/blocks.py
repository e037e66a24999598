"""Records in any number become batches, or lists of documents, with their places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from distill_core.batch import Batch, Ints
from distill_core.component import Request, Scan
from distill_core.extract import extract, too_deep
from distill_files.lines import Bad

BLOCK = 8192
"""Documents that are held at a time."""


class Documents(list[Mapping[str, Any]]):
    """Plain documents and their places in the source."""

    arrival: Ints


def blocks(
    values: Iterable[Any], first: int, request: Request, scan: Scan
) -> Iterator[Batch | Documents]:
    """The records' batches; what is no object, or nested too deep, is rejected.

    ``values``: JSON values or Bad, whose places are ``first``, ``first + 1`` …
    """
    documents = Documents()
    places: list[int] = []
    for place, value in enumerate(values, first):
        if isinstance(value, dict) and too_deep(value):
            scan.reject("too_deep", place)
        elif isinstance(value, dict):
            documents.append(value)
            places.append(place)
            if len(documents) == BLOCK:
                yield _block(documents, places, request)
                scan.progress(place - first + 1)
                documents, places = Documents(), []
        else:
            scan.reject(value.reason if isinstance(value, Bad) else "not_object", place)
        if scan.cancelled:
            return
    if documents:
        yield _block(documents, places, request)


def _block(documents: Documents, places: list[int], request: Request) -> Batch | Documents:
    documents.arrival = np.array(places, dtype=np.int64)
    if request.documents:
        return documents
    return extract(documents, request.columns, documents.arrival)
