"""What this distribution offers to Distill."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distill_core.hookspec import hookimpl

if TYPE_CHECKING:
    from distill_core.component import Source


@hookimpl
def distill_sources() -> list[type[Source]]:
    """The source ``elasticsearch``."""
    from distill_elasticsearch.source import Elasticsearch

    return [Elasticsearch]
