"""Lists as views of a pool, and the sources of what is made, beside plain lists."""

from __future__ import annotations

import pickle
from unittest.mock import patch

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from distill_core.batch import Lists
from distill_core.log import _derive
from distill_core.testing.logs import build

ROWS = st.lists(st.one_of(st.none(), st.lists(st.integers(0, 9), max_size=6)), max_size=8)


def lists_of(rows):
    filled = [row or [] for row in rows]
    offsets = np.cumsum([0, *map(len, filled)])
    values = np.array([value for row in filled for value in row], dtype=np.int64)
    return Lists(offsets, values, np.array([row is None for row in rows], dtype=bool))


@given(rows=ROWS, data=st.data())
def test_taken_like_plain_lists(rows, data):
    """Whatever is taken, twice over, is what a list of lists would give; so is its pickle."""
    found, expected = lists_of(rows), rows
    for _ in range(2):
        places = st.lists(st.integers(0, len(expected) - 1), max_size=12)
        chosen = data.draw(places) if expected else []
        found = found.take(np.array(chosen, dtype=np.int64))
        expected = [expected[place] for place in chosen]
    assert pickle.loads(pickle.dumps(found)).to_list() == expected
    assert Lists.join([found, found]).to_list() == expected * 2
    mask = np.array([bool(row) for row in expected], dtype=bool)
    assert found.take(mask).to_list() == [row for row in expected if row]
    assert found.take(slice(1, 3)).to_list() == expected[1:3]
    assert found.to_list() == expected
    assert found.offsets.tolist() == np.cumsum([0, *(len(row or []) for row in expected)]).tolist()


@given(
    inner=st.lists(st.lists(st.integers(0, 6), min_size=1, max_size=4), min_size=1, max_size=8),
    data=st.data(),
)
def test_sources_each_once(inner, data):
    """The sources of what is made of made events: theirs in order, each once."""
    rows = st.lists(st.integers(0, len(inner) - 1), max_size=5)
    of = data.draw(st.one_of(st.just([[*range(len(inner))]]), st.lists(rows, max_size=5)))
    log = build([{"case": "a", "activity": "x", "time": n} for n in range(len(inner))])
    log = log.replace(
        columns={**log.columns, "source_ids": _derive.SOURCE_IDS},
        data={**log.data, "source_ids": lists_of(inner)},
    )
    expected = [[*dict.fromkeys(s for row in made for s in inner[row])] for made in of]
    for block in (1, 5, 1 << 16):
        with patch.object(_derive, "BLOCK", block):
            assert log.sources_of(lists_of(of)).to_list() == expected
