"""What a database error means for the rows that met it."""

from __future__ import annotations

import sqlite3

_NEVER = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError, sqlite3.NotSupportedError)
_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


def is_passing(error: Exception) -> bool:
    """Whether the same rows may be accepted later: after a full disk, a lock, an I/O error."""
    return isinstance(error, sqlite3.DatabaseError) and not isinstance(error, _NEVER)


def trouble(error: Exception) -> str:
    """Return what is the matter in a word or two, for probes that anybody may read."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "locked"
    return "disk full" if is_no_room(error) else "failing"


def is_no_room(error: Exception) -> bool:
    """Whether the disk may be full; some file systems report that as an I/O error."""
    # The low byte is the primary code; the rest tells variants of it apart.
    return ((getattr(error, "sqlite_errorcode", None) or 0) & 0xFF) in _NO_ROOM
