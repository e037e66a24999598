"""All tests of the source: what leaves it is recorded, and nothing stays open on the server."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

import pytest
from elastic_reading import comes_true, open_contexts

from distill_elasticsearch import allowed

if TYPE_CHECKING:
    from elastic import Elastic

SENT: set[tuple[str, str]] = set()
_servers: list[Elastic] = []


def reads_only(method: str, target: str) -> bool:
    """Whether a request is on the list, read here in a way of its own."""
    path, _, query = target.partition("?")
    names = {name for name, _ in parse_qsl(query, keep_blank_values=True)}
    for (verb, pattern), params in allowed.ALLOWED.items():
        form = re.sub(r"\\{\w+\\}", r"[^/]+", re.escape(pattern))
        if verb == method and re.fullmatch(form, unquote(path)) and names <= params:
            return True
    return False


@pytest.fixture(scope="session", autouse=True)
def sent() -> Iterator[set[tuple[str, str]]]:
    """(method, path) of all that leaves the source in this run; in the end, each only reads."""
    real = http.client.HTTPConnection.putrequest

    def putrequest(self: object, method: str, url: str, *args: object, **kwargs: object) -> None:
        if type(self).__name__ == "Watched":  # the class of the node's connections
            SENT.add((method, url))
        return real(self, method, url, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http.client.HTTPConnection, "putrequest", putrequest)
        yield SENT
    assert not [request for request in SENT if not reads_only(*request)]


@pytest.fixture(scope="session")
def elastic(elastic: Elastic) -> Elastic:
    """The server, remembered, so that it is looked at after each module."""
    _servers.append(elastic)
    return elastic


@pytest.fixture(scope="module", autouse=True)
def _nothing_stays_open() -> Iterator[None]:
    """After each module the server has no point in time open."""
    yield
    for server in _servers:
        assert comes_true(lambda server=server: open_contexts(server) == 0)
