"""match beside examples that the documentation of MATCH_RECOGNIZE publishes, with their results.

Rows in SQL follow each other strictly: ``contiguity="strict"``. ``PREV(price)`` is a column here,
made before the pattern is looked for: a condition looks at earlier steps, not at earlier rows.
"""

from __future__ import annotations

import pytest

import distill_core as dl

DAY = 86_400


def prices(*series, every=DAY, **cases):
    """A log of prices, at 0, every, 2 · every … seconds; ids 1, 2 … and what came before."""
    cases = cases or {"ACME": series}
    rows = [
        {"id": f"{n + 1}" if len(cases) == 1 else f"{case}{n + 1}", "case": case,
         "activity": "tick", "time": n * every, "price": price,
         "before": values[n - 1] if n else None, "less_ten": price - 10}
        for case, values in cases.items() for n, price in enumerate(values)
    ]  # fmt: skip
    return dl.EventLog.from_frame(rows, case="case", activity="activity", time="time", unit="s")


def matches(log, pattern, *, define, skip="past_last", contiguity="strict"):
    """step → ids, of each match."""
    step = dl.Match(
        pattern=pattern, define=define, skip=skip, contiguity=contiguity, keep="intervals"
    )
    return [event["steps"] for event in log.apply(step).to_dicts()]


def first_last(found):
    """First and last id of each match, as numbers."""
    ids = [[name for names in steps.values() for name in names] for steps in found]
    return [(int(names[0]), int(names[-1])) for names in ids]


def to_last(found, step):
    """AFTER MATCH SKIP TO LAST step: of matches from every row those that it lets begin."""
    kept, low = [], 0
    for steps in found:
        if int(next(iter(steps.values()))[0]) >= low:
            kept.append(steps)
            low = int(steps[step][-1])
    return kept


ANY = "price IS NOT NULL"
V = {"strt": ANY, "down": "price < before", "up": "price > before"}
TICKER = prices(12, 17, 19, 21, 25, 12, 15, 20, 24, 25, 19, 15, 25, 25, 14, 12, 14, 24, 23, 22)


def test_oracle_v_shape():
    """Oracle's simple V-shape (SQL:2016's too): 5–6–10, 10–12–13, 14–16–18 April."""
    found = matches(TICKER, "strt down+ up+", define=V, skip="to_next")
    chosen = to_last(found, "up")
    assert [(s["strt"], s["down"][-1:], s["up"][-1:]) for s in chosen] == [
        (["5"], ["6"], ["10"]), (["10"], ["12"], ["13"]), (["14"], ["16"], ["18"]),
    ]  # fmt: skip


def test_skip_to_last_differs():
    """By design there is no SKIP TO LAST: behind the last row the second V begins a day later."""
    found = matches(TICKER, "strt down+ up+", define=V)
    assert first_last(found) == [(5, 10), (11, 13), (14, 18)]


def test_skip_to_next_row_goes_by_start():
    """From every row: what SQL calls SKIP TO NEXT ROW; each match as long as greedy steps go."""
    found = matches(TICKER, "strt down+ up+", define=V, skip="to_next")
    assert first_last(found) == [(5, 10), (10, 13), (11, 13), (14, 18), (15, 18)]


def test_relaxed_differs():
    """By design: relaxed lets other rows lie between, so the flat 14 April breaks no V."""
    found = matches(TICKER, "strt down+ up+", define=V, contiguity="relaxed")
    assert first_last(found)[0] == (1, 18)
    assert [len(ids) for ids in found[0].values()] == [1, 1, 7]
    assert "14" not in found[0]["up"]


STOCKS = prices(
    ABCD=(50, 36, 39, 42, 30, 47, 71, 80, 75, 63), XYZ=(89, 24, 37, 63, 65, 56, 50, 54, 30, 32)
)


@pytest.mark.parametrize(("company", "published"), [
    ("ABCD", [(1, 4, 4, 1, 2), (4, 8, 5, 1, 3)]),
    ("XYZ", [(1, 5, 5, 1, 3), (5, 8, 4, 2, 1), (8, 10, 3, 1, 1)]),
])  # fmt: skip
def test_snowflake_v_shape(company, published):
    """Snowflake's table: start, end (October 2020), rows, decreases and increases of each V."""
    found = matches(STOCKS, "strt down+ up+", define=V, skip="to_next")
    own = [
        {step: [name.removeprefix(company) for name in names] for step, names in steps.items()}
        for steps in found if steps["strt"][0].startswith(company)
    ]  # fmt: skip
    assert [
        (int(s["strt"][0]), int(s["up"][-1]), sum(map(len, s.values())), len(s["down"]),
         len(s["up"])) for s in to_last(own, "up")
    ] == published  # fmt: skip


def test_flink_constantly_decreasing():
    """Flink's first example: down from 10:00:04 to its bottom at :07, up at :08."""
    log = prices(12, 17, 19, 21, 25, 18, 15, 14, 24, 25, 19, every=1)
    found = matches(log, "strt down+ up", define=V)
    assert found == [{"strt": ["5"], "down": ["6", "7", "8"], "up": ["9"]}]


def test_flink_greedy():
    """Flink's greedy B* swallows 12, 13, 14: the last price is 16."""
    log = prices(10, 11, 12, 13, 14, 16, every=1)
    define = {"a": "price > 10", "b": "price < 15", "c": "price > 12"}
    found = matches(log, "a b* c", define=define)
    assert found == [{"a": ["2"], "b": ["3", "4", "5"], "c": ["6"]}]


def test_flink_within():
    """Flink's WITHIN: the one drop by 10 in an hour ends at 13:00, an hour sharp, as here."""
    log = prices(20, 17, 18, 11, 14, 9, 15, 14, 24, 1, 19, every=1200)
    define = {"a": ANY, "b": "price > a.less_ten", "c": "price < a.less_ten"}
    found = matches(log, "a b* c within 1h", define=define)
    assert found == [{"a": ["7"], "b": ["8", "9"], "c": ["10"]}]
    assert first_last(matches(log, "a b* c", define=define)) == [(1, 6), (7, 10)]


def test_flink_output_mode():
    """Flink's rise and fall: first price 10, top price 13, last price 11."""
    log = prices(10, 12, 13, 11, every=1)
    define = {"first": ANY, "rise": "price > before", "fall": "price < before"}
    found = matches(log, "first rise* fall", define=define)
    assert found == [{"first": ["1"], "rise": ["2", "3"], "fall": ["4"]}]


def test_trino_concatenation():
    """Trino's own test of A B C: the flat end is found from the second row, 80, 70, 70."""
    define = {"a": ANY, "b": "price < before", "c": "price = before"}
    found = matches(prices(90, 80, 70, 70), "a b c", define=define)
    assert found == [{"a": ["2"], "b": ["3"], "c": ["4"]}]


def test_trino_alternatives():
    """Trino's own test of B | C | A: the left alternative comes first, CLASSIFIER() A, B, B, C."""
    define = {"b": "price < before", "c": "price <= before", "a": ANY}
    found = matches(prices(90, 80, 70, 70), "b | c | a", define=define)
    labels = {name: step for steps in found for step, names in steps.items() for name in names}
    assert labels == {"1": "a", "2": "b", "3": "b", "4": "c"}


def test_empty_match_differs():
    """By design: a pattern that may be empty matches empty rows in SQL, and is an error here."""
    with pytest.raises(ValueError, match="empty"):
        dl.Match(pattern="a*")


CLICKS = {
    "Mary": [1, 11, 23, 34, 44, 53, 63],
    "Sam": [2, 12, 22, 32, 43, 47, 48, 59, 60, 68],
}


def test_oracle_sessions():
    """Oracle's sessions (b s*, s within 10 of the row before) are those of sessionize."""
    rows = [{"case": who, "activity": "click", "time": t} for who, ts in CLICKS.items() for t in ts]
    log = dl.EventLog.from_frame(rows, case="case", activity="activity", time="time", unit="s")
    out = log.apply(dl.Sessionize(gap="10s"))
    found = {}
    for case, time in zip(out.case_of.tolist(), out.time.tolist(), strict=True):
        found.setdefault(case, []).append(time // 1_000_000)
    assert [*found.values()] == [
        [1, 11], [23], [34, 44, 53, 63], [2, 12, 22, 32], [43, 47, 48], [59, 60, 68]
    ]  # fmt: skip
