"""Where sessions, their events and keys, the audit log and broadcasts are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from ..errors import StartupError
from .base import AuditQuery, EventQuery, KeyLimits, Retention, ServerLogQuery, Store, StoreHealth, Tail
from .sqlite import SqliteStore

__all__ = [
    "AuditQuery",
    "EventQuery",
    "KeyLimits",
    "Retention",
    "ServerLogQuery",
    "SqliteStore",
    "Store",
    "StoreHealth",
    "Tail",
    "open_store",
]


def open_store(
    url: str,
    *,
    durability: Literal["interval", "commit"] = "interval",
    retention: Retention | None = None,
    audit_key_path: Path | None = None,
) -> Store:
    """Return the engine that `url` names, not opened yet.

    Args:
        url: `sqlite:///relative.db`, `sqlite:////absolute.db` or `memory:`.
        durability: `interval` syncs every 200 ms, `commit` with every commit.
        audit_key_path: Where the audit log's key is; beside the database unless given.

    Raises:
        StartupError: The URL names no engine; the message says what to write.
    """
    if url == "memory:":
        from .memory import MemoryStore  # no part of the start of those who keep a file

        return MemoryStore(retention=retention)
    path = url.removeprefix("sqlite:///")
    if path == url or not path or "\0" in path:
        raise StartupError(f'"{url}" names no database: use sqlite:///file.db, sqlite:////absolute/file.db or memory:.')
    return SqliteStore(
        Path(path),
        is_always_synced=durability == "commit",
        retention=retention,
        audit_key_path=audit_key_path,
    )
