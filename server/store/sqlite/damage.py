"""A damaged database file: how it is told from one that is busy or full, and what to do about it.

Nothing here or elsewhere deletes a damaged file: what is still readable is somebody's data.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


ONLY_READ = "The server's store is damaged and only read until it is repaired; its operators are told how."
"""What clients are told: no path and no command."""


class DatabaseDamaged(Exception):
    """The file cannot be opened for writing because it is damaged; the message says what to do."""


def is_damage(error: BaseException) -> bool:
    """Whether an error says that the file itself is damaged, which trying again does not mend."""
    # The low byte is the primary code; the rest tells variants of it apart.
    return ((getattr(error, "sqlite_errorcode", None) or 0) & 0xFF) in _DAMAGED


def is_ours(path: Path) -> bool:
    """Whether a file that can no longer be read was one of ours: the audit key was made beside it."""
    return path.with_name(path.name + ".audit-key").is_file()


def advice(path: Path, error: object) -> str:
    """Return what is wrong with the file and the exact command that mends it."""
    return (
        f"The database {path} is damaged ({error}). It is only read, and kept as it is: "
        f"stop the server and run: switchroom repair --db sqlite:///{path}"
    )
