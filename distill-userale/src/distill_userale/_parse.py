"""What no field of a record says by itself."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from distill_core.batch import Batch, Bools, Codes, Masked

_OWN = ("sessionId", "sessionID", "useraleVersion")


def order(batch: Batch) -> tuple[Masked, Bools]:
    """µs inside the millisecond, and where the fraction is none (it is null there).

    microTime is written with one to three decimals, so .9996 may have become 1.
    """
    given = batch.columns["micro_time"]
    assert isinstance(given, Masked)
    fraction = given.values.astype(np.float64)
    bad = ~given.null & ~((fraction >= 0) & (fraction <= 1))
    null = given.null | bad
    micros = np.rint(np.where(null, 0.0, fraction) * 1000).astype(np.int64)
    fault = batch.faults.get("micro_time", np.zeros(len(batch), dtype=bool))
    return Masked(micros, null), bad | fault


def count_suspect(batch: Batch) -> Masked:
    """Where an interval says that it has no events; never null."""
    count, kind = batch.columns["run_count"], batch.columns["log_type"]
    assert isinstance(count, Masked)
    assert isinstance(kind, Codes)
    is_interval = np.append(kind.values == "interval", [False])[kind.codes].astype(np.bool_)
    return Masked.full(is_interval & ~count.null & (count.values == 0))


def looks_like(record: object) -> bool:
    """Whether a record has the fields that UserALE.js writes into each of its own."""
    return (
        isinstance(record, Mapping)
        and "logType" in record
        and "userAction" in record
        and any(name in record for name in _OWN)
    )
