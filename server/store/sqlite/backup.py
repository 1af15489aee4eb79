"""A copy of a server's files that is whole, taken while the server goes on writing.

SQLite's backup interface reads one snapshot of each database; a copy of the files themselves could hold
half of a transaction.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from ...errors import StartupError


def back_up(path: Path, folder: Path) -> list[Path]:
    """Copy the event file, the accounts beside it and the audit log's key into `folder`, and return the copies.

    Raises:
        StartupError: There is no database, `folder` holds something already, or a file cannot be copied.
    """
    if not path.is_file():
        raise StartupError(f"There is no database at {path}: name the one that the server uses with --db.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise StartupError(f"{folder} is not empty: name a new folder, so that no copy is mixed with another.")
    try:
        copies = [_copy_database(source, folder / source.name) for source in _databases(path)]
        key = path.with_name(path.name + ".audit-key")
        if key.is_file():
            copies.append(Path(shutil.copy2(key, folder / key.name)))
    except (OSError, sqlite3.Error) as error:
        raise StartupError(f"The copy failed ({error}); {folder} holds only a part of it.") from error
    return copies


def _databases(path: Path) -> list[Path]:
    """Return the event file and the databases that lie beside it under its name, such as the accounts."""
    beside = [other for other in path.parent.glob(f"{path.stem}*") if other != path and _is_database(other)]
    return [path, *sorted(beside)]


def _is_database(path: Path) -> bool:
    is_side_file = path.name.endswith(("-wal", "-shm", "-journal", ".lock", ".reserve")) or ".damaged-" in path.name
    if is_side_file or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\0"


def _copy_database(source: Path, target: Path) -> Path:
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    uri = f"{source.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=10)) as reading, closing(sqlite3.connect(target)) as writing:
        reading.backup(writing)
    return target
