"""The list of what is sent: every other request of the client's whole interface is refused."""

from __future__ import annotations

import re
from pathlib import Path

import elasticsearch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distill_elasticsearch import allowed
from distill_elasticsearch.allowed import ALLOWED, Refused, check, index_path

READS = {
    ("GET", "/"),
    ("POST", "/logs/_pit"),
    ("DELETE", "/_pit"),
    ("POST", "/_search"),
    ("POST", "/logs/_search"),
    ("POST", "/logs/_field_caps"),
    ("GET", "/logs/_mapping"),
    ("GET", "/logs/_settings"),
    ("GET", "/_resolve/index/logs"),
    ("POST", "/_security/user/_has_privileges"),
}


def interface() -> set[tuple[str, str]]:
    """(method, path) of all that the installed client can send, with ``logs`` for each part."""
    found: set[tuple[str, str]] = set()
    paths: list[str] = []
    for file in (Path(elasticsearch.__file__).parent / "_sync" / "client").glob("*.py"):
        for line in file.read_text(encoding="utf-8").splitlines():
            text = line.strip()
            if text.startswith("def "):
                paths = []
            elif written := re.fullmatch(r'__path = f?["\'](/.*)["\']', text):
                paths.append(re.sub(r"\{.*?\}", "logs", written[1]))
            elif verb := re.search(r'^(?:__method = )?"(GET|POST|PUT|DELETE|HEAD)",?$', text):
                found |= {(verb[1], path) for path in paths}
    return found


def refused(method: str, target: str) -> bool:
    try:
        check(method, target)
    except Refused:
        return True
    return False


def test_the_rest_of_the_interface_is_refused() -> None:
    """Of several hundred requests that the client knows, the listed ones alone are sent."""
    known = interface()
    assert len(known) > 500
    writes = {("PUT", "/_bulk"), ("PUT", "/logs/_doc/logs"), ("POST", "/logs/_update/logs"),
              ("POST", "/logs/_delete_by_query"), ("POST", "/_reindex"), ("DELETE", "/logs"),
              ("POST", "/logs/_forcemerge"), ("PUT", "/logs/_settings"), ("POST", "/logs/_close"),
              ("PUT", "/_snapshot/logs/logs"), ("PUT", "/_scripts/logs"),
              ("PUT", "/_ingest/pipeline/logs"), ("PUT", "/_cluster/settings")}  # fmt: skip
    assert writes <= known
    assert {pair for pair in known if not refused(*pair)} == READS & known
    assert len(ALLOWED) == len(READS)


@pytest.mark.parametrize(("method", "target"), sorted(READS))
def test_requests_that_read_are_allowed(method: str, target: str) -> None:
    """Each request of the list passes, and passes with no other method."""
    check(method, target)
    for other in {"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", method.lower()} - {method}:
        assert refused(other, target) or (other, target) in READS


@pytest.mark.parametrize(
    "target",
    [
        "/_search/template", "/_msearch", "/_sql", "/logs/_async_search", "/_search/scroll",
        "/logs/_search?scroll=1m", "/logs/_search?q=x", "/logs/_search?source=x",
        "/logs/_search?filter_path=a&scroll=1m", "/logs/_search?%73croll=1m", "/logs/_search?",
        "/logs/_pit?keep_alive=1m;scroll=1", "/logs/_pit#_bulk", "//_search", "/logs//_search",
        "/logs/_search/", "/_scripts/_search", "/_all/_search", "/logs,_all/_search",
        "/logs,/_search", "/logs/../_search", "/../_search", "/./_search", "/logs%2F_doc/_search",
        "/logs%2f_doc/_search", "/logs%252F_doc/_search", "/logs%/_search", "/logs%3Fx/_search",
        "/%5Fbulk/_search", "/%2E%2E/_search", "/logs%00/_search", "/logs%0d%0a/_search",
        "/logs\r\nX: y/_search", "/logs /_search", "/logs\\_doc/_search", "/büro/_search",
        "/far:logs/_search", "/far%3Alogs/_search",
        "/%ff/_search", "/logs/_SEARCH", "/logs/%5Fsearch", "http://evil/logs/_search", "", "logs",
    ],
)  # fmt: skip
def test_what_looks_alike_is_refused(target: str) -> None:
    """Other interfaces do not slip through by quoting, by parameters or as names of indices."""
    assert refused("POST", target)


@pytest.mark.parametrize(
    ("index", "path"),
    [
        ("logs-*", "/logs-*/_pit"),
        ("logs-*,-logs-old", "/logs-*,-logs-old/_pit"),
        ("büro", "/b%C3%BCro/_pit"),
        (".ds-logs-2026.01.01-000001", "/.ds-logs-2026.01.01-000001/_pit"),
        ("a{b}", "/a%7Bb%7D/_pit"),
    ],
)
def test_names_of_indices_are_quoted(index: str, path: str) -> None:
    """Whatever may be the name of an index goes into a path that is allowed."""
    assert index_path(index, "_pit") == path
    check("POST", f"{path}?keep_alive=1m")


def test_no_parameter_is_allowed_that_nobody_gives() -> None:
    """Each parameter of the list is written somewhere in the source's other modules."""
    folder = Path(allowed.__file__).parent
    written = "".join(
        path.read_text("utf-8") for path in folder.glob("*.py") if path.name != "allowed.py"
    )
    names = {name for params in ALLOWED.values() for name in params}
    assert not [name for name in names if f'"{name}"' not in written]


@given(st.text(max_size=30))
def test_no_text_becomes_another_path(index: str) -> None:
    """A path made of any text is refused, or its parts are the text and the interface."""
    try:
        path = index_path(index, "_pit")
    except UnicodeEncodeError:
        return
    if not refused("POST", path):
        assert path.count("/") == 2
        assert not index.startswith("_")
        assert not set(index) & set('/\\?#%: \n"<>|')
