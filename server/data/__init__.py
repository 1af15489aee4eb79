"""What tool authors inject: the caller's session and the keys stored for it."""

from __future__ import annotations

from .fastmcp_state import SessionStateStore
from .groups import SessionGroups, session_groups
from .messages import LEVELS, log_message
from .session_data import SessionData, session_data

__all__ = [
    "LEVELS",
    "SessionData",
    "SessionGroups",
    "SessionStateStore",
    "log_message",
    "session_data",
    "session_groups",
]
