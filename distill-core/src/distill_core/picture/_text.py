"""Values as people read them."""

from __future__ import annotations

import html

_UNITS = (("d", 86_400_000_000), ("h", 3_600_000_000), ("min", 60_000_000), ("s", 1_000_000))


def escape(value: object) -> str:
    """Text that is safe inside an element and inside a quoted attribute of HTML and SVG.

    Half of a surrogate pair, which UTF-8 cannot write, becomes a question mark.

    >>> escape('<b title="x">')
    '&lt;b title=&quot;x&quot;&gt;'
    """
    return html.escape(str(value).encode("utf-8", "replace").decode(), quote=True)


def amount_text(number: int) -> str:
    """A whole number with its thousands apart.

    >>> amount_text(1234567)
    '1,234,567'
    """
    return f"{number:,}"


def span_text(micros: int) -> str:
    """A length of time in µs, in the two largest units that say something.

    >>> [span_text(n) for n in (0, 250, 4_200, 999_990, 200_000_000, 7_500_000_000)]
    ['0 s', '250 µs', '4.2 ms', '1 s', '3 min 20 s', '2 h 5 min']
    """
    if micros < 0:
        return f"−{span_text(-micros)}"
    if micros < 60_000_000:
        for unit, size in (("s", 1_000_000), ("ms", 1_000), ("µs", 1)):
            if micros >= size * 0.9995 or not micros:  # 999.9 ms would round to 1000 ms
                return f"{_short(micros / size)} {unit}"
    rest, parts = micros, list[tuple[int, str]]()
    for unit, size in _UNITS:
        whole, rest = divmod(rest, size)
        if whole or parts:
            parts.append((whole, unit))
    return " ".join(f"{amount_text(whole)} {unit}" for whole, unit in parts[:2] if whole)


def _short(number: float) -> str:
    """Two or three figures: 4.2, 17, 342."""
    text = f"{number:.1f}" if number < 10 else f"{number:.0f}"
    return text.removesuffix(".0")
