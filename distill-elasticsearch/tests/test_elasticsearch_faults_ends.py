"""How a reading ends before its time: refused, cancelled, closed, interrupted; nothing stays."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from socketserver import BaseRequestHandler, ThreadingTCPServer

import psutil
import pytest
import trustme
from elastic_data import load_made_up
from elastic_reading import (
    COLUMNS,
    Reader,
    comes_true,
    is_page,
    on_pages,
    open_contexts,
    state,
    stored,
    through_chaos,
)

from distill_core.component import Request
from distill_core.errors import SourceError
from distill_core.testing.chaos import Hang
from distill_elasticsearch.connection import Connection

INDEX = "faults-ends"
POSIX = pytest.mark.skipif(os.name == "nt", reason="signals and pipes of POSIX")


@pytest.fixture(scope="module")
def events(elastic):
    """What 6,000 documents hold, by id; reading them has changed nothing."""
    load_made_up(elastic, INDEX, 6_000)
    before = state(elastic, INDEX)
    yield stored(elastic, INDEX)
    assert state(elastic, INDEX) == before
    elastic.admin("DELETE", INDEX)


@pytest.fixture
def reader(elastic):
    """A reader behind a proxy."""
    with through_chaos(elastic) as found:
        yield found


# ---- refused


@pytest.fixture
def calls(monkeypatch):
    """The requests that are tried."""
    real, tried = Connection.call, []

    def call(self, method, path, **asked):
        tried.append(path)
        return real(self, method, path, **asked)

    monkeypatch.setattr(Connection, "call", call)
    return tried


def refused(reader, calls, index=INDEX, **params):
    """The error of a reading that is refused at once, at its first request."""
    before, began = len(calls), time.monotonic()
    with pytest.raises(SourceError) as caught:
        reader.read(index, **params)
    assert time.monotonic() - began < 1
    assert len(calls) == before + 1
    return caught.value


@contextmanager
def tls_server(certificate):
    """A server that shows a certificate and says nothing; its URL."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)

    class Handler(BaseRequestHandler):
        def handle(self):
            try:
                with context.wrap_socket(self.request, server_side=True) as secured:
                    secured.recv(1)
            except OSError:  # the client does not like the certificate
                pass

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"https://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_server_that_cannot_be_trusted(elastic, calls, tmp_path):
    """Expired, for another name, of another authority: refused under a second, after one try."""
    authority, reader = trustme.CA(), Reader(elastic)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    past = datetime.now(UTC) - timedelta(days=1)
    for certificate, told in (
        (authority.issue_cert("127.0.0.1", not_after=past), "expired"),
        (authority.issue_cert("elsewhere.example"), "not for"),
        (trustme.CA().issue_cert("127.0.0.1"), "issued by"),
    ):
        with tls_server(certificate) as url:
            error = refused(reader, calls, hosts=url, ca_file=str(tmp_path / "ca.pem"))
        assert error.code == "source-tls"
        assert told in str(error)


def test_ways_that_are_not_what_they_seem(elastic, reader, calls):
    """A wrong fingerprint, TLS to a plain port, plain http to a TLS port: refused, and said."""
    direct, proxy = Reader(elastic), reader.proxy.url
    error = refused(direct, calls, ca_file=None, certificate_fingerprint="ab" * 32)
    assert (error.code, "fingerprint" in str(error)) == ("source-tls", True)
    error = refused(direct, calls, hosts=proxy.replace("http:", "https:"))
    assert (error.code, "no TLS" in str(error)) == ("source-tls", True)
    error = refused(direct, calls, hosts=elastic.url.replace("https:", "http:"), ca_file=None)
    assert (error.code, "speaks TLS" in str(error)) == ("source-tls", True)


def test_who_may_not_read(elastic, reader, events, calls):
    """A wrong password; no right to one of the indices that are named, which the error names."""
    elastic.admin("PUT", "closed-faults")
    error = refused(reader, calls, password="hunter2")
    assert error.code == "source-denied"
    assert "authentication failed" in str(error)
    for index in (f"{INDEX},closed-faults", ("closed-faults", INDEX)):
        error = refused(reader, calls, index)
        assert error.code == "source-denied"
        assert "closed-faults" in str(error)
    assert all(call.number <= 3 for call in reader.proxy.calls)
    elastic.admin("DELETE", "closed-faults")


# ---- ended by this side


def hanging(reader, after=1):
    """Have the pages after the first few hang; an event that is set when one does."""
    hangs = threading.Event()

    def plan(page, _):
        if page <= after:
            return None
        hangs.set()
        return Hang()

    reader.proxy.plan(on_pages(plan))
    return hangs


def nothing_is_left(reader):
    """No thread, no socket of the reading and no point in time."""
    port = int(reader.proxy.url.rpartition(":")[2])
    threads = [thread.name for thread in threading.enumerate()]
    sockets = [one for one in psutil.Process().net_connections("tcp")
               if one.raddr and one.raddr.port == port and one.status == "ESTABLISHED"]  # fmt: skip
    assert not [name for name in threads if name.startswith("distill-scan")]
    assert not sockets
    assert open_contexts(reader.elastic) == 0
    return True


@pytest.mark.parametrize("request_", [Request(COLUMNS), Request(COLUMNS, sort="time", limit=5000)],
                         ids=["any order", "by time"])  # fmt: skip
def test_a_closed_iterator(reader, events, request_):
    """Closing the iterator while pages hang ends them at once, and gives all back."""
    hangs = hanging(reader, after=3)
    batches = reader.batches(INDEX, request_)
    next(batches)
    began = time.monotonic()
    if request_.sort is None:
        assert hangs.wait(5)
    batches.close()
    assert time.monotonic() - began < 6
    assert nothing_is_left(reader)


def test_an_error_of_the_one_who_reads(reader, events):
    """An exception in the loop over the batches leaves nothing behind either, while it is held."""
    hangs = hanging(reader, after=3)
    batches = reader.batches(INDEX)
    next(batches)
    assert hangs.wait(5)
    with pytest.raises(ZeroDivisionError) as caught:
        batches.throw(ZeroDivisionError())
    assert caught.value is not None
    assert nothing_is_left(reader)


@pytest.mark.parametrize("request_", [Request(COLUMNS), Request(COLUMNS, sort="time", limit=5000)],
                         ids=["any order", "by time"])  # fmt: skip
def test_cancelled_from_elsewhere(reader, events, request_):
    """Another thread cancels while the reading waits: it ends soon, without an error."""
    hangs = hanging(reader, after=2)

    def cancel():
        hangs.wait(5)
        reader.scan.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    began = time.monotonic()
    rows = reader.read(INDEX, request_)
    assert time.monotonic() - began < 5
    assert len(rows) <= 2_000
    thread.join()
    assert nothing_is_left(reader)


def test_cancelled_before_the_first_page(reader, events):
    """The same while it waits for what comes before pages: it ends soon, and says why."""
    hangs = threading.Event()

    def plan(call):
        if "_field_caps" not in call.path:
            return None
        hangs.set()
        return Hang()

    reader.proxy.plan(plan)
    thread = threading.Thread(target=lambda: (hangs.wait(5), reader.scan.cancel()))
    thread.start()
    began = time.monotonic()
    with pytest.raises(SourceError, match="cancelled"):
        reader.read(INDEX)
    assert time.monotonic() - began < 5
    thread.join()
    assert nothing_is_left(reader)


# ---- ended by people


@pytest.fixture
def command(reader, events, tmp_path, sent):
    """``distill run`` at work on the index, by way of the proxy; what it sends is recorded too."""
    user, password = reader.elastic.users["reader"]
    params = {"index": INDEX, "hosts": reader.proxy.url, "username": user, "page": 500,
              "password": "env:DISTILL_TEST_PASSWORD"}  # fmt: skip
    schema = {"case": "session", "activity": "activity", "time": "clientTime", "unit": "ms"}
    pipeline = {"source": {"name": "elasticsearch", "params": params},
                "schema": {"name": "fields", "params": schema}}  # fmt: skip
    (tmp_path / "run.json").write_text(json.dumps(pipeline), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "distill_core.cli", "run", "run.json"], cwd=tmp_path,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "DISTILL_TEST_PASSWORD": password},
    )  # fmt: skip
    with process:
        yield process
        process.kill()
    sent.update((call.method, call.path) for call in reader.proxy.calls)


@POSIX
def test_interrupted(reader, command):
    """Ctrl-C while pages hang: exit code 130, no traceback, the point in time is given back."""
    hangs = hanging(reader, after=3)
    assert hangs.wait(30)
    assert open_contexts(reader.elastic) == 1
    command.send_signal(signal.SIGINT)
    out, told = command.communicate(timeout=20)
    assert (command.returncode, out, told) == (130, b"", b"")
    assert comes_true(lambda: open_contexts(reader.elastic) == 0, 2)
    given_back = [call for call in reader.proxy.calls if call.method == "DELETE"]
    assert [call.status for call in given_back] == [200]


@POSIX
def test_a_closed_pipe(reader, command):
    """A reader that has enough (`| head -1`): exit code 0, nothing said, nothing open."""
    assert command.stdout.readline().startswith(b"{")
    command.stdout.close()
    assert command.stderr.read() == b""
    assert command.wait(20) == 0
    assert open_contexts(reader.elastic) == 0
    assert all(call.status == 200 for call in reader.proxy.calls if is_page(call))


def test_only_what_reads_is_sent(elastic, events, sent):
    """A reading is among what was recorded, so the claim on all that is sent is about something."""
    Reader(elastic).read(INDEX)
    kinds = {(method, target.partition("?")[0]) for method, target in sent}
    assert {("POST", "/_search"), ("POST", f"/{INDEX}/_pit"), ("DELETE", "/_pit")} <= kinds
