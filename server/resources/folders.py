"""A folder of each session's own, for files that go with it; what a crash left behind goes at the next start.

Each process has one folder below a common root, and holds a lock for it as long as it lives. A folder whose
lock is free belongs to nobody any more.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import stat
import tempfile
from pathlib import Path

import anyio.to_thread

from ..errors import Unsupported
from ..ids import new_reference

logger = logging.getLogger(__name__)

_LOCK = ".lock"


class Folders:
    """This process's folder and the sessions' folders in it, made when they are first asked for."""

    def __init__(self, root: str) -> None:
        """Args:
        root: Where the folders are; `""` is a private folder of this user among the temporary files.
        """
        self.root = Path(root) if root else Path(tempfile.gettempdir()) / f"switchroom-{os.getuid()}"
        self._own: Path | None = None
        self._lock: int | None = None

    async def start(self) -> int:
        """Remove what processes that are gone have left behind; return how many folders that were."""
        return await anyio.to_thread.run_sync(self._remove_abandoned)

    async def stop(self) -> None:
        """Remove this process's folder."""
        if self._own is not None:
            await anyio.to_thread.run_sync(self._remove_own)

    def make(self, session_id: str) -> Path:
        """Return a new folder for a session, which only this user can enter.

        Raises:
            Unsupported: The root is no private folder, or nothing can be written there.
        """
        try:
            folder = self._process_folder() / session_id
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            logger.error("no folder can be made in %s: %s", self.root, error)
            raise Unsupported("This server has nowhere to keep files at the moment. Ask its operator.") from error
        return folder

    async def remove(self, folder: Path) -> None:
        """Remove a session's folder with everything in it; raises `OSError` when it cannot be."""
        await anyio.to_thread.run_sync(shutil.rmtree, folder)

    def _process_folder(self) -> Path:
        if self._own is None:
            self._check_root()
            own = self.root / f"run-{new_reference()}"
            self._lock = _take(own.with_suffix(_LOCK))
            own.mkdir(mode=0o700)
            self._own = own
        return self._own

    def _check_root(self) -> None:
        """Make the root; a folder that somebody else could prepare for us is not used."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = self.root.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
            raise PermissionError(f"{self.root} is not a folder that only this user can write to")

    def _remove_own(self) -> None:
        own, lock, self._own, self._lock = self._own, self._lock, None, None
        assert own is not None and lock is not None
        shutil.rmtree(own, ignore_errors=True)
        own.with_suffix(_LOCK).unlink(missing_ok=True)
        os.close(lock)

    def _remove_abandoned(self) -> int:
        if not self.root.is_dir():
            return 0
        removed = 0
        for lock_path in self.root.glob(f"run-*{_LOCK}"):
            lock = _take_if_free(lock_path)
            if lock is None:
                continue
            shutil.rmtree(lock_path.with_suffix(""), ignore_errors=True)
            lock_path.unlink(missing_ok=True)
            os.close(lock)
            removed += 1
        if removed:
            logger.info("removed %d folders of sessions that a process left behind", removed)
        return removed


def _take(path: Path) -> int:
    """Return a new lock file, held; another process that cleans up may have removed it before it was."""
    while True:
        lock = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists() and path.stat().st_ino == os.fstat(lock).st_ino:
            return lock
        os.close(lock)


def _take_if_free(path: Path) -> int | None:
    try:
        lock = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock
