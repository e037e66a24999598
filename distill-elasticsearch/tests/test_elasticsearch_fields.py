"""Whatever the indices make of a field, the log is what the documents are in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from elastic_filled import SCHEMA, WAYS, Server, alike, event, filled

import distill_core as dl
from distill_core import Column
from distill_core.conditions import bind, parse
from distill_core.errors import SourceError
from distill_core.testing import Documents
from distill_elasticsearch.dsl import to_query
from distill_elasticsearch.mapping import read_mappings
from distill_userale import UserALE

KEYWORD = {"type": "keyword"}
MILLIS = 1_795_512_600_000


@pytest.fixture(scope="module")
def server(elastic: Any) -> Iterator[Server]:
    """A server that may be filled."""
    with filled(elastic) as server:
        yield server


# --- values ------------------------------------------------------------------------------------

LISTS = [
    event("a", ["x", "y"], 1, tags=["t", "u"], items=[{"sku": 1}, {"sku": 2}], n=[1, 2]),
    event("b", "x", 2, tags="t", items={"sku": "7"}, n=7.0, shop={"name": "s"}),
    event("c", "x", 3, tags=[], items=[], n="7", shop={"name": ["s", "r"]}, flag="true"),
    event("d", "x", 4, tags=[["t"], None], n=1.5, flag=[True], **{"shop.name": "dotted"}),
    event("e", "x", 5, tags={"t": 1}, labels={"env": "prod", "n": 1}),
    event("f", "x", 6, tags=None, labels={"env": ["dev", "prod"]}, where={"lat": 1.5, "lon": 2}),
    event("g", "x", 7, items={"sku": "7"}, during={"gte": 5, "lt": 9}),
]
LISTS_SCHEMA = dl.Fields(
    case="who", activity="what", time="at", unit="ms",
    columns=[
        "tags", Column("tags_json", paths=("tags",), type="json"),
        Column("items", paths=("items",), type="json"), Column("sku", paths=("items.sku",)),
        Column("n", paths=("n",), type="integer"), Column("flag", paths=("flag",), type="boolean"),
        Column("shop", paths=("shop.name",)), Column("env", paths=("labels.env",)),
        Column("lat", paths=("where.lat",)), Column("gte", paths=("during.gte",), type="integer"),
    ],
)  # fmt: skip
LISTS_MAPPINGS = {
    "at": {"type": "date"}, "tags": {"type": "object", "enabled": False},
    "items": {"type": "nested", "properties": {"sku": KEYWORD}}, "n": {"type": "long"},
    "flag": {"type": "boolean"}, "shop": {"properties": {"name": KEYWORD}},
    "labels": {"type": "flattened"}, "what": KEYWORD, "where": {"type": "geo_point"},
    "during": {"type": "integer_range"},
}  # fmt: skip


@pytest.fixture(scope="module")
def lists(server: Server) -> Server:
    """Documents with lists and objects, some of them nested or flattened for the server."""
    server.fill("reading-lists", LISTS, LISTS_MAPPINGS)
    return server


@pytest.mark.parametrize("way", WAYS)
def test_what_a_list_becomes(lists: Server, way: Any) -> None:
    """In a column of text or JSON a list is its JSON text; a number or truth it is not."""
    log = lists.log("reading-lists", LISTS_SCHEMA, **way)
    alike(log, LISTS, LISTS_SCHEMA)
    first, second, *_ = log.to_dicts()
    assert (first["activity"], first["tags"], first["tags_json"]) == (
        '["x","y"]', '["t","u"]', ["t", "u"]
    )  # fmt: skip
    assert (first["n"], first["sku"], first["items"]) == (None, None, [{"sku": 1}, {"sku": 2}])
    assert (second["sku"], second["shop"], second["n"]) == ("7", "s", 7)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "where",
    ["sku = '7'", "sku IS NULL", "sku <> '7'", "shop = 's'", "shop = 'dotted'", "shop LIKE 's%'",
     "env = 'prod'", "env LIKE 'p%'", "env IS NULL", "env = '[\"dev\",\"prod\"]'", "tags = 't'",
     "lat = '1.5'", "lat LIKE '1%'", "gte = 5", "gte > 4",
     "activity = 'x'", "activity = '[\"x\",\"y\"]'", "n = 7", "n >= 1", "flag", "flag IS NULL"],
)  # fmt: skip
def test_conditions_on_what_the_server_keeps_apart(lists: Server, where: str, way: Any) -> None:
    """A condition finds what is nested, flattened, in a list or under a dotted key."""
    alike(lists.log("reading-lists", LISTS_SCHEMA, where=where, **way), LISTS, LISTS_SCHEMA, where)


SHADOWED = [
    event("a", "x", 1, page="home", more={"kind": "k"}), event("b", "x", 2, page="cart"),
    event("c", "x", 3), event("d", "x", 4, page="home", kind="k"),
]  # fmt: skip


@pytest.mark.parametrize(
    "where",
    ["page = 'home'", "page IN ('cart', 'z')", "page IS NULL", "page LIKE 'h%'", "page <> 'home'",
     "kind IS NULL", "kind = 'k'"],
)  # fmt: skip
def test_fields_that_are_not_the_documents(server: Server, where: str) -> None:
    """What a field of run time, a copy, a value for null says does not count: documents do."""
    schema = dl.Fields(case="who", activity="what", time="at", unit="ms", columns=["page", "kind"])
    for n, mappings in enumerate((
        {"page": {**KEYWORD, "null_value": "home"}, "kind": KEYWORD},
        {"page": KEYWORD, "what": {**KEYWORD, "copy_to": "page"}, "kind": KEYWORD},
        {"page": {**KEYWORD, "ignore_above": 3}, "kind": {**KEYWORD, "index": False}},
        {"page": {**KEYWORD, "doc_values": False}, "kind": {"type": "text"}},
        {"page": KEYWORD, "more": {"type": "passthrough", "priority": 1}},
    )):  # fmt: skip
        index = f"reading-shadow-{n}"
        server.fill(index, SHADOWED, {"at": {"type": "date"}, **mappings})
        alike(server.log(index, schema, where=where), SHADOWED, schema, where)


def test_fields_of_run_time_are_not_asked() -> None:
    """A script may say anything of a document: what it is called by tells nothing of that."""
    caps = {"keyword": {"searchable": True, "aggregatable": True}}
    mapping = {"runtime": {"page": {"type": "keyword"}}, "properties": {"what": KEYWORD}}
    answers = {
        "/logs/_field_caps": {"indices": ["logs"], "fields": {"page": caps, "what": caps}},
        "/logs/_mapping": {"logs": {"mappings": mapping}},
    }
    columns = (Column("page", paths=("page",)), Column("what", paths=("what",)))
    found = read_mappings(lambda _, path, **__: answers[path], "logs", columns)
    by_name = {column.name: column for column in columns}
    asked = [bind(parse(f"{name} = 'x'"), by_name) for name in by_name]
    assert [to_query(one, columns, found)[1] for one in asked] == [None, asked[1]]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("where", [None, "what = '7'", "what <> 'x'", "what LIKE 'x%'",
                                   "n > 5", "n IS NULL", "activity = 'x'"])  # fmt: skip
def test_old_indices_with_other_mappings(server: Server, where: Any, way: Any) -> None:
    """A field that is of other types in other indices is read, and asked for, all the same."""
    ages = (
        ({"what": {"type": "long"}, "n": {"type": "long"}}, [7, 8], [5, 6]),
        ({"what": KEYWORD, "n": KEYWORD}, ["x", "7"], ["5", "60"]),
        ({"what": {"type": "text"}, "n": {"type": "double"}}, ["xy", "x 7"], [5.0, 6.5]),
        ({"what": {"type": "object", "enabled": False}}, [{"x": 1}, "x"], [None, 7]),
    )
    documents = []
    for n, (mappings, names, numbers) in enumerate(ages):
        rows = [event(f"{n}{name}", name, 10 * n + number, n=number_of)
                for number, (name, number_of) in enumerate(zip(names, numbers, strict=True))]
        documents += rows
        server.fill(f"reading-age-{n}", rows, {"at": {"type": "date"}, **mappings})
    schema = dl.Fields(case="who", activity="what", time="at", unit="ms", columns=[
        "what", Column("n", paths=("n",), type="integer")])  # fmt: skip
    alike(server.log("reading-age-*", schema, where=where, **way), documents, schema, where)


# --- times -------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_a_time_of_two_fields(server: Server, way: Any) -> None:
    """The first field that is not null decides; what has neither is rejected, and nothing else."""
    documents = [{"type": "click", "sessionID": f"s{n % 3}", **times} for n, times in enumerate((
        {"clientTime": MILLIS}, {"startTime": MILLIS + 1, "endTime": MILLIS + 5}, {},
        {"clientTime": MILLIS + 2, "startTime": MILLIS - 9}, {"clientTime": None},
        {"clientTime": []}, {"clientTime": None, "startTime": MILLIS + 3},
        {"clientTime": "", "startTime": 1},
        {"clientTime": [None], "startTime": MILLIS}, {"clientTime": [MILLIS], "startTime": MILLIS},
    ))]  # fmt: skip
    index = f"reading-two-{len(way)}"
    date = {"type": "date", "format": "strict_date_optional_time||epoch_millis"}
    server.fill(index, documents, {"clientTime": date, "startTime": date})
    log = server.log(index, UserALE(), **way)
    alike(log, documents, UserALE())
    assert len(log) == 4
    assert log.reading is not None
    assert sum(told.count for told in log.reading.rejected.values()) == 6


TIMES: dict[str, tuple[Any, dict[str, Any], list[Any]]] = {
    "text": ({"type": "date"}, {}, [
        "2026-11-24T09:30:00Z", "2026-11-24T09:30:00.0004567Z", "2026-11-24T11:30:00.5+02:00",
        "2026-11-24", "2026-11-24T09:30", "oops", "1795512600000", MILLIS, None]),
    "text with a zone": ({"type": "date"}, {"zone": "Europe/Berlin"}, [
        "2026-10-25T02:30:00", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00+01:00", "2026-03-29",
        "2026-03-29T02:30:00", "2026-10-25T00:45:00Z"]),
    "nanoseconds": ({"type": "date_nanos"}, {}, [
        "2026-11-24T09:30:00.000000500Z", "2026-11-24T09:30:00.0000015Z", "2026-11-24T09:30:00Z",
        "2026-11-24T09:30:00.999999999Z", "2026-11-24T09:30:00.123456Z"]),
    "nanoseconds, numbers": ({"type": "date_nanos"}, {"unit": "ms"}, [
        MILLIS, MILLIS + 1, "2026-11-24T09:30:00.0000015Z"]),
    "seconds": ({"type": "date", "format": "epoch_second"}, {"unit": "s"}, [
        1_795_512_600, 1_795_512_601.25, 1_795_512_600.5, 0, -1, "1795512600"]),
    "seconds, kept as milliseconds": ({"type": "date"}, {"unit": "s"}, [
        1_795_512_600, 1_795_512_599, "2026-11-24T09:30:00Z", "1970-01-21T18:00:00Z"]),
    "whole numbers": ({"type": "long"}, {"unit": "ms"}, [
        MILLIS, MILLIS + 0.75, MILLIS - 1, "1795512600000", 0, 10**17, None, True]),
    "decimal numbers": ({"type": "double"}, {"unit": "us"}, [
        1e15, 1e15 + 0.5, 2, 2.5, 3.5, "7"]),
    "numbers of little precision": ({"type": "half_float"}, {"unit": "s"}, [
        1000.1, 1000.2, 1000, 999.9, 2049, 2050, 2051]),
    "nothing to sort by": ({"type": "keyword"}, {"unit": "ms"}, [MILLIS, MILLIS + 1, "2026-11-24"]),
    "not indexed": ({"type": "date", "index": False, "doc_values": False}, {"unit": "ms"}, [
        MILLIS, MILLIS + 1, MILLIS]),
    "several values": ({"type": "date"}, {"unit": "ms"}, [
        [MILLIS, 5], [5, MILLIS], MILLIS, 6, [7], [MILLIS, MILLIS], [], [None, 3], 4]),
    "out of range": ({"type": "date"}, {"unit": "ms"}, [
        253_402_300_799_999, 253_402_300_800_000, 0, "9999-12-31T23:59:59.999999Z"]),
}  # fmt: skip


def of_times(times: list[Any]) -> list[dict[str, Any]]:
    return [event(f"c{n % 2}", f"x{n}", time) for n, time in enumerate(times)]


def filled_with_times(server: Server, kind: str) -> tuple[str, dl.Fields, list[dict[str, Any]]]:
    """The index of this kind of times, made when it is first asked for."""
    mapping, column, times = TIMES[kind]
    index = f"reading-times-{list(TIMES).index(kind)}"
    schema = dl.Fields(case="who", activity="what", time="at", **column)
    server.fill(index, of_times(times), {"at": mapping})
    return index, schema, of_times(times)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", TIMES)
def test_times(server: Server, kind: str, way: Any) -> None:
    """A time is what the document says, however the index keeps it, alone and in conditions."""
    index, schema, documents = filled_with_times(server, kind)
    alike(server.log(index, schema, **way), documents, schema)
    for where in ("time >= '2026-11-24T09:30:00Z'", "time < '2026-11-24T09:30:00.000001Z'",
                  "time = '2026-10-25T00:30:00Z'", "time IS NULL"):  # fmt: skip
        alike(server.log(index, schema, where=where, **way), documents, schema, where)


@pytest.mark.parametrize("sort", ["time", "-time"])
@pytest.mark.parametrize("kind", TIMES)
def test_the_first_by_time(server: Server, kind: str, sort: str) -> None:
    """The first or last few are those of the documents' times, whatever the server sorts by."""
    index, schema, documents = filled_with_times(server, kind)
    for limit in (1, 2, 3):
        query = dl.Events(limit=limit, sort=sort)
        whole = Documents(documents=tuple(documents))
        wanted = dl.Pipeline(whole, schema, query).log().to_dicts()
        for page in (1, 2):
            source = server.source(index, page=page)
            assert dl.Pipeline(source, schema, query).log().to_dicts() == wanted


def test_times_that_do_not_go_together(server: Server) -> None:
    """A time that is a date in one index and a number in another is an error that says where."""
    server.fill("reading-mixed-1", [event("a", "x", 1)], {"at": {"type": "date"}})
    server.fill("reading-mixed-2", [event("a", "x", 2)], {"at": {"type": "long"}})
    where = "date in reading-mixed-1; long in reading-mixed-2"
    with pytest.raises(SourceError, match=where) as told:
        server.log("reading-mixed-*")
    assert told.value.code == "source-conflict"
    both = server.log("reading-mixed-1").apply(dl.Append(other=server.log("reading-mixed-2")))
    assert len(both) == 2


@pytest.mark.parametrize("sort", ["time", "-time"])
def test_the_first_by_time_of_indices_that_read_dates_otherwise(server: Server, sort: str) -> None:
    """Indices may read one number as other times; the documents' own order counts."""
    rows = [event(f"c{n}", "x", 1000 * n) for n in range(1, 7)]
    seconds = {"type": "date", "format": "epoch_second"}
    server.fill("reading-other-1", rows[:3], {"at": seconds})
    server.fill("reading-other-2", rows[3:], {"at": {"type": "date"}})
    query = dl.Events(limit=2, sort=sort)
    log = dl.Pipeline(server.source("reading-other-*", page=2), SCHEMA, query).log()
    wanted = {"c1", "c2"} if sort == "time" else {"c5", "c6"}
    assert {e["case"] for e in log.to_dicts()} == wanted


UNSORTED: list[dict[str, Any]] = [
    {"clientTime": [MILLIS + 90]}, {"clientTime": "2026-11-24T09:30:00,5Z"}, {},
    {"clientTime": "oops", "startTime": 1}, {"startTime": "2026-11-24T09:30:00,1Z"},
]  # fmt: skip


@pytest.mark.parametrize("unsorted", [0, 5])
@pytest.mark.parametrize("where", [None, "n > 3", "n = 2", "n >= 60"])
@pytest.mark.parametrize("sort", ["time", "-time"])
def test_the_first_by_time_of_two_fields(
    server: Server, sort: str, where: str | None, unsorted: int
) -> None:
    """Documents of both fields are merged by time; what the server cannot sort is among them."""
    times: list[dict[str, Any]] = [
        {name: MILLIS + n * 37 % 41} for n in range(60)
        for name in ("clientTime" if n % 3 else "startTime",)
    ]  # fmt: skip
    documents = [{"type": f"x{n}", "sessionID": f"s{n % 3}", "n": n, **times}
                 for n, times in enumerate([*UNSORTED[:unsorted], *times])]  # fmt: skip
    index = f"reading-merged-{unsorted}"
    date = {"type": "date", "format": "strict_date_optional_time||epoch_millis"}
    server.fill(index, documents, {"clientTime": date, "startTime": date})
    schema = UserALE(extra=[Column("n", paths=("n",), type="integer")])
    for limit in (1, 2, 5, 30, 100):
        query = dl.Events(limit=limit, sort=sort, where=where)
        whole = Documents(documents=tuple(documents))
        wanted = dl.Pipeline(whole, schema, query).log().to_dicts()
        for page in (1, 4):
            source = server.source(index, page=page)
            assert dl.Pipeline(source, schema, query).log().to_dicts() == wanted
