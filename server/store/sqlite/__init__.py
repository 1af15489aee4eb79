"""The SQLite engine: one file and one writer with natural group commit; `backup` and `salvage` are for operators."""

from __future__ import annotations

from .store import SqliteStore

__all__ = ["SqliteStore"]
