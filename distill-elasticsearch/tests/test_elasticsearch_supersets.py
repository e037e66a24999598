"""What a condition or an order asks of the server never loses a row, however odd the mapping."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from elastic_filled import WAYS, Server, alike, event, filled

import distill_core as dl
from distill_core import Column
from distill_core.conditions import bind, parse
from distill_core.testing import Documents
from distill_elasticsearch.dsl import to_query
from distill_elasticsearch.mapping import LOOKED_AT, FieldCaps, Mappings, read_mappings
from distill_elasticsearch.passes import orderly

KEYWORD = {"type": "keyword"}
MILLIS = 1_795_512_600_000


@pytest.fixture(scope="module")
def server(elastic: Any) -> Iterator[Server]:
    """A server that may be filled."""
    with filled(elastic) as server:
        yield server


class TwoTimes(dl.Schema):
    """The time is in one of two fields."""

    def columns(self) -> tuple[Column, ...]:
        return (
            Column("case", paths=("who",)), Column("activity", paths=("what",)),
            Column("time", paths=("a.at", "late"), type="time", unit="ms"),
        )  # fmt: skip


def made(server: Server, index: str, rows: Sequence[Any], mappings: Any, **settings: Any) -> None:
    """An index with these mappings, whole."""
    server.admin("PUT", index, {"mappings": mappings, "settings": settings})
    server.made.add(index)
    server.elastic.bulk(index, rows)


def first(index: Any, rows: Sequence[Any], schema: Any, server: Server, sort: str) -> None:
    """The first and last few by time are those of the documents in memory."""
    whole = Documents(documents=tuple(rows))
    for limit in (1, 2, 3):
        query = dl.Events(limit=limit, sort=sort)
        wanted = dl.Pipeline(whole, schema, query).log().to_dicts()
        found = dl.Pipeline(server.source(index, page=2), schema, query).log().to_dicts()
        assert found == wanted


# --- null ---------------------------------------------------------------------------------------

AT = {"at": {"type": "date"}}
BY_USER = {"what": "what", "at": 1}
KEPT = [{"s": "s1", "u": "u1", **BY_USER}, {"u": "u1", **BY_USER}, {"u": "u2", **BY_USER}]
NESTED = [
    {"a": [{"b": "s1"}], "u": "u1", **BY_USER}, {"a": {"b": "s1"}, "u": "u1", **BY_USER},
    {"u": "u2", **BY_USER}, {"a": {"b": {"c": "s1"}}, "u": "u1", **BY_USER},
]  # fmt: skip
NULLS: dict[str, tuple[str, list[Any], dict[str, Any], tuple[str, ...]]] = {
    "a list of objects": ("a.b", NESTED[:3], {"properties": {
        **AT, "a": {"properties": {"b": KEYWORD}}}}, ()),
    "flattened": ("a.b", NESTED, {"properties": {**AT, "a": {"type": "flattened"}}}, ()),
    "left out of the document": ("s", KEPT, {
        "_source": {"excludes": ["s"]}, "properties": {**AT, "s": KEYWORD}}, ("s",)),
    "nothing odd": ("s", KEPT, {"properties": {**AT, "s": KEYWORD}}, ()),
}  # fmt: skip


@pytest.mark.parametrize("where", ["case = 'user:u1'", "case IS NULL", "case IN ('user:u1', 's1')"])
@pytest.mark.parametrize("kind", NULLS)
def test_a_case_from_the_user_is_found(server: Server, kind: str, where: str) -> None:
    """A field that exists for the server and not at the column's path does not hide a document."""
    path, rows, mappings, gone = NULLS[kind]
    index = f"supersets-null-{list(NULLS).index(kind)}"
    if index not in server.made:
        made(server, index, rows, mappings)
    come = [{k: v for k, v in row.items() if k not in gone} for row in rows]
    schema = dl.Fields(case=path, activity="what", time="at", unit="ms", user="u")
    alike(server.log(index, schema, where=where), come, schema, where)


CASE = (Column("case", paths=("s", "{u}")), Column("x", paths=("s",)))


def asked(text: str, caps: FieldCaps, *, plain: bool = True) -> Any:
    condition = bind(parse(text), {column.name: column for column in CASE})
    return to_query(condition, CASE, Mappings(("logs",), {"s": caps}, plain=plain))


def test_a_missing_case_is_asked_for() -> None:
    """Of a plain text at the top the server is asked whether the case is missing."""
    whole = {"bool": {"must_not": [{"exists": {"field": "s"}}]}}
    for kind in ("keyword", "text"):
        assert asked("case IS NULL", FieldCaps("s", {kind: ()}))[0] == whole
    assert asked("x IS NULL", FieldCaps("s", {"keyword": ()}))[1] is None
    assert asked("case IS NULL", FieldCaps("s", {"keyword": ()}), plain=False)[1] is None
    mixed = FieldCaps("s", {"constant_keyword": ("a",), "keyword": ("b",)})
    assert asked("case IS NULL", mixed)[1] is None


# --- what was not indexed -----------------------------------------------------------------------


@pytest.mark.parametrize("where", ["b = 'x'", "b LIKE 'x%'", "b <> 'x'"])
def test_an_object_beyond_the_limit_of_fields(server: Server, where: str) -> None:
    """What the server did not map is known by its object's name alone, and found all the same."""
    rows = [event("c", "x", 1, a={"b": "x"}), event("c", "x", 2, a={"b": "y"}),
            event("c", "x", 3, a={"b": "x", "c": {"d": 1}})]  # fmt: skip
    known = {**AT, "who": KEYWORD, "what": KEYWORD}
    if "supersets-limit-1" not in server.made:
        limit = {"index.mapping.total_fields.limit": 3,
                 "index.mapping.total_fields.ignore_dynamic_beyond_limit": True}  # fmt: skip
        made(server, "supersets-limit-1", rows, {"properties": known}, **limit)
        mapped = {**known, "a": {"properties": {"b": KEYWORD}}}
        made(server, "supersets-limit-2", [event("c", "x", 4)], {"properties": mapped})
    schema = dl.Fields(case="who", activity="what", time="at", unit="ms",
                       columns=[Column("b", paths=("a.b",))])  # fmt: skip
    alike(server.log("supersets-limit-1", schema, where=where), rows, schema, where)
    alike(server.log("supersets-limit-*", schema, where=where), [*rows, event("c", "x", 4)],
          schema, where)  # fmt: skip


def test_a_time_of_an_object_beyond_the_limit_has_one_pass(server: Server) -> None:
    """A document is read once if the object that holds its first time was not indexed."""
    limit = {"index.mapping.total_fields.limit": 4,
             "index.mapping.total_fields.ignore_dynamic_beyond_limit": True}  # fmt: skip
    known = {**AT, "late": {"type": "date"}, "who": KEYWORD, "what": KEYWORD}
    rows = [{"who": "c", "what": "x", "a": {"at": 9}, "late": 1},
            {"who": "c", "what": "x", "late": 5}]  # fmt: skip
    made(server, "supersets-late-1", rows, {"properties": known}, **limit)
    mapped = {**known, "a": {"properties": {"at": {"type": "date"}}}}
    other = [{"who": "c", "what": "x", "a": {"at": 7}}]
    made(server, "supersets-late-2", other, {"properties": mapped})
    alike(server.log("supersets-late-*", TwoTimes()), [*rows, *other], TwoTimes())


# --- times --------------------------------------------------------------------------------------

NUMBERS = [2026, 1000, 1500, 1969, 1970, 1971, 2101, 2300, 9999, 999, 10_000, 0, 2026.0, "2026",
           MILLIS, MILLIS + 1, 20_260]  # fmt: skip
TEXTS = ["2026-01-01T00:00:00Z", "2024-05-05T01:00:00Z", "1970-01-01T00:00:02.026Z",
         "2101-01-01T00:00:00Z", "1500-01-01T00:00:00Z"]  # fmt: skip
STRICT = "strict_date_optional_time||"
YEARLY: dict[str, tuple[dict[str, Any], str | None]] = {
    "milliseconds": ({"type": "date"}, "ms"),
    "milliseconds first": ({"type": "date", "format": f"epoch_millis||{STRICT[:-2]}"}, "ms"),
    "lenient": ({"type": "date", "format": "date_optional_time||epoch_millis"}, "ms"),
    "seconds": ({"type": "date", "format": f"{STRICT}epoch_second"}, "s"),
    "nanoseconds": ({"type": "date_nanos"}, "ms"),
    "texts": ({"type": "date"}, None),
}
BOUNDS = ["time <= '2024-06-01'", "time < '1970-01-01T00:00:02.027Z'", "time > '1969-01-01'",
          "time >= '1970-01-01T00:00:01Z'", "time = '1970-01-01T00:00:02.026Z'",
          "time = '1970-01-01T00:33:46Z'", "time <= '1990-01-01'", "time < '9999-12-31'",
          "time >= '2024-01-01' AND time < '2025-01-01'", "time <= '2300-01-01'"]  # fmt: skip


def yearly(server: Server, kind: str) -> tuple[str, Any, list[Any]]:
    mapping, unit = YEARLY[kind]
    rows = [event(f"c{n}", "x", at) for n, at in enumerate([*NUMBERS, *TEXTS])]
    index = f"supersets-years-{list(YEARLY).index(kind)}"
    server.fill(index, rows, {"at": mapping})
    return index, dl.Fields(case="who", activity="what", time="at", unit=unit), rows


@pytest.mark.parametrize("kind", YEARLY)
def test_numbers_that_look_like_years(server: Server, kind: str) -> None:
    """2026 is a year to the server and 2.026 s to the column: no condition loses it."""
    index, schema, rows = yearly(server, kind)
    alike(server.log(index, schema), rows, schema)
    for where in BOUNDS:
        alike(server.log(index, schema, where=where), rows, schema, where)


@pytest.mark.parametrize("sort", ["time", "-time"])
@pytest.mark.parametrize("kind", YEARLY)
def test_the_first_of_numbers_that_look_like_years(server: Server, kind: str, sort: str) -> None:
    """What the server sorts as a year has the column's place among the first."""
    index, schema, rows = yearly(server, kind)
    first(index, rows, schema, server, sort)


DATE = FieldCaps("at", {"date": ()}, formats=frozenset({"strict_date_optional_time||epoch_millis"}))
LENIENT = FieldCaps("at", {"date": ()}, formats=frozenset({"date_optional_time||epoch_millis"}))


def test_ends_are_asked_for_in_few_tests() -> None:
    """Both ends of a range of time are asked for; a lenient format's years are not known."""
    time = (Column("time", paths=("at",), type="time", unit="ms"),)
    def query(text: str, caps: FieldCaps) -> Any:
        bound = bind(parse(text), {"time": time[0]})
        return to_query(bound, time, Mappings(("logs",), {"at": caps}))

    text = "time < '2024-06-01'"
    tests = query(text, DATE)[0]["bool"]["should"]
    assert 30 < len(tests) < 40
    end = {"range": {"at": {"gte": 2_682_374_400_000, "format": "epoch_millis"}}}  # 2055
    assert end in tests
    assert query("time >= '2024-06-01'", DATE)[0]["bool"]["should"][0] == {
        "range": {"at": {"gte": 1_717_199_999_999, "format": "epoch_millis"}}
    }
    assert query(text, LENIENT)[1] is None


def test_the_first_by_time_of_a_list_of_objects(server: Server) -> None:
    """A time in a list of objects has no path: the next field's counts, in order too."""
    date = {"type": "date"}
    rows = [{"who": f"c{n}", "what": "x", "a": [{"at": n + 1}], "late": 100 - n}
            for n in range(4)] + [{"who": "d", "what": "x", "a": {"at": 50}}]  # fmt: skip
    mappings = {"a": {"properties": {"at": date}}, "late": date}
    server.fill("supersets-order", rows, mappings)
    for sort in ("time", "-time"):
        first("supersets-order", rows, TwoTimes(), server, sort)


def test_what_is_orderly() -> None:
    """The server's order is trusted of plain fields at the top alone."""
    caps = {name: FieldCaps(name, {"date": ()}, formats=DATE.formats) for name in ("at", "a.at")}
    for path, plain, wanted in (("at", True, True), ("a.at", True, False), ("at", False, False)):
        time = (Column("time", paths=(path,), type="time", unit="ms"),)
        assert orderly(time, Mappings(("logs",), caps, plain=plain)) == wanted


# --- other --------------------------------------------------------------------------------------


def told(mapping: Any, kind: str = "keyword") -> Mappings:
    """What a server's answers about the field s become."""
    caps = {kind: {"searchable": True, "aggregatable": True}}
    answers = {
        "/logs/_field_caps": {"indices": ["logs"], "fields": {"s": caps}},
        "/logs/_mapping": {"logs": {"mappings": mapping}},
    }
    return read_mappings(lambda _, path, **__: answers[path], "logs", CASE)


def pushed(text: str, mappings: Mappings) -> Any:
    condition = bind(parse(text), {column.name: column for column in CASE})
    return to_query(condition, CASE, mappings)[1]


def test_what_makes_the_index_say_otherwise() -> None:
    """A script, values for null and cut documents: whether a case is missing is not asked."""
    keyword = {"properties": {"s": KEYWORD}}
    assert pushed("case IS NULL", told(keyword)) is not None
    for odd in (
        {"properties": {"s": {**KEYWORD, "script": {"source": "emit('s1')"}}}},
        {**keyword, "_source": {"excludes": ["s"]}}, {**keyword, "_source": {"includes": ["t"]}},
        {**keyword, "_source": {"mode": "synthetic"}},
    ):  # fmt: skip
        assert pushed("case IS NULL", told(odd)) is None
    constant = {"properties": {"s": {"type": "constant_keyword"}}}
    assert pushed("case IS NULL", told(constant, "constant_keyword")) is None
    for key in ("script", "normalizer", "*.mappings._source"):
        assert key in LOOKED_AT


def test_a_prefix_of_a_normalized_text() -> None:
    """A text that a normalizer changed may begin with another; whole texts are changed alike."""
    changed = told({"properties": {"s": {**KEYWORD, "normalizer": "swapped"}}})
    plain = told({"properties": {"s": KEYWORD}})
    assert pushed("x LIKE 'a%'", changed) is None
    assert pushed("x LIKE 'a%'", plain) is not None
    assert pushed("x = 'a'", changed) is not None


@pytest.mark.parametrize("way", WAYS)
def test_fields_that_begin_with_a_line(server: Server, way: Any) -> None:
    """A document's own field such as _page comes, whatever is fetched, and can be asked for."""
    rows = [event("c", "x", 1, _page="home"), event("c", "x", 2, _page="cart")]
    server.fill("supersets-line", rows, {**AT, "_page": KEYWORD})
    schema = dl.Fields(case="who", activity="what", time="at", unit="ms",
                       columns=[Column("page", paths=("_page",))])  # fmt: skip
    for where in (None, "page = 'home'", "page LIKE 'h%'"):
        alike(server.log("supersets-line", schema, where=where, **way), rows, schema, where)


@pytest.mark.parametrize("where", [
    "time >= '1900-01-01'", "time <= '1900-01-01'", "time > '2300-01-01'", "time < '2300-01-01'",
    "time <= '0001-01-01'", "time = '2300-01-01'", "time = '1900-01-01'",
    "time >= '1970-01-01' AND time <= '2262-04-11T23:47:16.854Z'",
])  # fmt: skip
@pytest.mark.parametrize("kind", ["date_nanos", "long", "both"])
def test_ends_beyond_what_a_field_holds(server: Server, kind: str, where: str) -> None:
    """A time that the field cannot hold is no error, but finds what is before or after it."""
    if kind == "both":
        test_ends_beyond_what_a_field_holds(server, "date_nanos", where)
        server.fill("supersets-beyond-date", BEYOND, AT)
        index, rows, unit = "supersets-beyond-date*", BEYOND + INSIDE, "ms"
    else:
        index, rows, unit = f"supersets-beyond-{kind}", INSIDE, "ns" if kind == "long" else "ms"
        server.fill(index, rows, {"at": {"type": kind}})
    schema = dl.Fields(case="who", activity="what", time="at", unit=unit)
    alike(server.log(index, schema, where=where), rows, schema, where)


INSIDE = [event("a", "x", 0), event("b", "x", MILLIS)]
BEYOND = [event("c", "x", "1900-01-01T00:00:00Z"), event("d", "x", "2300-01-01T00:00:00Z"),
          event("e", "x", "0500-01-01T00:00:00Z")]  # fmt: skip


def test_a_prefix_with_what_replaces_surrogates() -> None:
    """U+FFFD in a pattern may stand for what the index has as something else."""
    assert asked("x LIKE 'a\ufffd%'", FieldCaps("s", {"keyword": ()}))[1] is None
    assert asked("x LIKE 'a%'", FieldCaps("s", {"keyword": ()}))[1] is not None
