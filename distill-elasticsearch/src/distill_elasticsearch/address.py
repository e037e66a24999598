"""Where the servers are, and who asks: the checks that need no connection."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

DEFAULT_PORTS = {"https": 443, "http": 80}
_PORT = 9200
_PREFIX = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9.~-][A-Za-z0-9._~-]*)*/?")
"""No segment is ``.`` or ``..``: these lead elsewhere."""


@dataclass(frozen=True)
class Address:
    """One node's address; ``prefix`` is the path that a proxy puts before all others."""

    scheme: str
    host: str
    port: int
    prefix: str = ""

    @property
    def loopback(self) -> bool:
        """Whether what is sent there stays on this machine."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


def parse_address(text: str) -> Address:
    """The address in ``https://name:9200``; without a scheme it is https, with port 9200.

    Raises ValueError, whose message never repeats the text: it may hold a password.

    >>> parse_address("search.example:9243")
    Address(scheme='https', host='search.example', port=9243, prefix='')
    """
    bare = "://" not in text
    try:
        parts = urlsplit(f"https://{text}" if bare else text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("this is no address: write it as https://name:9200") from None
    if "@" in parts.netloc:
        raise ValueError(
            "a password does not belong into an address: give username, and password as env:NAME"
        )
    if parts.scheme not in DEFAULT_PORTS:
        raise ValueError("an address begins with https:// (or http://)")
    if not host or parts.query or parts.fragment or re.search(r"[\s%\\]", host):
        raise ValueError("this is no address: write it as https://name:9200")
    if not _PREFIX.fullmatch(parts.path):
        raise ValueError("what follows the port is a plain path, such as /search")
    port = port or (_PORT if bare else DEFAULT_PORTS[parts.scheme])
    return Address(parts.scheme, host, port, parts.path.strip("/"))


def check_hosts(hosts: str | tuple[str, ...]) -> str | tuple[str, ...]:
    """The same hosts. Raises ValueError if one of them is no address."""
    addresses = [parse_address(text) for text in ((hosts,) if isinstance(hosts, str) else hosts)]
    if len(set(addresses)) < len(addresses):
        raise ValueError("one address is given twice")
    return hosts


def plaintext(addresses: Iterable[Address]) -> list[Address]:
    """Those to which anyone on the way could listen."""
    return [place for place in addresses if place.scheme == "http" and not place.loopback]


def check_index(index: str | tuple[str, ...]) -> str | tuple[str, ...]:
    """The same index. Raises ValueError if it can be no name or pattern of indices."""
    names = (index,) if isinstance(index, str) else index
    for name in [part for text in names for part in text.split(",")] or [""]:
        if ":" in name:
            raise ValueError(
                f"{name!r} means another cluster (or a part of a data stream), which is not read "
                "by way of this one: name its own indices, and give its own address as hosts"
            )
        if not is_index(name):
            raise ValueError(
                f"{name!r} is no index: give names, patterns (logs-*) or exclusions (-logs-old), "
                'without any of / \\ ? " < > | # % or blanks, and none that begins with _'
            )
    return index


def is_index(name: str) -> bool:
    """Whether this may be one name or pattern: nothing that is a path to another interface.

    >>> [is_index(name) for name in ("logs-*", "-logs-old", "_all", "logs/_doc", "a%2Fb", "a:b")]
    [True, True, False, False, False, False]
    """
    plain = name.removeprefix("-")
    return (
        bool(plain)
        and not plain.startswith(("_", "-", "+"))
        and plain not in {".", ".."}
        and not re.search(r'[\s/\\?"<>|#%,:\x00-\x1f\x7f]', plain)
        and not re.search(r"[\ud800-\udfff]", plain)
    )


def check_fingerprint(text: str) -> str:
    """The SHA-256 in 64 hex digits, without colons. Raises ValueError."""
    plain = text.replace(":", "").lower()
    if not re.fullmatch(r"[0-9a-f]{64}", plain):
        raise ValueError("a fingerprint is a SHA-256 in hex: 64 digits, with or without colons")
    return plain


def check_cloud_id(text: str) -> str:
    """The same id. Raises ValueError if it is none."""
    cloud_address(text)
    return text


def cloud_address(text: str) -> Address:
    """Where a deployment is. Raises ValueError."""
    from elastic_transport.client_utils import parse_cloud_id

    try:
        found = parse_cloud_id(text).es_address
    except ValueError:
        found = None
    if found is None or not found[0]:
        raise ValueError("this is no cloud id: copy it from the deployment's page")
    return Address("https", found[0], found[1])
