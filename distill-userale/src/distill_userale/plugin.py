"""What this distribution offers to Distill."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distill_core.hookspec import hookimpl

if TYPE_CHECKING:
    from distill_core.component import Model, Schema, Transform


@hookimpl
def distill_schemas() -> list[type[Schema]]:
    """The schema of UserALE.js logs."""
    from distill_userale.schema import UserALE

    return [UserALE]


@hookimpl
def distill_transforms() -> list[type[Transform]]:
    """The cleaning of UserALE.js logs."""
    from distill_userale.clean import UseraleClean

    return [UseraleClean]


@hookimpl
def distill_models() -> list[type[Model]]:
    """The report on the quality of a UserALE.js log."""
    from distill_userale.quality import UseraleQuality

    return [UseraleQuality]
