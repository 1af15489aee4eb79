"""What tool authors inject: the caller's session and the keys stored for it."""

from __future__ import annotations

from ..marks import Secret
from .fastmcp_state import SessionStateStore
from .groups import SessionGroups, session_groups
from .hiding import hide
from .lifecycle import SessionLife, session_life
from .messages import LEVELS, log_message
from .robust import robust
from .session_data import SessionData, session_data
from .telling import ToolFailure

__all__ = [
    "LEVELS",
    "Secret",
    "SessionData",
    "SessionGroups",
    "SessionLife",
    "SessionStateStore",
    "ToolFailure",
    "hide",
    "log_message",
    "robust",
    "session_data",
    "session_groups",
    "session_life",
]
