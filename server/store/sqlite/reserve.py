"""A small file kept beside the database: deleting needs room on a full disk, and this gives it back."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_RESERVE_BYTES = 4 * 1024 * 1024


class Reserve:
    """Space set aside while there is some."""

    def __init__(self, database: Path) -> None:
        self._path = Path(f"{database}.reserve")

    def fill(self) -> None:
        """Set the space aside; without enough of it nothing is kept back."""
        if self._path.exists():
            return
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, _RESERVE_BYTES)
            finally:
                os.close(descriptor)
        except OSError:
            self.release()

    def release(self) -> None:
        """Give the space back. Idempotent."""
        with contextlib.suppress(OSError):
            self._path.unlink()
