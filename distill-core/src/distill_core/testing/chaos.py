"""A proxy that does to HTTP what networks and servers do, for tests of sources that ask a server.

    from distill_core.testing import chaos

    with chaos.Chaos("https://localhost:9200", ssl_context=context) as proxy:
        proxy.plan(lambda call: chaos.Reset("after") if call.number == 3 else None)
        ...  # read by way of proxy.url, and compare with what is there

Standard library alone. It listens on loopback, over plain http, on a port that is free.
"""

from __future__ import annotations

import http.client
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Literal, Self, TypeAlias

from distill_core.testing._proxying import Answer, Handler, Live, Server, Upstream, framed

__all__ = ["Call", "Chaos", "Fault", "Fin", "Hang", "Reset", "Rewrite", "Slow", "Status"]

When: TypeAlias = Literal["before", "after", "mid"]


@dataclass(frozen=True)
class Reset:
    """Breaks the connection (TCP RST).

    ``before`` the request is forwarded; ``after`` the server answered it, of which nothing is
    passed on; ``mid``: half of the answer's body is.
    """

    when: When = "before"


@dataclass(frozen=True)
class Fin:
    """Closes the connection in order (TCP FIN), at the same moments as ``Reset``."""

    when: When = "before"


@dataclass(frozen=True)
class Status:
    """Answers with this status, body and headers; the server does not see the request."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Slow:
    """Passes on the body of the answer at so many bytes a second."""

    bytes_per_second: float


@dataclass(frozen=True)
class Rewrite:
    """Passes on what the function makes of the answer's body; its length is set right."""

    function: Callable[[bytes], bytes]


@dataclass(frozen=True)
class Hang:
    """Does nothing for so many seconds, then forwards; None: nothing until the proxy closes."""

    seconds: float | None = None


Fault: TypeAlias = Reset | Fin | Status | Slow | Rewrite | Hang


@dataclass
class Call:
    """A request as it came, and what became of it.

    ``number`` counts from 1; names in ``headers`` are found in any case. ``status`` and ``size``
    (of the body, in bytes) are those of the server's answer, or of a ``Status``; None and 0 as
    long as there is none.
    """

    number: int
    method: str
    path: str
    headers: Message
    body: bytes
    fault: Fault | None = None
    status: int | None = None
    size: int = 0


Plan: TypeAlias = Fault | Callable[[Call], Fault | None] | None


class Chaos:
    """A proxy before ``upstream`` (a URL), as a context manager; ``url`` is where it listens.

    ``ssl_context`` is for an https upstream (default: the system's certificates); ``headers`` are
    set on what is forwarded. ``calls`` has every request so far. Answers are read whole before
    they are passed on. If the server cannot be reached, or leaves, the connection is reset.

    At its end it closes all connections, waits for its threads, and raises what the plan raised,
    or that the server's certificate is not trusted. Raises ValueError for another kind of URL.

    >>> import urllib.error, urllib.request
    >>> with Chaos("http://localhost:9200") as proxy:
    ...     proxy.plan(Status(429, headers={"Retry-After": "1"}))
    ...     try:
    ...         urllib.request.urlopen(proxy.url + "/logs/_search")
    ...     except urllib.error.HTTPError as error:
    ...         error.close()
    ...         print(error.code, error.headers["Retry-After"])
    429 1
    >>> [(call.method, call.path, call.status) for call in proxy.calls]
    [('GET', '/logs/_search', 429)]
    """

    url: str

    def __init__(
        self,
        upstream: str,
        ssl_context: ssl.SSLContext | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._live = Live()
        self._upstream = Upstream(upstream, ssl_context, headers or {}, self._live)
        self.calls: list[Call] = []
        self._plan: Plan = None
        self._lock = threading.Lock()
        self._errors: list[Exception] = []

    def plan(self, plan: Plan) -> None:
        """What to do from now on: one fault for every request, a function of each, or None.

        The function is called for one request at a time, so it may count.
        """
        with self._lock:
            self._plan = plan

    def __enter__(self) -> Self:
        self._server = Server(self._serve, self._live)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._live.close()
        self._server.server_close()  # waits for the threads of connections
        self._upstream.close()
        if self._errors and kind is None:
            raise self._errors[0]

    def _serve(self, handler: Handler) -> None:
        """One request, from its arrival to the end of its answer."""
        try:
            self._answer(handler, self._note(handler, handler.body()))
        except (OSError, http.client.HTTPException) as error:  # the server or the client left
            handler.end(reset=True)
            if isinstance(error, ssl.SSLCertVerificationError):
                self._errors.append(error)
        except Exception as error:  # noqa: BLE001 - raised where the proxy is closed
            handler.end(reset=True)
            self._errors.append(error)

    def _note(self, handler: Handler, body: bytes) -> Call:
        """The call, recorded, with the fault that is planned for it."""
        with self._lock:
            number = len(self.calls) + 1
            call = Call(number, handler.command, handler.path, handler.headers, body)
            self.calls.append(call)
            call.fault = self._plan(call) if callable(self._plan) else self._plan
        return call

    def _answer(self, handler: Handler, call: Call) -> None:
        """Do what is planned for a call, else what the server does."""
        fault = call.fault
        cut = fault if isinstance(fault, Reset | Fin) else None
        reset = isinstance(fault, Reset)
        if cut and cut.when == "before":
            return handler.end(reset=reset)
        if isinstance(fault, Hang) and self._live.wait(fault.seconds):
            return handler.end(reset=False)
        if isinstance(fault, Status):
            answer = Answer(fault.status, list(fault.headers.items()), fault.body)
        else:
            plain = isinstance(fault, Rewrite)  # the function is to see what was meant
            answer = self._upstream.ask(call.method, call.path, call.headers, call.body, plain)
        call.status, call.size = answer.status, len(answer.body)
        if cut and cut.when == "after":
            return handler.end(reset=reset)
        if isinstance(fault, Rewrite):
            answer.body = fault.function(answer.body)
        head, body = framed(answer, call.method)
        if cut:
            handler.connection.sendall(head + body[: (len(body) + 1) // 2])
            return handler.end(reset=reset)
        if not isinstance(fault, Slow):
            handler.connection.sendall(head + body)
            return None
        handler.connection.sendall(head)
        piece = max(1, int(fault.bytes_per_second / 10))
        for start in range(0, len(body), piece):
            if self._live.wait(piece / fault.bytes_per_second):
                return handler.end(reset=False)
            handler.connection.sendall(body[start : start + piece])
        return None
