"""The README tells of each column, check and parameter that is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from distill_userale import UserALE, UseraleClean
from distill_userale.quality import _CHECKS, _REJECTED

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def part(name: str) -> list[list[str]]:
    """The cells of a table between two marks."""
    text = README.split(f"<!-- {name} -->")[1].split(f"<!-- end of {name} -->")[0]
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows[2:]]


def ticked(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_columns() -> None:
    """The table of fields has the schema's columns in order: type, paths, unit, sensitivity."""
    columns = iter(UserALE().columns())
    for names, kind, source, _ in part("fields"):
        paths = []
        for name in ticked(names):
            column = next(columns)
            assert (column.name, column.type) == (name, kind)
            assert (f"`{name}` *" in names) is column.sensitive
            paths += [*column.paths, *column.of]
            unit = column.unit if column.type in ("time", "duration") else None
            assert ("(ms)" in source) is (unit == "ms")
        assert ticked(source) == paths
    assert next(columns, None) is None


def test_checks() -> None:
    """The table of checks has each check of the report, in its order."""
    names = [name for row in part("checks") for name in ticked(row[0])]
    assert names == [*_REJECTED, *(check.name for check in _CHECKS)]


def test_rules() -> None:
    """The table of rules has each rule of the cleaning, in the order of its parameters."""
    fields = UseraleClean.model_fields
    rules = [name for name, field in fields.items() if field.annotation is bool]
    assert [row[0] for row in part("rules")] == [f"`{name}`" for name in rules]
    assert {name for row in part("rules") for cell in row for name in ticked(cell)} == {*fields}


@pytest.mark.parametrize("case", ["session", "tab", "user"])
def test_cases(case) -> None:
    """Each kind of case has a row."""
    assert re.search(rf"^\| `{case}`", README, flags=re.MULTILINE)
