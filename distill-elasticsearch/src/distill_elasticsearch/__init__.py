"""Elasticsearch for Distill: a source that reads without losing a row, and never writes."""

from __future__ import annotations

from distill_elasticsearch.source import Elasticsearch

__all__ = ["Elasticsearch"]
