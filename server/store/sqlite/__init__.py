"""The SQLite engine: one file, one writer thread with natural group commit, and what helps when a file breaks."""

from __future__ import annotations

from .backup import back_up
from .salvage import Salvage, salvage
from .store import SqliteStore

__all__ = ["Salvage", "SqliteStore", "back_up", "salvage"]
