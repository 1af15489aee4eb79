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
    ToolFailure,
    log_message,
    robust,
    session_data,
    session_groups,
    session_life,
)
from .event_store import EventStores
from .resources import SessionResources, session_resources
from .settings import Settings
from .sign_in import SignIn, UserVerifier, sign_in

__all__ = [
    "EventStores",
    "SessionData",
    "SessionGroups",
    "SessionLife",
    "SessionResources",
    "SessionStateStore",
    "Settings",
    "SignIn",
    "Switchroom",
    "ToolFailure",
    "UserVerifier",
    "attach",
    "log_message",
    "robust",
    "session_data",
    "session_groups",
    "session_life",
    "session_resources",
    "sign_in",
    "switchroom",
]
