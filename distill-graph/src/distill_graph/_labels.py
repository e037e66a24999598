"""Counts on the edges of a drawing."""

from __future__ import annotations

from collections.abc import Sequence

from distill_core.picture import amount_text
from distill_graph._layout import Point

Frame = tuple[float, float, float, float]
"""Left, top, width, height."""


class Labels:
    """Counts on edges, the most frequent first, where there is room for them."""

    def __init__(self) -> None:
        self.taken: list[Frame] = []
        self.texts: list[str] = []

    def keep_off(self, x: float, y: float, wide: float, high: float) -> None:
        """Leave room for a box around this centre."""
        self.taken.append((x - wide / 2, y - high / 2, wide, high))

    def add(self, points: Sequence[Point], times: int) -> None:
        """Write ``times`` on the edge through these points, or nowhere."""
        text = amount_text(times)
        wide = 7.0 * len(text) + 6
        for (x, y), (to_x, to_y) in zip(points, points[1:], strict=False):
            for part in (0.5, 0.38, 0.62) if abs(y - to_y) > 1 else (0.5,):
                at_x = x + (to_x - x) * part * part * (3 - 2 * part)
                at_y = y + (to_y - y) * (1.5 * part * (1 - part) + part**3)
                at_y += 26.0 if abs(y - to_y) < 1 else 0.0
                mid = (at_x - wide / 2, at_y - 8, wide, 15.0)
                if not any(_touch(mid, other) for other in self.taken):
                    self.taken.append(mid)
                    place = f'x="{at_x:.1f}" y="{at_y + 4:.1f}"'
                    self.texts.append(f'<text class="halo" {place}>{text}</text>')
                    return

    def svg(self) -> str:
        """All that found room."""
        return "".join(self.texts)


def _touch(one: Frame, two: Frame) -> bool:
    return (
        one[0] < two[0] + two[2]
        and two[0] < one[0] + one[2]
        and one[1] < two[1] + two[3]
        and two[1] < one[1] + one[3]
    )
