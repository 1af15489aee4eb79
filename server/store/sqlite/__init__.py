"""The engine of a single server: one SQLite file, one writer thread with group commit, a few readers."""

from __future__ import annotations

from .store import SqliteStore

__all__ = ["SqliteStore"]
