"""The model ``features``: figures of each case, for statistics and learning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from distill_core.builtin._feature_table import GROUP_OF, Feature, features_of, long, wide
from distill_core.builtin._feature_tally import Tally, join, tally
from distill_core.component import Mergeable, Scope
from distill_core.log import EventLog
from distill_core.params import ColumnName
from distill_core.result import Result

Group = Literal["size", "counts", "rates", "times", "since", "entropy", "ngrams"]
State = tuple[Tally, ...]


class Features(Mergeable[State]):
    r"""Figures of each case: one row a case, in order of the cases.

    A value is one of ``column`` (the activity, unless you say otherwise). ``groups`` says which
    figures there are; X stands for each value that occurs in the log. Events are rows, whatever a
    column ``count`` says of them:

    - ``size``: ``events``, ``distinct`` (different values), ``duration`` (from the first time to
      the greatest end)
    - ``counts``: ``count_X``
    - ``rates``: ``rate``, ``rate_X``: events a second of the case's duration; null if that is 0
    - ``times``: ``time_X``: durations of X together
    - ``since``: ``first_X``, from the case's start to the first X; ``since_X``, from the last X to
      the case's end; null if there is no X
    - ``entropy``: in bits, of the values in the case: 0 if all are equal; null without a value
    - ``ngrams``: ``ngram_X>Y``: how often Y directly follows X (``n`` values at a time; a ``>`` in
      a value is written ``\>``)

    Figures of the whole case come first, then those of values, figure by figure in the order
    above, values sorted by code point. Events whose value is null count as ``events`` only, and
    are left out before n-grams are sought; ``meta["counts"]`` tells how many (``null_value``) and
    how many values and n-grams ``top`` hides. With ``only`` there are exactly these columns, in
    this order, whatever the log holds: what does not occur is 0 or null. So a model that learned
    from one log reads the next.

    Layout ``long`` has a row for each figure that is neither null nor a 0 of a value: ``case``,
    ``feature`` (``count``), ``of`` (X; null for the whole case), ``value``; times are µs.

    Rates and entropy are rounded to 9 decimals. Entropy is that of Shannon: A Mathematical Theory
    of Communication, 1948, of the shares with which the values occur.

    >>> log = EventLog.from_frame(
    ...     [{"c": c, "a": a, "t": t} for c, v in [("p", "aab"), ("q", "b")]
    ...      for t, a in enumerate(v)], case="c", activity="a", time="t", unit="s")
    >>> for row in Features(groups=["size", "counts", "entropy"]).compute(log).rows:
    ...     print([*row.values()])
    ['p', 3, 2, 2000000, 0.918295834, 2, 1]
    ['q', 1, 1, 0, 0.0, 0, 1]
    """

    scope: ClassVar[Scope] = "case"
    reads: ClassVar[tuple[str, ...] | None] = ()

    groups: tuple[Group, ...] = Field(
        ("size", "counts", "entropy"), min_length=1, description="which figures there are"
    )
    column: ColumnName = Field("activity", description="column whose values are counted")
    n: int = Field(2, ge=2, le=10, description="values of an n-gram")
    top: int | None = Field(
        None, ge=0, description="columns for so many values and n-grams, the most frequent; all"
    )
    only: tuple[str, ...] | None = Field(
        None, min_length=1, description="exactly these features, in this order, such as count_click"
    )
    layout: Literal["wide", "long"] = Field(
        "wide", description="one row a case, or one row a figure"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for name in self.only or ():
            feature = name if name in GROUP_OF else f"{name.partition('_')[0]}_"
            if feature not in GROUP_OF:
                known = ", ".join(f"{n}X" if n.endswith("_") else n for n in GROUP_OF)
                raise ValueError(f"there is no feature {name!r}; there are {known}")
            if GROUP_OF[feature] not in self.groups:
                raise ValueError(f"the feature {name!r} needs the group {GROUP_OF[feature]!r}")
        if self.only and (len({*self.only}) < len(self.only) or self.top is not None):
            raise ValueError("only names each feature once, and leaves nothing for top")
        return self

    def partial(self, log: EventLog) -> State:
        """The figures of a part's cases; parts share no case."""
        wanted = (*(["time"] if "times" in self.groups else []),
                  *(["first", "since"] if "since" in self.groups else []))  # fmt: skip
        n = self.n if "ngrams" in self.groups else 0
        return (tally(log, self.column, n=n, wanted=wanted),)

    def combine(self, one: State, other: State) -> State:
        return one + other

    def finish(self, state: State) -> Result:
        whole = join(state)
        chosen = [*self._chosen(features_of(whole, self.groups))]
        result = wide(whole, chosen, self.only) if self.layout == "wide" else long(whole, chosen)
        hidden = {
            name: len(items.names) - min(len(items.names), self.top or 0)
            for name, items in (("hidden_values", whole.found), ("hidden_ngrams", whole.grams))
            if self.top is not None
        }
        return result.with_meta(counts={"null_value": whole.null, **hidden})

    def _chosen(self, features: Iterator[Feature]) -> Iterator[Feature]:
        """The features that are asked for, with those of their items."""
        for feature in features:
            if self.only is not None:
                yield feature.limited({*self.only})
            else:
                yield feature if self.top is None else feature.most_frequent(self.top)
