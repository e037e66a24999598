"""What ``distill sources check`` tells of a server: as whom, of what, and what is in the way."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from plugins import distill

from distill_core import Column, Fields, Finding, find
from distill_elasticsearch import Elasticsearch
from distill_elasticsearch.connection import Answer
from distill_elasticsearch.failures import Failure
from distill_elasticsearch.rights import _documents, _Enough, _indices, _rights, _server

COLUMNS = Fields(case="who", activity="what", time="at", unit="ms").all_columns()
EVENTS = [{"who": "ann", "what": "open", "at": 1}, {"who": "ann", "what": "buy", "at": 2}]


@pytest.fixture(scope="module")
def filled(elastic: Any) -> Iterator[Any]:
    """The server with two indices under an alias, and one that only the administrator may see."""
    elastic.bulk("rights-a", EVENTS)
    elastic.bulk("rights-b", EVENTS)
    elastic.bulk("closed-rights", EVENTS)
    add = [{"add": {"index": f"rights-{x}", "alias": "rights-all"}} for x in "ab"]
    elastic.admin("POST", "_aliases", {"actions": add})
    yield elastic
    elastic.admin("DELETE", "rights-a,rights-b,closed-rights")


def probe(
    elastic: Any, role: str, index: Any = "rights-*", columns: tuple[Column, ...] = COLUMNS
) -> dict[str, Finding]:
    """The findings by name; no name is told of twice in these cases."""
    params: dict[str, Any] = {"hosts": elastic.url, "index": index, "ca_file": elastic.ca}
    if elastic.users:
        name, password = elastic.users[role]
        params |= {"username": name, "password": password}
    found = list(Elasticsearch(**params).probe(columns))
    assert len({finding.name for finding in found}) == len(found), found
    return {finding.name: finding for finding in found}


def states(found: Mapping[str, Finding]) -> dict[str, str]:
    return {name: finding.status for name, finding in found.items()}


ALL_WELL = dict.fromkeys(("server", "indices", "rights", "writing", "fields", "reading"), "ok")


def test_a_reader_is_well(filled: Any) -> None:
    """With read and view_index_metadata alone everything is well, and a record is read."""
    found = probe(filled, "reader")
    assert states(found) == ALL_WELL
    assert "cannot write" in found["writing"].text
    assert "rights-a, rights-b" in found["indices"].text
    assert "alias rights-all" in found["indices"].text


def test_a_writer_is_warned(filled: Any) -> None:
    """Who could write is told so, with what and where; it is no error."""
    found = probe(filled, "writer", "rights-a")
    assert states(found) == ALL_WELL | {"writing": "warning"}
    assert "create, index, write, delete on rights-a" in found["writing"].text
    assert "cluster" not in found["writing"].text


def test_an_administrator_is_warned(filled: Any) -> None:
    """The administrator's rights on the cluster are among what is too much."""
    found = probe(filled, "admin")
    assert found["writing"].status == "warning"
    assert "manage on the cluster" in found["writing"].text
    assert found["reading"].status == "ok"


def test_an_outsider_gets_no_further(filled: Any) -> None:
    """Who may see no index is told so, by name or by pattern, and nothing more is tried."""
    by_name = probe(filled, "outsider", "rights-a")
    assert states(by_name) == {"server": "ok", "indices": "error"}
    assert "rights-a" in by_name["indices"].text
    by_pattern = probe(filled, "outsider")
    assert states(by_pattern) == {"server": "ok", "indices": "error"}
    assert "rights do not suffice" in by_pattern["indices"].text


def test_one_of_several_indices_is_closed_to_a_reader(filled: Any) -> None:
    """An index that may not be read is named, though the others may."""
    found = probe(filled, "reader", ("rights-a", "closed-rights"))
    assert found["indices"].status == "error"
    assert "closed-rights" in found["indices"].text
    assert "reading" not in found


def test_a_missing_index_is_told(filled: Any) -> None:
    """A name that means nothing is an error that has the name."""
    found = probe(filled, "reader", "rights-none")
    assert states(found) == {"server": "ok", "indices": "error"}
    assert "rights-none" in found["indices"].text


def test_a_wrong_password_ends_it(filled: Any) -> None:
    """Where nobody is let in nothing else is looked at."""
    wrong = {"username": filled.users["reader"][0], "password": "hunter2"}
    source = Elasticsearch(hosts=filled.url, index="x", ca_file=filled.ca, **wrong)
    (found,) = source.probe(COLUMNS)
    assert (found.name, found.status) == ("server", "error")
    assert "authentication failed" in found.text
    assert "hunter2" not in found.text


def test_fields_at_odds_are_told(filled: Any) -> None:
    """Indices that keep the time in two ways are an error; for another column it is a warning."""
    for x, kind in (("c", "long"), ("d", "keyword")):
        mappings = {"properties": {"at": {"type": kind}, "note": {"type": kind}}}
        filled.admin("PUT", f"rights-{x}", {"mappings": mappings})
    try:
        found = probe(filled, "reader", "rights-c,rights-d")
        assert found["fields"].status == "error"
        assert "keyword in rights-d" in found["fields"].text
        columns = (Column("note", paths=("note",)),)
        found = probe(filled, "reader", "rights-c,rights-d", columns)
        assert found["fields"].status == "warning"
        assert "note is keyword in rights-d; long in rights-c" in found["fields"].text
    finally:
        filled.admin("DELETE", "rights-c,rights-d")


def test_parts_that_are_not_kept_are_told(filled: Any) -> None:
    """An index that leaves out parts of its documents is a warning with its name."""
    mappings = {"_source": {"excludes": ["note"]}}
    filled.admin("PUT", "rights-f", {"mappings": mappings})
    try:
        found = probe(filled, "reader", "rights-a,rights-f", ())
        assert found["kept parts"].status == "warning"
        assert found["kept parts"].text.startswith("rights-f: parts")
        assert "documents" not in found
    finally:
        filled.admin("DELETE", "rights-f")


def test_documents_of_another_mode_are_told(filled: Any) -> None:
    """A warning if, and only if, documents come back otherwise than they were sent."""
    properties = {"@timestamp": {"type": "date"}, "n": {"type": "long"}}
    body = {"settings": {"index.mode": "logsdb"}, "mappings": {"properties": properties}}
    filled.admin("PUT", "rights-g", body)
    try:
        sent = {"n": "7", "@timestamp": "2026-01-01T00:00:00.000Z"}
        filled.bulk("rights-g", [sent])
        (hit,) = filled.admin("GET", "rights-g/_search")["hits"]["hits"]
        found = probe(filled, "reader", "rights-a,rights-g", ())
        told = found.get("documents")
        assert (told is not None) == (hit["_source"] != sent)
        assert told is None or told.text.startswith("rights-g: the server makes documents up")
    finally:
        filled.admin("DELETE", "rights-g")


def test_a_closed_index_is_told(filled: Any) -> None:
    """An index that is closed is an error if it is named; a pattern leaves it out."""
    filled.admin("PUT", "rights-e")
    filled.admin("POST", "rights-e/_close")
    try:
        found = probe(filled, "reader", "rights-a,rights-e", ())
        assert found["closed indices"].status == "error"
        assert "rights-e" in found["closed indices"].text
        assert "reading" not in found
        found = probe(filled, "reader", "rights-*", ())
        assert found["reading"].status == "ok"
    finally:
        filled.admin("DELETE", "rights-e")


def test_a_server_without_security_is_told(elastic_plain: Any) -> None:
    """Where nobody is asked who they are, a warning says that all may write."""
    elastic_plain.bulk("rights-a", EVENTS)
    found = probe(elastic_plain, "nobody")
    assert states(found) == {
        "server": "ok", "indices": "ok", "rights": "warning", "fields": "ok", "reading": "ok"
    }  # fmt: skip
    assert "no security" in found["rights"].text


# ---- what the test server does not do


class Told:
    """A connection that answers as it is told; to several requests, one after the other."""

    def __init__(self, *told: Any) -> None:
        self.told = list(told)

    def call(self, method: str, path: str, **asked: Any) -> Answer:
        told = self.told.pop(0)
        if isinstance(told, Failure):
            raise told
        return Answer(200, {}, json.dumps(told).encode())


def test_the_version_is_told() -> None:
    """A server that tells its version and cluster is told of by these."""
    told = {"cluster_name": "shop", "version": {"number": "9.1.0"}}
    (found,) = _server(Told(told))
    assert found == Finding("server", "ok", "Elasticsearch 9.1.0, cluster shop")


@pytest.mark.parametrize(
    "told",
    [
        {"cluster_name": "shop", "version": {"number": "7.17.0"}},
        Failure("status", "the server is not Elasticsearch", 200, "unsupported_product"),
        Failure("status", "wrong", 401),
        Failure("tls", "the certificate of a:1 has expired"),
        Failure("connection", "a:1 refuses connections"),
    ],
)
def test_a_server_that_cannot_be_read(told: Any) -> None:
    """An old server, another product, one that is not there: an error, and that is all."""
    findings = _server(Told(told))
    assert next(findings).status == "error"
    with pytest.raises(_Enough):
        next(findings)


def test_what_is_not_shown_is_no_error() -> None:
    """Who may only read indices is not shown the version, and reads all the same."""
    (found,) = _server(Told(Failure("status", "no", 403, "security_exception")))
    assert found.status == "ok"


def test_a_data_stream_is_known_by_its_name() -> None:
    """Rights on a data stream are asked by its name, not by those of its hidden indices."""
    hidden = {"name": ".ds-web-1", "attributes": ["hidden", "open"], "data_stream": "web"}
    told = {"indices": [hidden], "aliases": [], "data_streams": [{"name": "web"}]}
    steps = _indices(Told(told), "web")
    assert next(steps) == Finding("indices", "ok", "data stream web")
    with pytest.raises(StopIteration) as caught:
        next(steps)
    assert caught.value.value == ["web"]


def test_a_missing_right_names_the_index() -> None:
    """A lack of one privilege on one of two indices is an error with both names."""
    rights = dict.fromkeys(("create", "index", "write", "delete", "manage"), False)
    index = {
        "a": rights | {"read": True, "view_index_metadata": True},
        "b": rights | {"read": False, "view_index_metadata": True},
    }
    found = list(_rights(Told({"cluster": {"manage": False}, "index": index}), ["a", "b"]))
    assert found[0] == Finding("rights", "error", "the privilege read is missing on b")
    assert found[1].name == "writing"


def test_documents_that_are_made_up_are_told() -> None:
    """Synthetic documents, by mapping, by setting or by the kind of index, are a warning."""
    mappings = {"a": {"mappings": {"_source": {"mode": "synthetic"}}},
                "b": {"mappings": {"_source": {"mode": "stored"}}}}  # fmt: skip
    stored, synthetic = ({"source": {"mode": mode}} for mode in ("stored", "synthetic"))
    told = {
        "b": {"mode": "logsdb"},
        "c": {"mode": "logsdb"},
        "d": {"mode": "time_series"},
        "e": {"mapping": synthetic},
        "f": {"mode": "logsdb", "mapping": stored},
        "g": {"mode": "standard"},
    }
    settings = {name: {"settings": {"index": of}} for name, of in told.items()}
    (found,) = _documents(Told(mappings, settings), "logs")
    assert (found.name, found.status) == ("documents", "warning")
    assert found.text.startswith("a, c, d, e: ")
    assert not list(_documents(Told({}, {}), "logs"))


# ---- the command


def test_the_command_checks_a_server(
    filled: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`distill sources check` of a named server: findings as JSON, no password, 1 for an error."""
    monkeypatch.chdir(tmp_path)
    name, password = filled.users["reader"]
    (tmp_path / "distill.toml").write_text(f"""
[sources.prod]
[sources.prod.schema]
name = "fields"
params = {{ case = "who", activity = "what", time = "at", unit = "ms" }}
[sources.prod.source]
name = "elasticsearch"
[sources.prod.source.params]
hosts = "{filled.url}"
index = "rights-*"
username = "{name}"
password = "env:ES_PASSWORD"
ca_file = {json.dumps(str(filled.ca))}
""", "utf-8")  # fmt: skip
    assert find("source", "elasticsearch") is Elasticsearch

    def check(secret: str) -> Any:
        return distill("sources", "check", "prod", "--json", targets=[], ES_PASSWORD=secret)

    done = check(password)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["ok"]
    assert {one["name"]: one["status"] for one in told["findings"]} == ALL_WELL
    assert password not in done.stdout + done.stderr
    assert check("hunter2").returncode == 1
