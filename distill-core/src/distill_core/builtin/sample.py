"""The transform ``sample``: some of the cases, the same ones every time."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import ClassVar

import numpy as np
from pydantic import ConfigDict, Field

from distill_core.batch import Codes
from distill_core.component import Scope, Transform
from distill_core.ids import combine, part
from distill_core.log import EventLog


class Sample(Transform):
    """Keep a share of the cases, whole, chosen by a hash of their names.

    A case stays if U("sample", seed, case) < fraction · 2^64 (U: the hash that ids are made by).
    So a case is in or out whatever else the log holds, a larger fraction keeps all that a smaller
    one keeps, and 1 keeps everything; the share of cases is near the fraction, not equal to it.
    Other cases are dropped, reason ``sample``.

    The method is hash sampling, what falls into a range of the hash stays: Duffield, Grossglauser:
    Trajectory Sampling for Direct Traffic Observation, SIGCOMM 2000.

    >>> log = EventLog.from_frame([{"c": f"c{i}", "a": "x", "t": i} for i in range(1000)],
    ...                           case="c", activity="a", time="t", unit="s")
    >>> log.apply(Sample(fraction=0.1)).n_cases
    112
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"fraction": 0.1}]})

    scope: ClassVar[Scope] = "event"
    reads: ClassVar[tuple[str, ...] | None] = ()

    fraction: float = Field(ge=0, le=1, description="share of the cases that stay, 0 to 1")
    seed: int = Field(0, ge=-(2**63), lt=2**63, description="another seed, other cases")

    def apply(self, log: EventLog) -> EventLog:
        limit = ceil(Fraction(self.fraction) * 2**64)  # hash < fraction · 2^64, without rounding
        if limit > 2**64 - 1:
            return log.keep(np.ones(len(log), dtype=bool), "sample")
        case = log.data["case"]
        assert isinstance(case, Codes)
        labels = part(case.take(log.offsets[:-1]))
        words = [part("sample", len(labels)), part(self.seed, len(labels)), labels]
        stays = combine(words) < np.uint64(limit)
        return log.keep(np.repeat(stays, np.diff(log.offsets)), "sample")
