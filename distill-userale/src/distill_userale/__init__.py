"""UserALE.js for Distill: the schema, cleaning, a report on quality, a small real sample log."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distill_userale.clean import UseraleClean
    from distill_userale.quality import UseraleQuality
    from distill_userale.schema import UserALE

__all__ = ["UserALE", "UseraleClean", "UseraleQuality", "sample_path"]


def sample_path() -> Path:
    """The sample: whole sessions of UserALE.js 2.4.0, one record a line, gzip.

    How it was recorded stands in ``SAMPLE.md`` beside it.

    >>> sample_path().name
    'sample.ndjson.gz'
    """
    return Path(str(files("distill_userale") / "data" / "sample.ndjson.gz"))


def __getattr__(name: str) -> Any:
    # Components load on first use: importing the package costs next to nothing.
    if name == "UserALE":
        from distill_userale.schema import UserALE

        return UserALE
    if name == "UseraleClean":
        from distill_userale.clean import UseraleClean

        return UseraleClean
    if name == "UseraleQuality":
        from distill_userale.quality import UseraleQuality

        return UseraleQuality
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
