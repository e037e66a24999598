"""What a reading notes: paths, units and zones that are wrong are told, in words, wherever."""

from __future__ import annotations

import pytest

from distill_core.builtin.append import Append
from distill_core.builtin.collapse import Collapse
from distill_core.builtin.events import Events
from distill_core.builtin.fields import Fields
from distill_core.builtin.match import Match
from distill_core.builtin.where import Where
from distill_core.columns import Column
from distill_core.component import Query, Selection
from distill_core.errors import ConditionError, DistillError
from distill_core.log import EventLog
from distill_core.pipeline import Pipeline
from distill_core.testing import Documents

BASE = 1_767_603_600  # 2026-01-05, in s
ROWS = tuple(
    {"who": "ann", "what": "brew", "at": BASE + i, "ml": i, "machine": {"id": i % 2}}
    for i in range(5)
)
GOOD = {"case": "machine.id", "activity": "what", "time": "at", "unit": "s"}


class Nothing(Query):
    """Asks for no event at all."""

    def select(self, now):
        return Selection(limit=0)


def notes(rows=ROWS, *, chunk=1000, query=None, **params):
    """The notes of reading these rows."""
    schema = Fields(**{**GOOD, **params})
    result = Pipeline(Documents(documents=rows, chunk=chunk), schema, query).run()
    assert result.meta["reading"]["notes"] == [
        line.removeprefix("  note: ")
        for line in result.explain().splitlines()
        if line.startswith("  note: ")
    ]
    return result.meta["reading"]["notes"]


def test_nothing_to_note():
    """A reading that finds everything has no notes."""
    assert notes(columns=["ml"]) == []


@pytest.mark.parametrize("chunk", [1, 2, 1000])
def test_a_column_that_no_record_has(chunk):
    """A misspelt path is told, however the reading is cut; so are paths of users and ends."""
    assert notes(columns=["mll", "ml"], user="whom", chunk=chunk) == [
        "column 'user' is null in every event: no record has a value (read from 'whom')",
        "column 'mll' is null in every event: no record has a value (read from 'mll')",
    ]
    (note,) = notes(extra=[Column("deep", paths=("machine.no", "no"))], chunk=chunk)
    assert note.endswith("no record has a value (read from 'machine.no' or 'no')")


def test_a_column_of_another_type():
    """A column of which no value is of its type is told as that."""
    rows = [{**row, "ml": "much"} for row in ROWS]
    assert notes(rows, columns=[{"name": "ml", "paths": ["ml"], "type": "integer"}]) == [
        "column 'ml' is null in every event: no value is of type integer"
    ]


def test_one_value_is_enough():
    """A column that one event has is not told, nor one that only keeps what is left over."""
    assert notes([*ROWS, {**ROWS[0], "rare": 1}], columns=["rare"], keep_all=True) == []
    whole = [{"who": "ann", "what": "brew", "at": BASE}]
    assert notes(whole, case="who", keep_all=True) == []


def test_no_event_for_want_of_a_unit():
    """Numbers without a unit: no event, and the note says how to give it one."""
    (note,) = notes(unit=None)
    assert note.startswith("no event: 5 records have no readable time: a number needs its unit")
    assert "zone = 'UTC'" in note
    (note,) = notes([{**row, "at": 1000 * row["at"]} for row in ROWS], zone="UTC")
    assert note == "no event: 5 records have no readable time: is the unit 's' right?"


def test_no_event_for_want_of_a_column():
    """A misspelt case or activity: no event, and the note says where it was looked for."""
    assert notes(case="machine.idd") == [
        "no event: 5 records have no case (read from 'machine.idd')"
    ]
    assert notes(activity=("wat", "wot")) == [
        "no event: 5 records have no activity (read from 'wat' or 'wot')"
    ]


def test_the_user_stands_for_every_case():
    """A misspelt case beside a user is told; a user that is meant to stand for it is not."""
    (note,) = notes(case="machine.idd", user="who")
    assert note.startswith("no record has a case (read from 'machine.idd'): the user stands")
    assert notes(case=None, user="who") == []


@pytest.mark.parametrize(("unit", "told", "other"), [("ms", "1970-01-22", "s")])
def test_times_of_1970(unit, told, other):
    """Times that a larger unit would put into this century are told; small numbers are not."""
    (note,) = notes(unit=unit)
    assert note == (
        f"all times are before {told}, read with unit {unit!r}; "
        f"with unit {other!r} the last would be of 2026-01-05"
    )
    assert notes([{**row, "at": row["at"] - BASE} for row in ROWS], unit=unit) == []
    log = EventLog.from_frame(list(ROWS), case="who", activity="what", time="at", unit=unit)
    assert log.reading.notes == (note,)


def test_times_after_2099():
    """Times of a later century are told if they were numbers."""
    (note,) = notes([{**row, "at": 10 * row["at"]} for row in ROWS])
    assert note == "all times are later than 2099: is the unit 's' right?"
    assert notes([{**row, "at": "2500-01-01T00:00:00Z"} for row in ROWS], unit=None) == []


def test_an_empty_reading_notes_nothing():
    """Without records, or with a limit of none, there is nothing to tell."""
    assert notes(()) == []
    assert notes(query=Nothing(), columns=["mll"]) == []
    assert notes(query=Events(where="ml > 100"), columns=[Column("ml", ("ml",), type="integer")]
                 ) == []  # fmt: skip


def test_a_typed_column_is_read_from_its_name():
    """A column of `fields` without paths is read from the field of its name, as what it is."""
    for column in ({"name": "ml", "type": "integer"}, Column("ml", type="integer")):
        schema = Fields(**GOOD, columns=[column])
        log = Pipeline(Documents(documents=ROWS), schema).log()
        assert sorted(event["ml"] for event in log.to_dicts()) == [0, 1, 2, 3, 4]
        assert schema.params()["columns"][0]["paths"] == ["ml"]


def test_a_number_compared_with_text():
    """The message says how to give the column its type, not how to compare it as text."""
    log = Pipeline(Documents(documents=ROWS), Fields(**GOOD, columns=["ml"])).log()
    for text, kind in (("ml > 100", "integer"), ("ml > 1.5", "number"), ("ml = TRUE", "boolean")):
        with pytest.raises(ConditionError) as caught:
            log.where(text)
        assert f'{{name = "ml", type = "{kind}"}}' in caught.value.hint
    for text in ("activity > 7", "case = 1"):  # always text
        with pytest.raises(ConditionError, match="text goes in quotes"):
            log.where(text)
    made = log.with_columns(n=(Column("n"), log.data["activity"]))
    with pytest.raises(ConditionError, match="text goes in quotes"):
        made.where("n = 1")


def test_text_without_quotes():
    """A word that is no column may be text: the message says how it is written."""
    log = Pipeline(Documents(documents=ROWS), Fields(**GOOD)).log()
    for text in ("activity = brew", 'activity = "brew"'):
        with pytest.raises(ConditionError, match="text goes in single quotes: 'brew'"):
            log.where(text)
    with pytest.raises(ConditionError, match="'activty'; did you mean 'activity'"):
        log.where("case = activty")
    query = Events(where="activity = brew")
    with pytest.raises(ConditionError) as caught:
        Pipeline(Documents(documents=ROWS), Fields(**GOOD), query).run()
    assert caught.value.hint == "text goes in single quotes: 'brew'"


@pytest.mark.parametrize(
    "more",
    [
        {"query": Events(where="ml IS NULL")},
        {"query": Events(columns=["ml"])},
        {"transforms": [Where(condition="ml > 3")]},
        {"transforms": [Collapse(same=["ml"])]},
        {"transforms": [Append(other=Pipeline(Documents(documents=ROWS), Fields(**GOOD),
                                              transforms=[Collapse(same=["ml"])]))]},
    ],
)  # fmt: skip
def test_a_field_that_is_no_column_yet(more):
    """Who names a field that the schema does not read is told, once, where to add it."""
    with pytest.raises(DistillError) as caught:
        Pipeline(Documents(documents=ROWS), Fields(**GOOD), **more).run()
    assert caught.value.hint.count("becomes a column by schema.params.columns") == 1


def test_a_step_that_no_event_is():
    """A misspelt step of a pattern is noted; an empty log says nothing about it."""
    def told(rows):
        steps = [Match(pattern="brew clik within 60s")]
        return Pipeline(Documents(documents=rows), Fields(**GOOD), transforms=steps).run().explain()

    assert "  note: no event is a step 'clik'" in told(ROWS).splitlines()
    assert "'brew'" not in told(ROWS)
    assert "note" not in told(())
