"""The house: the real servers that tests are given."""

from __future__ import annotations

import pytest


@pytest.fixture
def index(elastic):
    """An index of five documents, gone after the test."""
    elastic.bulk("house-elastic", [{"n": n} for n in range(5)])
    yield "house-elastic"
    elastic.admin("DELETE", "house-elastic")


def test_bulk_keeps_order(elastic, index) -> None:
    """Documents are indexed in the order in which they were given."""
    found = elastic.admin("POST", f"{index}/_search", {"sort": "_seq_no"})
    assert [hit["_source"]["n"] for hit in found["hits"]["hits"]] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("role", "reads", "writes"),
    [("reader", True, False), ("writer", True, True), ("outsider", False, False)],
)
def test_roles_are_what_they_say(elastic, index, role, reads, writes) -> None:
    """A reader reads and a writer writes, but not where it is closed; an outsider does nothing."""
    asked = [
        {"names": [name], "privileges": ["read", "view_index_metadata", "write"]}
        for name in (index, "closed-1")
    ]
    told = elastic.call(role, "POST", "_security/user/_has_privileges", {"index": asked})
    assert told["cluster"] == {}
    rights = {"read": reads, "view_index_metadata": reads, "write": writes}
    assert told["index"] == {index: rights, "closed-1": dict.fromkeys(rights, False)}


def test_errors_are_raised(elastic) -> None:
    """What the server refuses is an error that says why."""
    with pytest.raises(RuntimeError, match="index_not_found_exception"):
        elastic.admin("GET", "no-such-index/_search")


def test_killed_server_comes_back(own_elastic, index) -> None:
    """After SIGKILL the server comes back at its address with what it had."""
    own_elastic.kill()
    with pytest.raises(OSError, match="refused"):
        own_elastic.admin("GET", "/")
    own_elastic.restart()
    assert own_elastic.admin("GET", f"{index}/_count")["count"] == 5
