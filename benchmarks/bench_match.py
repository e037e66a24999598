"""match beside polars and DuckDB: a sequence, one with + and a negation, one with a time limit.

    python benchmarks/bench_match.py [EVENTS …] [--repeats 5]

Equal work: the places of the first and last event of every match come out, and are compared before
a time is printed; Distill makes a log of the matches besides. The peers have no patterns, so
sequences are window functions, and the rest is a regular expression over a text of each case.
"""

from __future__ import annotations

import argparse
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
from harness import Contender, measure, table

import distill_core as dl

KINDS = {"move": 0.2, "scroll": 0.2, "click": 0.2, "focus": 0.1, "blur": 0.1, "load": 0.05,
         "key": 0.05, "submit": 0.05, "support": 0.02, "purchase": 0.03}  # fmt: skip
LETTERS = {"load": "a", "click": "b", "purchase": "c", "support": "s"}
REGEX = "a[^b]*b([^bcs]|b|s[^b]*b)*c"
"""load click+ !support purchase, what fits nothing being skipped."""


class Data:
    """The same events for every contender."""

    def __init__(self, events: int) -> None:
        random = np.random.default_rng(0)
        case = np.sort(random.integers(0, max(events // 100, 1), events))
        kind = random.choice(len(KINDS), events, p=[*KINDS.values()])
        frame = pd.DataFrame({
            "case": pd.Series([f"s{n:09d}" for n in case.tolist()], dtype=object),
            "activity": pd.Series(np.array([*KINDS], dtype=object)[kind]),
            "time": pd.to_datetime(np.arange(events) * 1_000_000, unit="us", utc=True),
        })  # fmt: skip
        self.log = dl.EventLog.from_frame(frame, case="case", activity="activity", time="time")
        place = np.arange(events)
        texts = {name: frame[name].to_list() for name in ("case", "activity")}
        self.polars = pl.DataFrame({**texts, "pos": place, "time": place * 1_000_000})
        self.con = duckdb.connect()
        self.con.register("arrow", self.polars.to_arrow())
        self.con.execute("CREATE TABLE events AS SELECT * FROM arrow")


def own(data: Data, **params: Any) -> Contender:
    step = dl.Match(**params, keep="intervals")

    def answer(out: dl.EventLog) -> dict[str, Any]:
        members = out.data["members"]
        first, after = members.offsets[:-1], members.offsets[1:]
        return {"first": members.values[first], "last": members.values[after - 1]}

    return Contender("distill", lambda: data.log.apply(step), answer)


def polars_sequence(df: pl.DataFrame, limit: int | None) -> pl.DataFrame:
    """From each load the next click, and from there the next purchase."""
    def following(kind: str, value: pl.Expr) -> pl.Expr:
        own = pl.when(pl.col("activity") == kind).then(value)
        return own.fill_null(strategy="backward").over("case")

    c, t = (following("purchase", pl.col(name)) for name in ("pos", "time"))
    df = df.with_columns(c=c, t=t)
    last, t = following("click", pl.col("c").fill_null(-1)), following("click", pl.col("t"))
    df = df.with_columns(last=last, t=t)
    found = df.filter((pl.col("activity") == "load") & (pl.col("last") >= 0))
    return found if limit is None else found.filter(pl.col("t") - pl.col("time") <= limit)


def duckdb_sequence(con: Any, limit: int | None) -> Any:
    """The same with window functions."""
    rows = 'PARTITION BY "case" ORDER BY pos ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING'
    within = "" if limit is None else f"AND t - time <= {limit}"
    return con.sql(f"""
        WITH a AS (SELECT *, min(CASE WHEN activity = 'purchase' THEN pos END) OVER w AS c,
                          min(CASE WHEN activity = 'purchase' THEN time END) OVER w AS ct
                   FROM events WINDOW w AS ({rows})),
             b AS (SELECT *, first_value(CASE WHEN activity = 'click' THEN coalesce(c, -1) END
                             IGNORE NULLS) OVER w AS last,
                          first_value(CASE WHEN activity = 'click' THEN coalesce(ct, -1) END
                             IGNORE NULLS) OVER w AS t FROM a WINDOW w AS ({rows}))
        SELECT pos AS first, last FROM b WHERE activity = 'load' AND last >= 0 {within} ORDER BY pos
        """).fetchnumpy()


def polars_regex(df: pl.DataFrame) -> str:
    """A letter an event, a text a case, marks around each match."""
    letter = pl.col("activity").replace_strict(LETTERS, default="x")
    cases = df.with_columns(s=letter).group_by("case", maintain_order=True)
    marked = pl.col("s").str.replace_all(REGEX, "<${0}>").str.join("")
    return str(cases.agg(pl.col("s").str.join("")).select(marked).item())


def duckdb_regex(con: Any) -> str:
    """The same in SQL."""
    letter = " ".join(f"WHEN '{kind}' THEN '{sign}'" for kind, sign in LETTERS.items())
    return con.sql(f"""
        WITH t AS (SELECT "case", string_agg(CASE activity {letter} ELSE 'x' END, ''
                                             ORDER BY pos) AS s FROM events GROUP BY 1)
        SELECT string_agg(regexp_replace(s, '{REGEX}', '<\\0>', 'g'), '' ORDER BY "case") FROM t
        """).fetchall()[0][0]


def marks(text: str) -> dict[str, Any]:
    """The places of the events inside the marks."""
    signs = np.frombuffer(text.encode(), dtype=np.uint8)
    first, last = np.flatnonzero(signs == ord("<")), np.flatnonzero(signs == ord(">"))
    number = 2 * np.arange(len(first))
    return {"first": first - number, "last": last - number - 2}


def tasks(data: Data) -> dict[str, list[Contender]]:
    def sequences(limit: int | None, pattern: str) -> list[Contender]:
        return [
            own(data, pattern=pattern, skip="to_next"),
            Contender("polars", lambda: polars_sequence(data.polars, limit),
                      lambda out: {"first": out["pos"].to_numpy(), "last": out["last"].to_numpy()}),
            Contender("DuckDB", lambda: duckdb_sequence(data.con, limit), lambda out: out),
        ]  # fmt: skip

    return {
        "sequence": sequences(None, "load click purchase"),
        "+ and negation": [
            own(data, pattern="load click+ !support purchase"),
            Contender("polars", lambda: marks(polars_regex(data.polars)), lambda out: out),
            Contender("DuckDB", lambda: marks(duckdb_regex(data.con)), lambda out: out),
        ],
        "within": sequences(20_000_000, "load click purchase within 20s"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", nargs="*", type=int, default=[1_000_000])
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    print(f"polars {pl.__version__}, DuckDB {duckdb.__version__}")
    for events in options.events:
        data = Data(events)
        for task, contenders in tasks(data).items():
            table(task, events, measure(contenders, options.repeats))


if __name__ == "__main__":
    main()
