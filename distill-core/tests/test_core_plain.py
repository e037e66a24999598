"""What the plain steps do beside their semantics; that they keep the laws is in the kit's file."""

from __future__ import annotations

import pytest

from distill_core.builtin.collapse import Collapse
from distill_core.builtin.elapsed import Elapsed
from distill_core.builtin.label import Label
from distill_core.builtin.plugin import distill_transforms
from distill_core.builtin.sample import Sample
from distill_core.builtin.sessionize import Sessionize
from distill_core.errors import TransformError
from distill_core.log import EventLog
from distill_core.testing.logs import build


@pytest.mark.parametrize("name", [
    "collapse", "dedupe", "drop", "elapsed", "label", "sample", "select", "sessionize", "where",
])  # fmt: skip
def test_the_plugin_offers_it(name):
    """Every step is offered by the core's own plugin under its name."""
    assert name in [cls.__component__ for cls in distill_transforms()]


def test_label_has_a_sorted_dictionary():
    """Codes of a label follow the order of its texts, whatever order the rules have."""
    rows = [{"case": "c", "activity": a, "time": 0} for a in "ab"]
    rules = [{"when": "activity = 'a'", "value": "z"}, {"when": "activity = 'b'", "value": "b"}]
    out = build(rows).apply(Label(column="kind", rules=rules))
    assert out.labels("kind").tolist() == ["b", "z"]
    assert out.codes("kind").tolist() == [1, 0]


def test_sample_of_cases_that_look_like_ids():
    """A case of 16 hex digits is hashed as that number, and chosen all the same."""
    rows = [{"case": f"{n * 7919:016x}", "activity": "x", "time": 0} for n in range(400)]
    out = build(rows).apply(Sample(fraction=0.25))
    assert 60 < len(out) < 140


@pytest.mark.parametrize(
    ("step", "column"),
    [
        (Sessionize(gap="1s"), "parent_case"),
        (Sessionize(gap="1s", as_case=False), "session"),
        (Elapsed(), "since_start"),
        (Collapse(same=["activity"]), "source_ids"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_a_column_of_another_type_is_never_overwritten(step, column):
    """A step that writes a column refuses a log that has one of that name and another type."""
    rows = [{"c": "a", "a": "x", "t": 0, column: 1}]
    log = EventLog.from_frame(rows, case="c", activity="a", time="t", unit="s")
    with pytest.raises(TransformError, match=f"column '{column}' is integer, but") as caught:
        log.apply(step)
    assert caught.value.code == "column-clash"
