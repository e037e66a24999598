"""Fixtures for the tests of every package."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def chromium() -> str:
    """The executable of a Chromium; without one the test fails and says what to do."""
    from chromium import ADVICE, find

    return find() or pytest.fail(ADVICE, pytrace=False)
