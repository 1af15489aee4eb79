"""An engine as a whole: its parts, its life and its health."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from .audit import AuditLog
from .broadcasts import Broadcasts
from .events import EventLog
from .figures import FiguresLog
from .keys import KeyValues
from .rules import Blocks, Groups
from .sealed import SealedRows
from .sessions import Registry


class StoreHealth(NamedTuple):
    """What the health page says of the store."""

    is_ok: bool
    message: str
    queued: int
    """Writes waiting for a commit."""
    last_commit_ms: float
    failed_commits: int
    commits: int = 0
    """Transactions committed since it was opened."""
    commit_seconds: float = 0.0
    """Time they took together."""
    file_bytes: int = 0
    """Size of the database with its write-ahead log; 0 where there is no file."""
    last_error: str = ""
    """Why a commit failed last, also after it has healed; empty when none has."""
    trouble: str = ""
    """What is the matter in a word or two, for probes: `disk full`, `locked`, `damaged`, `slow`, `failing`."""


class Store(Protocol):
    """One engine: the parts above and its life."""

    @property
    def events(self) -> EventLog: ...
    @property
    def sessions(self) -> Registry: ...
    @property
    def keys(self) -> KeyValues: ...
    @property
    def sealed(self) -> SealedRows: ...
    @property
    def audit(self) -> AuditLog: ...
    @property
    def broadcasts(self) -> Broadcasts: ...
    @property
    def figures(self) -> FiguresLog: ...
    @property
    def groups(self) -> Groups: ...
    @property
    def blocks(self) -> Blocks: ...
    @property
    def is_durable(self) -> bool:
        """Whether anything survives the process."""
        ...

    async def open(self) -> None:
        """Open or create the store. A damaged one is opened for reading alone, and `health` says what to do.

        Raises:
            StartupError: It cannot be used; the message says what to do.
        """
        ...

    async def close(self) -> None:
        """Commit what is queued and release everything."""
        ...

    def health(self) -> StoreHealth: ...
