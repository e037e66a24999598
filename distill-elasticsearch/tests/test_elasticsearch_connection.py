"""Connections: whom they trust, how they authenticate, how they fail and how they end."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import ssl
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import elasticsearch
import pytest
import trustme

from distill_core import wire
from distill_core.errors import SourceError, SpecError
from distill_elasticsearch import Elasticsearch
from distill_elasticsearch.address import parse_address
from distill_elasticsearch.allowed import Refused
from distill_elasticsearch.connection import Answer, Connection, open_connection
from distill_elasticsearch.failures import Failure, source_error

HERE = {"x-elastic-product": "Elasticsearch", "content-type": "application/json"}
SOON = 1.0
"""Seconds within which what cannot succeed is refused."""


@dataclass
class Stub:
    """A server that answers as it is told and keeps what it was asked."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: dict(HERE))
    body: bytes = b"{}"
    pause: float = 0.0
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving(stub: Stub, context: ssl.SSLContext | None = None) -> Iterator[Stub]:
    """The stub at work on a free port; ``pause``: seconds between the bytes of its body."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            stub.asked.append((self.command, self.path, dict(self.headers.items()), body))
            self.send_response(stub.status)
            for name, value in stub.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(stub.body)))
            self.end_headers()
            if not stub.pause:
                self.wfile.write(stub.body)
            for byte in stub.body if stub.pause else b"":
                if over.wait(stub.pause):
                    break
                self.wfile.write(bytes([byte]))

        do_GET = do_POST = do_DELETE = do_PUT = answer  # noqa: N815

        def log_message(self, *args: object) -> None: ...

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *args: object) -> None: ...  # a client that went away

        def get_request(self) -> tuple[socket.socket, Any]:
            plain, place = super().get_request()
            if context is None:
                return plain, place
            secure = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
            try:
                secure.do_handshake()
            except OSError:
                # Read what is left before closing: else a reset overtakes the alert.
                secure.settimeout(2)
                with secure, suppress(OSError):
                    secure.shutdown(socket.SHUT_WR)
                    while secure.recv(4096):
                        pass
                raise
            return secure, place

    over = threading.Event()
    with Server(("127.0.0.1", 0), Handler) as server:
        stub.url = f"http{'s' if context else ''}://localhost:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield stub
        finally:
            over.set()
            server.shutdown()
            thread.join()


@contextmanager
def connected(hosts: str | tuple[str, ...], **params: Any) -> Iterator[Connection]:
    found = open_connection(Elasticsearch(hosts=hosts, index="logs", **params))
    try:
        yield found
    finally:
        found.close()


def as_role(elastic: Any, role: str) -> dict[str, Any]:
    name, password = elastic.users[role]
    return {"username": name, "password": password, "ca_file": elastic.ca}


def failure_of(call: Callable[[], object]) -> Failure:
    with pytest.raises(Failure) as caught:
        call()
    return caught.value


def refusal(call: Callable[[], object]) -> SourceError:
    """What the user is told of a call that fails soon and for good."""
    began = time.monotonic()
    failure = failure_of(call)
    assert time.monotonic() - began < SOON
    assert not failure.transient
    return source_error(failure, "reading index logs")


def find(connection: Connection, **more: Any) -> Answer:
    return connection.call("POST", "/logs/_search", body={"size": 0}, **more)


# ---- parameters


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"hosts": "https://ann:hunter2@a:9200"}, "password does not belong"),
        ({"hosts": "ann:hunter2@a:9200"}, "password does not belong"),
        ({"hosts": "ftp://a:9200"}, "begins with https"),
        ({"hosts": "https://"}, "no address"),
        ({"hosts": "https://a:port"}, "no address"),
        ({"hosts": "https://a:9200/_scripts"}, "plain path"),
        ({"hosts": "https://a:9200/x%2F_bulk"}, "plain path"),
        ({"hosts": "https://a:9200/../b"}, "plain path"),
        ({"hosts": "https://a:9200/b/.."}, "plain path"),
        ({"hosts": "https://a:9200/./b/"}, "plain path"),
        ({"hosts": "https://a:9200?pretty"}, "no address"),
        ({"hosts": ["a", "https://a:9200"]}, "given twice"),
        ({"hosts": "http://search.example:9200"}, "anyone on the way"),
        ({"hosts": ["https://a:9200", "http://search.example:9200"]}, "anyone on the way"),
        ({"hosts": "http://127.0.0.1.search.example:9200"}, "anyone on the way"),
        ({"hosts": ()}, "give hosts"),
        ({"hosts": "a", "cloud_id": "x:" + base64.b64encode(b"b.example$1").decode()}, "hosts, or"),
        ({"hosts": (), "cloud_id": "nonsense"}, "no cloud id"),
        ({"hosts": "a", "username": "ann"}, "given together"),
        ({"hosts": "a", "password": "env:X"}, "given together"),
        ({"hosts": "a", "api_key": "env:X", "bearer": "env:Y"}, "one way to authenticate"),
        (
            {"hosts": "a", "username": "ann", "password": "env:X", "bearer": "env:Y"},
            "one way to authenticate",
        ),
        ({"hosts": "a", "certificate_fingerprint": "ab:cd"}, "64 digits"),
        ({"hosts": "a", "certificate_fingerprint": "ab" * 32, "ca_file": "x"}, "ca_file, or"),
        ({"hosts": "a", "client_key": "x"}, "client_certificate"),
        ({"hosts": "a", "index": "logs/_doc"}, "is no index"),
        ({"hosts": "a", "index": ["logs", "_all"]}, "is no index"),
        ({"hosts": "a", "index": ""}, "is no index"),
        ({"hosts": "a", "index": ["logs", "far:logs"]}, "another cluster"),
        ({"hosts": "a", "index": "logs,*:logs"}, "another cluster"),
    ],
)
def test_parameters_that_do_not_hold(params: dict[str, Any], told: str) -> None:
    """What is unsafe or contradicts itself is refused with words, and no password is repeated."""
    written = {"name": "elasticsearch", "params": {"index": "logs", **params}}
    with pytest.raises(SpecError, match=told) as caught:
        wire.build("source", written)
    assert caught.value.code == "param-invalid"
    with pytest.raises(SpecError) as direct:
        Elasticsearch(**{"index": "logs", **params})
    assert "hunter2" not in f"{caught.value}{direct.value}"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://a", ("https", "a", 443, "")),
        ("http://a", ("http", "a", 80, "")),
        ("a", ("https", "a", 9200, "")),
        ("a:1", ("https", "a", 1, "")),
        ("https://[::1]:9200/", ("https", "::1", 9200, "")),
        ("https://a:1/search/", ("https", "a", 1, "search")),
        ("https://a:1/.well/v1..2", ("https", "a", 1, ".well/v1..2")),
    ],
)
def test_an_address_is_read(text: str, address: tuple[str, str, int, str]) -> None:
    """Without a scheme it is https, at Elasticsearch's port."""
    found = parse_address(text)
    assert (found.scheme, found.host, found.port, found.prefix) == address


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "[::1]"])
def test_this_machine_may_be_spoken_to_openly(host: str) -> None:
    """Plain http to this machine is no risk, so it needs no word and warns of nothing."""
    with connected(f"http://{host}:9200"):
        pass


def test_an_open_way_warns(caplog: pytest.LogCaptureFixture) -> None:
    """Where plain http is allowed in so many words, a warning and the log tell each time."""
    with (
        pytest.warns(UserWarning, match="anyone on the way"),
        connected("http://search.example:9200", allow_plaintext=True),
    ):
        pass
    assert "plain http to search.example:9200" in caplog.text


def test_a_cloud_id_is_an_address_with_tls() -> None:
    """The id of a deployment leads to its host, over TLS, with packed bodies."""
    text = base64.b64encode(b"cloud.example$abc$def").decode()
    found = open_connection(Elasticsearch(cloud_id=f"name:{text}", index="logs"))
    (node,) = found._client.transport.node_pool.all()
    assert node.base_url == "https://abc.cloud.example:443"
    assert node.config.http_compress
    found.close()


# ---- authentication


def test_bytes_come_as_they_are(elastic: Any) -> None:
    """A reader gets the bytes of an answer, unparsed; its own are sent as they are."""
    elastic.bulk("connection-a", ['{"text":  "ä"}'.encode()])
    with connected(elastic.url, **as_role(elastic, "reader")) as connection:
        answer = connection.call("POST", "/connection-a/_search", body=b'{"size": 1}')
    assert answer.status == 200
    assert '{"text":  "ä"}'.encode() in answer.body
    assert json.loads(answer.body)["hits"]["total"]["value"] == 1
    elastic.admin("DELETE", "connection-a")


@pytest.mark.parametrize(
    ("params", "header"),
    [
        ({"api_key": "a2V5"}, "ApiKey a2V5"),
        ({"bearer": "token"}, "Bearer token"),
        ({"username": "ann", "password": "a:b"}, "Basic " + base64.b64encode(b"ann:a:b").decode()),
        ({}, None),
    ],
)
def test_the_header_of_each_way(params: dict[str, Any], header: str | None) -> None:
    """Each way to authenticate is its header; nothing tells of this machine's versions."""
    with serving(Stub()) as stub, connected(stub.url, **params) as connection:
        find(connection)
    ((method, path, headers, body),) = stub.asked
    given = {name.lower(): value for name, value in headers.items()}
    assert (method, path, json.loads(body)) == ("POST", "/logs/_search", {"size": 0})
    assert given.get("authorization") == header
    assert "x-elastic-client-meta" not in given


@pytest.mark.parametrize("name", ["api_key", "bearer"])
def test_a_spoilt_secret_is_not_told(name: str) -> None:
    """A token with a line end is refused before anything is sent, and never repeated."""
    with pytest.raises(SpecError) as caught:
        open_connection(Elasticsearch(hosts="a", index="x", **{name: "hunter2\nX: y"}))
    assert caught.value.code == "param-invalid"
    assert "hunter2" not in str(caught.value)


def test_a_missing_secret_is_told_when_it_is_needed() -> None:
    """Secrets are read when connections are opened, not when a source is described."""
    source = Elasticsearch(hosts="a", index="x", api_key="env:DISTILL_NOT_THERE")
    with pytest.raises(SpecError) as caught:
        open_connection(source)
    assert caught.value.code == "secret-missing"


def test_a_wrong_password_is_told_as_that(elastic: Any) -> None:
    """401 is an error of authentication, at once, without the password."""
    wrong = as_role(elastic, "reader") | {"password": "hunter2"}
    with connected(elastic.url, **wrong) as connection:
        error = refusal(lambda: find(connection))
    assert error.code == "source-denied"
    assert "authentication failed" in str(error)
    assert "hunter2" not in str(error)


def test_missing_rights_name_the_index(elastic: Any) -> None:
    """403 is a lack of rights, at once, and says on which index; also on one of several."""
    elastic.admin("PUT", "connection-b")
    elastic.admin("PUT", "closed-connection-b")
    with connected(elastic.url, **as_role(elastic, "outsider")) as connection:
        error = refusal(lambda: connection.call("POST", "/connection-b/_search", body={}))
    assert error.code == "source-denied"
    assert "rights do not suffice" in str(error)
    assert "[connection-b]" in str(error)
    both = "/connection-b,closed-connection-b/_pit"
    with connected(elastic.url, **as_role(elastic, "reader")) as connection:
        error = refusal(lambda: connection.call("POST", both, params={"keep_alive": "1m"}))
    assert error.code == "source-denied"
    assert "[closed-connection-b]" in str(error)
    elastic.admin("DELETE", "connection-b,closed-connection-b")


def test_a_missing_index_is_named(elastic: Any) -> None:
    """404 for an index is source-missing with its name."""
    with connected(elastic.url, **as_role(elastic, "admin")) as connection:
        error = refusal(lambda: connection.call("POST", "/connection-none/_search", body={}))
    assert error.code == "source-missing"
    assert "connection-none" in str(error)


# ---- trust


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def secured(cert: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    cert.configure_cert(context)
    return context


def test_a_certificate_that_has_expired(authority: trustme.CA, ca_file: str) -> None:
    """An expired certificate is refused, and called that."""
    past = datetime.now(UTC) - timedelta(days=1)
    cert = authority.issue_cert("localhost", not_before=past - timedelta(days=9), not_after=past)
    with serving(Stub(), secured(cert)) as stub, connected(stub.url, ca_file=ca_file) as one:
        error = refusal(lambda: find(one))
    assert error.code == "source-tls"
    assert "has expired" in str(error)
    assert not stub.asked


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_certificate_for_another_name(authority: trustme.CA, ca_file: str, host: str) -> None:
    """A certificate of another host is refused, by name or by number."""
    cert = authority.issue_cert("search.example", "10.0.0.1")
    with serving(Stub(), secured(cert)) as stub:
        url = stub.url.replace("localhost", host)
        with connected(url, ca_file=ca_file) as connection:
            error = refusal(lambda: find(connection))
    assert error.code == "source-tls"
    assert "not for this name" in str(error)
    assert not stub.asked


def test_a_certificate_of_another_authority(elastic: Any, ca_file: str) -> None:
    """What the given authority did not issue is refused; so it is without one."""
    for given in (ca_file, None):
        with connected(elastic.url, **as_role(elastic, "reader") | {"ca_file": given}) as one:
            error = refusal(lambda one=one: find(one))
        assert error.code == "source-tls"
        assert "not issued by" in str(error)


def test_the_given_authority_is_the_only_one(ca_file: str) -> None:
    """With ca_file nobody else is trusted, neither the system's authorities nor certifi's."""
    with connected("https://a:9200", ca_file=ca_file) as connection:
        (node,) = connection._client.transport.node_pool.all()
    assert len(node.config.ssl_context.get_ca_certs()) == 1
    assert node.pool.ca_certs is None
    assert node.config.ssl_context.verify_mode == ssl.CERT_REQUIRED
    assert node.config.ssl_context.check_hostname


def test_a_fingerprint_decides(elastic: Any) -> None:
    """The certificate with the fingerprint is trusted, written in any usual way; no other is."""
    address = parse_address(elastic.url)
    shown = ssl.get_server_certificate((address.host, address.port))
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(shown)).hexdigest()
    colons = ":".join(digest[i : i + 2] for i in range(0, 64, 2)).upper()
    who = as_role(elastic, "reader") | {"ca_file": None}
    for text in (digest, colons):
        with connected(elastic.url, certificate_fingerprint=text, **who) as connection:
            assert connection.call("POST", "/_search", body={"size": 0}).status == 200
    with connected(elastic.url, certificate_fingerprint="ab" * 32, **who) as connection:
        error = refusal(lambda: find(connection))
    assert error.code == "source-tls"
    assert "another fingerprint" in str(error)


def test_plain_http_at_a_tls_port(elastic: Any) -> None:
    """Plain http to a port that speaks TLS is told as that, at once."""
    with connected(elastic.url.replace("https", "http")) as connection:
        error = refusal(lambda: find(connection))
    assert error.code == "source-tls"
    assert "speaks TLS" in str(error)


def test_tls_at_a_plain_port() -> None:
    """TLS to a port that speaks plain http is told as that, at once."""
    with serving(Stub()) as stub, connected(stub.url.replace("http", "https")) as connection:
        error = refusal(lambda: find(connection))
    assert error.code == "source-tls"
    assert "plain http runs there" in str(error)


def test_a_client_certificate(authority: trustme.CA, ca_file: str, tmp_path: Path) -> None:
    """A server that asks for a certificate gets the one that is given; without one it is told."""
    context = secured(authority.issue_cert("localhost"))
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    own = authority.issue_cert("ann@example.org")
    own.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "both.pem"))
    own.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    own.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    both = {"client_certificate": str(tmp_path / "both.pem")}
    apart = {
        "client_certificate": str(tmp_path / "cert.pem"),
        "client_key": str(tmp_path / "key.pem"),
    }
    with serving(Stub(), context) as stub:
        for given in (both, apart):
            with connected(stub.url, ca_file=ca_file, **given) as connection:
                assert find(connection).status == 200
        with connected(stub.url, ca_file=ca_file) as connection:
            error = refusal(lambda: find(connection))
    assert error.code == "source-tls"
    assert "client certificate" in str(error)


@pytest.mark.parametrize("name", ["ca_file", "client_certificate"])
@pytest.mark.parametrize("text", [None, "no certificate"])
def test_a_file_that_holds_no_certificate(tmp_path: Path, name: str, text: str | None) -> None:
    """A file that is missing or no PEM is named when connections are opened."""
    path = tmp_path / "x.pem"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SourceError) as caught:
        open_connection(Elasticsearch(hosts="a", index="x", **{name: str(path)}))
    assert caught.value.code == "source-tls"
    assert str(path) in str(caught.value)


# ---- answers that are errors


def es_error(kind: str, reason: str, **more: Any) -> bytes:
    return json.dumps({"error": {"type": kind, "reason": reason, **more}}).encode()


SHARDS = es_error(
    "search_phase_execution_exception",
    "all shards failed",
    failed_shards=[
        {"shard": 0, "index": "logs", "reason": {
            "type": "query_shard_exception", "reason": "no mapping",
            "caused_by": {"type": "illegal_argument_exception", "reason": "deep"}}},
    ],
)  # fmt: skip


@pytest.mark.parametrize(
    ("status", "body", "code", "transient", "told"),
    [
        (429, es_error("circuit_breaking_exception", "too large"), "source-overloaded", True,
         "too large"),
        (503, SHARDS, "source-partial", True, "no mapping; deep"),
        (503, es_error("no_master", "down"), "source-unavailable", True, "down"),
        (502, b"<html>Bad gateway</html>", "source-unavailable", True, "status 502"),
        (500, b"", "source-failed", True, "status 500"),
        (400, es_error("parse", "bad " + "A" * 200), "source-failed", False, "bad …"),
        (400, es_error("index_closed_exception", "closed [x]"), "source-missing", False, "closed"),
        (302, b"", "source-failed", False, "sends elsewhere"),
        (200, b"{}", "source-version", False, "not Elasticsearch, or one from before"),
        (404, b"<html>not found</html>", "source-version", False, "not Elasticsearch"),
    ],
)  # fmt: skip
def test_an_error_of_the_server_is_told(
    status: int, body: bytes, code: str, transient: bool, told: str
) -> None:
    """Each kind of error has its code, its words without long ids, and is worth a try or not."""
    headers = {"location": "http://localhost:1/"} if status == 302 else {}
    headers |= {"content-type": "text/html"} if body.startswith(b"<") else {}
    stub = Stub(status, headers if headers or status in {200, 302} else dict(HERE), body)
    with serving(stub), connected(stub.url) as connection:
        failure = failure_of(lambda: find(connection))
    assert failure.transient == transient
    error = source_error(failure, "reading index logs")
    assert error.code == code
    assert told in str(error)
    assert len(stub.asked) == 1, "a request is sent once, and no redirect is followed"


@pytest.mark.parametrize("status", [200, 400, 406])
def test_opensearch_is_told_as_that(status: int) -> None:
    """OpenSearch, which names itself in a header, is refused with what to do instead."""
    headers = {"x-opensearch-version": "OpenSearch/3.6.0 (opensearch)"}
    with serving(Stub(status, headers)) as stub, connected(stub.url) as connection:
        error = refusal(lambda: find(connection))
    assert error.code == "source-version"
    assert "but OpenSearch/3.6.0" in str(error)
    assert "export OpenSearch to files" in str(error)


def test_causes_are_collected() -> None:
    """The types of all causes and of failed shards are there for who decides on a further try."""
    with serving(Stub(503, body=SHARDS)) as stub, connected(stub.url) as connection:
        failure = failure_of(lambda: find(connection))
    assert failure.root == {
        "search_phase_execution_exception", "query_shard_exception", "illegal_argument_exception"
    }  # fmt: skip


@pytest.mark.parametrize("given", ["7", "date", "soon", None])
def test_retry_after_is_read(given: str | None) -> None:
    """Retry-After is seconds or a date; what is neither counts as none."""
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    headers = HERE | ({"retry-after": later if given == "date" else given} if given else {})
    with serving(Stub(429, headers)) as stub, connected(stub.url) as connection:
        failure = failure_of(lambda: find(connection))
    if given == "date":
        assert failure.retry_after == pytest.approx(60, abs=5)
    else:
        assert failure.retry_after == (7 if given == "7" else None)


def test_a_client_that_is_too_new(elastic: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client of 9 against a server of 8 is told which package to install."""
    from elasticsearch._sync.client import _base

    now = elasticsearch.__version__[0]
    newer = _base._COMPAT_MIMETYPE_SUB.replace(f"compatible-with={now}", "compatible-with=9")
    monkeypatch.setattr(_base, "_COMPAT_MIMETYPE_SUB", newer)
    with connected(elastic.url, **as_role(elastic, "admin")) as connection:
        error = refusal(lambda: find(connection))
    assert error.code == "source-version"
    assert "the server is 8.x" in str(error)
    assert "pip install 'elasticsearch<9'" in str(error)


def test_warnings_of_the_server_end_nothing() -> None:
    """A Warning header, which is for administrators, neither raises nor is shown."""
    headers = HERE | {"warning": '299 Elasticsearch-8 "built-in security is not enabled"'}
    stub = Stub(headers=headers)
    with serving(stub), connected(stub.url) as connection, warnings.catch_warnings():
        warnings.simplefilter("error")
        assert find(connection).status == 200


@pytest.mark.parametrize("host", ["localhost:1", "nowhere.invalid:9200"])
def test_nobody_there(host: str) -> None:
    """A host that refuses or has no name is worth another try, and then named."""
    with connected(f"https://{host}") as connection:
        failure = failure_of(lambda: find(connection))
    assert (failure.kind, failure.transient) == ("connection", True)
    error = source_error(failure, "reading index logs")
    assert error.code == "source-unavailable"
    assert host in str(error)


def test_a_node_that_is_gone_is_left_out() -> None:
    """Of several hosts the transport takes another once one has failed."""
    with serving(Stub()) as stub, connected(("http://localhost:1", stub.url)) as connection:
        answers = []
        for _ in range(4):
            try:
                answers.append(find(connection).status)
            except Failure as failure:
                answers.append(failure.kind)
    assert answers.count("connection") <= 1
    assert answers.count(200) >= 3


# ---- what is not sent


def test_what_does_not_read_is_not_sent() -> None:
    """A request that is not on the list is refused in the node: nothing reaches the server."""
    with serving(Stub()) as stub, connected(stub.url) as connection:
        for method, path in [("POST", "/_bulk"), ("DELETE", "/logs"), ("GET", "/_search/scroll")]:
            with pytest.raises(Refused):
                connection.call(method, path, body=b"{}")
        with pytest.raises(Refused):
            connection.call("POST", "/logs/_search", params={"scroll": "1m"}, body={})
        with pytest.raises(Refused):
            connection._client.delete(index="logs", id="1")
        with pytest.raises(Refused):
            connection._client.indices.delete(index="logs")
        assert not stub.asked
        assert find(connection).status == 200
    assert len(stub.asked) == 1


# ---- time and end


@contextmanager
def silent() -> Iterator[str]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_a_slow_answer_ends_in_time() -> None:
    """The time is that of the whole answer: one that trickles in does not take for ever."""
    with serving(Stub(body=b" " * 1000, pause=0.05)) as stub, connected(stub.url) as connection:
        began = time.monotonic()
        failure = failure_of(lambda: find(connection, timeout=0.4))
        assert 0.3 < time.monotonic() - began < 5
        assert (failure.kind, failure.transient) == ("timeout", True)
        stub.pause = 0
        assert find(connection).status == 200
    assert source_error(failure, "reading").code == "source-unavailable"


def cancel_soon(connection: Connection, when: threading.Event) -> threading.Thread:
    thread = threading.Thread(target=lambda: (when.wait(10), connection.cancel()))
    thread.start()
    return thread


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_cancel_ends_a_call_that_waits(scheme: str) -> None:
    """Waiting for an answer, or within a handshake, a call ends at once; so do later ones."""
    with ExitStack() as stack:
        connection = stack.enter_context(connected(f"{scheme}://{stack.enter_context(silent())}"))
        waits = threading.Event()
        timer = threading.Timer(0.2, waits.set)
        thread = cancel_soon(connection, waits)
        timer.start()
        began = time.monotonic()
        assert failure_of(lambda: find(connection)).kind == "cancelled"
        assert failure_of(lambda: find(connection)).kind == "cancelled"
        assert time.monotonic() - began < 5
        thread.join()
        timer.join()


@contextmanager
def unreachable() -> Iterator[int]:
    """The number of a port where nothing comes back: its queue of connections is full."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        place = server.getsockname()
        for _ in range(20):
            one = stack.enter_context(socket.socket())
            one.settimeout(0.2)
            if one.connect_ex(place):
                break
        else:
            pytest.skip("this system takes more connections than it is told to")
        yield place[1]


def test_cancel_ends_connecting() -> None:
    """Where not even a refusal comes back, a call ends at once too; so does its time."""
    with unreachable() as port, connected(f"http://127.0.0.1:{port}", timeout="9s") as connection:
        began = time.monotonic()
        assert failure_of(lambda: find(connection, timeout=0.2)).kind == "timeout"
        timer = threading.Timer(0.2, connection.cancel)
        timer.start()
        assert failure_of(lambda: find(connection)).kind == "cancelled"
        assert time.monotonic() - began < 2
        timer.join()


def test_an_address_that_does_not_answer_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a name's addresses the next is tried soon; if none is left, another try is worth it."""
    monkeypatch.setattr("distill_elasticsearch.node.CONNECTING", 0.2)
    with unreachable() as port, serving(Stub()) as stub:
        good = int(stub.url.rpartition(":")[2])
        ports = [port, good]

        def addresses(*_: Any, **__: Any) -> list[Any]:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", n)) for n in ports]

        monkeypatch.setattr(socket, "getaddrinfo", addresses)
        with connected("http://localhost") as connection:
            assert find(connection).status == 200
        ports.remove(good)
        with connected("http://localhost") as connection:
            failure = failure_of(lambda: find(connection))
    assert (failure.kind, failure.transient) == ("connection", True)
    assert "localhost:80 does not take connections: nothing came back" in str(failure)


@pytest.mark.parametrize("closing", ["keep-alive", "close"])
def test_cancel_ends_an_answer_under_way(closing: str) -> None:
    """While bytes come in, a call ends at once, also where the connection is not to be kept."""
    stub = Stub(headers=HERE | {"connection": closing}, body=b" " * 1000, pause=0.05)
    with serving(stub), connected(stub.url) as connection:
        comes = threading.Event()
        timer = threading.Timer(0.3, comes.set)
        thread = cancel_soon(connection, comes)
        timer.start()
        began = time.monotonic()
        assert failure_of(lambda: find(connection)).kind == "cancelled"
        assert time.monotonic() - began < 5
        thread.join()
        timer.join()


def test_what_is_open_can_be_closed_after_cancel(elastic: Any) -> None:
    """A point in time is given back after cancel, when nothing else is sent any more."""
    elastic.admin("PUT", "connection-c")
    with connected(elastic.url, **as_role(elastic, "reader")) as connection:
        opened = connection.call("POST", "/connection-c/_pit", params={"keep_alive": "1m"})
        body = {"id": json.loads(opened.body)["id"]}
        connection.cancel()
        assert failure_of(lambda: connection.call("DELETE", "/_pit", body=body)).kind == "cancelled"
        closed = connection.call("DELETE", "/_pit", body=body, closing=True)
        assert json.loads(closed.body) == {"succeeded": True, "num_freed": 1}
    elastic.admin("DELETE", "connection-c")


def test_closing_takes_no_longer_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """To give something back to a server that says nothing is tried for a short time only."""
    monkeypatch.setattr("distill_elasticsearch.connection._CLOSING", 0.3)
    with silent() as place, connected(f"http://{place}", timeout="30s") as connection:
        connection.cancel()
        began = time.monotonic()
        failure = failure_of(
            lambda: connection.call("DELETE", "/_pit", body={"id": "x"}, closing=True)
        )
        assert failure.kind == "timeout"
        assert time.monotonic() - began < 5


def test_several_threads_share_a_connection(elastic: Any) -> None:
    """Calls of several threads do not get into each other's way; each gets its own answer."""
    elastic.bulk("connection-d", [{"n": n} for n in range(50)])
    with connected(elastic.url, **as_role(elastic, "reader"), slices=4) as connection:

        def ask(n: int) -> int:
            body = {"query": {"term": {"n": n}}}
            answer = connection.call("POST", "/connection-d/_search", body=body)
            (hit,) = json.loads(answer.body)["hits"]["hits"]
            return int(hit["_source"]["n"])

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(ask, range(50))) == list(range(50))
    elastic.admin("DELETE", "connection-d")
