"""Switchroom's session engine: works headless, without the console.

Everything named here is public; other modules may change between minor versions.
"""

from __future__ import annotations

from .attach import Switchroom, attach, switchroom
from .data import (
    SessionData,
    SessionGroups,
    SessionLife,
    SessionStateStore,
    log_message,
    session_data,
    session_groups,
    session_life,
)
from .settings import Settings

__all__ = [
    "SessionData",
    "SessionGroups",
    "SessionLife",
    "SessionStateStore",
    "Settings",
    "Switchroom",
    "attach",
    "log_message",
    "session_data",
    "session_groups",
    "session_life",
    "switchroom",
]
