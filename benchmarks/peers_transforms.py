"""The peers' ways to do what transforms do, on plain strings, as their users write it.

Every function takes a prepared table of the peer's own kind (see ``peers.py``) and gives
positions: numbers of rows in the log.
"""

from __future__ import annotations

from typing import Any

from peers import DUCKDB_PAIRS, polars_intervals

SECOND = 1_000_000
STEPS = ("focus", "click", "blur")
SYMBOLS = {"focus": "F", "blur": "B", "click": "C", "keydown": "K"}
TOKENS = "F[^BC]*C[^K]*K|F|[^F]+"
"""The pattern ``focus !blur click+ keydown``, and what lies between matches: so lengths add up."""


# -- sandwich: members of nested focus … blur, without starts and stops ----------------------------


def polars_sandwich(df: Any) -> Any:
    """Pairs, ranges exploded, less the events of pairs: a row for each member."""
    import polars as pl

    pairs = polars_intervals(df)
    ends = pl.concat([pairs["start"], pairs["pos"]])
    members = pairs.select("start", member=pl.int_ranges(pl.col("start") + 1, "pos"))
    members = members.explode("member").drop_nulls("member")
    return members.join(ends.alias("member").to_frame(), on="member", how="anti",
                        maintain_order="left")  # fmt: skip


def duckdb_sandwich(con: Any) -> Any:
    """The same with unnest."""
    return con.sql(f"""
        WITH pairs AS MATERIALIZED ({DUCKDB_PAIRS}),
             ends AS (SELECT start AS pos FROM pairs UNION ALL SELECT pos FROM pairs),
             members AS (SELECT start, unnest(range(start + 1, pos)) AS member FROM pairs)
        SELECT start, member FROM members ANTI JOIN ends ON member = ends.pos
        ORDER BY start, member""").fetchnumpy()


# -- match: three steps after each other, from every start -----------------------------------------


def polars_steps(df: Any, within: int | None = None) -> Any:
    """The next blur of each event, then the next click and what is next to that."""
    import polars as pl

    def following(value: str, activity: str) -> Any:
        there = pl.when(pl.col("activity") == activity).then(pl.col(value))
        return there.shift(-1).backward_fill().over("case")

    df = df.filter(pl.col("activity").is_in(STEPS))
    df = df.with_columns(blur=following("pos", "blur"), until=following("time", "blur"))
    df = df.with_columns(
        click=following("pos", "click"), blur=following("blur", "click"),
        until=following("until", "click"),
    )  # fmt: skip
    found = df.filter((pl.col("activity") == "focus") & pl.col("blur").is_not_null())
    if within is not None:
        found = found.filter((pl.col("until") - pl.col("time")).dt.total_microseconds() <= within)
    return found.select("pos", "click", "blur")


def duckdb_steps(con: Any, within: int | None = None) -> Any:
    """The same with windows over what comes later."""
    condition = "" if within is None else f"AND until - us <= {within}"
    return con.sql(f"""
        WITH a AS (SELECT "case", pos, us, activity,
                          min(pos) FILTER (activity = 'blur') OVER w AS blur,
                          min(us) FILTER (activity = 'blur') OVER w AS until
                   FROM events WHERE activity IN {STEPS}
                   WINDOW w AS (PARTITION BY "case" ORDER BY pos DESC
                                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)),
             b AS (SELECT pos, us, activity,
                          min(pos) FILTER (activity = 'click') OVER w AS click,
                          min(blur) FILTER (activity = 'click') OVER w AS blur,
                          min(until) FILTER (activity = 'click') OVER w AS until
                   FROM a WINDOW w AS (PARTITION BY "case" ORDER BY pos DESC
                                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING))
        SELECT pos, click, blur FROM b WHERE activity = 'focus' AND blur IS NOT NULL {condition}
        ORDER BY pos""").fetchnumpy()


# -- match: one text of symbols a case, a regular expression on it ---------------------------------


def polars_regex(df: Any, *, members: bool = True) -> Any:
    """Where matches begin and end, how many clicks they took, and which events: a row each."""
    import polars as pl

    df = df.filter(pl.col("activity").is_in([*SYMBOLS]))
    df = df.with_columns(symbol=pl.col("activity").replace_strict(SYMBOLS))
    texts = df.group_by("case", maintain_order=True).agg(pl.col("symbol").str.join(""))
    tokens = texts.select(token=pl.col("symbol").str.extract_all(TOKENS)).explode("token")
    length = pl.col("token").str.len_bytes().cast(pl.Int64)
    tokens = tokens.with_columns(length=length, upto=length.cum_sum())
    found = tokens.filter(pl.col("token").str.starts_with("F") & (pl.col("length") > 1))
    first, last = found["upto"] - found["length"], found["upto"] - 1
    spans = found.select(
        start=df["pos"].gather(first), stop=df["pos"].gather(last),
        clicks=pl.col("token").str.count_matches("C"),
    )  # fmt: skip
    if not members:
        return spans, None
    lists = pl.select(first=first, last=last, at=pl.int_ranges(first, last + 1)).explode("at")
    taken = df[["pos", "symbol"]][lists["at"]].hstack(lists)
    at_edge = (pl.col("at") == pl.col("first")) | (pl.col("at") == pl.col("last"))
    return spans, taken.filter((pl.col("symbol") == "C") | at_edge)["pos"]


def duckdb_regex(con: Any) -> Any:
    """The same with string_agg."""
    symbols = " ".join(f"WHEN '{name}' THEN '{symbol}'" for name, symbol in SYMBOLS.items())
    return con.sql(f"""
        WITH a AS (SELECT "case", pos, CASE activity {symbols} END AS symbol
                   FROM events WHERE activity IN {(*SYMBOLS,)}),
             texts AS (SELECT list(pos ORDER BY pos) AS places,
                              string_agg(symbol, '' ORDER BY pos) AS text FROM a GROUP BY "case"),
             lists AS (SELECT places, regexp_extract_all(text, '{TOKENS}') AS tokens FROM texts),
             tokens AS (SELECT places, unnest(tokens) AS token,
                               generate_subscripts(tokens, 1) AS nth FROM lists),
             ends AS (SELECT places, token, (sum(length(token)) OVER w)::BIGINT AS upto FROM tokens
                      WINDOW w AS (PARTITION BY places[1] ORDER BY nth ROWS UNBOUNDED PRECEDING))
        SELECT places[upto - length(token) + 1] AS start, places[upto] AS stop,
               length(token) - length(replace(token, 'C', '')) AS clicks
        FROM ends WHERE token[1] = 'F' AND length(token) > 1 ORDER BY start""").fetchnumpy()


# -- drop_near: an event leaves if the next one is of its target, and comes soon -------------------


def polars_drop_near(df: Any) -> Any:
    """Neighbours by shift."""
    import polars as pl

    after = pl.col("activity", "target", "time").shift(-1).over("case").name.suffix("_after")
    near = df.with_columns(after)
    soon = (pl.col("time_after") - pl.col("time")).dt.total_microseconds() <= 2 * SECOND
    gone = (
        (pl.col("activity") == "mouseover")
        & pl.col("activity_after").is_in(["mouseover", "click"])
        & (pl.col("target_after") == pl.col("target"))
        & soon
    )
    return near.filter(~gone.fill_null(value=False)).select(df.columns)


def duckdb_drop_near(con: Any) -> Any:
    """The same with lead; the table comes as Arrow, for the strings' sake."""
    return con.sql(f"""
        WITH a AS (SELECT *, activity = 'mouseover' AND lead(activity) OVER w IN ('mouseover',
                             'click') AND lead(target) OVER w = target
                             AND lead(us) OVER w - us <= {2 * SECOND} AS gone
                   FROM events WINDOW w AS (PARTITION BY "case" ORDER BY pos))
        SELECT "case", activity, target, time, pos FROM a WHERE gone IS NOT TRUE
        ORDER BY pos""").to_arrow_table()


# -- segment: windows of five seconds, their events ------------------------------------------------


def polars_segment(df: Any, *, members: bool = True) -> Any:
    """A number for each run of one case and window, then one group-by."""
    import polars as pl

    df = df.with_columns(window=pl.col("time").dt.truncate("5s"))
    new = pl.any_horizontal(pl.col(n) != pl.col(n).shift(1) for n in ("case", "window"))
    runs = df.with_columns(run=new.fill_null(value=True).cum_sum())
    lists = [pl.col("pos")] if members else []
    return runs.group_by("run", maintain_order=True).agg(
        pl.col("case").first(), pl.col("window").first(), *lists, size=pl.len()
    )


def duckdb_segment(con: Any, *, members: bool = True) -> Any:
    """One group-by."""
    lists = ", list(pos ORDER BY pos) AS pos" if members else ""
    return con.sql(f"""
        SELECT "case", us // {5 * SECOND} AS number, count(*) AS size {lists}
        FROM events GROUP BY "case", number ORDER BY min(events.pos)""").to_arrow_table()
