"""What the tests of all packages share: a browser, and the code blocks of the documentation."""

from __future__ import annotations

import pytest
from code_blocks import collect

pytest_collect_file = collect
collect_ignore = ["docs/_build"]
collect_ignore_glob = ["docs/*.py"]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The executable of a Chromium; without one the test fails and says what to do."""
    from chromium import ADVICE, find

    return find() or pytest.fail(ADVICE, pytrace=False)
