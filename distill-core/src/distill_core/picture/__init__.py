"""Pictures of results: HTML fragments that a notebook shows and a page holds, without a network."""

from distill_core.picture._page import Picture, page
from distill_core.picture._table import table_picture
from distill_core.picture._text import amount_text, escape, span_text
from distill_core.picture._timeline import timeline_picture

__all__ = [
    "Picture",
    "amount_text",
    "escape",
    "page",
    "span_text",
    "table_picture",
    "timeline_picture",
]
