"""Readings of a real server: which documents come, from where, in what order, how many."""

from __future__ import annotations

import json
import pickle
import threading
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from elastic_data import load_made_up
from elastic_filled import SCHEMA, WAYS, Server, event, filled
from elastic_reading import comes_true, open_contexts, through_chaos
from plugins import distill

import distill_core as dl
from distill_core import Column, Condition
from distill_core.component import Request, Scan, Schema
from distill_core.errors import SourceError
from distill_userale import UserALE


@pytest.fixture(scope="module")
def server(elastic: Any) -> Iterator[Server]:
    """A server that may be filled."""
    with filled(elastic) as server:
        yield server


# --- which indices ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def named(server: Server) -> Server:
    """Two indices with an alias, and what a data stream keeps its documents in."""
    server.fill("reading-a1", [event("a1", "x", 1), event("both", "x", 2)])
    server.fill("reading-a2", [event("a2", "x", 1), event("both", "y", 3)])
    hidden = ".ds-reading-s-2026.11.24-000001"
    server.fill(hidden, [event("s", "x", 5)], **{"index.hidden": True})
    aliases = [(hidden, "reading-s"), *((f"reading-a{n}", "reading-both") for n in "12")]
    add = [{"add": {"index": index, "alias": alias}} for index, alias in aliases]
    server.admin("POST", "_aliases", {"actions": add})
    return server


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("index", "cases"),
    [
        ("reading-a1", {"a1", "both"}),
        ("reading-both", {"a1", "a2", "both"}),
        ("reading-a*", {"a1", "a2", "both"}),
        (("reading-a1", "reading-a2"), {"a1", "a2", "both"}),
        (("reading-a*", "-reading-a1"), {"a2", "both"}),
        ("reading-s", {"s"}),
        ((".ds-reading-s-2026.11.24-000001", "reading-a1"), {"a1", "both", "s"}),
    ],
)
def test_what_an_index_may_be(named: Server, index: Any, cases: set[str], way: Any) -> None:
    """An index, an alias, a pattern, several of them, what a data stream's name stands for."""
    assert set(named.log(index, **way).labels("case")) == cases


@pytest.mark.parametrize("way", WAYS)
def test_where_an_event_is_from(named: Server, way: Any) -> None:
    """``_index`` and ``_id`` are read as if documents held them, also in a condition."""
    extra = (Column("stream", paths=("_index",)), Column("doc", paths=("_id",)))
    schema = dl.Fields(case="who", activity="what", time="at", unit="ms", extra=extra)
    log = named.log("reading-a*", schema, **way)
    found = {(e["case"], e["activity"]): e["stream"] for e in log.to_dicts()}
    assert found == {("a1", "x"): "reading-a1", ("a2", "x"): "reading-a2",
                     ("both", "x"): "reading-a1", ("both", "y"): "reading-a2"}  # fmt: skip
    assert len(set(log.labels("doc"))) == 4
    only = named.log("reading-a*", schema, where="stream = 'reading-a2'", **way)
    assert [e["stream"] for e in only.to_dicts()] == ["reading-a2"] * 2
    own = dl.Fields(case="who", activity="what", time="at", unit="ms", id="_id")
    hits = named.admin("GET", "reading-a1/_search")["hits"]["hits"]
    log = named.log("reading-a1", own, **way)
    assert {e["id"] for e in log.to_dicts()} == {hit["_id"] for hit in hits}


class Visits(Schema, name="test_visits"):
    """Page views among other things."""

    match: ClassVar[Condition | None] = dl.col("kind") == "visit"

    def columns(self) -> tuple[Column, ...]:
        time = Column("time", ("t",), type="time", unit="s", required=True)
        kind, case = Column("kind", ("kind",)), Column("case", ("visitor",))
        return (case, Column("activity", ("page",)), time, kind)


class Errors(Schema, name="test_errors"):
    """Errors among other things."""

    match: ClassVar[Condition | None] = dl.col("kind") == "error"

    def columns(self) -> tuple[Column, ...]:
        time = Column("time", ("when",), type="time", required=True)
        kind, case = Column("kind", ("kind",)), Column("case", ("person",))
        return (case, Column("activity", paths=("=error",)), time, kind)


@pytest.mark.parametrize("way", WAYS)
def test_several_schemas_in_one_index(server: Server, way: Any) -> None:
    """Each schema takes its own and counts the others; append joins the logs."""
    index = f"reading-kinds-{len(way)}"
    server.fill(
        index,
        [
            {"kind": "visit", "visitor": "ann", "page": "home", "t": 10},
            {"kind": "error", "person": "ann", "when": "1970-01-01T00:00:11Z"},
            {"kind": "visit", "visitor": "ann", "page": "cart", "t": 12},
            {"kind": "visit", "visitor": "bob", "page": "home", "t": 13},
            {"what": "else"},
        ],
        {"t": {"type": "date", "format": "epoch_second"}, "when": {"type": "date"}},
    )
    visits, errors = server.log(index, Visits(), **way), server.log(index, Errors(), **way)
    assert [log.reading.foreign for log in (visits, errors)] == [2, 4]
    both = visits.apply(dl.Append(other=errors))
    assert [(e["case"], e["activity"]) for e in both.to_dicts()] == [
        ("ann", "home"), ("ann", "error"), ("ann", "cart"), ("bob", "home")
    ]  # fmt: skip


# --- order and number ------------------------------------------------------------------------


def activities(log: dl.EventLog) -> list[str]:
    return [event["activity"] for event in log.to_dicts()]


@pytest.mark.parametrize("way", WAYS)
def test_events_of_one_time_stay_in_the_order_of_indexing(server: Server, way: Any) -> None:
    """Ties are broken by arrival: when a document was last written."""
    index = f"reading-ties-{len(way)}"
    names = [chr(97 + n * 7 % 26) for n in range(20)]
    server.fill(index, [event("one", name, 5) for name in names])
    assert activities(server.log(index, **way)) == names
    first = server.admin("GET", f"{index}/_search?q=what:{names[0]}")["hits"]["hits"][0]
    server.admin("PUT", f"{index}/_doc/{first['_id']}?refresh=true", first["_source"])
    assert activities(server.log(index, **way)) == [*names[1:], names[0]]


@pytest.fixture(scope="module")
def thousands(server: Server) -> Server:
    """3,000 documents, three of each time, in two shards."""
    load_made_up(server.elastic, "reading-3000", 3000, shards=2)
    return server


MADE_UP = dl.Fields(case="session", activity="activity", time="clientTime", unit="ms")


@pytest.mark.parametrize("slices", [1, 3])
def test_progress(thousands: Server, slices: int) -> None:
    """It counts up to the number of documents, which is told from the first page on."""
    told: list[tuple[int, int | None]] = []
    source = thousands.source("reading-3000", page=500, slices=slices)
    dl.Pipeline(source, MADE_UP).log(progress=lambda done, total: told.append((done, total)))
    assert [total for _, total in told] == [3000] * len(told)
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert told[-1] == (3000, 3000)
    told.clear()
    query = dl.Events(where="activity = 'click'")
    found = dl.Pipeline(source, MADE_UP, query).log(progress=lambda *one: told.append(one))
    assert told[-1] == (len(found), len(found))


@pytest.mark.parametrize("sort", ["time", "-time"])
def test_a_few_by_time_are_a_few_documents(thousands: Server, sort: str) -> None:
    """The first or last events of all cost a page, not the index."""
    whole = sorted(thousands.log("reading-3000", MADE_UP).to_dicts(), key=lambda e: e["time"])
    query = dl.Events(limit=7, sort=sort)
    with through_chaos(thousands.elastic) as reader:
        source = reader.source("reading-3000", page=100)
        log = dl.Pipeline(source, MADE_UP, query).log()
        hits = sum(json.loads(call.body)["size"] for call in reader.pages)
    times = [e["time"] for e in (whole[:7] if sort == "time" else whole[-7:])]
    assert sorted(e["time"] for e in log.to_dicts()) == times
    assert hits <= 200


@pytest.mark.parametrize("sort", ["time", "-time"])
def test_a_few_by_time_of_two_fields_are_a_few_documents(server: Server, sort: str) -> None:
    """The same where the time is in one of two fields, as in UserALE.js logs, or in none."""
    names = ("clientTime", "startTime", "clientTime", "note")
    documents = [{"type": "x", "sessionID": "s", names[n % 4] if n > 9 else names[n % 2]: 10**9 + n}
                 for n in range(2_000)]  # fmt: skip
    dates = {name: {"type": "date"} for name in names[:2]}
    server.fill("reading-two-few", [d for d in documents if "note" not in d], dates)
    with through_chaos(server.elastic) as reader:
        source = reader.source("reading-two-few", page=100)
        log = dl.Pipeline(source, UserALE(), dl.Events(limit=3, sort=sort)).log()
        hits = sum(json.loads(call.body)["size"] for call in reader.pages)
    after = [1996, 1997, 1998] if sort == "-time" else [0, 1, 2]
    assert (log.time // 1000 - 10**9).tolist() == after
    assert hits <= 300


def test_parts_are_the_whole(thousands: Server) -> None:
    """The parts of a reading hold each document once; a time is in one part alone."""
    columns = (Column("time", ("clientTime",), type="time", unit="ms"), Column("n", ("n",)))
    source, request = thousands.source("reading-3000", page=100), Request(columns)
    for n in (1, 2, 7):
        parts = pickle.loads(pickle.dumps(source.split(request, n)))
        assert 1 <= len(parts) <= n
        numbers: list[str] = []
        times: list[int] = []
        for part in parts:
            batches = list(source.read(part, Scan()))
            numbers += [value for batch in batches for value in batch.columns["n"].to_list()]
            times += set().union(*(batch.columns["time"].to_list() for batch in batches))
        assert sorted(map(int, numbers)) == list(range(3000))
        assert len(times) == len(set(times)) == 1000
        assert len(parts) == n


def test_parts_of_few_documents(server: Server) -> None:
    """More parts than documents, or than times, are wanted: some are not there, none is twice."""
    documents = [event("a", "x", t) for t in (5, 5, 5, 9, None)]
    server.fill("reading-few", documents)
    columns = SCHEMA.all_columns()
    source = server.source("reading-few", page=1)
    for n in (1, 3, 9):
        parts = source.split(Request(columns), n)
        batches = [batch for part in parts for batch in source.read(part, Scan())]
        found = [time for batch in batches for time in batch.columns["time"].to_list()]
        assert sorted(found, key=str) == [5000, 5000, 5000, 9000, None]


# --- what changed, and where it is -----------------------------------------------------------


def test_a_fingerprint_tells_of_every_change(server: Server) -> None:
    """It changes when a document is added, changed or removed, in whatever shard; else it stays."""
    documents = [event("a", "x", n) for n in range(40)]
    server.fill("reading-print", documents, **{"index.number_of_shards": 3})
    source = server.source("reading-print")
    request = Request(SCHEMA.all_columns())
    seen = [source.fingerprint(request)]
    assert source.fingerprint(request) == seen[0]
    assert pickle.loads(pickle.dumps(source)).fingerprint(request) == seen[0]
    hits = server.admin("GET", "reading-print/_search?size=40")["hits"]["hits"]
    for hit in hits[:12]:  # in each shard, also where others have greater numbers
        server.admin("PUT", f"reading-print/_doc/{hit['_id']}?refresh=true", hit["_source"])
        seen.append(source.fingerprint(request))
    server.admin("DELETE", f"reading-print/_doc/{hits[0]['_id']}?refresh=true")
    seen.append(source.fingerprint(request))
    server.admin("POST", "reading-print/_doc?refresh=true", hits[0]["_source"])
    seen.append(source.fingerprint(request))
    assert len(set(seen)) == len(seen) == 15


def test_a_fingerprint_tells_one_index_from_the_next(server: Server) -> None:
    """An index that is made anew is another, however alike; one that joins a pattern is told."""
    request, prints = Request(SCHEMA.all_columns()), []
    source = server.source("reading-anew*")
    for what in "xyz":
        if what != "x":
            server.delete("reading-anew")
        server.fill("reading-anew", [event("a", what, 1)])
        prints.append(source.fingerprint(request))
    server.fill("reading-anew-2", [])
    prints.append(source.fingerprint(request))
    assert len(set(prints)) == 4


def test_what_was_left_out_can_be_found(server: Server) -> None:
    """Samples of a report are index and id, under which the server has that very document."""
    server.fill("reading-odd-a", [event("a", "x", 1), event("b", "x", None)])
    server.fill("reading-odd-b", [event("c", "x", [1, 2]), event("d", "x", 2)])
    log = server.log("reading-odd-*", page=1)
    assert log.reading is not None
    places = {reason: told.samples for reason, told in log.reading.rejected.items()}
    assert {reason: len(found) for reason, found in places.items()} == {"no_time": 1, "bad_time": 1}
    for reason, who in (("no_time", "b"), ("bad_time", "c")):
        assert server.admin("GET", places[reason][0])["_source"]["who"] == who


# --- ends --------------------------------------------------------------------------------------


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "distill" in thread.name]


def test_each_shard_counts_for_itself(server: Server) -> None:
    """Documents of several shards and indices are told apart, though their numbers are the same."""
    for name in ("one", "two"):
        rows = [event(f"{name}{n}", "x", n) for n in range(12)]
        server.fill(f"reading-shards-{name}", rows, **{"index.number_of_shards": 3})
    source = server.source("reading-shards-*")
    columns = (Column("id_", paths=("_id",)), *SCHEMA.all_columns())
    batches = list(source.read(Request(columns), Scan()))
    arrivals = [arrival for batch in batches for arrival in batch.arrival.tolist()]
    ids = [id_ for batch in batches for id_ in batch.columns["id_"].to_list()]
    places = source.locate(arrivals)
    assert len(set(places)) == 24
    assert [place.rpartition("/")[2] for place in places] == ids


@pytest.mark.parametrize("slices", [1, 4])
def test_a_closed_reading_leaves_nothing(thousands: Server, slices: int) -> None:
    """Who has enough closes the iterator: no point in time stays, no thread."""
    source = thousands.source("reading-3000", page=10, slices=slices)
    scan = Scan()
    batches = source.read(Request(MADE_UP.all_columns()), scan)
    assert len(next(batches)) == 10
    assert open_contexts(thousands.elastic) > 0
    scan.cancel()
    batches.close()
    assert threads() == []
    assert comes_true(lambda: open_contexts(thousands.elastic) == 0)


def test_who_may_read_reads_and_others_do_not(thousands: Server) -> None:
    """The rights read and view_index_metadata do; who has none is told so."""
    assert len(thousands.log("reading-3000", MADE_UP, role="reader")) == 3000
    with pytest.raises(SourceError) as caught:
        thousands.log("reading-3000", MADE_UP, role="outsider")
    assert caught.value.code == "source-denied"
    assert "reading-3000" in str(caught.value)


# --- from the command line -------------------------------------------------------------------

TOML = """
[sources.shop.source]
name = "elasticsearch"

[sources.shop.source.params]
index = "reading-3000"
hosts = "{url}"
ca_file = "{ca}"
username = "{user}"
password = "{password}"

[sources.shop.schema]
name = "fields"
params = {{ case = "session", activity = "activity", time = "clientTime", unit = "ms" }}

[pipelines.clicks]
source = "shop"
query = {{ name = "events", params = {{ where = "activity = 'click'", limit = 3, sort = "time" }} }}
"""


def test_a_named_source(thousands: Server, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source of distill.toml runs with its secret from the environment or a file; none is told.

    ``--explain`` tells what is asked of the server, the report what it was really asked.
    """
    elastic = thousands.elastic
    user, password = elastic.users["reader"]
    (tmp_path / "secret").write_text(f"{password}\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOP_PW", password)
    for secret in ("env:SHOP_PW", "file:secret"):
        text = TOML.format(url=elastic.url, ca=elastic.ca, user=user, password=secret)
        (tmp_path / "distill.toml").write_text(text, "utf-8")
        done = distill("run", "clicks", "--json", targets=[])
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert [row["activity"] for row in found["rows"]] == ["click"] * 3
        assert "activity" in found["meta"]["reading"]["counts"]["pushed"]
        assert password not in done.stdout + done.stderr
    plan = json.loads(distill("run", "clicks", "--explain", "--json", targets=[]).stdout)
    assert "activity" in plan["pushed"]
    assert (plan["sort"], plan["limit"]) == ("time", 3)
    assert "activity = 'click'" in distill("run", "clicks", "--explain", targets=[]).stdout
    literal = TOML.format(url=elastic.url, ca=elastic.ca, user=user, password=password)
    (tmp_path / "distill.toml").write_text(literal, "utf-8")
    shown = distill("config", "show", targets=[])
    assert "***" in shown.stdout
    assert password not in shown.stdout
