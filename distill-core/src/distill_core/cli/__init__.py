"""The command line: ``distill``.

Results go to stdout, everything else to stderr; exit code 0 is well, 1 an error, 2 wrong usage.
Only this package prints, and it loads nothing but typer until a command runs.
"""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command that ``sys.argv`` asks for, then leave the process."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # whatever the locale, and the same bytes everywhere
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")
    from distill_core.cli._app import app

    app(prog_name="distill")
