"""Conditions in the query DSL: whatever is true of a document is found, on a real server."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from distill_core.collect import Rows
from distill_core.columns import Column
from distill_core.conditions import And, Compare, In, Like, Not, Null, Or, bind, evaluate, parse
from distill_core.errors import ConditionError
from distill_core.extract import extract
from distill_elasticsearch.dsl import ALL, to_query
from distill_elasticsearch.mapping import read_mappings

COLUMNS = (
    Column("activity", paths=("type", "=custom")),
    Column("case", paths=("sessionId", "sessionID", "user:{userId}")),
    Column("user", paths=("userId",)),
    Column("note", paths=("note",)),
    Column("time", paths=("clientTime", "startTime"), type="time", unit="ms"),
    Column("iso", paths=("at",), type="time"),
    Column("local", paths=("local",), type="time", zone="Pacific/Auckland"),
    Column("number", paths=("n",), type="integer"),
    Column("score", paths=("details.score",), type="number"),
    Column("flag", paths=("flag",), type="boolean"),
    Column("hidden", paths=("kept.away",)),
)
BY_NAME = {column.name: column for column in COLUMNS}
TEXTS = ["", "a", "b", "ab", "user:a", "custom", "7", "-3", "7.0", "1.5", "1.50", "0", "-0", "true",
         "[]", '["a"]', "x" * 12, "é", "\x00", "NaN", "null", "1e3", "1000.0", "A"]  # fmt: skip
ODD_TEXTS = [*TEXTS, 7, -3, 7.0, 1.5, True, False, None, [], ["a"], ["a", "b"], [None], 10**25]
TIMES = [0, 1, 2026, 1500, 1_719_537_311_123, 1_719_537_311_124, None, "2024-06-28T01:15:11.123Z",
         [5, 9], []]  # fmt: skip
ISO = ["2024-06-28T01:15:11Z", "2024-06-28T01:15:11.0009Z", "2024-06-28T01:15", "2024-06-28", None,
       "2024-06-28T01:15:11+05:00", "oops", 5]  # fmt: skip
NUMBERS = [0, 1, -1, 7, 7.9, -7.9, "7", "7.5", 2**53, 2**62, None, True, "x", [1, 2], []]
SCORES = [0, 0.1, 1.5, -2.25, 1e300, "1.5", None, "x"]
FLAGS = [True, False, "true", "false", "", None]


def documents(n: int) -> list[dict[str, object]]:
    """Documents of odd values; no field of one goes with the same value of another each time."""
    pools = {
        "type": ODD_TEXTS, "sessionId": ODD_TEXTS, "sessionID": TEXTS, "userId": ODD_TEXTS,
        "note": TEXTS, "clientTime": TIMES, "startTime": TIMES, "at": ISO, "local": ISO,
        "n": NUMBERS, "flag": FLAGS,
    }  # fmt: skip
    draw = np.random.default_rng(7)
    made = []
    for _ in range(n):
        chosen = [name for name in pools if draw.random() < 0.7]
        document = {name: pools[name][draw.integers(len(pools[name]))] for name in chosen}
        if draw.random() < 0.7:
            document["details"] = {"score": SCORES[draw.integers(len(SCORES))]}
        if draw.random() < 0.3:
            document["kept"] = {"away": TEXTS[draw.integers(len(TEXTS))]}
        made.append(document)
    return made


DATE = {"type": "date", "format": "strict_date_optional_time||epoch_millis"}
KEYWORDS = ("type", "sessionId", "sessionID", "userId")
DATES = ("clientTime", "startTime", "at", "local")
MAPPING = {
    "properties": {
        **{name: {"type": "keyword"} for name in KEYWORDS},
        "note": {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 10}}},
        **dict.fromkeys(DATES, DATE),
        "n": {"type": "long"},
        "details": {"properties": {"score": {"type": "double"}}},
        "flag": {"type": "boolean"},
        "kept": {"type": "object", "enabled": False},
    }
}


def plainly(row: dict[str, object]) -> dict[str, object]:
    """What an index takes that finds out by itself what its fields hold."""
    texts = {name: row[name] for name in ("type", "userId", "note")
             if isinstance(row.get(name), str)}  # fmt: skip
    return texts | ({"flag": row["flag"]} if isinstance(row.get("flag"), bool) else {})


class Stored:
    """Documents in an index, as the server finds them and as they are."""

    def __init__(self, elastic, index: str, rows: list[dict[str, object]]) -> None:
        self.elastic, self.index = elastic, index
        elastic.bulk(index, [{**row, "number_of": i} for i, row in enumerate(rows)])
        self.mappings = read_mappings(
            lambda method, path, params, body=None: elastic.admin(
                method, f"{path}?{'&'.join(f'{k}={v}' for k, v in params.items())}", body
            ),
            index,
            COLUMNS,
        )
        batch = extract(rows, COLUMNS, np.arange(len(rows), dtype=np.int64))
        self.rows = Rows(BY_NAME, batch.columns, len(rows))

    def found(self, query: dict[str, object]) -> set[int]:
        body = {"query": query, "size": 10_000, "_source": ["number_of"]}
        hits = self.elastic.admin("POST", f"{self.index}/_search", body)["hits"]["hits"]
        return {hit["_source"]["number_of"] for hit in hits}

    def true(self, condition: object) -> set[int]:
        mask, _ = evaluate(condition, self.rows)
        return set(np.flatnonzero(mask).tolist())


@pytest.fixture(scope="module")
def stored(elastic):
    """One index as a template would make it, one that came about by itself."""
    made = {}
    strict = {"mappings": MAPPING, "settings": {"index.mapping.ignore_malformed": True}}
    rows = documents(800)
    elastic.admin("PUT", "conditions-mapped", strict)
    made["mapped"] = Stored(elastic, "conditions-mapped", rows)
    elastic.admin("PUT", "conditions-dynamic", {"mappings": {"date_detection": False}})
    made["dynamic"] = Stored(elastic, "conditions-dynamic", [plainly(row) for row in rows])
    yield made
    for one in made.values():
        elastic.admin("DELETE", one.index)


def compares(name: str, ops: list[str], values: list[object]) -> st.SearchStrategy[object]:
    return st.builds(Compare, st.sampled_from(ops), st.just(name), st.sampled_from(values))


EQ, ORDER = ["eq", "ne"], ["eq", "ne", "lt", "le", "gt", "ge"]
NAMES = ["activity", "case", "user", "note", "hidden"]
LIKES = ["a%", "us%", "%b", "user:a", "c_stom", "x%"]
MOMENTS = ["1970-01-01T00:00:00.001Z", "2024-06-28T01:15:11.123Z", "2024-06-28",
           "2024-06-27T20:15:11Z"]  # fmt: skip
SOME_TEXTS = st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3).map(tuple)
LEAVES = st.one_of(
    *(compares(name, EQ, TEXTS) for name in NAMES),
    *(st.builds(In, st.just(name), SOME_TEXTS) for name in NAMES),
    *(st.builds(Like, st.just(name), st.sampled_from(LIKES)) for name in NAMES),
    st.builds(Null, st.sampled_from(sorted(BY_NAME))),
    compares("time", ORDER, MOMENTS), compares("iso", ORDER, MOMENTS),
    compares("local", ORDER, MOMENTS), compares("number", ORDER, [0, 1, 7, 7.5, -7, 2**53, 2**60]),
    compares("score", ORDER, [0, 0.1, 1.5, -2.25, 1e300]), compares("flag", EQ, [True, False]),
)  # fmt: skip
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.builds(Not, inner)
    | st.builds(lambda parts: And(tuple(parts)), st.lists(inner, min_size=2, max_size=3))
    | st.builds(lambda parts: Or(tuple(parts)), st.lists(inner, min_size=2, max_size=3)),
    max_leaves=5,
)


@pytest.mark.parametrize("which", ["mapped", "dynamic"])
def test_whatever_is_true_is_found(stored, which):
    """1,000 generated conditions: the server finds all documents for which each is true."""
    one = stored[which]

    @settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
    @given(CONDITIONS)
    def check(condition) -> None:
        try:
            bound = bind(condition, BY_NAME)
        except ConditionError:
            reject()
        query, told = to_query(bound, COLUMNS, one.mappings)
        found, true = one.found(query), one.true(bound)
        assert true <= found, (query, sorted(true - found)[:3])
        if told is not None:
            assert one.true(bound) <= one.true(told)

    check()


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("activity = 'a'", {"term": {"type": "a"}}),
        ("activity IN ('b', 'a')", {"terms": {"type": ["a", "b"]}}),
        ("note LIKE 'a%'", {"prefix": {"note.keyword": "a"}}),
        ("time >= '2001-09-09T01:46:40.005Z'",
         {"range": {"clientTime": {"gte": 1_000_000_000_004, "format": "epoch_millis"}}}),
        ("number < 7", {"range": {"n": {"lte": 8}}}),
        ("flag = true", {"term": {"flag": True}}),
    ],
)  # fmt: skip
def test_what_is_asked(stored, text, query):
    """What the server can find is asked of it, or what of the field it has not indexed."""
    bound = bind(parse(text), BY_NAME)
    made, told = to_query(bound, COLUMNS, stored["mapped"].mappings)
    assert query in made["bool"]["should"]
    assert told == bound


@pytest.mark.parametrize(
    "text",
    ["activity = 'custom'", "activity = '1.5'", "activity = '[1]'", "hidden = 'a'", "note <> 'a'",
     "matches(activity, 'a')", "number = score", "time <> '2024-01-01'", "score IS NULL"],
)  # fmt: skip
def test_what_is_not_asked(stored, text):
    """What the server would answer otherwise, or not at all, stays with the reader."""
    bound = bind(parse(text), BY_NAME)
    assert to_query(bound, COLUMNS, stored["mapped"].mappings) == (ALL, None)


def test_of_several_tests_what_can_be_asked_is(stored):
    """AND is asked in part; OR as a whole or not at all."""
    mappings = stored["mapped"].mappings
    both = bind(parse("activity = 'a' AND note <> 'b'"), BY_NAME)
    one = bind(parse("activity = 'a' OR note <> 'b'"), BY_NAME)
    assert to_query(both, COLUMNS, mappings)[1] == bind(parse("activity = 'a'"), BY_NAME)
    assert to_query(one, COLUMNS, mappings) == (ALL, None)
