"""Columns in any order become columns in order O, with ids that do not depend on the order."""

from __future__ import annotations

import pickle
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill_core.batch import Codes, Lists, Masked
from distill_core.builtin.fields import Fields
from distill_core.columns import Column
from distill_core.component import Selection
from distill_core.errors import SchemaError
from distill_core.ids import Ids, combine, combine_lists, part, texts
from distill_core.pipeline import Pipeline
from distill_core.plan import plan_reading
from distill_core.prepare import borders, differs, prepare, stable_argsort, unite
from distill_core.testing import Documents

COLUMNS = {
    "id": Column("id", type="ids"), "case": Column("case"), "activity": Column("activity"),
    "time": Column("time", type="time"), "end": Column("end", type="time"),
    "order": Column("order", type="number"), "stream": Column("stream"),
}  # fmt: skip
WORDS = ["a", "B", "aa", "é", "\uffff", "🖱", "user:1", "user:10", " "]
ROWS = st.lists(
    st.tuples(
        st.sampled_from(WORDS),
        st.integers(-3, 12),
        st.sampled_from([None, -1.0, 0.0, 0.5, 2.0]),
        st.sampled_from("xyz"),
    ),
    max_size=40,
)
CHECKED = settings(max_examples=150, deadline=None)


def prepared(rows, arrival=None, own=None):
    case, time, order, activity = zip(*rows, strict=True) if rows else ((), (), (), ())
    data = {
        "case": shuffled_codes(case), "activity": Codes.of(activity),
        "time": Masked.full(np.array(time, dtype=np.int64)), "order": Masked.of(order, np.float64),
    }  # fmt: skip
    if own is not None:
        data["id"] = Codes.of(own)
    columns = {name: COLUMNS[name] for name in ("id", *data)}
    return prepare(columns, data, None if arrival is None else np.array(arrival, dtype=np.int64))


def shuffled_codes(values):
    """Codes with a dictionary in no order and with values twice, as a source may hand it over."""
    words = [*WORDS[::-1], *WORDS]
    turn = [words.index(v) if n % 2 else len(words) - 1 - words[::-1].index(v)
            for n, v in enumerate(values)]  # fmt: skip
    return Codes(np.array(turn, dtype=np.int32), words)


def place(row):
    case, time, order, _ = row
    return (case, time, order is not None, order or 0)


def read(found):
    columns = (found.data[name].to_list() for name in ("case", "time", "order", "activity"))
    return list(zip(*columns, strict=True))


@CHECKED
@given(rows=ROWS)
def test_order_o(rows):
    """(case, time, order, arrival), stable; text by code point, a null order first."""
    found = prepared(rows)
    assert read(found) == sorted(rows, key=place)
    codes = [value for value, _ in _groups(found)]
    assert codes == sorted(set(codes))


def _groups(found):
    labels = found.data["case"].to_list()
    edges = found.offsets.tolist()
    groups = [(labels[a], set(labels[a:b])) for a, b in zip(edges, edges[1:], strict=False)]
    assert all(value == {label} for label, value in groups)
    assert edges[0] == 0
    assert edges[-1] == len(labels)
    return groups


@CHECKED
@given(rows=ROWS, seed=st.integers(0, 99))
def test_arrival_decides_between_equals(rows, seed):
    """Batches come in any order: arrival, not the place in a batch, is what ties go by."""
    arrival = list(range(len(rows)))
    turn = random.Random(seed).sample(arrival, len(rows))
    found = prepared([rows[i] for i in turn], [i * 3 for i in turn])
    assert read(found) == sorted(rows, key=place)


@CHECKED
@given(rows=ROWS, seed=st.integers(0, 99))
def test_ids_and_codes_do_not_depend_on_arrival(rows, seed):
    """Shuffled rows that differ in case, time or order have the same ids and dictionaries."""
    distinct = list({place(row): row for row in rows}.values())
    turned = random.Random(seed).sample(distinct, len(distinct))
    one, two = prepared(distinct), prepared(turned)
    assert all_ids(one) == all_ids(two)
    assert one.data["case"].values.tolist() == two.data["case"].values.tolist()
    assert one.data["activity"].codes.tolist() == two.data["activity"].codes.tolist()


def all_ids(found):
    return found.ids.texts(found.data["id"].values).tolist()


@CHECKED
@given(rows=ROWS)
def test_ids_are_distinct_and_counted(rows):
    """Rows equal in stream, case, time, order and activity differ by how many came before."""
    found = prepared(rows)
    ids = all_ids(found)
    assert len(set(ids)) == len(rows)
    seen = {}
    for (case, time, order, activity), text in zip(read(found), ids, strict=True):
        n = seen.setdefault((case, time, order, activity), -1) + 1
        seen[case, time, order, activity] = n
        words = [part(w) for w in ("event", None, case, time, order, activity, n)]
        assert texts(combine(words))[0] == text


def test_own_ids_stay():
    """The source's ids are the events' ids, in the new order; where it has none there is a hash."""
    found = prepared([("é", 1, None, "x"), ("a", 1, None, "x")], own=["e1", None])
    ids = all_ids(found)
    assert ids[1] == "e1"
    assert ids[0] == all_ids(prepared([("a", 1, None, "x")]))[0]


def test_a_stream_is_part_of_the_id():
    """Equal events of two streams are two events."""
    rows = {
        "case": Codes.of(["a"]),
        "activity": Codes.of(["x"]),
        "time": Masked.full(np.zeros(1, np.int64)),
    }
    found = [prepare(COLUMNS, rows | {"stream": Codes.of([s])}) for s in (None, "web", "app")]
    assert len({all_ids(f)[0] for f in found}) == 3


def test_an_end_before_its_time_is_set_to_it():
    """An end before its time becomes the time, and is counted; null stays null."""
    data = {"case": Codes.of(["a"] * 3), "activity": Codes.of(["x"] * 3),
            "time": Masked.full(np.array([5] * 3)),
            "end": Masked.of([4, 9, None], np.int64)}  # fmt: skip
    found = prepare(COLUMNS, data)
    assert found.data["end"].to_list() == [5, 9, None]
    assert found.counts == {"end_before_time": 1}


def test_nothing_is_written_into():
    """Arrays that a source hands over are left as they were, though they need sorting."""
    arrays = {"case": np.array([1, 0], np.int32), "activity": np.array([0, 0], np.int32),
              "time": np.array([7, 3]), "end": np.array([0, 5])}  # fmt: skip
    for array in arrays.values():
        array.flags.writeable = False
    data = {"case": Codes(arrays["case"], ["a", "b"]), "activity": Codes(arrays["activity"], ["x"]),
            "time": Masked.full(arrays["time"]), "end": Masked.full(arrays["end"])}  # fmt: skip
    found = prepare(COLUMNS, data, np.array([0, 1]))
    assert found.data["end"].to_list() == [5, 7]
    assert arrays["end"].tolist() == [0, 5]


def test_empty():
    """No rows: no cases, one border, no ids, and hashes can be asked for."""
    found = prepared([])
    assert found.offsets.tolist() == [0]
    assert all_ids(found) == []
    assert len(found.ids.hashes(np.zeros(0, dtype=np.int64))) == 0
    assert len(pickle.loads(pickle.dumps(found.ids))) == 0


@given(st.lists(st.integers(0, 2**31 - 1) | st.integers(0, 5), max_size=50))
def test_radix_sort_is_a_stable_sort(codes):
    """stable_argsort equals numpy's stable sort, for codes above 16 bits too."""
    array = np.array(codes, dtype=np.int32)
    assert stable_argsort(array).tolist() == np.argsort(array, kind="stable").tolist()


@given(st.lists(st.integers(0, 2), max_size=20))
def test_borders(codes):
    """borders says where runs of equal codes begin, and how many rows there are."""
    array = np.array(codes, dtype=np.int64)
    starts = [i for i, c in enumerate(codes) if i == 0 or codes[i - 1] != c]
    assert borders(array).tolist() == [*starts, len(codes)][: len(starts) + 1]


VALUES = st.lists(st.sampled_from([None, 0, 1]), min_size=1, max_size=12)


@given(values=VALUES)
def test_differs_by_value(values):
    """differs compares neighbours in every form of a column; null equals null."""
    expected = [a != b for a, b in zip(values, values[1:], strict=False)]
    text = Codes.of([None if v is None else str(v) for v in values])
    assert differs(text).tolist() == expected
    assert differs(Masked.of(values, np.int64)).tolist() == expected
    lists = [None if v is None else [7] * v for v in values]
    flat = [x for row in lists for x in row or []]
    offsets = np.cumsum([0, *(len(row or []) for row in lists)])
    null = np.array([row is None for row in lists])
    assert differs(Lists(offsets, np.array(flat, np.int64), null)).tolist() == expected


@given(
    parts=st.lists(st.lists(st.sampled_from([None, *WORDS]), max_size=6), min_size=1, max_size=4)
)
def test_unite_joins_dictionaries(parts):
    """United codes spell the same texts, with one sorted dictionary of distinct values."""
    whole = unite([Codes.of(p) for p in parts])
    assert whole.to_list() == [text for p in parts for text in p]
    assert whole.values.tolist() == sorted(set(whole.values.tolist()))


def test_one_dictionary_is_not_rebuilt():
    """Parts that share a dictionary keep it; one that is not sorted gets sorted."""
    values = np.array(["b", "a", "b"], dtype=object)
    parts = [Codes(np.array(c), values) for c in ([0, 1], [2, -1])]
    assert unite(parts).to_list() == ["b", "a", "b", None]
    assert unite(parts).values.tolist() == ["a", "b"]


def test_id_table_grows_and_gathers():
    """Positions stay what they are: parts of hashes, own texts and joined tables, in any order."""
    hashed = np.array([1, 2, 3], dtype=np.uint64)
    table = Ids().append(3, lambda: hashed)
    longer = table.append_texts(Codes.of(["x", "00000000000000ff"]))
    joined = longer.join(table)
    positions = np.array([7, 0, 4, 3, 5])
    texts_ = [f"{3:016x}", f"{1:016x}", "00000000000000ff", "x", f"{1:016x}"]
    assert joined.texts(positions).tolist() == texts_
    assert joined.hashes(positions).tolist() == [part(t)[0] for t in texts_]
    assert pickle.loads(pickle.dumps(joined)).texts(positions).tolist() == texts_
    assert len(joined) == 8
    assert len(table) == 3


def test_hash_of_lists():
    """Ids of made events: U(head, members) a row equals U of that row alone."""
    members = np.array([5, 6, 7], dtype=np.uint64)
    head = [part("match", 2), part("{}", 2)]
    rows = combine_lists(head, members, np.array([0, 1, 3]))
    for row, own in zip(rows, ([5], [6, 7]), strict=True):
        assert combine([part("match"), part("{}"), *(part(o) for o in own)])[0] == row


@pytest.mark.parametrize(("value", "word"), [
    (None, 0x9E3779B97F4A7C15), (5, 5), (-1, 2**64 - 1), (2.0, 2), (True, 1),
    ("00000000000000ff", 255), ("00000000000000FF", None), (0.5, 0x3FE0000000000000),
])  # fmt: skip
def test_words_of_values(value, word):
    """u: a number is itself, a whole float too, another float its bits, null the constant."""
    column = (
        Masked.of([value], type(value)) if isinstance(value, int | float) else Codes.of([value])
    )
    assert part(column)[0] == part(value)[0]
    if word is None:
        assert part(value)[0] != 255
    else:
        assert part(value)[0] == word


def test_two_columns_of_one_name_are_an_error():
    """A schema with one name twice is refused; an extra column replaces one of its name."""
    fields = {"case": "c", "activity": "a", "time": "t", "unit": "ms"}
    with pytest.raises(SchemaError, match="two columns 'a_b'"):
        plan_reading(Fields(**fields, columns=["a.b", "a_b"]), Selection())
    twice = [Column("x", ("p",)), Column("x", ("q",))]
    with pytest.raises(SchemaError, match="two columns 'x'"):
        plan_reading(Fields(**fields, extra=twice), Selection())
    schema = Fields(**fields, columns=["x"], extra=[Column("x", ("q",))])
    assert [c.paths for c in schema.all_columns() if c.name == "x"] == [("q",)]


def test_strict_reading_tells_what_comes_first():
    """Strict reading names the first of the source's records that is amiss, and how many are."""
    documents = ({"c": 1}, None, {"c": 1, "a": "x", "t": "no"}, {"c": 1, "a": "x", "t": 5})
    schema = Fields(case="c", activity="a", time="t", unit="ms")
    pipeline = Pipeline(source=Documents(documents=documents), schema=schema)
    told = "at 0 is rejected as 'no_time', the first of 3"
    with pytest.raises(SchemaError, match=told) as caught:
        pipeline.log(strict=True)
    assert caught.value.code == "record-rejected"
