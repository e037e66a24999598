"""The transform ``rename_by_url``: activities named after the page that they happened on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import ConfigDict, Field, field_validator

from distill_core.batch import Codes
from distill_core.builtin._naming import free_name, named
from distill_core.builtin._templates import check_template, finder, shape
from distill_core.columns import Column
from distill_core.component import Scope, Transform
from distill_core.conditions import Condition, mask
from distill_core.errors import TransformError
from distill_core.log import EventLog
from distill_core.params import ColumnName

Name = Annotated[str, Field(min_length=1)]


class RenameByUrl(Transform):
    """Name activities after pages: the path of a URL decides, by templates.

    In a template ``{id}`` stands for any text without a slash, one character or more. The most
    specific template that fits decides: compared part by part from the left, plain text comes
    before text with braces, and that before braces alone::

        /product/new        ←  /product/new?ref=mail
        /product/{id}       ←  https://shop.example/product/7#reviews
        /{section}/{id}     ←  /help/7/

    Scheme, host, query, fragment and a slash at the end do not count; ``%C3%A9`` is ``é``.
    Templates are a list, then they are the names themselves, or a table of template → name.

    What fits no template stays as it is and is counted, ``unmatched``, an event without a URL
    too; ``renamed`` tells how many events got each name. Events for which ``where`` is not true
    stay and are not counted. With ``keep_as`` the old activity is kept in a column of that name.

    Templates are those of web frameworks and of RFC 6570, level 1.

    >>> log = EventLog.from_frame(
    ...     [{"c": 1, "a": "load", "t": t, "page_url": u} for t, u in enumerate(
    ...         ["/product/7?ref=mail", "https://shop.example/cart/", "/about"])],
    ...     case="c", activity="a", time="t", unit="s")
    >>> step = RenameByUrl(templates={"/product/{id}": "product", "/cart": "cart"})
    >>> [event["activity"] for event in log.apply(step)]
    ['product', 'cart', 'load']
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"templates": ["/product/{id}"]}]})

    scope: ClassVar[Scope] = "event"
    reads: ClassVar[tuple[str, ...] | None] = ()

    templates: Annotated[
        tuple[Name, ...] | dict[Name, Name],
        Field(min_length=1, description="paths with {braces}: a list, or a table of path → name"),
    ]
    url: ColumnName = Field("page_url", description="column with the URL or path")
    where: Condition | None = Field(None, description="only events for which this is true")
    keep_as: str | None = Field(
        None, min_length=1, description="column in which the old activity is kept"
    )

    _free = field_validator("keep_as")(free_name)

    @field_validator("templates")
    @classmethod
    def _are_templates(cls, templates: Any) -> Any:
        known: dict[tuple[str, ...], str] = {}
        for text in templates:
            other = known.setdefault(shape(check_template(text)), text)
            if other is not text:
                raise ValueError(f"the same paths fit {other!r} and {text!r}")
        return templates

    def check(self, columns: Mapping[str, Column]) -> None:
        super().check(columns)
        if columns[self.url].type != "string":
            raise TransformError(
                f"column {self.url!r} is {columns[self.url].type}, but a URL is text",
                code="column-type",
                path="url",
            )

    def apply(self, log: EventLog) -> EventLog:
        texts = list(self.templates)
        names = list(self.templates.values()) if isinstance(self.templates, dict) else texts
        urls = log.data[self.url]
        assert isinstance(urls, Codes)
        find = finder(texts)
        table = np.full(len(urls.values) + 1, -1, dtype=np.int64)  # null is code −1: the last
        used = np.flatnonzero(np.bincount(urls.codes + 1, minlength=len(table))[1:])
        table[used] = [find(url) for url in urls.values[used]]
        number = table[urls.codes]
        asked = None if self.where is None else mask(self.where, log)
        if asked is not None:
            number[~asked] = -1
        return named(log, number, names, self.keep_as, asked)
