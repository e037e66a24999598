"""The columns of an Arrow object, as Series and lists that keep what they hold."""

from __future__ import annotations

import json
from typing import Any

from distill_core.errors import SchemaError
from distill_core.log._output import TYPE_KEY


def arrow_table(obj: Any) -> Any:
    """A pyarrow Table of what has an Arrow stream; SchemaError if it is no table."""
    try:
        import pyarrow as pa
    except ImportError:
        raise SchemaError(
            "reading Arrow objects needs pyarrow",
            code="arrow-missing",
            hint="pip install 'distill-core[arrow]'",
        ) from None
    try:
        return pa.table(obj)
    except Exception as error:  # whatever a stranger's object raises
        raise SchemaError(
            f"no event log can be made of {type(obj).__name__}: {error}",
            code="input-type",
            hint="give a table with named columns, of types that Arrow has",
        ) from error


def read_column(field: Any, column: Any) -> tuple[Any, bool]:
    """A Series, or a list where a Series would not hold the values; whether these are JSON.

    ``field``, ``column``: of one table. SchemaError for what Python cannot hold.
    """
    if (field.metadata or {}).get(TYPE_KEY) == b"json":
        try:
            found = [None if text is None else json.loads(text) for text in column.to_pylist()]
        except (TypeError, ValueError, RecursionError):
            pass  # somebody else's mark: it is read as what it is
        else:
            return found, True
    try:
        return _values(column), False
    except Exception as error:  # Arrow and pandas raise many
        raise SchemaError(
            f"column {field.name!r} of Arrow type {column.type} cannot be read: {error}",
            code="column-type",
            hint="cast or drop it before",
        ) from error


def _values(column: Any) -> Any:
    import pandas as pd
    import pyarrow as pa

    kind, types = column.type, pa.types
    if types.is_nested(kind) or types.is_time(kind):  # pandas makes floats of whole numbers
        return column.to_pylist()
    if types.is_string_view(kind):
        column = column.cast(pa.large_string())
    if types.is_string(column.type) or types.is_large_string(column.type):
        column = column.dictionary_encode()
    whole = {getattr(pa, f"{sign.lower()}int{bits}")(): getattr(pd, f"{sign}Int{bits}Dtype")()
             for sign in ("", "U") for bits in (8, 16, 32, 64)}  # fmt: skip
    return column.to_pandas(types_mapper={**whole, pa.bool_(): pd.BooleanDtype()}.get)
