"""The HTTP of ``chaos``: what listens, what asks the server, how an answer is written."""

from __future__ import annotations

import http.client
import os
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from urllib.parse import urlsplit

# These concern one connection, not what it carries; lengths are written anew.
_OWN = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding",
        "upgrade", "content-length"}  # fmt: skip
_PIECE = 65536


@dataclass
class Answer:
    """An answer, read whole; ``length`` is what an answer to HEAD says of the body it has not."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    chunked: bool = False
    length: str | None = None


class Live:
    """The sockets that threads may be waiting on, so that the end of the proxy wakes them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._sockets: set[socket.socket] = set()

    def add(self, sock: socket.socket) -> None:
        """Remember it; shut it if the end has come."""
        with self._lock:
            self._sockets.add(sock)
            if self._closed.is_set():
                _shut(sock)

    def discard(self, sock: socket.socket) -> None:
        """Forget it."""
        with self._lock:
            self._sockets.discard(sock)

    def close(self) -> None:
        """The end has come."""
        with self._lock:
            self._closed.set()
            for sock in self._sockets:
                _shut(sock)

    def wait(self, seconds: float | None) -> bool:
        """Wait so long; whether the end came in that time."""
        return self._closed.wait(seconds)


def _shut(sock: socket.socket) -> None:
    # As a plain socket: TLS's own way takes away what the waiting thread is using.
    with suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


class Upstream:
    """The server behind the proxy."""

    def __init__(
        self,
        url: str,
        context: ssl.SSLContext | None,
        headers: Mapping[str, str],
        live: Live,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"not the http(s) URL of a server: {url!r}")
        tls = parts.scheme == "https"
        self._context = (context or ssl.create_default_context()) if tls else None
        self._host, self._port = parts.hostname, parts.port or (443 if tls else 80)
        self._prefix, self._live = parts.path.rstrip("/"), live
        self._headers = dict(headers)
        self._lock = threading.Lock()
        self._idle: list[http.client.HTTPConnection] = []

    def ask(self, method: str, path: str, headers: Message, body: bytes, plain: bool) -> Answer:
        """What it answers; ``plain``: not compressed."""
        connection = self._connection()
        sock = connection.sock
        try:
            connection.putrequest(method, self._prefix + path, skip_accept_encoding=True)
            for name, value in self._sent(headers, body, plain):
                connection.putheader(name, value)
            connection.endheaders(body or None)
            with connection.getresponse() as got:
                kept = [pair for pair in got.getheaders() if pair[0].lower() not in _OWN]
                length = got.headers["Content-Length"]
                answer = Answer(got.status, kept, got.read(), bool(got.chunked), length)
            if connection.sock is not None:  # the server keeps it, too
                with self._lock:
                    self._idle.append(connection)
                sock = None
            return answer
        finally:
            if sock is not None:
                self._live.discard(sock)
                connection.close()

    def close(self) -> None:
        """Close the connections that were kept."""
        for connection in self._idle:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        """One that was kept, and that the server has not closed since; else a new one."""
        with self._lock:
            while self._idle:
                connection = self._idle.pop()
                if not select.select([connection.sock], [], [], 0)[0]:
                    return connection
                self._live.discard(connection.sock)
                connection.close()
        sock = socket.create_connection((self._host, self._port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._context:
            sock = self._shaken(sock, self._context)
        self._live.add(sock)
        connection = http.client.HTTPConnection(self._host, self._port)
        connection.sock = sock
        return connection

    def _shaken(self, sock: socket.socket, context: ssl.SSLContext) -> socket.socket:
        """The socket with TLS; known as live while it waits for the server's side of that."""
        wrapped = context.wrap_socket(
            sock, server_hostname=self._host, do_handshake_on_connect=False
        )
        self._live.add(wrapped)
        try:
            wrapped.do_handshake()
        except BaseException:
            self._live.discard(wrapped)
            wrapped.close()
            raise
        return wrapped

    def _sent(self, headers: Message, body: bytes, plain: bool) -> list[tuple[str, str]]:
        other = _OWN | {"host", "expect", *map(str.lower, self._headers)}
        other |= {"accept-encoding"} if plain else set()
        found = [(name, value) for name, value in headers.items() if name.lower() not in other]
        if body or "Content-Length" in headers:
            found.append(("Content-Length", str(len(body))))
        return [*found, *self._headers.items()]


def framed(answer: Answer, method: str) -> tuple[bytes, bytes]:
    """Head and body as they go over the wire; what came in chunks goes in chunks."""
    try:
        phrase = HTTPStatus(answer.status).phrase
    except ValueError:
        phrase = "Unknown"
    headers, body = list(answer.headers), answer.body
    if method == "HEAD" or answer.status in {204, 304}:
        body = b""
        headers += [("Content-Length", answer.length)] if answer.length else []
    elif answer.chunked:
        headers.append(("Transfer-Encoding", "chunked"))
        pieces = [body[start : start + _PIECE] for start in range(0, len(body), _PIECE)]
        body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*pieces, b""])
    else:
        headers.append(("Content-Length", str(len(body))))
    lines = [f"HTTP/1.1 {answer.status} {phrase}", *(f"{n}: {v}" for n, v in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1"), body


class Handler(BaseHTTPRequestHandler):
    """The requests of one connection, one after the other."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle_one_request(self) -> None:
        try:
            self.raw_requestline = self.rfile.readline(_PIECE)
            if not self.raw_requestline:
                self.close_connection = True
            elif self.parse_request():
                self.server.serve(self)
        except OSError:  # the client left
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing: the calls are recorded."""

    def body(self) -> bytes:
        """The request's body, whichever way it came."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self._exactly(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self._line().partition(b";")[0], 16):
            parts.append(self._exactly(size))
            self._line()
        while self._line().strip():
            pass
        return b"".join(parts)

    def _exactly(self, size: int) -> bytes:
        found = self.rfile.read(size)
        if len(found) < size:
            raise ConnectionError("the client left amid its request")
        return found

    def _line(self) -> bytes:
        return self.rfile.readline(_PIECE) or self._exactly(1)

    def end(self, *, reset: bool) -> None:
        """Make this the connection's last request; with ``reset`` it ends by RST, else by FIN."""
        self.close_connection = True
        if reset:
            linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
            with suppress(OSError):
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


class Server(ThreadingMixIn, TCPServer):
    """A thread a connection; they are waited for when it closes."""

    request_queue_size = 128

    def __init__(self, serve: Callable[[Handler], None], live: Live) -> None:
        self.serve, self.live = serve, live
        super().__init__(("127.0.0.1", 0), Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.live.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.live.discard(request)
        self.close_request(request)  # no FIN before an RST: it would make the end an orderly one
