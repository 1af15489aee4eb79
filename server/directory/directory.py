"""`Directory`: every question that a page, an API route or a live frame asks, answered with plain values."""

from __future__ import annotations

from ..engine.engine import Engine
from .audit import AuditReads
from .broadcasts import BroadcastReads
from .contents import ContentReads
from .overall import OverallReads
from .rules import Rules
from .server_log import ServerLog
from .sessions import SessionReads


class Directory(SessionReads, ContentReads, BroadcastReads, AuditReads, OverallReads):
    """Reads only. Methods that are not `async` answer from memory."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.rules = Rules(engine)
        """Groups and blocks."""
        self.changes = engine.bus
        self.log = ServerLog(engine)
        """The log of the whole server."""
        self.server_names: list[str] = []
        """The mounted MCP servers, in order of mounting."""
