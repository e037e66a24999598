"""A picture, and the page that holds some of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from os import PathLike
from pathlib import Path

from distill_core.picture._text import escape

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""What a page may load: nothing but the styles that stand in it."""


@dataclass(frozen=True)
class Picture:
    """A title (plain text), a body (HTML or SVG) and a note of what is not shown (plain text).

    Who makes the body escapes every value in it (``escape``) and uses the colours of the page
    (``var(--ink)``, ``var(--accent)``, ``var(--c0)`` … ``var(--c9)``), which suit light and dark.

    >>> print(Picture("Two", "<p>2</p>")._repr_html_().partition("</style>")[2])
    <h3>Two</h3>
    <p>2</p></div>
    """

    title: str
    body: str
    note: str = ""

    def _repr_html_(self) -> str:
        """The picture for a notebook, with its style."""
        head = f"<h3>{escape(self.title)}</h3>" if self.title else ""
        body = f"<style>{style()}</style>{head}\n{self.body}{_note(self)}"
        return f'<div class="distill">{body}</div>'

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the picture as one HTML file that needs no network; returns its path."""
        place = Path(path)
        place.write_text(page(self.title, [self]), encoding="utf-8", newline="\n")
        return place


def page(title: str, pictures: Iterable[Picture], *, lead: str = "") -> str:
    """One HTML document of pictures, for light and dark, wide screens and phones.

    ``title`` and ``lead`` are plain text. It runs no script and loads nothing; its policy forbids
    both.

    >>> "<title>A &amp; B</title>" in page("A & B", [])
    True
    """
    parts = [_section(picture, alone=picture.title == title) for picture in pictures]
    intro = f'<p class="lead">{escape(lead)}</p>' if lead else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style()}</style>\n</head>\n"
        f'<body class="distill page">\n<header><h1>{escape(title)}</h1>{intro}</header>\n<main>\n'
        + "\n".join(parts)
        + "\n</main>\n</body>\n</html>\n"
    )


def _section(picture: Picture, *, alone: bool) -> str:
    head = "" if alone or not picture.title else f"<h2>{escape(picture.title)}</h2>"
    return f"<section>{head}\n{picture.body}{_note(picture)}</section>"


def _note(picture: Picture) -> str:
    return f'\n<p class="note">{escape(picture.note)}</p>' if picture.note else ""


@cache
def style() -> str:
    """The style sheet, alike for pages and notebooks: all of it is about ``.distill``."""
    return (files("distill_core.picture") / "page.css").read_text(encoding="utf-8")
