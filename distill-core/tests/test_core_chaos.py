"""The fault proxy: what passes through it unharmed, and what each fault looks like to a client."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from distill_core.testing.chaos import Chaos, Fin, Hang, Reset, Rewrite, Slow, Status

BODY = b"0123456789" * 10


class Echo(BaseHTTPRequestHandler):
    """Answers with what was asked, in the way that the path names."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers.get("Content-Length", 0))
        asked = self.rfile.read(length).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        told = {"method": self.command, "path": self.path, "body": asked, "headers": headers}
        self.server.asked.append(told)
        body = BODY if "/body" in self.path else json.dumps(told).encode()
        self.send_response(404 if "/missing" in self.path else 200)
        self.send_header("X-Twice", "one")
        self.send_header("X-Twice", "two")
        if "/gzip" in self.path and "gzip" in self.headers.get("Accept-Encoding", ""):
            self.send_header("Content-Encoding", "gzip")
            body = gzip.compress(body)
        if "/chunked" in self.path:
            self.send_header("Transfer-Encoding", "chunked")
            body = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
        else:
            self.send_header("Content-Length", str(len(body)))
        self.close_connection = "/leave" in self.path
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_HEAD = do_DELETE = answer  # noqa: N815 - found by these names

    def log_message(self, *_):
        """Nothing."""


class Server(ThreadingHTTPServer):
    """What was asked is in ``asked``; ``ended`` is set when a connection has been closed."""

    daemon_threads = False

    def __init__(self):
        self.asked, self.ended = [], threading.Event()
        super().__init__(("127.0.0.1", 0), Echo)

    def shutdown_request(self, request):
        super().shutdown_request(request)
        self.ended.set()


@contextmanager
def serving(context=None):
    """A server in a thread, which is gone after the block."""
    server = Server()
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def server():
    with serving() as running:
        yield running


@pytest.fixture
def proxy(server):
    with Chaos(f"http://127.0.0.1:{server.server_address[1]}", headers={"X-Set": "here"}) as made:
        yield made


@contextmanager
def client(proxy, timeout=10):
    """One connection to the proxy."""
    connection = http.client.HTTPConnection(urlsplit(proxy.url).netloc, timeout=timeout)
    try:
        yield connection
    finally:
        connection.close()


def ask(proxy, method="GET", path="/", **kwargs):
    """Status and body of one answer."""
    with client(proxy) as connection:
        connection.request(method, path, **kwargs)
        with connection.getresponse() as got:
            return got.status, got.read()


def test_requests_pass_unharmed(proxy) -> None:
    """Method, path, query, headers and body reach the server; status and body come back."""
    headers = {"X-Own": "mine", "X-Set": "overruled"}
    status, body = ask(proxy, "POST", "/missing/a%20b?c=d&e", body="{}", headers=headers)
    told = json.loads(body)
    assert (status, told["method"], told["path"]) == (404, "POST", "/missing/a%20b?c=d&e")
    assert (told["body"], told["headers"]["x-own"], told["headers"]["x-set"]) == (
        "{}",
        "mine",
        "here",
    )
    assert told["headers"]["host"].startswith("127.0.0.1")


def test_calls_are_recorded(proxy) -> None:
    """Each call is there with its number, what was asked, and what the server answered."""
    ask(proxy, "POST", "/missing", body="abc", headers={"X-Own": "mine"})
    ask(proxy, "DELETE", "/body")
    first, second = proxy.calls
    assert (first.number, first.method, first.path, first.body) == (1, "POST", "/missing", b"abc")
    assert (first.status, first.headers["x-own"], first.fault) == (404, "mine", None)
    assert (second.number, second.method, second.status, second.size) == (2, "DELETE", 200, 100)


def test_a_connection_is_kept(proxy) -> None:
    """Several requests go over one connection, also behind answers without a body."""
    used = set()
    with client(proxy) as connection:
        for method, path in [("HEAD", "/body"), ("GET", "/body"), ("GET", "/chunked/body")] * 2:
            connection.request(method, path)
            with connection.getresponse() as got:
                assert got.read() == (b"" if method == "HEAD" else BODY)
                assert got.headers["Content-Length"] == (None if "chunked" in path else "100")
                assert got.headers.get_all("X-Twice") == ["one", "two"]
            used.add(connection.sock)
    assert len(used - {None}) == 1
    assert len(proxy.calls) == 6


def test_chunks_pass_both_ways(proxy) -> None:
    """A body that comes in chunks reaches the server; an answer in chunks stays in chunks."""
    with client(proxy) as connection:
        connection.request("POST", "/chunked", body=iter([b"ab", b"cd"]), encode_chunked=True)
        with connection.getresponse() as got:
            assert got.headers["Transfer-Encoding"] == "chunked"
            assert json.loads(got.read())["body"] == "abcd"


def test_a_server_may_close_what_was_kept(proxy, server) -> None:
    """Where the server closed its connection after an answer, the next request gets a new one."""
    with client(proxy) as connection:
        for path in ("/leave", "/body"):
            connection.request("GET", path)
            with connection.getresponse() as got:
                assert (got.status, bool(got.read())) == (200, True)
            assert server.ended.wait(10)


def test_paths_of_the_upstream_come_first(server) -> None:
    """A path in the server's URL stands before that of each request."""
    with Chaos(f"http://127.0.0.1:{server.server_address[1]}/below/") as proxy:
        assert json.loads(ask(proxy, path="/x")[1])["path"] == "/below/x"


def test_an_https_server_is_asked_over_tls() -> None:
    """The proxy speaks TLS to its upstream and trusts what its context trusts."""
    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    theirs, ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(theirs)
    authority.configure_trust(ours)
    with serving(theirs) as server:
        upstream = f"https://localhost:{server.server_address[1]}"
        with Chaos(upstream, ssl_context=ours) as proxy:
            assert ask(proxy, path="/body") == (200, BODY)
        proxy = Chaos(upstream).__enter__()
        with pytest.raises(ConnectionResetError):
            ask(proxy)
        with pytest.raises(ssl.SSLCertVerificationError):
            proxy.__exit__(None)
        assert len(server.asked) == 1


@pytest.mark.parametrize("path", ["/body", "/chunked/body"])
@pytest.mark.parametrize("when", ["before", "after", "mid"])
def test_reset(proxy, server, when, path) -> None:
    """A reset breaks the connection; the server saw the request unless it came before."""
    proxy.plan(Reset(when))
    with client(proxy) as connection:
        connection.request("GET", path)
        if when == "mid":
            with connection.getresponse() as got:
                assert got.status == 200
                with pytest.raises(ConnectionResetError):
                    got.read()
        else:
            with pytest.raises(ConnectionResetError) as caught:
                connection.getresponse()
            assert not isinstance(caught.value, http.client.RemoteDisconnected)
    assert len(server.asked) == (0 if when == "before" else 1)
    assert proxy.calls[0].status == (None if when == "before" else 200)


@pytest.mark.parametrize("when", ["before", "after", "mid"])
def test_fin(proxy, server, when) -> None:
    """An orderly end comes instead of the answer, or after half of it."""
    proxy.plan(Fin(when))
    with client(proxy) as connection:
        connection.request("GET", "/body")
        if when == "mid":
            with connection.getresponse() as got, pytest.raises(http.client.IncompleteRead) as cut:
                got.read()
            assert cut.value.partial == BODY[:50]
        else:
            with pytest.raises(http.client.RemoteDisconnected):
                connection.getresponse()
    assert len(server.asked) == (0 if when == "before" else 1)


def test_status(proxy, server) -> None:
    """A planned status is answered with its headers and body, and the server is not asked."""
    proxy.plan(Status(429, b"busy", {"Retry-After": "1"}))
    with client(proxy) as connection:
        for _ in range(2):
            connection.request("GET", "/")
            with connection.getresponse() as got:
                assert (got.status, got.reason, got.read()) == (429, "Too Many Requests", b"busy")
                assert got.headers["Retry-After"] == "1"
    assert not server.asked
    assert [(call.status, call.size) for call in proxy.calls] == [(429, 4), (429, 4)]


def test_slow(proxy) -> None:
    """A slow answer is complete, and takes the time that its length and pace make."""
    proxy.plan(Slow(500))
    begun = time.monotonic()
    assert ask(proxy, path="/body") == (200, BODY)
    assert time.monotonic() - begun >= 0.2


@pytest.mark.parametrize("path", ["/body", "/chunked/body", "/gzip/body"])
def test_rewrite(proxy, path) -> None:
    """An answer is replaced by what the function makes of it, unpacked, with the right length."""
    proxy.plan(Rewrite(lambda body: body.replace(b"9", b"nine")))
    wanted = BODY.replace(b"9", b"nine")
    assert ask(proxy, path=path, headers={"Accept-Encoding": "gzip"}) == (200, wanted)


def test_hang(proxy, server) -> None:
    """A hanging request is not forwarded, and closing the proxy does not wait for it."""
    proxy.plan(Hang())
    with client(proxy, timeout=0.1) as connection:
        connection.request("GET", "/")
        with pytest.raises(TimeoutError):
            connection.getresponse()
    proxy.plan(Hang(0.1))
    begun = time.monotonic()
    assert ask(proxy, path="/body") == (200, BODY)
    assert time.monotonic() - begun >= 0.1
    assert len(server.asked) == 1


def test_a_plan_may_tell_calls_apart(proxy, server) -> None:
    """A function decides for each call, by its number, path, headers or body."""
    proxy.plan(lambda call: Status(503) if call.number == 2 or call.body == b"no" else None)
    assert [ask(proxy)[0] for _ in range(3)] == [200, 503, 200]
    assert ask(proxy, "POST", body="no")[0] == 503
    proxy.plan(None)
    assert ask(proxy, "POST", body="no")[0] == 200
    assert len(server.asked) == 3


def test_an_error_of_the_plan_is_raised_at_the_end(server) -> None:
    """What a plan raises breaks the connection, and is raised where the proxy closes."""

    def plan(_):
        raise LookupError("of the plan")

    proxy = Chaos(f"http://127.0.0.1:{server.server_address[1]}").__enter__()
    proxy.plan(plan)
    with pytest.raises(ConnectionResetError):
        ask(proxy)
    with pytest.raises(LookupError, match="of the plan"):
        proxy.__exit__(None)
    assert not server.asked


def test_a_server_that_is_not_there_resets() -> None:
    """Without a server behind it the proxy breaks connections, and is no error itself."""
    with socket.create_server(("127.0.0.1", 0)) as place:
        port = place.getsockname()[1]
    with Chaos(f"http://127.0.0.1:{port}") as proxy, pytest.raises(ConnectionResetError):
        ask(proxy)


def test_a_client_that_leaves_is_no_error(proxy, server) -> None:
    """A client that leaves amid its request leaves no error behind, and the proxy serves on."""
    host, port = urlsplit(proxy.url).netloc.split(":")
    for half in [
        b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HT",
        b"",
    ]:
        with socket.create_connection((host, int(port))) as sock:
            sock.sendall(half)
    assert ask(proxy, path="/body") == (200, BODY)
    assert len(server.asked) == 1


def test_nothing_is_left_behind() -> None:
    """All threads are gone at the end, whatever connections were doing."""
    before = set(threading.enumerate())
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        serving() as server,
        Chaos(f"http://127.0.0.1:{silent.getsockname()[1]}") as waiting,
        Chaos(f"http://127.0.0.1:{server.server_address[1]}") as proxy,
    ):
        proxy.plan(lambda call: {"/hang": Hang(), "/slow": Slow(1)}.get(call.path))
        places = [(proxy, "/"), (proxy, "/hang"), (proxy, "/slow"), (waiting, "/")]
        opened = [http.client.HTTPConnection(urlsplit(one.url).netloc) for one, _ in places]
        for connection, (_, path) in zip(opened, places, strict=True):
            connection.request("GET", path)
        with opened[0].getresponse() as got:
            got.read()
        asked, _ = silent.accept()
        begun = time.monotonic()
    assert time.monotonic() - begun < 5
    assert set(threading.enumerate()) == before
    for used in [*opened, asked]:
        used.close()


@pytest.mark.parametrize("url", ["ftp://host", "localhost:9200", "http://"])
def test_other_urls_are_refused(url) -> None:
    """Only the URL of a server is an upstream."""
    with pytest.raises(ValueError, match="not the http"):
        Chaos(url)
