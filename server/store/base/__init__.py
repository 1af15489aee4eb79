"""The store's contract: what every engine promises, and what it may refuse.

An engine is one object with the attributes of `Store`. Every engine passes the one suite in
`tests/server/store/`. All methods are called on the event loop's thread and none of them blocks it.
A write is acknowledged (its future resolves) only after it is committed.
"""

from __future__ import annotations

from .audit import NOT_REACHED, AuditLog, AuditQuery, AuditRecord
from .broadcasts import Broadcasts
from .events import MAX_PAGE_BYTES, EventLog, EventQuery, ServerLogQuery, Tail
from .figures import FiguresLog
from .keys import KeyLimits, KeyValues, KeyWrite
from .retention import Retention
from .rules import Blocks, Groups
from .sealed import SealedRow, SealedRows
from .sessions import Registry
from .store import Store, StoreHealth

__all__ = [
    "MAX_PAGE_BYTES",
    "NOT_REACHED",
    "AuditLog",
    "AuditQuery",
    "AuditRecord",
    "Blocks",
    "Broadcasts",
    "EventLog",
    "EventQuery",
    "FiguresLog",
    "Groups",
    "KeyLimits",
    "KeyValues",
    "KeyWrite",
    "Registry",
    "Retention",
    "SealedRow",
    "SealedRows",
    "ServerLogQuery",
    "Store",
    "StoreHealth",
    "Tail",
]
