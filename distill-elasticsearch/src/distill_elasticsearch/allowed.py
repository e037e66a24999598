"""All that is ever sent: the requests that read, each with the parameters that it may have.

The node class asks here before a byte leaves, below client and transport; what is not listed does
not leave, whoever asks for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, unquote

from distill_elasticsearch.address import is_index

ALLOWED: Mapping[tuple[str, str], frozenset[str]] = {
    ("GET", "/"): frozenset(),
    ("POST", "/{index}/_pit"): frozenset({"keep_alive", "allow_partial_search_results"}),
    ("DELETE", "/_pit"): frozenset(),
    ("POST", "/_search"): frozenset(
        {"allow_partial_search_results", "pre_filter_shard_size", "filter_path"}
    ),
    ("POST", "/{index}/_search"): frozenset({"allow_partial_search_results", "preference"}),
    ("POST", "/{index}/_field_caps"): frozenset({"include_unmapped"}),
    ("GET", "/{index}/_mapping"): frozenset({"filter_path"}),
    ("GET", "/{index}/_settings"): frozenset({"filter_path"}),
    ("GET", "/_resolve/index/{index}"): frozenset(),
    ("POST", "/_security/user/_has_privileges"): frozenset(),
}
"""(method, path) → names of the parameters that the source gives; ``{index}`` is an index
expression. Search takes no ``scroll``, which would leave something behind."""

_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


class Refused(RuntimeError):
    """A request that does not only read was about to be sent: a fault of the program."""


def index_path(index: str, *rest: str) -> str:
    """The path of a request about indices, quoted.

    >>> index_path("büro-*,-büro-old", "_pit")
    '/b%C3%BCro-*,-b%C3%BCro-old/_pit'
    """
    return "/".join(["", quote(index, safe="*,"), *(quote(part, safe="*,") for part in rest)])


def check(method: str, target: str) -> None:
    """Raise Refused unless this request is on the list; ``target``: path and query, as sent.

    >>> check("POST", "/logs-*/_search?allow_partial_search_results=false")
    >>> check("POST", "/logs-*/_delete_by_query")
    Traceback (most recent call last):
    distill_elasticsearch.allowed.Refused: POST /logs-*/_delete_by_query is not sent: ...
    """
    path, mark, query = target.partition("?")
    params = _allowed_params(method, path)
    names = _names(query) if mark else set()
    if params is None or names is None or not names <= params:
        shown = re.sub(r"[^!-~]", "?", path)[:100]
        raise Refused(f"{method} {shown} is not sent: it is not among the requests that read")


def _names(query: str) -> set[str] | None:
    """The names of the parameters, as the server reads them; None if it might read others."""
    if not re.fullmatch(r"[!-~]+", query) or re.search(r"[#;]", query):
        return None  # Elasticsearch takes a ; for a &
    try:
        return {name for name, _ in parse_qsl(query, keep_blank_values=True, strict_parsing=True)}
    except ValueError:
        return None


def _allowed_params(method: str, path: str) -> frozenset[str] | None:
    if not path.isascii() or _PERCENT.search(path) or not path.startswith("/"):
        return None
    given = path[1:].split("/")
    for (verb, pattern), params in ALLOWED.items():
        wanted = pattern[1:].split("/")
        if verb == method and len(wanted) == len(given) and all(map(_fits, wanted, given)):
            return params
    return None


def _fits(wanted: str, given: str) -> bool:
    if not wanted.startswith("{"):
        return wanted == given
    try:
        plain = unquote(given, errors="strict")
    except UnicodeDecodeError:
        return False
    # Decoded once, as the server does: a % that is left could be decoded again on the way.
    return all(is_index(name) for name in plain.split(","))
