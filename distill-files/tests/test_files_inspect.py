"""`distill inspect` on files: what could not be read is told with its place."""

from __future__ import annotations

import pytest

from distill_core.cli._inspect import inspect_file, survey


def test_rejected_records_have_their_places(tmp_path, monkeypatch, capsys: pytest.CaptureFixture):
    """Each reason has its count and the lines of the first records."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "odd.ndjson").write_text('{"a": 1}\n{broken\n7\n8\n9\n10\n', "utf-8")
    found = survey("odd.ndjson")
    assert found["rejected"] == {"corrupt": 1, "not_object": 4}
    assert found["places"]["corrupt"] == ["odd.ndjson:2"]
    inspect_file("odd.ndjson", as_json=False)
    shown = capsys.readouterr().out.splitlines()
    assert "rejected corrupt: 1 (odd.ndjson:2)" in shown
    places = "odd.ndjson:3, odd.ndjson:4, odd.ndjson:5, …"
    assert f"rejected not_object: 4 ({places})" in shown
