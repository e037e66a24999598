"""What documents may name: configured sources and pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from distill_core.errors import SpecError, nearest


@dataclass(frozen=True)
class Names:
    """Configured sources and pipelines; ``within``: the names that led to the one in hand."""

    sources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    pipelines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    within: tuple[str, ...] = ()

    def document(self, name: str) -> tuple[dict[str, Any], Names]:
        """The document of the pipeline or source of this name, and the names as it sees them.

        Raises SpecError if there is none, or if it is made of itself.
        """
        if name in self.within:
            circle = " → ".join([*self.within, name])
            raise SpecError(f"a pipeline cannot read itself: {circle}", code="spec-invalid")
        if name in self.pipelines:
            found = {key: value for key, value in self.pipelines[name].items() if key != "params"}
        elif name in self.sources:
            found = {"source": name}
        else:
            raise SpecError(
                f"there is no pipeline and no source {name!r} in the configuration",
                code="config-unknown",
                hint=nearest(name, [*self.pipelines, *self.sources]),
            )
        return found, replace(self, within=(*self.within, name))
