"""The source ``elasticsearch``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import ConfigDict, Field, PrivateAttr, field_validator, model_validator

from distill_core.batch import Batch
from distill_core.columns import Column
from distill_core.component import Finding, Request, Scan, Source
from distill_core.params import Duration, Secret
from distill_elasticsearch.address import (
    check_cloud_id,
    check_fingerprint,
    check_hosts,
    check_index,
    parse_address,
    plaintext,
)

if TYPE_CHECKING:
    from distill_elasticsearch.reading import Reading


class _Seen:
    """The indices of the last reading, in order: no part of what a source is, so all are equal."""

    def __init__(self) -> None:
        self.indices: list[str] = []

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Seen)

    def __hash__(self) -> int:
        return hash(_Seen)


class Elasticsearch(Source, name="elasticsearch"):
    """Reads documents of Elasticsearch: an index, an alias, a pattern, a data stream.

    It reads by points in time that it opens anew where it must, so no fault on the way loses a
    row, and sends nothing but requests that read. Raises SourceError: ``source-missing`` if there
    is no such index, ``source-denied`` for a lack of rights, ``source-tls`` if the server cannot
    be trusted, ``source-unavailable`` and ``source-overloaded`` if it did not answer within
    ``deadline``, ``source-conflict`` if indices keep the time in ways that do not go together.

    >>> Elasticsearch(hosts="https://localhost:9200", index="userale-*").page
    10000
    """

    # What is given may be an address with a password in it: an error does not repeat it.
    model_config = ConfigDict(hide_input_in_errors=True)

    index: str | tuple[str, ...] = Field(
        description="An index, an alias, a data stream or a pattern (logs-*); or several of these"
    )
    hosts: str | tuple[str, ...] = Field(
        (),
        description="Where it is: https://name:9200; several for several nodes of one cluster. "
        "Without https:// it is https all the same, and port 9200",
    )
    cloud_id: str | None = Field(None, description="The id of an Elastic Cloud deployment instead")
    username: str | None = Field(None, description="For basic authentication, with password")
    password: Secret | None = Field(
        None, description="For basic authentication: env:NAME or file:PATH"
    )
    api_key: Secret | None = Field(
        None, description="An API key, in its encoded form: env:NAME or file:PATH"
    )
    bearer: Secret | None = Field(None, description="A token: env:NAME or file:PATH")
    ca_file: str | None = Field(
        None, description="The certificates that are trusted (PEM); by default the system's"
    )
    certificate_fingerprint: str | None = Field(
        None, description="SHA-256 of the server's certificate, in hex, trusted instead of a CA"
    )
    client_certificate: str | None = Field(
        None, description="This side's certificate (PEM), where the server asks for one"
    )
    client_key: str | None = Field(
        None, description="Its private key (PEM), if in a file of its own"
    )
    allow_plaintext: bool = Field(
        False, description="Speak plain http to a host that is not this machine; a warning tells"
    )
    fetch: Literal["documents", "columns"] = Field(
        "documents",
        description="documents: all that a document holds, which is less work for the server; "
        "columns: only what is needed, which is less on the wire",
    )
    slices: int = Field(2, ge=1, le=16, description="How many parts are read at once")
    page: int = Field(10_000, ge=1, le=10_000, description="Documents a request")
    timeout: Duration = Field(timedelta(seconds=30), description="How long one answer may take")
    deadline: Duration = Field(
        timedelta(minutes=2),
        description="How long the same page is asked for again before giving up"
    )
    allow_partial: bool = Field(
        False, description="Go on without shards that fail; the report lists them"
    )

    _hosts = field_validator("hosts")(check_hosts)
    _index = field_validator("index")(check_index)

    @field_validator("certificate_fingerprint")
    @classmethod
    def _is_fingerprint(cls, text: str | None) -> str | None:
        return None if text is None else check_fingerprint(text)

    @field_validator("cloud_id")
    @classmethod
    def _is_cloud_id(cls, text: str | None) -> str | None:
        return None if text is None else check_cloud_id(text)

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        ways = {"username": self.username, "api_key": self.api_key, "bearer": self.bearer}
        given = [name for name, value in ways.items() if value is not None]
        if len(given) > 1:
            raise ValueError(f"one way to authenticate is enough: {' or '.join(given)}")
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password are given together, or neither")
        if bool(self.hosts) == (self.cloud_id is not None):
            raise ValueError("give hosts, or cloud_id instead")
        if self.ca_file is not None and self.certificate_fingerprint is not None:
            raise ValueError("give ca_file, or certificate_fingerprint instead")
        if self.client_key is not None and self.client_certificate is None:
            raise ValueError("client_key is the key of client_certificate: give that too")
        open_ways = plaintext(map(parse_address, self._all_hosts()))
        if open_ways and not self.allow_plaintext:
            raise ValueError(
                f"plain http to {open_ways[0].host}: anyone on the way could read along; "
                "write https://, or allow_plaintext = true if the network is safe"
            )
        return self

    def _all_hosts(self) -> tuple[str, ...]:
        return (self.hosts,) if isinstance(self.hosts, str) else self.hosts

    _seen: _Seen = PrivateAttr(default_factory=_Seen)

    @property
    def expression(self) -> str:
        """What is read, as a path of the server's names it."""
        return self.index if isinstance(self.index, str) else ",".join(self.index)

    def read(self, request: Request, scan: Scan) -> Iterator[Batch | Sequence[Mapping[str, Any]]]:
        """Batches of a page each, in no order unless a first few in time are asked for."""
        with self._reading(request, scan) as reading:
            self._seen.indices = reading.arrivals.indices
            yield from reading.run(scan)

    def split(self, request: Request, n: int) -> Sequence[Request]:
        """Ranges of time, of about as many documents each.

        Each part is read by a point in time of its own: what is written, changed or removed
        between two of them is in both, in one or in none. Raises SourceError ``source-conflict``
        when a part is read and the time is mapped otherwise by then.
        """
        with self._reading(request) as reading:
            parts = reading.parts(n)
        return [replace(request, part=part) for part in parts]

    def fingerprint(self, request: Request) -> str | None:
        """Of how many documents each index has and of its last sequence number."""
        with self._reading(request) as reading:
            return reading.fingerprint()

    def locate(self, arrivals: Sequence[int]) -> list[str]:
        """``shop-2024/_doc/x7``: index and id; ``shop-2024 (number 12)`` if it is not to be found.

        Of the last reading by this source: arrivals of one before it are told wrongly, or as
        ``index unknown``, if indices came or went since.
        """
        with self._reading(Request(())) as reading:
            return reading.locate(arrivals, self._seen.indices)

    def probe(self, columns: Sequence[Column]) -> Iterator[Finding]:
        """Server, indices, rights and fields; then, if nothing is in the way, a first record."""
        from distill_elasticsearch.rights import look

        well = True
        for finding in look(self, columns):
            well = well and finding.status != "error"
            yield finding
        if well:
            yield from super().probe(columns)

    @contextmanager
    def _reading(self, request: Request, scan: Scan | None = None) -> Iterator[Reading]:
        from distill_elasticsearch.reading import Reading

        reading = Reading(self, request, scan)
        try:
            yield reading
        finally:
            reading.close()
