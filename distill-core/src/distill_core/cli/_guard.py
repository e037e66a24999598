"""How every command ends: errors in words, exit codes, no traceback unless one is wanted."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Any

import typer
from typer.core import TyperGroup

from distill_core.cli._output import say, writing
from distill_core.errors import DistillError

UsageError = typer.BadParameter.__base__
"""What typer raises and reports itself, with exit code 2."""


class Guarded(TyperGroup):
    """The group of all commands; whatever one of them raises ends here."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command, then flush, so that a closed pipe is met here and not at exit."""
        try:
            found = super().invoke(ctx)
            with writing():
                sys.stdout.flush()
        except (typer.Exit, typer.Abort, UsageError):  # type: ignore[misc]
            raise
        except BrokenPipeError:
            _close_stdout()
            raise typer.Exit(0) from None
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
        except DistillError as error:
            _tell(error)
            if error.code == "output-failed":
                _close_stdout()
            raise typer.Exit(1) from None
        except Exception as error:  # noqa: BLE001 - the last place before a traceback
            _tell_unexpected(error)
            raise typer.Exit(1) from None
        return found


def _tell(error: DistillError) -> None:
    where = f"{error.path}: " if error.path else ""
    traced = _trace()
    say(f"error: {where}{error.message}")
    if error.hint:
        say(f"hint: {error.hint}")
    if error.__cause__ is not None and not traced:
        say("hint: DISTILL_TRACEBACK=1 in front of the command shows where it happened")
    say(f"code: {error.code}")


def _tell_unexpected(error: Exception) -> None:
    if not _trace():
        say(f"error: unexpected {type(error).__name__}: {' '.join(str(error).split())}")
        say("hint: DISTILL_TRACEBACK=1 in front of the command shows where it happened")


def _trace() -> bool:
    wanted = os.environ.get("DISTILL_TRACEBACK", "") not in ("", "0")
    if wanted:
        say(traceback.format_exc().rstrip())
    return wanted


def _close_stdout() -> None:
    """The reader is gone: let nothing be written at exit, where it would be an error again."""
    if sys.stdout is None:
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
