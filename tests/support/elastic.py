"""A real Elasticsearch for tests: started on first use, gone with the process that wanted it.

``python tests/support/elastic.py`` starts one for people: it prints where it is and who may enter,
and stays until Ctrl-C. Tests take the fixtures of the checkout's ``conftest.py``, which hand out an
``Elastic``. A keeper, a process of its own, holds each server and ends it when its standard input
closes, so that no server outlives a test run however that ended.

``DISTILL_TEST_ES_URL`` (with ``DISTILL_TEST_ES_CA``, ``_USER``, ``_PASSWORD``) names another server
to be used instead; tests make indices and, if there is security, users in it.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import secrets
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from elastic_node import ROLES, VERSIONS, Node

ANOTHER = "DISTILL_TEST_ES_URL"


class Elastic:
    """A server: ``url``, ``ca`` (a file, or None without TLS), ``users`` and ways to fill it.

    ``users`` has (name, password) by role: ``admin`` may do everything, ``reader`` may read,
    ``writer`` may also write, ``outsider`` may do nothing. Indices whose name begins with
    ``closed`` are open to the first alone. It is empty for a server without security.
    """

    def __init__(
        self,
        url: str,
        ca: str | None,
        users: Mapping[str, tuple[str, str]],
        keeper: subprocess.Popen[str] | None = None,
    ) -> None:
        self.url, self.ca = url, ca
        self.users = {role: (name, password) for role, (name, password) in users.items()}
        self.own = keeper is not None
        self._keeper = keeper
        self._context = ssl.create_default_context(cafile=ca) if url.startswith("https") else None
        self._state = "runs"

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        """What the server answers the administrator: parsed JSON, else text; an error raises.

        The body is sent as JSON; bytes are lines of JSON and are sent as they are.
        """
        return self.call("admin", method, path, body)

    def call(self, role: str, method: str, path: str, body: Any = None) -> Any:
        """The same, as somebody else."""
        lines = isinstance(body, bytes)
        data = body if lines or body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/{path.lstrip('/')}", data, method=method)
        request.add_header("Content-Type", f"application/{'x-nd' * lines}json")
        if self.users:
            token = base64.b64encode(":".join(self.users[role]).encode()).decode()
            request.add_header("Authorization", f"Basic {token}")
        try:
            with urllib.request.urlopen(request, timeout=60, context=self._context) as answer:
                text = answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                told = error.read().decode(errors="replace")
            raise RuntimeError(f"{method} {path}: {error.code} {told[:2000]}") from None
        try:
            return json.loads(text) if text else None
        except ValueError:
            return text

    def bulk(self, index: str, documents: Iterable[Mapping[str, Any] | bytes]) -> None:
        """Index documents (or their bytes) in this order, to be found when this returns."""
        lines = (d if isinstance(d, bytes) else json.dumps(d).encode() for d in documents)
        while body := b"".join(b'{"create":{}}\n%b\n' % line for line in islice(lines, 10_000)):
            told = self.admin("POST", f"{index}/_bulk?filter_path=errors,items.*.error", body)
            if told["errors"]:
                raise RuntimeError(f"bulk: {json.dumps(told)[:2000]}")
        self.admin("POST", f"{index}/_refresh")

    def pause(self) -> None:
        """Stop the server where it is (SIGSTOP): what is asked stays without an answer."""
        self._tell("pause")

    def resume(self) -> None:
        """Let it go on."""
        self._tell("resume")

    def kill(self) -> None:
        """End it as a loss of power would (SIGKILL); ``restart`` finds what was acknowledged."""
        self._tell("kill")

    def restart(self) -> None:
        """Run it again after ``kill``, with its data and at its port, and wait until it answers."""
        self._tell("restart")

    def revive(self) -> None:
        """Make it answer again, whatever was done to it."""
        if self._state in {"pause", "kill"}:
            self._tell("resume" if self._state == "pause" else "restart")

    def _tell(self, order: str) -> None:
        assert self._keeper is not None, f"{ANOTHER} is set: the server there is not stopped"
        _ask(self._keeper, order)
        self._state = order


@contextmanager
def running(
    engine: str = "elasticsearch", *, tls: bool = True, heap: str = "512m"
) -> Iterator[Elastic]:
    """A server of one's own, which ends with the block; ``heap``: memory of its objects."""
    keeper = subprocess.Popen(
        [sys.executable, __file__, "--engine", engine, "--security", "tls" if tls else "none",
         "--heap", heap, "--keep"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
    )  # fmt: skip
    try:
        about = _ask(keeper, "start")
        yield Elastic(about["url"], about["ca"], about["users"], keeper)
    finally:
        with keeper:
            keeper.communicate()


@contextmanager
def shared() -> Iterator[Elastic]:
    """The server that ``DISTILL_TEST_ES_URL`` names, with users for the tests; else one's own."""
    if not (url := os.environ.get(ANOTHER)):
        with running() as server:
            yield server
        return
    name, password = (os.environ.get(f"DISTILL_TEST_ES_{word}") for word in ("USER", "PASSWORD"))
    users = {"admin": (name, password)} if name and password else {}
    server = Elastic(url.rstrip("/"), os.environ.get("DISTILL_TEST_ES_CA"), users)
    made: list[str] = []
    try:
        for role, rights in ROLES.items() if users else ():
            name, password = f"distill-test-{role}-{secrets.token_hex(4)}", secrets.token_hex(12)
            made += [f"_security/role/{name}", f"_security/user/{name}"]
            server.admin("PUT", made[-2], rights)
            server.admin("PUT", made[-1], {"password": password, "roles": [name]})
            server.users[role] = name, password
        yield server
    finally:
        for path in reversed(made):
            with suppress(RuntimeError):  # was not made
                server.admin("DELETE", path)


def _ask(keeper: subprocess.Popen[str], order: str) -> dict[str, Any]:
    """What the keeper says to an order."""
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    with suppress(BrokenPipeError):
        keeper.stdin.write(f"{order}\n")
        keeper.stdin.flush()
    line = keeper.stdout.readline()
    about: dict[str, Any] = json.loads(line) if line else {"error": "its keeper ended"}
    if "error" in about:
        raise RuntimeError(f"{order} of the test server: {about['error']}")
    return about


def _obey(node: Node) -> None:
    """Do what standard input says, a word a line, until it is closed."""
    orders = {"start": node.start, "restart": node.start, "pause": node.pause,
              "resume": node.resume, "kill": node.kill}  # fmt: skip
    said: SimpleQueue[str] = SimpleQueue()
    threading.Thread(target=_listen, args=(node, said), daemon=True).start()
    while order := said.get():
        try:
            orders[order]()
        except Exception as error:  # noqa: BLE001 - the one who asked is to know
            print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
        else:
            print(json.dumps({"url": node.url, "ca": node.ca, "users": node.users}), flush=True)


def _listen(node: Node, said: SimpleQueue[str]) -> None:
    # Unbuffered: a thread that waits with the lock of a buffer would spoil the end of Python.
    with open(0, "rb", buffering=0, closefd=False) as lines:
        for line in lines:
            said.put(line.decode().strip())
    node.given_up.set()
    said.put("")


def main() -> None:
    """Start a server and stay until Ctrl-C, or until standard input closes with ``--keep``."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--engine", choices=VERSIONS, default="elasticsearch")
    parser.add_argument("--security", choices=["tls", "none"], default="tls")
    parser.add_argument("--heap", default="512m", help="memory of the server's objects")
    parser.add_argument("--keep", action="store_true", help="take orders from standard input")
    options = parser.parse_args()
    # Ctrl-C in a test run is for pytest, which then closes the keeper's standard input.
    signal.signal(signal.SIGINT, signal.SIG_IGN if options.keep else signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with tempfile.TemporaryDirectory(prefix="distill-elastic-", ignore_cleanup_errors=True) as run:
        node = Node(Path(run), options.engine, tls=options.security == "tls", heap=options.heap)
        try:
            if options.keep:
                _obey(node)
            else:
                node.start()
                print(json.dumps({"url": node.url, "ca": node.ca, "users": node.users}), flush=True)
                assert node.process is not None
                node.process.wait()
        except KeyboardInterrupt:
            pass
        finally:
            node.kill()


if __name__ == "__main__":
    main()
