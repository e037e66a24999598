"""The peers' ways to do the same work on plain strings, as their users write it.

Every function takes a prepared table of the peer's own kind: rows sorted by case and time, columns
case, activity, target (strings) and time (µs as int64, or the peer's own timestamp).
"""

from __future__ import annotations

from typing import Any

import numpy as np

GAP_US = 30 * 60 * 1_000_000


# -- sessions: a label for each event, `<case>@<first time>` -----------------------------------


def polars_sessionize(df: Any) -> Any:
    """Window functions over the case."""
    import polars as pl

    new = (pl.col("time").diff().over("case").dt.total_microseconds() > GAP_US).fill_null(
        value=True
    )
    df = df.with_columns(number=new.cum_sum().over("case"))
    first = pl.col("time").first().over("case", "number")
    return df.with_columns(
        session=pl.col("case") + "@" + first.dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    )


def pandas_sessionize(df: Any) -> Any:
    """groupby and diff."""
    gap = df.groupby("case", sort=False)["time"].diff()
    new = gap.isna() | (gap > np.timedelta64(GAP_US, "us"))
    number = new.cumsum()
    first = df["time"].groupby(number).transform("first")
    text = first.dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return df.assign(session=df["case"].astype(str) + "@" + text)


def duckdb_sessionize(con: Any) -> Any:
    """Window functions."""
    return con.sql(f"""
        WITH a AS (SELECT *, coalesce(us - lag(us) OVER w > {GAP_US}, true) AS new FROM events
                   WINDOW w AS (PARTITION BY "case" ORDER BY pos)),
             b AS (SELECT *, sum(new::INT) OVER (PARTITION BY "case" ORDER BY pos) AS number FROM a)
        SELECT pos, "case" || '@' || strftime(make_timestamp(first_value(us) OVER (
               PARTITION BY "case", number ORDER BY pos)), '%Y-%m-%dT%H:%M:%S.%fZ') AS session
        FROM b ORDER BY pos""").fetchnumpy()


# -- nested intervals: focus … blur, by a running depth ------------------------------------------


def polars_intervals(df: Any) -> Any:
    """Running depth over the case, then pairs side by side within one level."""
    import polars as pl

    kind = pl.col("activity")
    step = pl.when(kind == "focus").then(1).otherwise(-1)
    df = df.filter(kind.is_in(["focus", "blur"])).with_columns(step=step.cast(pl.Int32))
    df = df.with_columns(depth=pl.col("step").cum_sum().over("case"))
    df = df.with_columns(low=pl.min_horizontal(pl.col("depth").cum_min().over("case"), 0))
    stop = pl.col("step") == -1
    level = pl.col("depth") - pl.col("low") + stop.cast(pl.Int32)
    lone = stop & (pl.col("low") < pl.col("low").shift(1).over("case").fill_null(0))
    df = df.with_columns(lone=lone, level=level).filter(~pl.col("lone"))
    both = df.with_columns(
        before=pl.col("time").shift(1).over("case", "level"),
        kind=pl.col("step").shift(1).over("case", "level"),
        start=pl.col("pos").shift(1).over("case", "level"),
    )
    pairs = both.filter((pl.col("step") == -1) & (pl.col("kind") == 1))
    return pairs.select("case", "start", "pos", "before", "time").sort("start")


def pandas_intervals(df: Any) -> Any:
    """The same with groupby."""
    df = df[df["activity"].isin(["focus", "blur"])].copy()
    df["step"] = np.where(df["activity"] == "focus", 1, -1)
    df["depth"] = df.groupby("case", sort=False)["step"].cumsum()
    df["low"] = df.groupby("case", sort=False)["depth"].cummin().clip(upper=0)
    before = df.groupby("case", sort=False)["low"].shift(1).fillna(0)
    stop = df["step"] == -1
    df["level"] = df["depth"] - df["low"] + stop
    df = df[~(stop & (df["low"] < before))]
    inner = df.groupby(["case", "level"], sort=False)
    df = df.assign(
        before=inner["time"].shift(1), kind=inner["step"].shift(1), start=inner["pos"].shift(1)
    )
    pairs = df[(df["step"] == -1) & (df["kind"] == 1)]
    return pairs[["case", "start", "before", "time"]].sort_values("start")


DUCKDB_PAIRS = """
        WITH a AS (SELECT "case", pos, us, CASE activity WHEN 'focus' THEN 1 ELSE -1 END AS step
                   FROM events WHERE activity IN ('focus', 'blur')),
             b AS (SELECT *, sum(step) OVER w AS depth FROM a
                   WINDOW w AS (PARTITION BY "case" ORDER BY pos)),
             c AS (SELECT *, least(min(depth) OVER w, 0) AS low FROM b
                   WINDOW w AS (PARTITION BY "case" ORDER BY pos)),
             d AS (SELECT *, coalesce(lag(low) OVER w, 0) AS last_low,
                   depth - low + (step = -1)::INT AS level FROM c
                   WINDOW w AS (PARTITION BY "case" ORDER BY pos)),
             e AS (SELECT *, lag(step) OVER w AS kind, lag(pos) OVER w AS start,
                   lag(us) OVER w AS began FROM d WHERE NOT (step = -1 AND low < last_low)
                   WINDOW w AS (PARTITION BY "case", level ORDER BY pos))
        SELECT start, pos, began, us FROM e WHERE step = -1 AND kind = 1"""


def duckdb_intervals(con: Any) -> Any:
    """The same with windows."""
    return con.sql(f"SELECT start, began, us FROM ({DUCKDB_PAIRS}) ORDER BY start").fetchnumpy()


# -- collapse: runs of equal activity and target ---------------------------------------------------


def polars_collapse(df: Any) -> Any:
    """A run number by comparing neighbours, then one group-by."""
    import polars as pl

    new = pl.any_horizontal(pl.col(n) != pl.col(n).shift(1) for n in ("case", "activity", "target"))
    runs = df.with_columns(run=new.fill_null(value=True).cum_sum())
    firsts = [pl.col(n).first() for n in ("case", "activity", "target", "time", "pos")]
    return runs.group_by("run", maintain_order=True).agg(*firsts, count=pl.len())


def pandas_collapse(df: Any) -> Any:
    """The same with groupby."""
    names = ["case", "activity", "target"]
    new = (df[names] != df[names].shift(1)).any(axis=1)
    return df.assign(run=new.cumsum()).groupby("run", sort=False).agg(
        case=("case", "first"), activity=("activity", "first"), target=("target", "first"),
        time=("time", "first"), pos=("pos", "first"), count=("pos", "size"),
    )  # fmt: skip


def duckdb_collapse(con: Any) -> Any:
    """The same with windows."""
    return con.sql("""
        WITH a AS (SELECT *, ("case" IS DISTINCT FROM lag("case") OVER w
                              OR activity IS DISTINCT FROM lag(activity) OVER w
                              OR target IS DISTINCT FROM lag(target) OVER w)::INT AS new
                   FROM events WINDOW w AS (ORDER BY pos)),
             b AS (SELECT *, sum(new) OVER (ORDER BY pos) AS run FROM a)
        SELECT min(pos) AS pos, first(activity ORDER BY pos) AS activity, count(*) AS count
        FROM b GROUP BY run ORDER BY 1""").fetchnumpy()


def flagon_collapse(rows: list[tuple[str, str, str, int]]) -> list[list[Any]]:
    """Apache Flagon Distill's way: one pass over a list of dicts, comparing with the last one."""
    found: list[list[Any]] = []
    for position, row in enumerate(rows):
        if found and found[-1][0] == row[:3]:
            found[-1][2] += 1
        else:
            found.append([row[:3], position, 1])
    return found


# -- transitions: count, cases, total, mean, median of each edge -----------------------------------


def polars_transitions(df: Any) -> Any:
    """shift over the case, then group-by."""
    import polars as pl

    both = df.select(
        "case",
        source=pl.col("activity"),
        target_=pl.col("activity").shift(-1).over("case"),
        gap=(pl.col("time").shift(-1).over("case") - pl.col("time")).dt.total_microseconds(),
    ).drop_nulls("target_")
    edges = both.group_by("source", "target_").agg(
        count=pl.len(), cases=pl.col("case").n_unique(), total=pl.col("gap").sum(),
        mean=pl.col("gap").mean(), median=pl.col("gap").median(),
    )  # fmt: skip
    return edges.sort("source", "target_")


def pandas_transitions(df: Any) -> Any:
    """The same with groupby."""
    inner = df.groupby("case", sort=False)
    both = df.assign(after=inner["activity"].shift(-1), then=inner["time"].shift(-1)).dropna(
        subset="after"
    )
    gap = (both["then"] - both["time"]) // np.timedelta64(1, "us")
    both = both.assign(gap=gap)
    edges = both.groupby(["activity", "after"], sort=True)
    return edges.agg(count=("gap", "size"), cases=("case", "nunique"), total=("gap", "sum"),
                     mean=("gap", "mean"), median=("gap", "median")).reset_index()  # fmt: skip


def duckdb_transitions(con: Any) -> Any:
    """The same with windows."""
    return con.sql("""
        WITH a AS (SELECT "case", activity AS source, lead(activity) OVER w AS target,
                          lead(us) OVER w - us AS gap
                   FROM events WINDOW w AS (PARTITION BY "case" ORDER BY pos))
        SELECT source, target, count(*) AS count, count(DISTINCT "case") AS cases,
               sum(gap)::BIGINT AS total, avg(gap) AS mean, median(gap) AS median
        FROM a WHERE target IS NOT NULL GROUP BY ALL ORDER BY source, target""").fetchnumpy()


def pm4py_transitions(df: Any) -> Any:
    """pm4py's own: the graph of frequencies, and the graph with mean, median and total times."""
    import pm4py

    counts, _, _ = pm4py.discover_dfg(df)
    times, _, _ = pm4py.discover_performance_dfg(df)
    return counts, times


def flagon_transitions(activities: list[str], cases: list[str]) -> dict[tuple[str, str], int]:
    """Apache Flagon Distill's way: pairs of a sequence, counted in a dict (counts only)."""
    found: dict[tuple[str, str], int] = {}
    for one, two, case, after in zip(activities, activities[1:], cases, cases[1:], strict=False):
        if case == after:
            found[one, two] = found.get((one, two), 0) + 1
    return found


# -- features of each case: events, duration, entropy, a column of counts for each activity ------


def polars_features(df: Any) -> Any:
    """Groups of case and activity, their entropy, and a pivot of their counts."""
    import polars as pl

    pairs = df.group_by("case", "activity").agg(n=pl.len())
    whole = df.group_by("case").agg(
        events=pl.len(), duration=(pl.col("time").max() - pl.col("time").min())
    )
    entropy = pairs.group_by("case").agg(distinct=pl.len(), entropy=pl.col("n").entropy(base=2))
    counts = pairs.pivot(on="activity", index="case", values="n").fill_null(0)
    return whole.join(entropy, on="case").join(counts, on="case").sort("case")


def duckdb_features(con: Any) -> Any:
    """The same in SQL, the counts by PIVOT."""
    return con.execute(
        """
        WITH pairs AS (SELECT "case", activity, count(*) n FROM events GROUP BY ALL),
        whole AS (SELECT "case", count(*) events, max(us) - min(us) duration
                  FROM events GROUP BY ALL),
        spread AS (SELECT "case", count(*) AS "distinct",
                          log2(sum(n)) - sum(n * log2(n)) / sum(n) entropy
                   FROM pairs GROUP BY ALL),
        counts AS (PIVOT (SELECT "case", activity FROM events) ON activity USING count(*)
                   GROUP BY "case")
        SELECT * FROM whole JOIN spread USING ("case") JOIN counts USING ("case")
        ORDER BY "case"
        """
    ).fetchnumpy()


def pandas_features(df: Any) -> Any:
    """crosstab by hand, and what follows from it."""
    counts = df.groupby(["case", "activity"]).size().unstack(fill_value=0)
    time = df.groupby("case")["time"].agg(["min", "max"])
    share = counts.div(counts.sum(axis=1), axis=0)
    entropy = -(share * np.log2(share.where(share > 0, 1))).sum(axis=1)
    return counts.assign(
        events=counts.sum(axis=1), distinct=(counts > 0).sum(axis=1), entropy=entropy,
        duration=time["max"] - time["min"],
    )  # fmt: skip
