"""The engine for tests and trials: everything in memory, committed at once, gone with the process."""

from __future__ import annotations

from .store import MemoryStore

__all__ = ["MemoryStore"]
