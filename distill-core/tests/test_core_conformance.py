"""Every component of the core passes the kit that it ships, and none is forgotten."""

from __future__ import annotations

import inspect

import pytest

from distill_core import registry
from distill_core.builtin.algebra import Algebra
from distill_core.builtin.append import Append
from distill_core.builtin.collapse import Collapse
from distill_core.builtin.compare import Compare
from distill_core.builtin.counts import Cases, Count, Timeline, Top, Users, Values
from distill_core.builtin.dedupe import Dedupe
from distill_core.builtin.drop import Drop
from distill_core.builtin.drop_dangling import DropDangling
from distill_core.builtin.drop_near import DropNear
from distill_core.builtin.edges import Edges
from distill_core.builtin.elapsed import Elapsed
from distill_core.builtin.events import Events
from distill_core.builtin.features import Features
from distill_core.builtin.fields import Fields
from distill_core.builtin.fill import Fill
from distill_core.builtin.filter_cases import FilterCases
from distill_core.builtin.filter_variants import FilterVariants
from distill_core.builtin.intervals import Intervals
from distill_core.builtin.label import Label
from distill_core.builtin.lookups import Around, Case, Latest, User
from distill_core.builtin.match import Match
from distill_core.builtin.patch import Patch
from distill_core.builtin.relate import Relate
from distill_core.builtin.rename import Rename
from distill_core.builtin.rename_by_url import RenameByUrl
from distill_core.builtin.replace import Replace
from distill_core.builtin.sample import Sample
from distill_core.builtin.sandwich import Sandwich
from distill_core.builtin.segment import Segment
from distill_core.builtin.select import Select
from distill_core.builtin.sequences import Sequences
from distill_core.builtin.sessionize import Sessionize
from distill_core.builtin.truncate import Truncate
from distill_core.builtin.where import Where
from distill_core.component import Component, component_name
from distill_core.pipeline import Pipeline
from distill_core.registry import Entry, Plugin, components
from distill_core.testing import (
    COLUMNS,
    Documents,
    ModelTests,
    QueryTests,
    SchemaTests,
    SourceTests,
    TransformTests,
    build,
)

PAIR = {"start": "activity = 'start'", "stop": "activity = 'stop'"}


class TestWhere(TransformTests):
    def component(self) -> Where:
        return Where(condition="activity = 'click' OR number > 0")


class TestDrop(TransformTests):
    def component(self) -> Drop:
        return Drop(condition="target LIKE 'x%' AND duration > INTERVAL '1 ms'")


class TestSegment(TransformTests):
    def component(self) -> Segment:
        return Segment(every="7ms", align="first", empty="keep", keep="all")


class TestSegmentByTheCalendar(TransformTests):
    def component(self) -> Segment:
        return Segment(kind="sliding", every="1w", step="1d", zone="America/New_York")


class TestSegmentByChange(TransformTests):
    def component(self) -> Segment:
        return Segment(kind="change", same=["target", "details"], keep="all")


class TestSelect(TransformTests):
    def component(self) -> Select:
        return Select(columns=["target", "details"])


class TestLabel(TransformTests):
    def component(self) -> Label:
        rules = [{"when": "flag", "value": "yes"}, {"when": "score < 0", "value": "low"}]
        return Label(column="mark", rules=rules, default="none")


class TestDropNear(TransformTests):
    def component(self) -> DropNear:
        return DropNear(
            where="activity = 'start'", near="activity = 'click'", reach="any", side="either",
            within="5ms", same=["target"],
        )  # fmt: skip


class TestDropNearByRules(TransformTests):
    def component(self) -> DropNear:
        rules = [
            {"where": "flag", "near": "number > 0", "skip": "activity = 'reset'", "name": "one"},
            {"where": "activity = 'stop'", "near": "absent", "side": "either"},
        ]
        return DropNear(rules=rules, cascade=True)


class TestElapsed(TransformTests):
    def component(self) -> Elapsed:
        return Elapsed()


class TestReplace(TransformTests):
    def component(self) -> Replace:
        return Replace(
            pattern="A !reset B", define={"A": "activity = 'start'", "B": "target = A.target"},
            key=["user"], within="20ms", to={"activity": "both", "number": 1, "hand": "left"},
        )  # fmt: skip


class TestReplaceByRules(TransformTests):
    def component(self) -> Replace:
        rules = [
            {"where": "flag", "to": {"activity": "flagged", "details": [1]}},
            {"pattern": "start stop", "to": {"target": None}, "skip": "to_next"},
        ]
        return Replace(rules=rules, resolve="longest")


class TestSample(TransformTests):
    def component(self) -> Sample:
        return Sample(fraction=0.5, seed=3)


class TestCollapse(TransformTests):
    def component(self) -> Collapse:
        return Collapse(same=["activity", "target"])


class TestCollapseOfAll(TransformTests):
    def component(self) -> Collapse:
        return Collapse(
            same=["user"], where="activity <> 'reset'", max_gap="5ms", anchor="first",
            keep="coalesce", into="interval",
        )  # fmt: skip


class TestDedupe(TransformTests):
    def component(self) -> Dedupe:
        return Dedupe(by=["activity", "target"])


class TestIntervals(TransformTests):
    def component(self) -> Intervals:
        return Intervals(**PAIR, key=["target"])


class TestIntervalsOfAll(TransformTests):
    def component(self) -> Intervals:
        return Intervals(
            **PAIR, pairing="fifo", max_span="20ms", until="activity = 'reset'", open="censor",
            ties="start_first", null_key="group", name="span", keep="all", key=["user"],
        )  # fmt: skip


class TestDropDangling(TransformTests):
    def component(self) -> DropDangling:
        return DropDangling(**PAIR, key=["target"])


class TestMatch(TransformTests):
    def component(self) -> Match:
        return Match(pattern="start (click | reset)+ !reset stop within 20ms", key=["target"])


class TestMatchOfAll(TransformTests):
    def component(self) -> Match:
        return Match(
            pattern="begin click* !reset stop", within="30ms", restart="latest", name="task",
            define={"begin": "activity = 'start'", "click": "flag OR target = begin.target"},
            contiguity="strict", keep="all",
        )  # fmt: skip


class TestMatchFromEveryStart(TransformTests):
    def component(self) -> Match:
        return Match(pattern="start 'clíck 🖱'? !reset", within="9ms", skip="to_next",
                     keep="intervals")  # fmt: skip


class TestSandwich(TransformTests):
    def component(self) -> Sandwich:
        return Sandwich(**PAIR, include="both", open="censor")


class TestSandwichOfOwn(TransformTests):
    def component(self) -> Sandwich:
        return Sandwich(
            **PAIR, key=["target"], toggle="chain", ties="start_first", keep="intervals",
            members="own", level="inner", min_size=1,
        )  # fmt: skip


class TestSessionize(TransformTests):
    def component(self) -> Sessionize:
        return Sessionize(gap="4ms")


class TestSessionizeLabel(TransformTests):
    def component(self) -> Sessionize:
        return Sessionize(gap="4ms", as_case=False)


class TestRename(TransformTests):
    def component(self) -> Rename:
        rules = [{"when": "number > 0", "value": "click"}, {"when": "flag", "value": "flagged"}]
        return Rename(mapping={"start": "go", "none": "x"}, rules=rules, keep_as="was")


class TestRenameByUrl(TransformTests):
    def component(self) -> RenameByUrl:
        return RenameByUrl(
            templates={"/{any}": "page", "/x": "the x"}, url="target", where="NOT flag",
            keep_as="was",
        )  # fmt: skip


class TestFill(TransformTests):
    def component(self) -> Fill:
        return Fill(same=["user"], max_gap="9ms", where="activity <> 'reset'")


class TestTruncate(TransformTests):
    def component(self) -> Truncate:
        return Truncate(where="activity = 'click'", keep="before", missing="drop")


class TestTruncateLast(TransformTests):
    def component(self) -> Truncate:
        return Truncate(where="flag", keep="after", occurrence="last", inclusive=False)


class TestTruncateByPattern(TransformTests):
    def component(self) -> Truncate:
        return Truncate(
            pattern="A B", define={"A": "flag", "B": "target = A.target"}, within="9ms",
            keep="after", missing="drop",
        )  # fmt: skip


class TestFilterCasesByPattern(TransformTests):
    def component(self) -> FilterCases:
        return FilterCases(pattern="start !reset stop within 20ms", lacks="score < 0")


class TestFilterCases(TransformTests):
    def component(self) -> FilterCases:
        return FilterCases(
            contains="activity = 'click'", lacks="flag AND number > 0", max_events=9,
            min_duration="3ms", keep="others",
        )  # fmt: skip


class TestFilterVariants(TransformTests):
    def component(self) -> FilterVariants:
        return FilterVariants(coverage=0.5, top=2, column="target")


class TestEdges(TransformTests):
    def component(self) -> Edges:
        return Edges(side="both", n=2, where="activity <> 'reset'")


class TestEdgesOfUsers(TransformTests):
    def component(self) -> Edges:
        return Edges(side="last", by=["user"])


class TestFeatures(ModelTests):
    def component(self) -> Features:
        return Features(
            groups=["size", "counts", "rates", "times", "since", "entropy", "ngrams"], n=3,
            column="target", top=3,
        )  # fmt: skip


class TestFeaturesLong(ModelTests):
    def component(self) -> Features:
        return Features(groups=["size", "rates", "since", "ngrams"], layout="long", column="score")


class TestFeaturesNamed(ModelTests):
    def component(self) -> Features:
        only = ["since_click", "ngram_click>nothing", "entropy", "count_nothing", "events"]
        return Features(groups=["size", "counts", "since", "entropy", "ngrams"], only=only)


class TestSequences(ModelTests):
    def component(self) -> Sequences:
        return Sequences(columns=["target", "duration", "time", "details", "case"])


ADDED = "what the other log has is added to an empty log, too"


class TwoLogs(TransformTests):
    """Laws of a step with another log, which documents read from a source of tests."""

    @pytest.fixture(autouse=True)
    def _documents(self, monkeypatch):
        entry = Entry("source", "documents", Documents, "distill-tests", "1.0")
        mine = Plugin("tests", "distill-tests", "1.0", (entry,))
        monkeypatch.setattr(registry, "_loaded", (*registry.plugins(), mine))

    def other(self):
        rows = ({"case": "a", "activity": "start", "time": 3, "target": "x", "end": 9},
                {"case": "b", "activity": "stop", "time": 1, "target": "é", "flag": True},
                {"case": "z", "activity": "lost", "time": 1, "target": "nobody"})  # fmt: skip
        schema = Fields(case="case", activity="activity", time="time", extra=COLUMNS[2:])
        return Pipeline(Documents(documents=rows), schema)


class TestAppend(TwoLogs):
    def component(self) -> Append:
        return Append(other=self.other())

    @pytest.mark.xfail(reason=ADDED)
    def test_empty_log(self) -> None:
        """N, but for what is added."""
        super().test_empty_log()


class TestPatch(TwoLogs):
    def component(self) -> Patch:
        return Patch(other=self.other(), key=["target"])


class TestPatchOfAll(TwoLogs):
    def component(self) -> Patch:
        return Patch(other=self.other(), key=["target", "activity"], how="outer", columns=["end"])

    @pytest.mark.xfail(reason=ADDED)
    def test_empty_log(self) -> None:
        """N, but for what is added."""
        super().test_empty_log()


class TestAlgebra(TransformTests):
    def component(self) -> Algebra:
        return Algebra(kind="difference", left="activity <> 'stop'", right="target = 'x'")


class TestAlgebraOfCases(TransformTests):
    def component(self) -> Algebra:
        return Algebra(kind="complement", left="flag", name="rest", keep="intervals")


class TestAlgebraOfMembers(TransformTests):
    def component(self) -> Algebra:
        return Algebra(kind="union", by="members", left="size > 1", right="size = 1", keep="all")

    def log(self, rows):
        return build(rows).apply(Segment(kind="change", same=["activity"], keep="all"))


class TestAlgebraOfTwoLogs(TwoLogs):
    def component(self) -> Algebra:
        return Algebra(kind="union", other=self.other(), right="activity = 'start'")

    @pytest.mark.xfail(reason=ADDED)
    def test_empty_log(self) -> None:
        """N, but for what is added."""
        super().test_empty_log()


class TestRelate(TransformTests):
    def component(self) -> Relate:
        return Relate(left="activity <> 'stop'", right="target = 'x'", keep="all", name="pair")


class TestRelateTwoLogs(TwoLogs):
    def component(self) -> Relate:
        return Relate(
            other=self.other(), relations=["before", "after", "during", "meets"], within="5ms"
        )


class TestCase(QueryTests):
    def component(self) -> Case:
        return Case(id="a", where="number > 0")


class TestUser(QueryTests):
    def component(self) -> User:
        return User(id="u", since="last week", until="today", zone="Europe/Berlin")


class TestLatest(QueryTests):
    def component(self) -> Latest:
        return Latest(n=3)


class TestAround(QueryTests):
    def component(self) -> Around:
        return Around(time="-1d", before="2m", where="flag")


class TestCount(QueryTests):
    def component(self) -> Count:
        return Count(by=["activity", "flag"], where="score > 1")


class TestValues(QueryTests):
    def component(self) -> Values:
        return Values(column="target")


class TestTop(QueryTests):
    def component(self) -> Top:
        return Top(by="activity, target", n=2)


class TestTimeline(QueryTests):
    def component(self) -> Timeline:
        return Timeline(every="1w", by=["activity"], zone="Europe/Berlin", empty="drop")


class TestCases(QueryTests):
    def component(self) -> Cases:
        return Cases(since="-30d")


class TestUsers(QueryTests):
    def component(self) -> Users:
        return Users()


class TestCompare(QueryTests):
    def component(self) -> Compare:
        return Compare(where_a="flag", where_b="NOT flag", by="activity", every="1h", top=5)


class TestEvents(QueryTests):
    def component(self) -> Events:
        return Events(where="activity = 'click'", since="2026-01-01", limit=5, sort="-time")


class TestFields(SchemaTests):
    def component(self) -> Fields:
        return Fields(
            case="visit", activity=("what", "=seen"), time="at.ts", unit="s", user="user.name",
            end="until", order="n", columns=["page.url", "tags"], keep_all=True,
        )  # fmt: skip

    def documents(self) -> list[object]:
        return [
            {"visit": "a", "what": "load", "at": {"ts": 5}, "page": {"url": "/"}, "x": 1},
            {"visit": "", "user": {"name": "bob"}, "at": {"ts": 1.5}, "until": 9, "tags": ["t"]},
            {"visit": "a", "what": "click", "at": {"ts": "7"}},
            {"visit": "a", "what": "click", "at": {"ts": 3}, "until": 2, "n": "x"},
            None,
            {"what": "lost", "at": {"ts": 3}},
        ]


class TestDocuments(SourceTests):
    def component(self) -> Documents:
        return Documents(documents=tuple(self.documents()), chunk=2)

    def documents(self) -> list[dict[str, object]]:
        return [{"case": "a", "activity": "click", "time": n, "number": n} for n in range(5)]


def _tested() -> set[type[Component]]:
    classes = [c for name, c in globals().items() if name.startswith("Test") and inspect.isclass(c)]
    return {type(cls().component()) for cls in classes}


@pytest.mark.parametrize(
    "entry",
    [e for kind in ("source", "schema", "query", "transform", "model") for e in components(kind)
     if e.distribution == "distill-core"],
    ids=lambda e: f"{e.kind}:{e.name}",
)  # fmt: skip
def test_every_builtin_is_tested(entry):
    """Each component that the core registers has a class of laws above."""
    assert entry.name in {component_name(cls) for cls in _tested()}
