"""The logs that were recorded in browsers: ``../shared/data``, or what DISTILL_RECORDINGS names.

They are no part of the checkout. A test that needs one fails where it is missing; who has none
says so (``DISTILL_RECORDINGS=none``), and these tests are skipped.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = os.environ.get("DISTILL_RECORDINGS", str(Path(__file__).parents[3] / "shared" / "data"))


def recording(name: str) -> Path:
    """The file of that name; the test fails if it is not there."""
    if FOLDER == "none":
        pytest.skip("DISTILL_RECORDINGS=none: tests on recordings are left out")
    path = Path(FOLDER) / name
    if not path.exists():
        pytest.fail(f"{path} is missing: DISTILL_RECORDINGS names the folder, or is 'none'")
    return path
