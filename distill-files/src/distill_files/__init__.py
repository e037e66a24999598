"""Reads NDJSON, JSON, CSV and Parquet files, compressed ones and globs too."""

from __future__ import annotations

from distill_files.source import Files

__all__ = ["Files"]
