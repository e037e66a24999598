"""What holds for a component of any kind."""

from __future__ import annotations

import json
import pickle
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from pydantic import ValidationError

from distill_core.component import Component, component_name

LAWS = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow],
)
"""Settings of the kit's property tests; inherited tests run with more than one class."""


class ComponentTests:
    """Subclass one of the kinds' classes, not this one."""

    def component(self) -> Component:
        """The component under test, with the parameters that matter to you."""
        raise NotImplementedError

    def test_name_is_snake_case(self) -> None:
        """Documents and the command line know it by a snake_case name."""
        assert re.fullmatch(r"[a-z][a-z0-9_]*", component_name(self.component()))

    def test_is_described(self) -> None:
        """Class and parameters say what they are for: tools build their menus from it."""
        cls = type(self.component())
        assert (cls.__doc__ or "").strip(), f"{cls.__name__} has no docstring"
        bare = [n for n, f in cls.model_fields.items() if not f.description and n != "extra"]
        assert not bare, f"parameters without description: {bare}"

    def test_json_round_trip(self) -> None:
        """The written form reads back as a component with the same written form."""
        component = self.component()
        again = type(component).model_validate_json(json.dumps(component.params()))
        assert again.params() == component.params()
        assert again.params_key() == component.params_key()

    def test_json_schema(self) -> None:
        """The parameters have a JSON Schema that is an object and refuses others."""
        schema = type(self.component()).model_json_schema()
        assert schema["type"] == "object"
        assert schema["additionalProperties"] is False

    def test_pickles(self) -> None:
        """It can be sent to another process."""
        component = self.component()
        assert pickle.loads(pickle.dumps(component)) == component  # noqa: S301 (our own bytes)

    def test_unknown_parameter_is_refused(self) -> None:
        """A misspelt parameter is an error, never ignored."""
        params: dict[str, Any] = {**self.component().params(), "no_such_parameter": 1}
        with pytest.raises(ValidationError, match="no_such_parameter"):
            type(self.component()).model_validate(params)

    def test_is_frozen(self) -> None:
        """Parameters cannot be changed afterwards."""
        component = self.component()
        for name in type(component).model_fields:
            with pytest.raises(ValidationError):
                setattr(component, name, None)
