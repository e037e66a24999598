"""The demo on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distill_core.cli._demo_facts import headline, losses, steps, top_transitions
from distill_core.cli._output import put, put_table
from distill_core.picture import amount_text, span_text

if TYPE_CHECKING:
    from distill_core.cli.demo import Demo


def tell(demo: Demo) -> None:
    """What the pipeline did and what came of it."""
    put("What people did in a web shop, from the records of their browsers\n")
    for name, figure in headline(demo):
        put(f"  {name:<20} {figure}")
    put("\nWhat each step did, and why")
    put_table(
        ("step", "in", "out", "what it did", "why"),
        [(s.name, amount_text(s.entered), amount_text(s.out), s.facts, s.why) for s in steps(demo)],
    )
    put("\nWhat could not be used, and why: nothing is left out without a count")
    put_table(
        ("at", "reason", "count", "meaning", "first of them"),
        [(x.step, x.reason, amount_text(x.count), x.meaning, ", ".join(x.samples[:2]))
         for x in losses(demo)],
    )  # fmt: skip
    put("\nThe most frequent transitions")
    put_table(
        ("from", "to", "count", "cases", "median time"),
        [(e["source"], e["target"], amount_text(e["count"]), amount_text(e["cases"]),
          span_text(e["median"])) for e in top_transitions(demo)],
    )  # fmt: skip
