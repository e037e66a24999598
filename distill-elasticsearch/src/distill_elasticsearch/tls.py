"""Whom to trust: the context of all TLS connections, and what a refusal means."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from typing import TYPE_CHECKING

from distill_core.errors import SourceError

if TYPE_CHECKING:
    from distill_elasticsearch.source import Elasticsearch

_EXPIRED, _NOT_YET, _WRONG_HOST, _WRONG_IP = 10, 9, 62, 64
_CUT_OFF = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLWantReadError, ssl.SSLSyscallError)
_LOOK = 0.5


def tls_context(source: Elasticsearch) -> ssl.SSLContext:
    """Verifies always: against ``ca_file`` alone if there is one, else what the system trusts.

    With ``certificate_fingerprint`` the client's node compares that instead. Raises SourceError if
    a file is not what it should be.
    """
    try:
        context = ssl.create_default_context(cafile=source.ca_file)
    except OSError as error:
        raise _bad_file("ca_file", source.ca_file, error) from None
    if source.client_certificate:
        try:
            # An empty password: else OpenSSL would ask on the terminal for that of a locked key.
            context.load_cert_chain(source.client_certificate, source.client_key, password="")
        except OSError as error:
            raise _bad_file("client_certificate", source.client_certificate, error) from None
    return context


def _bad_file(name: str, path: str | None, error: OSError) -> SourceError:
    why = "no certificate in PEM" if isinstance(error, ssl.SSLError) else error.strerror
    hint = "it is a PEM file; a private key in it is not locked by a password"
    return SourceError(f"{name} {path}: {why}", code="source-tls", hint=hint)


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all that it was made from, nearest first."""
    seen: set[int] = set()
    todo: list[BaseException] = [error]
    while todo:
        one = todo.pop(0)
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            links = (*getattr(one, "errors", ()), *one.args, one.__cause__, one.__context__)
            todo += [link for link in links if isinstance(link, BaseException)]


def tls_reason(error: BaseException, host: str) -> str | None:
    """Why a TLS connection was not made, in words; None if it was merely cut off."""
    found = list(causes(error))
    texts = " ".join(str(one) for one in found)
    if "Fingerprints did not match" in texts:
        return f"the certificate of {host} has another fingerprint than the one that is given"
    ours = [one for one in found if isinstance(one, ssl.SSLError)]
    if not ours and "SSLError" not in {type(one).__name__ for one in found}:
        return None
    for one in ours:
        if isinstance(one, ssl.SSLCertVerificationError):
            return _verification(one, host)
    if any(isinstance(one, _CUT_OFF) for one in ours):
        return None
    reasons = " ".join(str(one.reason) for one in ours).upper()
    if any(word in reasons for word in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER")):
        return f"{host} answers, but no TLS: plain http runs there"
    if "CERTIFICATE_REQUIRED" in reasons or "HANDSHAKE_FAILURE" in reasons:
        return f"{host} wants a client certificate, or another version of TLS"
    if "BAD_CERTIFICATE" in reasons or "UNKNOWN_CA" in reasons:
        return f"{host} does not accept the client certificate"
    return f"no TLS connection to {host}: {reasons.replace('_', ' ').lower() or 'refused'}"


def _verification(error: ssl.SSLCertVerificationError, host: str) -> str:
    if error.verify_code == _EXPIRED:
        return f"the certificate of {host} has expired"
    if error.verify_code == _NOT_YET:
        return f"the certificate of {host} is expired or not yet valid: {error.verify_message}"
    if error.verify_code in (_WRONG_HOST, _WRONG_IP):
        return f"the certificate that {host} shows is not for this name: {error.verify_message}"
    return (
        f"the certificate of {host} is not issued by an authority that is trusted here "
        f"({error.verify_message})"
    )


def alert(host: str, port: int, context: ssl.SSLContext) -> str | None:
    """What is wrong with TLS where a server hung up on a request, in words; None if nothing is.

    A server tells that it wants a client certificate after the handshake, and then closes: what
    it tells is lost if a request comes in between. So nothing is sent here.
    """
    try:
        with (
            socket.create_connection((host, port), timeout=_LOOK) as plain,
            context.wrap_socket(plain, server_hostname=host) as secure,
        ):
            secure.recv(1)
    except OSError as error:
        return tls_reason(error, f"{host}:{port}")
    return None


def speaks_tls(host: str, port: int) -> bool:
    """Whether TLS runs where plain http got no answer: it says hello, and nothing else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies: it never gets beyond a hello
    try:
        with (
            socket.create_connection((host, port), timeout=_LOOK) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            return True
    except ssl.SSLCertVerificationError:
        return True
    except OSError:
        return False
