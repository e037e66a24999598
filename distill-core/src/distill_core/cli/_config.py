"""``distill config show``."""

from __future__ import annotations

from dataclasses import asdict

from distill_core.cli._output import put, put_json, put_table
from distill_core.config import FILE, load_config


def show_config(path: str | None, as_json: bool) -> None:
    """Every setting with its origin."""
    config = load_config(path)
    settings = config.settings()
    if as_json:
        file = str(config.path) if config.path else None
        put_json({"file": file, "settings": [asdict(setting) for setting in settings]})
        return
    put(f"file: {config.path or f'none (there is no {FILE} here)'}")
    if settings:
        put_table(["setting", "value", "from"], [(s.path, s.value, s.origin) for s in settings])
