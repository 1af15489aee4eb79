"""The keys a filter may use, what each one reads and which values it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType

from ..models import SessionKind

SEARCH_KEY = "text"
"""The key of free text, which is usually written without it."""

LIVE_STATUSES = ("active", "idle", "initializing", "not_initialized", "detached")
ENDED_STATUSES = ("expired", "closed", "rejected")


class ValueKind(Enum):
    """How the values of a key are read and compared."""

    STATE = auto()
    """A status name, `live`, `ended` or `initialized`."""
    CHOICE = auto()
    TEXT = auto()
    """Equal without regard to case, or with `*` for any characters."""
    NAMES = auto()
    """Several texts at once, each compared like `TEXT`; one of them has to match."""
    DATE = auto()
    """Text that sorts by time, such as a protocol revision; also takes an operator."""
    VERSION = auto()
    """Dotted numbers; also takes an operator or `*`."""
    COUNT = auto()
    DURATION = auto()
    """Seconds between then and now; always takes an operator."""
    SEARCH = auto()
    """Contained anywhere in any of the attributes, without regard to case."""


@dataclass(frozen=True, slots=True)
class Field:
    """One key of the language."""

    key: str
    kind: ValueKind
    attributes: tuple[str, ...]
    """What it reads of a session; one of them has to match."""
    meaning: str
    """A few words for the help beside the input."""
    example: str
    choices: tuple[str, ...] = ()
    """The values of `STATE` and `CHOICE`; of other kinds, values worth suggesting."""


STATUSES_OF: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        **{status: frozenset({status}) for status in LIVE_STATUSES + ENDED_STATUSES},
        "live": frozenset(LIVE_STATUSES),
        "ended": frozenset(ENDED_STATUSES),
        "initialized": frozenset({"active", "idle"}),
    }
)
"""The statuses that each value of `state:` stands for."""

TRANSPORTS: Mapping[str, SessionKind] = MappingProxyType(
    {
        "http": SessionKind.STREAMABLE_HTTP,
        "sse": SessionKind.SSE,
        "stdio": SessionKind.STDIO,
        "handle": SessionKind.HANDLE,
    }
)
"""The kind that each value of `transport:` stands for."""

_ALL = (
    Field("state", ValueKind.STATE, ("status",), "where it is in its life", "active,idle or live", tuple(STATUSES_OF)),
    Field("transport", ValueKind.CHOICE, ("kind",), "what carries it", "http or sse,stdio", tuple(TRANSPORTS)),
    Field("kind", ValueKind.CHOICE, ("kind",), "what it is on the wire", "handle", tuple(map(str, SessionKind))),
    Field("client", ValueKind.TEXT, ("client_name",), "name of the client", "claude-code or claude*"),
    Field("version", ValueKind.VERSION, ("client_version",), "version of the client", ">=2.1 or 2.*"),
    Field("protocol", ValueKind.DATE, ("protocol_version",), "protocol revision", "2025-11-25 or >=2025-06-18"),
    Field("principal", ValueKind.TEXT, ("principal",), "who the access token speaks for", "user-17 or svc:*"),
    Field("server", ValueKind.TEXT, ("server",), "name of the mounted MCP server", "tickets"),
    Field("group", ValueKind.NAMES, ("groups",), "a group it is a member of", "planners or team-*"),
    Field("worker", ValueKind.TEXT, ("worker_id",), "process that holds it", "web-2"),
    Field("address", ValueKind.TEXT, ("address",), "address of the client", "10.0.*"),
    Field("id", ValueKind.TEXT, ("id", "mcp_session_id_prefix"), "reference, or start of the session id", "1f0c*"),
    Field("requests", ValueKind.COUNT, ("request_count",), "requests ever made", ">100"),
    Field("errors", ValueKind.COUNT, ("error_count",), "requests that failed", ">0"),
    Field("inflight", ValueKind.COUNT, ("in_flight",), "requests not answered yet", ">0"),
    Field("streams", ValueKind.COUNT, ("open_streams",), "open streams", "0"),
    Field("keys", ValueKind.COUNT, ("key_count",), "stored keys", ">0"),
    Field("idle", ValueKind.DURATION, ("last_activity_at",), "time since the client was heard", ">10m"),
    Field("seen", ValueKind.DURATION, ("last_activity_at",), "the same, as it reads for the recent", "<2h"),
    Field("age", ValueKind.DURATION, ("created_at",), "time since it was opened", "<1h"),
    Field(
        SEARCH_KEY,
        ValueKind.SEARCH,
        ("id", "mcp_session_id_prefix", "client_name", "client_version", "principal"),
        "words or a quoted phrase anywhere in ids, client and principal",
        "inspector",
    ),
)

FIELDS: Mapping[str, Field] = MappingProxyType({field.key: field for field in _ALL})
"""Every key of the language, in the order of its help."""
