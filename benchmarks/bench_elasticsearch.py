"""Documents of a local Elasticsearch into a prepared log, beside what everybody uses for that.

    python benchmarks/bench_elasticsearch.py [DOCUMENTS …] [--slices 2] [--page 10000] [--tls]
        [--runs 1] [--eland PYTHON] [--only WORD]

The peers are elasticsearch's helpers.scan into a DataFrame of the same ten columns, eland (if
``--eland`` names the Python of an environment that has it) and the same pages fetched and thrown
away. Each run is a process of its own, so that the peak of its memory is its own; imports are not
timed. Distill's log is sorted, coded and has its rejects counted; the peers' tables are as they
come. The server runs on the same processors and its work is in every wall time, in no CPU time.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from generate import records
from harness import versions

COLUMNS = ("sessionID", "type", "clientTime", "microTime", "userId", "target", "pageUrl",
           "pageTitle", "toolName", "logType")  # fmt: skip
INDEX = "distill-bench"
Place = dict[str, Any]
"""Where the server is and how it is read: url, ca, user, password, slices, page."""


def source(place: Place, **params: Any) -> Any:
    from distill_elasticsearch import Elasticsearch

    who = {"username": place["user"], "password": place["password"]} if place["user"] else {}
    return Elasticsearch(index=INDEX, hosts=place["url"], ca_file=place["ca"],
                         slices=place["slices"], page=place["page"], **who, **params)  # fmt: skip


def schema() -> Any:
    import distill_core as dl

    others = ["target", "pageUrl", "pageTitle", "toolName", "logType"]
    return dl.Fields(case="sessionID", activity="type", time="clientTime", unit="ms",
                     order="microTime", user="userId", columns=others)  # fmt: skip


def received() -> list[int]:
    """The sizes of the bodies that elastic_transport gets from now on."""
    from elastic_transport import Urllib3HttpNode

    sizes: list[int] = []
    real = Urllib3HttpNode.perform_request

    def perform_request(self: Any, *args: Any, **kwargs: Any) -> Any:
        found = real(self, *args, **kwargs)
        sizes.append(len(found.body))
        return found

    Urllib3HttpNode.perform_request = perform_request  # type: ignore[method-assign]
    return sizes


def into_log(place: Place, fetch: str) -> Iterator[Any]:
    import pandas as pd  # noqa: F401 (the log is one)

    import distill_core as dl
    import distill_core.log
    import distill_elasticsearch.reading  # noqa: F401

    pipeline = dl.Pipeline(source(place, fetch=fetch), schema())
    yield
    log = pipeline.log()
    yield [len(log), int(log.time.sum() % 2**53), log.n_cases]


def streamed(place: Place) -> Iterator[Any]:
    """The batches one by one, none kept."""
    import distill_elasticsearch.reading  # noqa: F401
    from distill_core.component import Request, Scan

    request = Request(schema().all_columns())
    batches = source(place).read(request, Scan())
    yield
    rows, total = 0, 0
    for batch in batches:
        rows, total = rows + len(batch), total + int(batch.columns["time"].values.sum())
    yield [rows, total % 2**53, None]


def thrown_away(place: Place, fetch: str) -> Iterator[Any]:
    """The same requests; of an answer nothing is looked at but where the next page begins."""
    from distill_core.component import Request
    from distill_elasticsearch.reading import Reading

    reading = Reading(source(place, fetch=fetch), Request(schema().all_columns()))
    tasks, total = reading.tasks(place["slices"])
    asked = reading._fields()
    yield

    def run(task: Any) -> None:
        pit = reading.snapshot.open()[1]
        query = task.query if task.low is None and task.high is None else task.within(
            task.low, task.high)  # fmt: skip
        body = {"size": place["page"], "pit": {"id": pit, "keep_alive": "60s"}, "query": query,
                "track_total_hits": False, "seq_no_primary_term": True, "_source": asked,
                "sort": task.sort("asc")}  # fmt: skip
        while True:
            found = reading.connection.call("POST", "/_search", body=body).body
            last = found.rfind(b'"sort":[')
            if last < 0:
                return
            body["search_after"] = json.loads(found[last + 7 : found.index(b"]", last) + 1])

    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reading.close()
    yield [total, None, None]


def scan(place: Place, includes: bool) -> Iterator[Any]:
    import pandas as pd
    from elasticsearch import Elasticsearch, helpers

    who = {"basic_auth": (place["user"], place["password"])} if place["user"] else {}
    client = Elasticsearch(place["url"], ca_certs=place["ca"], request_timeout=120, **who)
    query: Any = {"query": {"match_all": {}}}
    if includes:
        query["_source"] = {"includes": list(COLUMNS)}
    hits = helpers.scan(client, index=INDEX, query=query, size=place["page"])
    yield
    frame = pd.DataFrame([hit["_source"] for hit in hits], columns=list(COLUMNS))
    total = int((frame["clientTime"] * 1000).sum())
    yield [len(frame), total % 2**53, frame["sessionID"].nunique()]


def eland(place: Place) -> Iterator[Any]:
    warnings.simplefilter("ignore")
    import eland as ed
    from elasticsearch import Elasticsearch

    who = {"basic_auth": (place["user"], place["password"])} if place["user"] else {}
    client = Elasticsearch(place["url"], ca_certs=place["ca"], request_timeout=120, **who)
    # The server of the tests, which is no full one, does not tell its version at its root.
    client._eland_es_version = (8, 19, 9)  # noqa: SLF001
    yield
    frame = ed.eland_to_pandas(ed.DataFrame(client, INDEX, columns=list(COLUMNS)))
    total = int(frame["clientTime"].astype("datetime64[us]").astype("int64").sum())
    yield [len(frame), total % 2**53, frame["sessionID"].nunique()]


CONTENDERS = {
    "distill": lambda place: into_log(place, "documents"),
    "distill, columns": lambda place: into_log(place, "columns"),
    "distill, streamed": streamed,
    "thrown away": lambda place: thrown_away(place, "documents"),
    "thrown away, columns": lambda place: thrown_away(place, "columns"),
    "helpers.scan": lambda place: scan(place, includes=False),
    "helpers.scan, includes": lambda place: scan(place, includes=True),
    "eland": eland,
}


def peak() -> float:
    """MB; getrusage would tell that of the process before it became this one."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def child(name: str, place: Place) -> None:
    """Run one contender; print seconds, CPU, memory before and at its peak, bytes, answer."""
    steps = CONTENDERS[name](place)
    next(steps)
    sizes, before = received(), peak()
    start, cpu = time.perf_counter(), time.process_time()
    answer = next(steps)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    print(json.dumps([seconds, cpu, before, peak(), sum(sizes), answer]))


def run(name: str, place: Place, python: str) -> list[Any]:
    """One contender in its own process."""
    command = [python, __file__, "--child", name, json.dumps(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{name} failed: {done.stderr[-2000:]}")
    found: list[Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def fill(server: Any, documents: int) -> float:
    """The index of so many made-up documents, under the usual template; its size in MB."""
    from elastic_data import make_template

    make_template(server, [INDEX])
    server.admin("DELETE", f"{INDEX}?ignore_unavailable=true")
    server.admin("PUT", INDEX, {"settings": {"refresh_interval": -1}})
    for block in records(documents):
        server.bulk(INDEX, block.encode().splitlines())
    server.admin("POST", f"{INDEX}/_forcemerge?max_num_segments=5")
    stats = server.admin("GET", f"{INDEX}/_stats/store")["_all"]["total"]["store"]
    return float(stats["size_in_bytes"]) / 1e6


def compare(rounds: list[dict[str, list[Any]]], documents: int) -> None:
    """Stop if the answers differ, else print the table of the medians."""
    first = rounds[0]
    for name, (*_, answer) in first.items():
        if any(mine not in (None, own) for mine, own in zip(answer, first["distill"][-1],
                                                            strict=True)):  # fmt: skip
            sys.exit(f"{name} disagrees: {answer}, distill {first['distill'][-1]}")
    med = {name: [statistics.median(one[name][i] for one in rounds) for i in range(5)]
           for name in first}  # fmt: skip
    wall, cpu = med["distill"][:2]
    print(f"{'':24}{'wall':>9}{'× distill':>11}{'CPU':>9}{'× distill':>11}{'µs/doc':>8}"
          f"{'peak MB':>9}{'before':>8}{'MB came':>9}")  # fmt: skip
    for name, (seconds, used, before, most, size) in med.items():
        print(f"{name:24}{seconds:8.2f}s{seconds / wall:11.2f}{used:8.2f}s{used / cpu:11.2f}"
              f"{seconds / documents * 1e6:8.1f}{most:9,.0f}{before:8,.0f}{size / 1e6:9,.0f}")
    sys.stdout.flush()


def main() -> None:
    """Compare the contenders at each number of documents."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("documents", nargs="*", type=int)
    parser.add_argument("--slices", type=int, default=2)
    parser.add_argument("--page", type=int, default=10_000)
    parser.add_argument("--tls", action="store_true", help="with TLS and users")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--eland", help="the Python of an environment that has eland")
    parser.add_argument("--only", help="contenders whose name has this word; distill always")
    parser.add_argument("--child", nargs=2)
    options = parser.parse_args()
    if options.child:
        child(options.child[0], json.loads(options.child[1]))
        return
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
    from elastic import running

    print(versions("distill-elasticsearch", "elasticsearch", "elastic-transport", "pandas"))
    names = [name for name in CONTENDERS if name == "distill" or (
        (name != "eland" or options.eland) and (options.only or "") in name)]  # fmt: skip
    with running(tls=options.tls, heap="1g") as server:
        user, password = server.users["admin"] if server.users else ("", "")
        place = {"url": server.url, "ca": server.ca, "user": user, "password": password,
                 "slices": options.slices, "page": options.page}  # fmt: skip
        for documents in options.documents or [1_000_000]:
            size = fill(server, documents)
            print(f"\n{documents:,} documents ({size:,.0f} MB in the index), "
                  f"{options.slices} slices, pages of {options.page:,}")  # fmt: skip
            for name in ("thrown away", "helpers.scan"):  # the server is slow until it is warm
                run(name, place, sys.executable)
            rounds = [{name: run(name, place, options.eland if name == "eland" else sys.executable)
                       for name in names} for _ in range(options.runs)]  # fmt: skip
            compare(rounds, documents)


if __name__ == "__main__":
    main()
