"""The house: the real servers that tests are given."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from elastic import shared
from elastic_data import load_made_up, load_recordings, make_template
from recordings import recording

from distill_core.testing import chaos


@pytest.fixture
def index(elastic):
    """An index of five documents, gone after the test."""
    elastic.bulk("house-elastic", [{"n": n} for n in range(5)])
    yield "house-elastic"
    elastic.admin("DELETE", "house-elastic")


def test_bulk_keeps_order(elastic, index) -> None:
    """Documents are indexed in the order in which they were given."""
    found = elastic.admin("POST", f"{index}/_search", {"sort": "_seq_no"})
    assert [hit["_source"]["n"] for hit in found["hits"]["hits"]] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("role", "reads", "writes"),
    [("reader", True, False), ("writer", True, True), ("outsider", False, False)],
)
def test_roles_are_what_they_say(elastic, index, role, reads, writes) -> None:
    """A reader reads and a writer writes, but not where it is closed; an outsider does nothing."""
    asked = [
        {"names": [name], "privileges": ["read", "view_index_metadata", "write"]}
        for name in (index, "closed-1")
    ]
    told = elastic.call(role, "POST", "_security/user/_has_privileges", {"index": asked})
    assert told["cluster"] == {}
    rights = {"read": reads, "view_index_metadata": reads, "write": writes}
    assert told["index"] == {index: rights, "closed-1": dict.fromkeys(rights, False)}


def test_errors_are_raised(elastic) -> None:
    """What the server refuses is an error that says why."""
    with pytest.raises(RuntimeError, match="index_not_found_exception"):
        elastic.admin("GET", "no-such-index/_search")


def test_killed_server_comes_back(own_elastic, index) -> None:
    """After SIGKILL the server comes back at its address with what it had."""
    own_elastic.kill()
    with pytest.raises(OSError, match="refused"):
        own_elastic.admin("GET", "/")
    own_elastic.restart()
    assert own_elastic.admin("GET", f"{index}/_count")["count"] == 5


def test_recordings_are_loaded_in_order(elastic) -> None:
    """An index holds the objects of a recording, in the order of the file, under the template."""
    make_template(elastic)
    name = "userale-2.3.0-shop.ndjson"
    index = load_recordings(elastic, [name])[name]
    lines = recording(name).read_text("utf-8").splitlines()
    wanted = [record for record in map(json.loads, lines) if isinstance(record, dict)]
    asked = {"size": 10_000, "sort": "_seq_no"}
    found = elastic.call("reader", "POST", f"{index}/_search", asked)["hits"]["hits"]
    assert [hit["_source"] for hit in found] == wanted
    fields = elastic.admin("GET", f"{index}/_mapping")[index]["mappings"]["properties"]
    assert (fields["clientTime"]["type"], fields["type"]["type"]) == ("date", "keyword")


def test_made_up_documents_are_loaded(elastic) -> None:
    """Made-up documents are all there, spread over as many shards as were asked for."""
    load_made_up(elastic, "made-up", 300, shards=3)
    asked = {"aggs": {"sum": {"sum": {"field": "n"}}}}
    told = elastic.admin("POST", "made-up/_search?size=0", asked)
    assert (told["aggregations"]["sum"]["value"], told["_shards"]["total"]) == (44850, 3)


def test_no_server_outlives_who_wanted_it() -> None:
    """A server ends when the process that wanted it is killed, even while it is starting."""
    code = "from elastic import running\nwith running(tls=False): pass"
    support = Path(__file__).parent / "support"
    with subprocess.Popen([sys.executable, "-c", code], cwd=support) as wanting:
        own = psutil.Process(wanting.pid)
        while not any("java" in process.name() for process in own.children(recursive=True)):
            assert wanting.poll() is None
        found = own.children(recursive=True)
        wanting.kill()
    _, alive = psutil.wait_procs(found, timeout=60)
    assert not alive


def test_another_server_may_be_named(monkeypatch) -> None:
    """A server that the environment names is used, and the users made there are taken away."""
    with chaos.Chaos("http://localhost:9200") as there:
        there.plan(chaos.Status(200, b"{}"))
        for name, value in {"URL": there.url, "USER": "root", "PASSWORD": "secret"}.items():
            monkeypatch.setenv(f"DISTILL_TEST_ES_{name}", value)
        with shared() as server:
            users = dict(server.users)
            made = [call.path for call in there.calls if call.method == "PUT"]
        gone = [call.path for call in there.calls if call.method == "DELETE"]
    assert set(users) == {"admin", "reader", "writer", "outsider"}
    assert not server.own
    assert len({name for name, _ in users.values()}) == 4
    assert {path.rpartition("/")[2] for path in made} == {users[role][0] for role in users} - {
        "root"
    }
    assert len(made) == 6
    assert sorted(gone) == sorted(made)
