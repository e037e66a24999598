"""Below client and transport: the only place that sends, and that can end what is under way."""

from __future__ import annotations

import errno
import os
import selectors
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Literal

from elastic_transport import HttpHeaders, NodeConfig, Urllib3HttpNode
from elastic_transport._node import NodeApiResponse
from urllib3.exceptions import NameResolutionError, NewConnectionError

from distill_elasticsearch.allowed import check

Why = Literal["cancelled", "timeout"]

CONNECTING = 3.0
"""Seconds that one address of a host has to take a connection, before the next one is tried."""
_UNDER_WAY = {errno.EINPROGRESS, errno.EWOULDBLOCK}
_POLL = 0.05
"""Seconds after which a thread that connects looks whether its call was ended."""


class Lever:
    """A second handle of a connection's socket, to shut it down while another thread uses it.

    This works within a TLS handshake too, and never hits another socket of the same number. It
    stays open while a call holds it, though the connection has left it: an answer may come in
    after the connection is closed (``Connection: close``).
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock, self._lock = sock.dup(), threading.Lock()
        self._held = self._left = False

    def pull(self) -> None:
        """Shut the socket down: who reads from it gets no more."""
        with self._lock, suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def hold(self, held: bool) -> None:
        """A call takes it, or is done with it."""
        with self._lock:
            self._held = held
            self._close()

    def leave(self) -> None:
        """The connection is closed."""
        with self._lock:
            self._left = True
            self._close()

    def _close(self) -> None:
        if self._left and not self._held:
            self._sock.close()


class Call:
    """One request under way: its time, where it went, and the way to end it from outside."""

    def __init__(self, timeout: float, *, closing: bool) -> None:
        self.timeout, self.closing = timeout, closing
        self.ended: Why | None = None
        self.node: NodeConfig | None = None
        self._lever: Lever | None = None
        self._lock = threading.Lock()

    def end(self, why: Why) -> None:
        """Have the request fail at once, from any thread."""
        with self._lock:
            self.ended = self.ended or why
            if self._lever is not None:
                self._lever.pull()

    def hold(self, lever: Lever | None) -> None:
        """What carries the request from now on; None: nothing does."""
        with self._lock:
            if self._lever is not None:
                self._lever.hold(False)
            self._lever = lever
            if lever is not None:
                lever.hold(True)
                if self.ended:
                    lever.pull()


class Calls:
    """The requests under way of one reading; each thread has at most one."""

    def __init__(self) -> None:
        self.cancelled = False
        self._open: set[Call] = set()
        self._lock = threading.Lock()
        self._own = threading.local()

    @property
    def current(self) -> Call:
        """The one of the thread that asks."""
        call: Call = self._own.call
        return call

    @contextmanager
    def begin(self, timeout: float, *, closing: bool) -> Iterator[Call]:
        """A request of this thread, which is ended when its time is over."""
        call = self._own.call = Call(timeout, closing=closing)
        with self._lock:
            self._open.add(call)
            if self.cancelled and not closing:
                call.end("cancelled")
        # A socket's own timeout counts from the last byte: a slow answer would take for ever.
        watch = threading.Timer(timeout, call.end, ("timeout",))
        watch.daemon = True
        watch.start()
        try:
            yield call
        finally:
            watch.cancel()
            call.hold(None)
            with self._lock:
                self._open.discard(call)

    def cancel(self) -> None:
        """End all requests but those that give something back, and let no other begin."""
        with self._lock:
            self.cancelled = True
            for call in self._open:
                if not call.closing:
                    call.end("cancelled")


class Ended(ConnectionError):
    """The request was ended from outside, before it was sent."""


class Node(Urllib3HttpNode):
    """A node to which nothing but what is allowed is sent; ``bound`` makes it one reading's."""

    calls: Calls
    own_authorities: bool

    @classmethod
    def bound(cls, calls: Calls, *, own_authorities: bool) -> type[Node]:
        """The class for one reading; ``own_authorities``: no others than the context's."""
        return type("Node", (cls,), {"calls": calls, "own_authorities": own_authorities})

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        self.pool.ConnectionCls = _watched(self.pool.ConnectionCls, self.calls)
        if self.own_authorities and config.scheme == "https":
            # Else urllib3 would add certifi's authorities to those of the context.
            self.pool.ca_certs = None  # type: ignore[attr-defined]

    def perform_request(
        self, method: str, target: str, body: bytes | None = None,
        headers: HttpHeaders | None = None, request_timeout: Any = None,
    ) -> NodeApiResponse:  # fmt: skip
        """Send an allowed request; raises Refused for any other, before anything is sent."""
        check(method, target)
        call = self.calls.current
        call.node = self.config
        if call.ended:
            raise Ended
        meta, data = super().perform_request(method, target, body, headers, call.timeout)
        # Warnings of the server are for its administrators, and a body that is no JSON (a proxy's
        # page) is told like any other: neither may end the call.
        kept = {name: value for name, value in meta.headers.items() if name.lower() != "warning"}
        meta.headers = HttpHeaders(kept | {"content-type": "application/json"})
        return NodeApiResponse(meta, data)


def _connect(host: str, port: int, call: Call, options: Sequence[Any]) -> socket.socket:
    """A socket at the first of the host's addresses that takes it. Raises OSError.

    urllib3's own way to connect cannot be ended from outside: where nothing answers at all it
    would go on for the whole time of the call.
    """
    last: OSError = OSError(f"{host} has no address")
    for family, kind, protocol, _, place in socket.getaddrinfo(
        host.strip("[]"), port, type=socket.SOCK_STREAM
    ):
        try:
            return _reach(place, call, (family, kind, protocol), options)
        except OSError as error:
            last = error
            if call.ended:
                break
    raise last


def _reach(place: Any, call: Call, form: tuple[int, int, int], options: Sequence[Any]
           ) -> socket.socket:  # fmt: skip
    """A socket at one address, unless the call is ended, or it takes too long."""
    sock = socket.socket(*form)
    try:
        for option in options:
            sock.setsockopt(*option)
        sock.setblocking(False)
        code, end = sock.connect_ex(place), time.monotonic() + CONNECTING
        with selectors.DefaultSelector() as selector:
            selector.register(sock, selectors.EVENT_WRITE)
            while code in _UNDER_WAY:
                if call.ended:
                    raise Ended
                if time.monotonic() > end:
                    raise TimeoutError(f"nothing came back within {CONNECTING:g} s")
                if selector.select(_POLL):
                    code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
    except BaseException:
        sock.close()
        raise
    return sock


def _watched(base: Any, calls: Calls) -> Any:
    """The class of connections with a lever, which the call that uses one holds."""

    class Watched(base):  # type: ignore[misc]
        _lever: Lever | None = None

        def _new_conn(self) -> socket.socket:
            try:
                made = _connect(self._dns_host, self.port, calls.current, self.socket_options or ())
            except socket.gaierror as error:
                raise NameResolutionError(self.host, self, error) from error
            except OSError as error:
                raise NewConnectionError(self, f"no connection: {error}") from error
            made.settimeout(self.timeout)
            self._lever = Lever(made)
            calls.current.hold(self._lever)
            return made

        def request(self, *args: Any, **kwargs: Any) -> None:
            calls.current.hold(self._lever)
            if calls.current.ended:
                raise Ended
            super().request(*args, **kwargs)

        def close(self) -> None:
            lever, self._lever = self._lever, None
            if lever is not None:
                lever.leave()
            super().close()

    return Watched
