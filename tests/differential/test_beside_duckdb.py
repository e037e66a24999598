"""Steps beside the window functions of SQL, run by DuckDB over the rows as they arrived."""

from __future__ import annotations

import pytest
from random_rows import log_of, random_rows, table, us

import distill_core as dl
from distill_graph import Transitions

SIZE = 2_000
SECOND = 1_000_000
SEEDS = pytest.mark.parametrize("seed", [1, 2])
GRAINS = pytest.mark.parametrize("grain", [1, SECOND], ids=["µs", "s"])


@SEEDS
@GRAINS
def test_order(seed, grain):
    """Order O is ORDER BY case, time, order NULLS FIRST, arrival, text by code point."""
    rows = random_rows(seed, SIZE, grain=grain)
    found = table(rows).execute("SELECT id FROM events ORDER BY pos").fetchall()
    assert [event["id"] for event in log_of(rows)] == [name for (name,) in found]


@SEEDS
@GRAINS
@pytest.mark.parametrize("ends", [False, True])
def test_sessionize(seed, grain, ends):
    """A session begins where time − the running maximum of ends so far is over the gap."""
    rows = random_rows(seed, SIZE, grain=grain, ends=ends)
    wanted = table(rows).execute(
        f"""WITH a AS (SELECT *, coalesce(time - max(last) OVER (PARTITION BY "case" ORDER BY pos
                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) > {SECOND}, true) AS new
                       FROM events),
            b AS (SELECT *, sum(new::INT) OVER (PARTITION BY "case" ORDER BY pos) AS n FROM a),
            c AS (SELECT *, "case" || '@' || strftime(make_timestamp(first_value(time) OVER
                  (PARTITION BY "case", n ORDER BY pos)), '%Y-%m-%dT%H:%M:%S.%fZ') AS session
                  FROM b)
            SELECT session, "case", id FROM c ORDER BY session, pos"""  # noqa: S608
    ).fetchall()
    out = log_of(rows).apply(dl.Sessionize(gap="1s"))
    assert [(e["case"], e["parent_case"], e["id"]) for e in out] == wanted
    assert SIZE // 2 > out.n_cases > 40  # sessions of several events, many of them


RUNS = """WITH a AS (SELECT *, activity IS DISTINCT FROM lag(activity) OVER w
                     OR target IS DISTINCT FROM lag(target) OVER w AS new
                     FROM events WINDOW w AS (PARTITION BY "case" ORDER BY pos)),
    b AS (SELECT *, sum(new::INT) OVER (PARTITION BY "case" ORDER BY pos) AS equals FROM a),
    c AS (SELECT *, new OR time - max(last) OVER (PARTITION BY "case", equals ORDER BY pos
          ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) > {gap} AS begins FROM b),
    d AS (SELECT *, sum(begins::INT) OVER (ORDER BY pos) AS run FROM c)
    SELECT first(id ORDER BY pos), min(time), max(last), count(*), list(id ORDER BY pos)
    FROM d GROUP BY run ORDER BY min(pos)"""


@SEEDS
@GRAINS
@pytest.mark.parametrize("gap", [None, SECOND])
def test_collapse(seed, grain, gap):
    """Runs of neighbours are gaps and islands, null equal to null as in IS NOT DISTINCT FROM."""
    rows = random_rows(seed, SIZE, grain=grain)
    wanted = table(rows).execute(RUNS.format(gap=2**60 if gap is None else gap)).fetchall()
    step = dl.Collapse(
        same=["activity", "target"], max_gap=gap and f"{gap}us", into="interval"
    )
    out = log_of(rows).apply(step).to_dicts()
    assert [(e["id"], us(e["time"]), us(e["end"]), e["count"], e["source_ids"])
            for e in out] == wanted  # fmt: skip
    assert any(e["count"] > 1 for e in out)


@SEEDS
def test_collapse_of_intervals(seed):
    """With ends: a gap counts from the greatest end of the run so far; times are distinct here."""
    rows = random_rows(seed, SIZE, ends=True, distinct=True)
    wanted = table(rows).execute(RUNS.format(gap=100_000)).fetchall()
    step = dl.Collapse(same=["activity", "target"], max_gap="100ms", into="interval")
    out = log_of(rows).apply(step).to_dicts()
    assert [(e["id"], us(e["time"]), us(e["end"]), e["count"], e["source_ids"])
            for e in out] == wanted  # fmt: skip


@SEEDS
def test_collapse_differs_where_an_interval_was_written_twice(seed):
    """By design: of members with one time and an end one counts; SQL's GROUP BY counts them all."""
    rows = random_rows(seed, SIZE, grain=SECOND, ends=True)
    wanted = table(rows).execute(RUNS.format(gap=2**60)).fetchall()
    out = log_of(rows).apply(dl.Collapse(same=["activity", "target"], into="interval"))
    superseded = out.steps[-1].dropped["superseded"].count
    assert superseded > 0
    events = out.to_dicts()
    assert [(us(e["time"]), us(e["end"])) for e in events] == [(t, end) for _, t, end, *_ in wanted]
    assert sum(e["count"] for e in events) == SIZE - superseded


NESTED = """WITH a AS (SELECT *, CASE activity WHEN 'open' THEN 1 ELSE -1 END AS step FROM events
                       WHERE activity IN ('open', 'close') AND target IS NOT NULL),
    b AS (SELECT *, sum(step) OVER w AS depth FROM a
          WINDOW w AS (PARTITION BY "case", target ORDER BY pos)),
    c AS (SELECT *, least(min(depth) OVER w, 0) AS low FROM b
          WINDOW w AS (PARTITION BY "case", target ORDER BY pos)),
    d AS (SELECT *, coalesce(lag(low) OVER w, 0) AS low_before,
          depth - low + (step = -1)::INT AS level FROM c
          WINDOW w AS (PARTITION BY "case", target ORDER BY pos)),
    e AS (SELECT *, lag(step) OVER w AS kind, lag(pos) OVER w AS start_pos, lag(id) OVER w AS start,
          lag(time) OVER w AS began FROM d WHERE NOT (step = -1 AND low < low_before)
          WINDOW w AS (PARTITION BY "case", target, level ORDER BY pos)),
    f AS (SELECT * FROM e WHERE step = -1 AND kind = 1)
    SELECT i.start, i.id, i.began, i.time, i.target, count(o.id) FROM f i LEFT JOIN f o ON
    o."case" = i."case" AND o.target = i.target AND o.start_pos < i.start_pos AND o.pos > i.pos
    GROUP BY ALL ORDER BY min(i.start_pos)"""


def pairs(out):
    return [(e["start_id"], e["end_id"], us(e["time"]), us(e["end"]), e["key"])
            for e in out.to_dicts()]  # fmt: skip


@SEEDS
@GRAINS
def test_intervals_nested(seed, grain):
    """Nested pairs are neighbours on one level of a running depth; keys join, so null has none."""
    rows = random_rows(seed, SIZE, grain=grain)
    wanted = table(rows).execute(NESTED).fetchall()
    step = dl.Intervals(
        start="activity = 'open'", stop="activity = 'close'", key="target", keep="intervals"
    )
    out = log_of(rows).apply(step)
    assert pairs(out) == [row[:5] for row in wanted]
    assert [e["depth"] for e in out] == [row[5] for row in wanted]
    dangling = out.steps[-1].dangling
    roles = [row for row in rows if row["activity"] in ("open", "close")]
    assert dangling["missing_key"].count == sum(row["target"] is None for row in roles)
    assert sum(told.count for told in dangling.values()) == len(roles) - 2 * len(wanted)
    assert max(row[5] for row in wanted) > 2


@SEEDS
@GRAINS
@pytest.mark.parametrize("span", [None, 2 * SECOND])
def test_intervals_latest(seed, grain, span):
    """The latest start is LAG over starts and stops of case and key, if that is a start."""
    rows = random_rows(seed, SIZE, grain=grain)
    con = table(rows)
    con.execute(
        """CREATE TABLE roles AS SELECT *, lag(id) OVER w AS start, lag(activity) OVER w AS before,
           lag(time) OVER w AS began, lag(pos) OVER w AS start_pos, lead(activity) OVER w AS after
           FROM events WHERE activity IN ('open', 'close') AND target IS NOT NULL
           WINDOW w AS (PARTITION BY "case", target ORDER BY pos)"""
    )
    wanted = con.execute(
        f"""SELECT start, id, began, time, target FROM roles WHERE activity = 'close'
            AND before = 'open' AND time - began <= {2**60 if span is None else span}
            ORDER BY start_pos"""  # noqa: S608
    ).fetchall()
    step = dl.Intervals(
        start="activity = 'open'", stop="activity = 'close'", key="target", pairing="latest",
        max_span=span and f"{span}us", keep="intervals",
    )  # fmt: skip
    out = log_of(rows).apply(step)
    assert pairs(out) == wanted
    if span is None:
        counts = con.execute(
            """SELECT count(*) FILTER (activity = 'open' AND after = 'open'),
               count(*) FILTER (activity = 'open' AND after IS NULL),
               count(*) FILTER (activity = 'close' AND before IS DISTINCT FROM 'open') FROM roles"""
        ).fetchone()
        dangling = out.steps[-1].dangling
        names = ("superseded", "open", "unmatched")
        assert tuple(dangling[name].count if name in dangling else 0 for name in names) == counts


@SEEDS
@GRAINS
@pytest.mark.parametrize("align", ["epoch", "first"])
@pytest.mark.parametrize("empty", ["drop", "keep"])
def test_segment_fixed(seed, grain, align, empty):
    """Fixed windows are GROUP BY time // 5 s; empty ones come from a series of numbers."""
    rows = random_rows(seed, SIZE // 10 if empty == "keep" else SIZE, grain=grain)
    con, every = table(rows), 5 * SECOND
    zero = 'min(time) OVER (PARTITION BY "case")' if align == "first" else "0"
    con.execute(
        f"""CREATE TABLE numbered AS SELECT *, (time - zero) // {every} AS n
            FROM (SELECT *, {zero} AS zero FROM events)"""  # noqa: S608
    )
    source = "numbered" if empty == "drop" else (
        """(SELECT "case", zero, n FROM (SELECT "case", zero, unnest(range(min(n), max(n) + 1)) AS n
            FROM numbered GROUP BY "case", zero)) LEFT JOIN numbered USING ("case", zero, n)"""
    )  # fmt: skip
    wanted = con.execute(
        f"""SELECT "case", zero + n * {every}, zero + (n + 1) * {every}, count(id),
            coalesce(list(id ORDER BY pos) FILTER (id IS NOT NULL), []) FROM {source}
            GROUP BY "case", zero, n ORDER BY "case", n"""  # noqa: S608
    ).fetchall()
    out = log_of(rows).apply(dl.Segment(every="5s", align=align, empty=empty)).to_dicts()
    assert [(e["case"], us(e["time"]), us(e["end"]), e["size"], e["members"])
            for e in out] == wanted  # fmt: skip
    assert len({e["size"] for e in out}) > 3


@SEEDS
@GRAINS
@pytest.mark.parametrize(("side", "frame", "way"), [
    ("next", "1 FOLLOWING AND UNBOUNDED FOLLOWING", "first_value"),
    ("previous", "UNBOUNDED PRECEDING AND 1 PRECEDING", "last_value"),
])  # fmt: skip
@pytest.mark.parametrize("skip", [None, "move"])
def test_drop_near(seed, grain, side, frame, way, skip):
    """The adjacent event is LEAD or LAG, looking through what is skipped by IGNORE NULLS."""
    rows = random_rows(seed, SIZE, grain=grain)
    wanted = table(rows).execute(
        f"""WITH a AS (SELECT *, {way}(CASE WHEN activity IS DISTINCT FROM $skip THEN
                {{'activity': activity, 'time': time, 'target': target}} END IGNORE NULLS)
                OVER (PARTITION BY "case" ORDER BY pos ROWS BETWEEN {frame}) AS near FROM events)
            SELECT id FROM a WHERE NOT coalesce(activity IN ('open', 'close')
            AND near.activity = 'click' AND near.target IS NOT DISTINCT FROM target
            AND abs(near.time - time) <= 1000000, false) ORDER BY pos""",  # noqa: S608
        {"skip": skip},
    ).fetchall()
    step = dl.DropNear(
        where="activity IN ('open', 'close')", near="activity = 'click'", side=side,
        within="1s", same=["target"], skip=skip and f"activity = '{skip}'",
    )  # fmt: skip
    out = log_of(rows).apply(step)
    assert [event["id"] for event in out] == [name for (name,) in wanted]
    assert out.steps[-1].dropped["drop_near"].count == SIZE - len(wanted) > 0


@SEEDS
@GRAINS
def test_drop_near_at_the_edge(seed, grain):
    """An absent neighbour is LEAD that is null for want of a row."""
    rows = random_rows(seed, SIZE, grain=grain)
    wanted = table(rows).execute(
        """SELECT id FROM events QUALIFY NOT (activity = 'open' AND
           lead(id) OVER (PARTITION BY "case" ORDER BY pos) IS NULL) ORDER BY pos"""
    ).fetchall()
    out = log_of(rows).apply(dl.DropNear(where="activity = 'open'", near="absent"))
    assert [event["id"] for event in out] == [name for (name,) in wanted]


@SEEDS
@GRAINS
def test_elapsed(seed, grain):
    """Time since the start and the event before: FIRST_VALUE and LAG of time, never of end."""
    rows = random_rows(seed, SIZE, grain=grain, ends=True)
    wanted = table(rows).execute(
        """SELECT id, time - first_value(time) OVER w, time - lag(time) OVER w FROM events
           WINDOW w AS (PARTITION BY "case" ORDER BY pos) ORDER BY pos"""
    ).fetchall()
    out = log_of(rows).apply(dl.Elapsed())
    assert [(e["id"], e["since_start"], e["since_previous"]) for e in out] == wanted


@SEEDS
@GRAINS
@pytest.mark.parametrize("node", ["activity", "target"])
def test_transitions(seed, grain, node):
    """Edges are LEAD over rows without null nodes; SQL's halves are rounded to even µs here."""
    rows = random_rows(seed, SIZE, grain=grain, ends=True)
    con = table(rows)
    con.execute(
        f"""CREATE TABLE pairs AS SELECT *, {node} AS node, lead({node}) OVER w AS target_node,
            lag(id) OVER w IS NULL AS starts, lead(time) OVER w - last AS wait FROM events
            WHERE {node} IS NOT NULL WINDOW w AS (PARTITION BY "case" ORDER BY pos)"""  # noqa: S608
    )
    nodes = con.execute(
        """SELECT node, count(*), count(DISTINCT "case"), count(*) FILTER (starts),
           count(*) FILTER (target_node IS NULL), sum(last - time)::BIGINT
           FROM pairs GROUP BY node ORDER BY node"""
    ).fetchall()
    edges = con.execute(
        """SELECT node, target_node, count(*), count(DISTINCT "case"),
           sum(greatest(wait, 0))::BIGINT, avg(greatest(wait, 0)), median(greatest(wait, 0)),
           count(*) FILTER (wait < 0) FROM pairs WHERE target_node IS NOT NULL
           GROUP BY ALL ORDER BY node, target_node"""
    ).fetchall()
    result = Transitions(node=node).compute(log_of(rows))
    names = ("id", "count", "cases", "start", "end", "duration")
    assert [tuple(n[name] for name in names) for n in result.nodes] == nodes
    names = ("source", "target", "count", "cases", "total", "mean", "median", "overlaps")
    assert [tuple(e[name] for name in names) for e in result.edges] == [
        (*edge[:5], round(edge[5]), round(edge[6]), edge[7]) for edge in edges
    ]
    nulls = sum(row[node] is None for row in rows)
    assert result.meta["counts"]["null_node"] == nulls
