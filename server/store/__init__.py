"""Where sessions, their events and keys, the audit log and broadcasts are kept."""

from __future__ import annotations

from .base import EventQuery, KeyLimits, Retention, Store, StoreHealth, Tail
from .memory import MemoryStore

__all__ = ["EventQuery", "KeyLimits", "MemoryStore", "Retention", "Store", "StoreHealth", "Tail"]
