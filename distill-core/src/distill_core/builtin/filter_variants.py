"""The transform ``filter_variants``: the cases of the most frequent variants."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import pairwise
from math import ceil
from typing import ClassVar, Self

import numpy as np
from pydantic import ConfigDict, Field, model_validator

from distill_core.component import Scope, Transform
from distill_core.log import EventLog
from distill_core.params import ColumnName


class FilterVariants(Transform):
    """Keep the cases whose variant is a frequent one; the others go, whole.

    A variant is the sequence of values of ``column`` in a case, by position; null is a value, and
    comes first. Variants are ranked by how many cases have them, those of equal frequency by their
    values in order, text by code point. Then as many of them stay as are needed to cover the
    share ``coverage`` of all cases, and no more than ``top``. ``coverage`` 0.7::

        a b c   ×5     50 %   stays
        a c     ×3     80 %   stays: the first to reach 70 %
        a b     ×2    100 %

    What goes is dropped, reason ``filter_variants``; the report counts ``variants``,
    ``variants_kept``, ``cases_kept`` and ``cases_dropped``. All cases must be seen to know what
    is frequent, so the step needs the whole log.

    Known as variant filtering in process mining: van der Aalst: Process Mining, 2016, ch. 9.

    >>> variants = ["abc", "abc", "ac", "abc", "b"]
    >>> log = EventLog.from_frame(
    ...     [{"c": c, "a": a, "t": t} for c, v in enumerate(variants) for t, a in enumerate(v)],
    ...     case="c", activity="a", time="t", unit="s")
    >>> log.apply(FilterVariants(coverage=0.8)).cases.tolist()
    ['0', '1', '2', '3']
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"coverage": 0.8}]})

    scope: ClassVar[Scope] = "log"
    reads: ClassVar[tuple[str, ...] | None] = ()

    coverage: float | None = Field(
        None, ge=0, le=1, description="share of the cases to cover, 0 to 1, as written in decimals"
    )
    top: int | None = Field(None, ge=0, description="at most so many variants")
    column: ColumnName = Field("activity", description="column whose values make a variant")

    @model_validator(mode="after")
    def _says_how_many(self) -> Self:
        if self.coverage is None and self.top is None:
            raise ValueError("it is not said which variants stay: give coverage or top")
        return self

    def apply(self, log: EventLog) -> EventLog:
        # As big-endian bytes, sequences of codes compare as the sequences of their values do.
        codes = (log.codes(self.column).astype(np.int64) + 1).astype(">u4")
        text, edges = codes.tobytes(), (log.offsets * 4).tolist()
        variants = [text[start:stop] for start, stop in pairwise(edges)]
        ranked = sorted(Counter(variants).items(), key=lambda entry: (-entry[1], entry[0]))
        few = ranked[: self._enough([count for _, count in ranked], len(variants))]
        kept = {variant for variant, _ in few}
        stays = np.fromiter((v in kept for v in variants), dtype=bool, count=len(variants))
        out = log.keep(np.repeat(stays, np.diff(log.offsets)), "filter_variants")
        return out.tell(
            variants=len(ranked),
            variants_kept=len(few),
            cases_kept=int(stays.sum()),
            cases_dropped=len(variants) - int(stays.sum()),
        )

    def _enough(self, counts: list[int], cases: int) -> int:
        """How many variants, the most frequent first, cover enough."""
        found = len(counts)
        if self.coverage is not None:
            wanted = ceil(Fraction(str(self.coverage)) * cases)  # 0.8 is 4/5, not its nearest float
            found = int(np.searchsorted(np.cumsum([0, *counts]), wanted))
        return found if self.top is None else min(found, self.top)
