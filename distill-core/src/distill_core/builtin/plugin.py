"""Hooks of the core's own plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distill_core.hookspec import hookimpl

if TYPE_CHECKING:
    from distill_core.component import Model, Query, Schema, Transform


@hookimpl
def distill_schemas() -> list[type[Schema]]:
    """The schema that is written in a document."""
    from distill_core.builtin.fields import Fields

    return [Fields]


@hookimpl
def distill_queries() -> list[type[Query]]:
    """Which events are asked for, or what of them."""
    from distill_core.builtin.compare import Compare
    from distill_core.builtin.counts import Cases, Count, Timeline, Top, Users, Values
    from distill_core.builtin.events import Events
    from distill_core.builtin.lookups import Around, Case, Latest, User

    return [
        Events, Case, User, Latest, Around, Count, Values, Top, Timeline, Cases, Users, Compare,
    ]  # fmt: skip


@hookimpl
def distill_transforms() -> list[type[Transform]]:
    """The steps, one file each."""
    from distill_core.builtin.algebra import Algebra
    from distill_core.builtin.append import Append
    from distill_core.builtin.collapse import Collapse
    from distill_core.builtin.dedupe import Dedupe
    from distill_core.builtin.drop import Drop
    from distill_core.builtin.drop_dangling import DropDangling
    from distill_core.builtin.drop_near import DropNear
    from distill_core.builtin.edges import Edges
    from distill_core.builtin.elapsed import Elapsed
    from distill_core.builtin.fill import Fill
    from distill_core.builtin.filter_cases import FilterCases
    from distill_core.builtin.filter_variants import FilterVariants
    from distill_core.builtin.intervals import Intervals
    from distill_core.builtin.label import Label
    from distill_core.builtin.match import Match
    from distill_core.builtin.patch import Patch
    from distill_core.builtin.relate import Relate
    from distill_core.builtin.rename import Rename
    from distill_core.builtin.rename_by_url import RenameByUrl
    from distill_core.builtin.replace import Replace
    from distill_core.builtin.sample import Sample
    from distill_core.builtin.sandwich import Sandwich
    from distill_core.builtin.segment import Segment
    from distill_core.builtin.select import Select
    from distill_core.builtin.sessionize import Sessionize
    from distill_core.builtin.truncate import Truncate
    from distill_core.builtin.where import Where

    return [
        Algebra,
        Append,
        Collapse,
        Dedupe,
        Drop,
        DropDangling,
        DropNear,
        Edges,
        Elapsed,
        Fill,
        FilterCases,
        FilterVariants,
        Intervals,
        Label,
        Match,
        Patch,
        Relate,
        Rename,
        RenameByUrl,
        Replace,
        Sample,
        Sandwich,
        Segment,
        Select,
        Sessionize,
        Truncate,
        Where,
    ]


@hookimpl
def distill_models() -> list[type[Model]]:
    """What is computed of cases."""
    from distill_core.builtin.features import Features
    from distill_core.builtin.sequences import Sequences

    return [Features, Sequences]
