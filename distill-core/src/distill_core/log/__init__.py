"""The event log: columns prepared once, which every step then passes in one linear pass."""

from distill_core.log._concat import concat, stack
from distill_core.log._log import EventLog

__all__ = ["EventLog", "concat", "stack"]
