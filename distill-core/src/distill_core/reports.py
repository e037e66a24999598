"""What a reading and a step tell about themselves: nothing is lost without a count and a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

SAMPLES = 100
"""How many ids or places a report shows of each reason."""


@dataclass(frozen=True)
class Told:
    """How many, and the first of them in order; ``cases`` are the samples' cases."""

    count: int
    ids: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()

    def __add__(self, other: Told) -> Told:
        """Both together. Exact if they are of different cases, or ``other`` comes later."""
        pairs = [*zip(self.cases, self.ids, strict=True), *zip(other.cases, other.ids, strict=True)]
        pairs = sorted(pairs, key=lambda pair: pair[0])[:SAMPLES]
        return Told(
            self.count + other.count, tuple(i for _, i in pairs), tuple(c for c, _ in pairs)
        )

    def to_dict(self) -> dict[str, Any]:
        return {"count": self.count, "ids": list(self.ids)}


@dataclass(frozen=True)
class StepReport:
    """What one step did: ``out == entered − used − dropped + made`` always holds."""

    step: int
    transform: str
    entered: int
    out: int
    made: int = 0
    used: int = 0
    dropped: Mapping[str, Told] = field(default_factory=dict)
    dangling: Mapping[str, Told] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __add__(self, other: StepReport) -> StepReport:
        """The report over two parts of a log cut between cases, the earlier cases first."""
        return replace(
            self,
            entered=self.entered + other.entered,
            out=self.out + other.out,
            made=self.made + other.made,
            used=self.used + other.used,
            dropped=_add(self.dropped, other.dropped),
            dangling=_add(self.dangling, other.dangling),
            counts=_add(self.counts, other.counts),
            extra=_add(self.extra, other.extra),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain form for JSON, the keys in the order that the semantics show."""
        return {
            "step": self.step,
            "transform": self.transform,
            "in": self.entered,
            "out": self.out,
            "made": self.made,
            "used": self.used,
            "dropped": {reason: told.to_dict() for reason, told in self.dropped.items()},
            "dangling": {reason: told.to_dict() for reason, told in self.dangling.items()},
            "counts": dict(self.counts),
            **self.extra,
        }


def _add(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    both = {k: _plus(one[k], other[k]) if k in one and k in other else one.get(k, other.get(k))
            for k in {**one, **other}}  # fmt: skip
    return dict(sorted(both.items()))


def _plus(one: Any, other: Any) -> Any:
    return _add(one, other) if isinstance(one, Mapping) else one + other


@dataclass(frozen=True)
class Counted:
    """How many records, and the places of the first of them (a line, an id, a position)."""

    count: int
    samples: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {"count": self.count, "samples": list(self.samples)}


@dataclass(frozen=True)
class Reading:
    """What a reading met: ``read == kept + foreign + filtered + rejected`` always holds.

    ``foreign``: documents of another schema; ``filtered``: not asked for; ``rejected``: reason →
    records that no event could be made of; ``nulled``: column → kept records whose value there
    could not be read; ``counts``: other facts (``case_from_user``, ``end_before_time``, and what
    the source told); ``notes``: in words, what points to a wrong path, unit or zone.
    """

    read: int = 0
    kept: int = 0
    foreign: int = 0
    filtered: int = 0
    rejected: Mapping[str, Counted] = field(default_factory=dict)
    nulled: Mapping[str, Counted] = field(default_factory=dict)
    counts: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {
            "read": self.read,
            "kept": self.kept,
            "foreign": self.foreign,
            "filtered": self.filtered,
            "rejected": {reason: c.to_dict() for reason, c in self.rejected.items()},
            "nulled": {column: c.to_dict() for column, c in self.nulled.items()},
            "counts": dict(self.counts),
            "notes": list(self.notes),
        }
