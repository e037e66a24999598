"""The source ``elasticsearch``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal

from pydantic import Field

from distill_core.batch import Batch
from distill_core.component import Request, Scan, Source
from distill_core.params import Duration, Secret


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

    index: str | tuple[str, ...] = Field(
        description="An index, an alias, a data stream or a pattern (logs-*); or several of these"
    )
    hosts: str | tuple[str, ...] = Field(
        (), description="Where it is: https://name:9200; several for several nodes of one cluster"
    )
    cloud_id: str | None = Field(None, description="The id of an Elastic Cloud deployment instead")
    username: str | None = Field(None, description="For basic authentication, with password")
    password: Secret | None = Field(None, description="For basic authentication: env:NAME or file:PATH")
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
    client_key: str | None = Field(None, description="Its private key (PEM), if in a file of its own")
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

    def read(self, request: Request, scan: Scan) -> Iterator[Batch | Sequence[Mapping[str, Any]]]:
        """Batches of a page each, in no order."""
        raise NotImplementedError
