"""The conformance kit: one class a kind; subclass it, say what to test, and pytest does the rest.

    from distill_core.testing import TransformTests

    class TestDropBots(TransformTests):
        def component(self):
            return DropBots(names=("crawler",))

``chaos`` is a proxy for the tests of sources that ask a server: it resets, hangs, refuses, cuts.

Needs the extra ``test`` (pytest, hypothesis). Nothing runs when this is imported. A standard test
may be weakened only by ``pytest.mark.xfail`` with a reason.
"""

from distill_core.testing import chaos
from distill_core.testing.components import ComponentTests
from distill_core.testing.logs import COLUMNS, build, documents, logs
from distill_core.testing.models import ModelTests
from distill_core.testing.queries import QueryTests
from distill_core.testing.schemas import SchemaTests
from distill_core.testing.sources import Documents, SourceTests
from distill_core.testing.transforms import TransformTests

__all__ = [
    "COLUMNS",
    "ComponentTests",
    "Documents",
    "ModelTests",
    "QueryTests",
    "SchemaTests",
    "SourceTests",
    "TransformTests",
    "build",
    "chaos",
    "documents",
    "logs",
]
