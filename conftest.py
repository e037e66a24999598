"""What the tests of all packages share: a browser, servers, the documentation's code blocks."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest
from code_blocks import collect

if TYPE_CHECKING:
    from elastic import Elastic

pytest_collect_file = collect
collect_ignore = ["docs/_build"]
collect_ignore_glob = ["docs/*.py"]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The executable of a Chromium; without one the test fails and says what to do."""
    from chromium import ADVICE, find

    return find() or pytest.fail(ADVICE, pytrace=False)


@pytest.fixture(scope="session")
def elastic() -> Iterator[Elastic]:
    """An Elasticsearch with TLS and users, one a worker; it starts when the first test asks."""
    from elastic import shared

    with shared() as server:
        yield server


@pytest.fixture(scope="session")
def userale_shop(elastic: Elastic) -> Elastic:
    """The same, with the sample log of UserALE.js in the index ``userale-shop``."""
    from elastic_data import make_template

    from distill_userale import sample_path

    make_template(elastic)
    lines = gzip.decompress(sample_path().read_bytes()).splitlines()
    elastic.bulk("userale-shop", [line for line in lines if line.startswith(b"{")])
    return elastic


@pytest.fixture
def elastic_shop(userale_shop: Elastic, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a page calls the reader's own server, in the source ``shop``, is the one for tests."""
    name, password = userale_shop.users["reader"]
    params = {"HOSTS": userale_shop.url, "CA_FILE": userale_shop.ca or "null", "USERNAME": name}
    for key, value in params.items():
        monkeypatch.setenv(f"DISTILL_SOURCES__SHOP__SOURCE__PARAMS__{key}", value)
    monkeypatch.setenv("ES_PASSWORD", password)


@pytest.fixture
def own_elastic(elastic: Elastic) -> Iterator[Elastic]:
    """The same, for tests that stop or kill it: it is made to answer again behind them."""
    from elastic import running

    with nullcontext(elastic) if elastic.own else running() as server:
        try:
            yield server
        finally:
            server.revive()


@pytest.fixture(scope="session")
def elastic_plain() -> Iterator[Elastic]:
    """An Elasticsearch without security, over plain http."""
    from elastic import running

    with running(tls=False) as server:
        yield server


@pytest.fixture(scope="session")
def opensearch() -> Iterator[Elastic]:
    """An OpenSearch, without security, over plain http."""
    from elastic import running

    with running("opensearch", tls=False) as server:
        yield server
