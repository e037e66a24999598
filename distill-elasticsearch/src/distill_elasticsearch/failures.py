"""What can go wrong with one request, what of it is worth another try, and how it is told."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from distill_core.errors import SourceError

Kind = Literal["connection", "timeout", "tls", "status", "partial", "cancelled"]

_EMPTY_WORDS = {"search_phase_execution_exception", "media_type_header_exception"}
"""Errors whose own reason says nothing; their causes do."""
_OTHER_PRODUCT = "unsupported_product"
_LOST = {"search_context_missing_exception", "search_context_missing_nodes_exception"}
"""What the server says of a point in time that it has no more, or of which a node has left."""
_LONG = re.compile(r"[A-Za-z0-9+/_=-]{80,}")


@dataclass(eq=False)
class Failure(Exception):
    """One request failed. ``kind``: no connection, no answer in time, TLS, or an HTTP status;
    ``partial``: an answer in which shards are missing.

    ``type`` and ``reason`` are Elasticsearch's own (``index_not_found_exception``), ``root`` the
    types of all causes and failed shards. ``retry_after``: seconds that the server asks for.
    """

    kind: Kind
    reason: str
    status: int = 0
    type: str = ""
    root: frozenset[str] = frozenset()
    retry_after: float | None = None

    @property
    def lost(self) -> bool:
        """Whether the server lost the point in time; to 9.3 a node that left is an odd state."""
        left = "illegal_state_exception" in self.root and "is not available" in self.reason
        return left or not _LOST.isdisjoint(self.root)

    @property
    def transient(self) -> bool:
        """Whether the same request may succeed a little later, or with another point in time."""
        if self.lost:
            return True
        if self.kind == "status":
            return self.status in {408, 429} or self.status >= 500
        return self.kind in ("connection", "timeout")

    @property
    def foreign(self) -> bool:
        """Whether the server is another product."""
        return self.type == _OTHER_PRODUCT

    def __str__(self) -> str:
        return self.reason


def status_failure(status: int, headers: Mapping[str, str], body: bytes) -> Failure:
    """The failure that an answer with an error's status is; its body need not be JSON."""
    try:
        error = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        error = None
    kind, reason = "", ""
    if isinstance(error, dict):
        kind, reason = str(error.get("type") or ""), str(error.get("reason") or "")
        if kind in _EMPTY_WORDS:
            told = [cause.get("reason") for cause in _causes(error)]
            reason = "; ".join(dict.fromkeys(text for text in told if isinstance(text, str)))
        if kind == "index_closed_exception":
            reason = f"the index {error.get('index', '')} is closed"
    elif isinstance(error, str):
        reason = error
    return Failure(
        kind="status",
        reason=clean(reason) or f"the server answered with status {status}",
        status=status,
        type=kind,
        root=frozenset(str(cause["type"]) for cause in _causes(error) if cause.get("type")),
        retry_after=_seconds(headers.get("retry-after")),
    )


def product_failure(status: int, headers: Mapping[str, str]) -> Failure | None:
    """The failure that the answer of another product is; None where it may be Elasticsearch's.

    Elasticsearch names itself in every answer but where nobody is let in, or something before it
    answers.
    """
    fork = headers.get("x-opensearch-version")
    answered = status in {200, 400, 404, 405, 406}
    if "x-elastic-product" in headers or not answered:
        return None
    what = f"but {clean(fork)}" if fork else "or one from before 8.0: it does not say what it is"
    return Failure("status", f"the server is not Elasticsearch, {what}", status, _OTHER_PRODUCT)


def _causes(node: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """The error itself and all that it names as causes, those of failed shards among them."""
    if isinstance(node, list):
        for item in node[:100]:
            yield from _causes(item, depth)
    elif isinstance(node, dict) and depth < 20:
        yield node
        for key in ("root_cause", "failed_shards", "caused_by", "reason", "suppressed"):
            if isinstance(node.get(key), list | dict):
                yield from _causes(node[key], depth + 1)


def clean(text: str) -> str:
    r"""A server's text as a message may hold it: one line, no long ids, of moderate length.

    >>> clean("no\n search context [" + 90 * "A" + "]")
    'no search context […]'
    """
    text = _LONG.sub("…", " ".join(text.split()))
    return text if len(text) <= 500 else f"{text[:499]}…"


def _seconds(text: str | None) -> float | None:
    """Seconds from a Retry-After header: a number, or a date."""
    if not text:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def source_error(failure: Failure, doing: str, *, index: str | None = None) -> SourceError:
    """What the user is told of it, once no further try is made.

    ``doing``: what was tried, such as ``"reading index logs"``; ``index`` where a hint may name it.

    >>> source_error(Failure("status", "no such index [x]", 404, "index_not_found_exception"),
    ...              "reading index x")
    SourceError('reading index x: no such index [x]')
    """
    code, text, hint = _told(failure, index)
    return SourceError(f"{doing}: {text}", code=code, hint=hint)


def _told(failure: Failure, index: str | None) -> tuple[str, str, str | None]:
    reason = failure.reason
    match failure.kind:
        case "tls":
            return "source-tls", reason, _tls_hint(reason)
        case "connection" | "timeout":
            hint = "look whether hosts is right and the server runs"
            if failure.kind == "timeout":
                hint = "a larger timeout or a smaller page may help"
            return "source-unavailable", reason, hint
        case "partial":
            hint = "mend the shards, or give allow_partial = true to go on without them"
            return "source-partial", reason, hint
        case "cancelled":
            return "source-failed", reason, None
    return _told_status(failure, index)


def _told_status(failure: Failure, index: str | None) -> tuple[str, str, str | None]:
    status, reason, types = failure.status, failure.reason, failure.root | {failure.type}
    if failure.lost:
        text = f"the server loses each point in time at once: {reason}"
        return "source-unavailable", text, "look whether the server is well"
    if failure.foreign:
        hint = "look whether hosts is right; export OpenSearch to files, and read these"
        return "source-version", reason, hint
    if "media_type_header_exception" in types or status == 406:
        return "source-version", *_version(reason)
    if status == 401:
        return "source-denied", f"authentication failed: {reason}", (
            "look whether username and password, api_key or bearer are right and not expired"
        )  # fmt: skip
    if status == 403:
        name = index or "the index"
        hint = f"give the role the privileges read and view_index_metadata on {name}"
        return "source-denied", f"the rights do not suffice: {reason}", hint
    if "index_not_found_exception" in types:
        return "source-missing", reason, "distill sources check tells what the name means"
    if "index_closed_exception" in types:
        return "source-missing", reason, "open the index, or leave it out of the pattern"
    if status == 429:
        return "source-overloaded", reason, "try later, or with fewer slices and smaller pages"
    if failure.type == "search_phase_execution_exception" and status >= 500:
        hint = "mend the shards, or give allow_partial = true to go on without them"
        return "source-partial", reason, hint
    if status in {408, 502, 503, 504}:
        hint = "look whether the server is well"
        return "source-unavailable", f"{reason} (status {status})", hint
    if 300 <= status < 400:
        return "source-failed", f"the server sends elsewhere (status {status})", (
            "give the address that it means as hosts"
        )  # fmt: skip
    return "source-failed", f"{reason} (status {status})", None


def _version(reason: str) -> tuple[str, str | None]:
    found = re.search(r"version must be either version (\d+) or \d+, but found (\d+)", reason)
    if not found:
        return f"the server does not speak this client's version: {reason}", (
            "the major version of the package elasticsearch must not be above the server's"
        )  # fmt: skip
    server, client = int(found[1]), int(found[2])
    text = f"the server is {server}.x, the package elasticsearch here is {client}.x"
    if server < 8:
        return text, "Distill reads Elasticsearch from 8 on"
    return text, f"pip install 'elasticsearch<{server + 1}'"


def _tls_hint(reason: str) -> str:
    hints = {
        "expired": "renew the server's certificate (or look at this machine's clock)",
        "not for": "give the name that the certificate has as hosts",
        "fingerprint": "compare it with the server's; it changes with the certificate",
        "issued by": "give the CA's certificate as ca_file, or certificate_fingerprint",
        "no TLS": "the server speaks plain http there: look at the port",
        "speaks TLS": "write https:// in hosts",
        "client": "give client_certificate and client_key",
    }
    found = (hint for word, hint in hints.items() if word in reason)
    return next(found, "look at the certificates of both sides")
