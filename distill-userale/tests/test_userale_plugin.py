"""What the distribution offers, through the same door as any other's."""

from __future__ import annotations

import subprocess
import sys

from distill_core.component import component_name
from distill_core.registry import find
from distill_userale import UserALE, UseraleClean, UseraleQuality


def test_offered() -> None:
    """The schema, the transform and the model are found by name."""
    assert find("schema", "userale") is UserALE
    assert find("transform", "userale_clean") is UseraleClean
    assert find("model", "userale_quality") is UseraleQuality
    assert component_name(UserALE) == "userale"


def test_light() -> None:
    """Importing the package and its plugin loads no pandas, duckdb, sqlglot or networkx."""
    code = (
        "import sys, distill_userale.plugin as p; p.distill_schemas(); p.distill_models();"
        "p.distill_transforms();"
        "print(sorted({'pandas', 'duckdb', 'sqlglot', 'networkx'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_public_names() -> None:
    """The package's names resolve on first use, and others do not."""
    import distill_userale

    assert all(getattr(distill_userale, name) for name in distill_userale.__all__)
    assert sorted(distill_userale.__all__) == distill_userale.__all__
    assert not hasattr(distill_userale, "Nothing")
