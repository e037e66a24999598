"""The way to the server: TLS, authentication and node selection are the client's transport's."""

from __future__ import annotations

import json
import logging
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from elastic_transport import ConnectionTimeout as TransportTimeout
from elastic_transport import NodeConfig, Serializer, TransportError
from elasticsearch import ApiError, UnsupportedProductError
from elasticsearch import Elasticsearch as Client

from distill_core.errors import SpecError
from distill_elasticsearch.address import Address, cloud_address, parse_address, plaintext
from distill_elasticsearch.failures import Failure, clean, product_failure, status_failure
from distill_elasticsearch.node import Call, Calls, Node
from distill_elasticsearch.tls import alert, causes, speaks_tls, tls_context, tls_reason

if TYPE_CHECKING:
    from distill_core.params import Secret
    from distill_elasticsearch.source import Elasticsearch

_CLOSING = 5.0
"""Seconds that giving something back may take, so that cancelling ends soon."""
_JSON_TYPES = ("application/json", "application/vnd.elasticsearch+json")
_JSON = {"accept": "application/json", "content-type": "application/json"}
_logger = logging.getLogger("distill_elasticsearch")
for _name in ("distill_elasticsearch", "elastic_transport"):
    # Who sets up logging reads them; without it Python would print each failed try to stderr.
    logging.getLogger(_name).addHandler(logging.NullHandler())


@dataclass(frozen=True)
class Answer:
    """What the server said to one request that succeeded; ``body`` as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Raw(Serializer):
    """Bodies as bytes in both directions: the client neither parses nor copies a page."""

    mimetype = "application/json"

    def loads(self, data: bytes) -> bytes:
        return data

    def dumps(self, data: Any) -> bytes:
        return data if isinstance(data, bytes) else json.dumps(data).encode()


class Connection:
    """One reading's connections; used by several threads at once."""

    def __init__(self, client: Client, calls: Calls, timeout: float) -> None:
        self._client, self._calls, self._timeout = client, calls, timeout
        self._answered = False

    def call(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None,
        body: Any = None, timeout: float | None = None, closing: bool = False,
    ) -> Answer:  # fmt: skip
        """One request, without another try. Raises Failure.

        ``path`` is quoted (``allowed.index_path``), ``body`` bytes or what becomes JSON.
        ``timeout``: seconds until the whole answer is there. ``closing``: it gives something back,
        so it is sent even after ``cancel``, and may take 5 s at most.
        """
        timeout = self._timeout if timeout is None else timeout
        with self._calls.begin(min(timeout, _CLOSING) if closing else timeout,
                               closing=closing) as call:  # fmt: skip
            headers = _JSON if body is not None else {"accept": _JSON["accept"]}
            try:
                found = self._client.perform_request(
                    method, path, params=params, headers=headers, body=body
                )
            except Exception as error:
                failure = self._failure(error, call)
                if failure is None:
                    raise
                raise failure from None
            if call.ended:  # what came may be cut where the socket was closed
                raise _ended(call)
        self._answered = True
        return Answer(found.meta.status, found.meta.headers, found.body or b"")

    def cancel(self) -> None:
        """Close all sockets, so that calls under way raise Failure("cancelled"), and later ones."""
        self._calls.cancel()

    def close(self) -> None:
        """Give everything back."""
        self._client.close()

    def _failure(self, error: Exception, call: Call) -> Failure | None:
        """The failure that an error of the client is; None if it is none of its errors."""
        if call.ended:
            return _ended(call)
        if isinstance(error, UnsupportedProductError):
            # Raised for a success alone, whichever it was.
            return product_failure(200, error.meta.headers)
        if isinstance(error, ApiError):
            self._answered = True
            if product := product_failure(error.meta.status, error.meta.headers):
                return product
            body = error.body if isinstance(error.body, bytes) else b""
            return status_failure(error.meta.status, error.meta.headers, body)
        if isinstance(error, TransportError):
            return self._transport_failure(error, call)
        return None

    def _transport_failure(self, error: TransportError, call: Call) -> Failure:
        where = "the server" if call.node is None else f"{call.node.host}:{call.node.port}"
        if isinstance(error, TransportTimeout):
            return Failure("timeout", f"{where} did not answer within {call.timeout:g} s")
        if reason := tls_reason(error, where):
            return Failure("tls", reason)
        reason = _network_reason(error, where)
        why = None
        if "closed" in reason and call.node is not None and not self._answered:
            why = _hung_up(call.node, where)
        return Failure("tls", why) if why else Failure("connection", reason)



def _hung_up(node: NodeConfig, where: str) -> str | None:
    """Why a node closes each connection, if that is because of TLS."""
    if node.ssl_context is not None:
        return alert(node.host, node.port, node.ssl_context)
    # A TLS port closes what does not begin with a hello, without a word.
    if speaks_tls(node.host, node.port):
        return f"{where} speaks TLS, and plain http was sent there"
    return None


def _ended(call: Call) -> Failure:
    if call.ended == "timeout":
        return Failure("timeout", f"the whole answer was not there within {call.timeout:g} s")
    return Failure("cancelled", "the reading was cancelled")


def _network_reason(error: TransportError, where: str) -> str:
    for cause in causes(error):
        match type(cause).__name__:
            case "gaierror":
                return f"the name of {where} is not known"
            case "ConnectionRefusedError":
                return f"{where} refuses connections"
            case "TimeoutError":
                return f"{where} does not take connections: {cause}"
            case (
                "ConnectionResetError" | "ConnectionAbortedError" | "BrokenPipeError"
                | "RemoteDisconnected" | "IncompleteRead" | "InvalidChunkLength"
                | "SSLEOFError" | "SSLZeroReturnError"
            ):  # fmt: skip
                return f"{where} closed the connection"
    last = list(causes(error))[-1]
    return clean(f"no connection to {where}: {type(last).__name__}: {last}")


def open_connection(source: Elasticsearch) -> Connection:
    """The connections of one reading; nothing is sent yet.

    Raises SourceError if a file of certificates cannot be read, SpecError for a missing secret.
    """
    addresses = _addresses(source)
    for place in plaintext(addresses):
        text = f"plain http to {place.host}:{place.port}: anyone on the way can read along"
        _logger.warning(text)
        warnings.warn(text, UserWarning, stacklevel=2)
    calls, timeout = Calls(), source.timeout.total_seconds()
    client = Client(
        [_node(source, place) for place in addresses],
        node_class=Node.bound(calls, own_authorities=source.ca_file is not None),
        serializers=dict.fromkeys(_JSON_TYPES, _Raw()),
        meta_header=False,
        max_retries=0,
        retry_on_timeout=False,
        retry_on_status=(),
        **_credentials(source),
    )
    return Connection(client, calls, timeout)


def _addresses(source: Elasticsearch) -> list[Address]:
    if source.cloud_id is not None:
        return [cloud_address(source.cloud_id)]
    hosts = (source.hosts,) if isinstance(source.hosts, str) else source.hosts
    return [parse_address(text) for text in hosts]


def _node(source: Elasticsearch, place: Address) -> NodeConfig:
    tls: dict[str, Any] = {}
    if place.scheme == "https":
        tls["ssl_context"] = tls_context(source)
        tls["ssl_assert_fingerprint"] = source.certificate_fingerprint
    return NodeConfig(
        place.scheme,
        place.host,
        place.port,
        path_prefix=place.prefix,
        connections_per_node=2 * source.slices + 2,
        request_timeout=source.timeout.total_seconds(),
        # Packing costs a server more than a local network does; the cloud is far, and bills bytes.
        http_compress=source.cloud_id is not None,
        **tls,
    )


def _token(name: str, secret: Secret) -> str:
    """A secret as a header may hold it; urllib3's own error would tell the secret."""
    token = secret.reveal()
    if not re.fullmatch(r"[!-~]+", token):
        raise SpecError(
            "the secret is empty, or has characters that no token has",
            code="param-invalid",
            hint="look for blanks and line ends",
            path=name,
        )
    return token


def _credentials(source: Elasticsearch) -> dict[str, Any]:
    """The only place where secrets are read."""
    if source.api_key is not None:
        return {"api_key": _token("api_key", source.api_key)}
    if source.bearer is not None:
        return {"bearer_auth": _token("bearer", source.bearer)}
    if source.username is not None and source.password is not None:
        return {"basic_auth": (source.username, source.password.reveal())}
    return {}
