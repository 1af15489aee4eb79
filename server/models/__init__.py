"""The vocabulary of Switchroom: plain values that every other module speaks in.

Only the standard library is imported here. Times are Unix seconds (UTC) as floats, sizes are
bytes, and a payload is the JSON text of one JSON-RPC message with everything outside ASCII escaped.
"""

from __future__ import annotations

from .blocks import Block, BlockKind
from .events import (
    ANSWERS,
    STANDALONE_STREAM,
    CallsAt,
    Direction,
    Event,
    EventKind,
    EventPage,
    PastCall,
    ServerEvent,
    ServerLogPage,
)
from .failures import ErrorGroup, Failure
from .figures import LATENCY_BOUNDS_US, LATENCY_STEPS, NO_LATENCY, Figures, Gauges, joined, percentile_us
from .groups import DEFAULT_GROUP, GROUP_NAME, GROUP_NAME_RULE, Group, Member
from .history import Transition, history_of, note_transition
from .keys import KeysAt, PastKey, StoredKey
from .operators import Actor, AuditEntry, Broadcast, DeliveryStatus, Receipt, Role
from .resources import HeldResource
from .sessions import (
    ACTIVE_WINDOW_SECONDS,
    ENDED_STATES,
    ENDLESS_METHODS,
    LISTEN,
    EndedId,
    Era,
    InFlight,
    Session,
    SessionKind,
    SessionPage,
    SessionRecord,
    SessionState,
    SignedIn,
    StreamInfo,
)

__all__ = [
    "ACTIVE_WINDOW_SECONDS",
    "ANSWERS",
    "DEFAULT_GROUP",
    "ENDED_STATES",
    "ENDLESS_METHODS",
    "GROUP_NAME",
    "GROUP_NAME_RULE",
    "LATENCY_BOUNDS_US",
    "LATENCY_STEPS",
    "LISTEN",
    "NO_LATENCY",
    "STANDALONE_STREAM",
    "Actor",
    "AuditEntry",
    "Block",
    "BlockKind",
    "Broadcast",
    "CallsAt",
    "DeliveryStatus",
    "Direction",
    "EndedId",
    "Era",
    "ErrorGroup",
    "Event",
    "EventKind",
    "EventPage",
    "Failure",
    "Figures",
    "Gauges",
    "Group",
    "HeldResource",
    "InFlight",
    "KeysAt",
    "Member",
    "PastCall",
    "PastKey",
    "Receipt",
    "Role",
    "ServerEvent",
    "ServerLogPage",
    "Session",
    "SessionKind",
    "SessionPage",
    "SessionRecord",
    "SessionState",
    "SignedIn",
    "StoredKey",
    "StreamInfo",
    "Transition",
    "history_of",
    "joined",
    "note_transition",
    "percentile_us",
]
