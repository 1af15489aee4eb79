"""Who acts, what was done, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class AuditEntry(NamedTuple):
    """An operator's action: intent and outcome, shown as one."""

    id: int
    action_id: str
    at: float
    actor: str
    role: str
    action: str
    target: str
    reason: str
    outcome: str
    """`done`, `partly`, `refused`, `failed`, or `started` while no outcome is recorded."""
    detail: str
    """JSON object: counts and per-session results."""
    address: str


class DeliveryStatus(StrEnum):
    """What became of one recipient of a broadcast."""

    PENDING = "pending"
    DELIVERED = "delivered"
    """Written to an open stream; MCP has no read receipts."""
    QUEUED = "queued"
    NOT_LISTENING = "not_listening"
    BELOW_LEVEL = "below_level"
    SKIPPED = "skipped"
    FAILED = "failed"


class Receipt(NamedTuple):
    """The outcome of a broadcast for one session or sessionless client."""

    session_id: str
    status: DeliveryStatus
    at: float
    reason: str | None = None
    seq: int | None = None
    client: str = ""
    """The client's name when the broadcast began; empty where it was not known."""


@dataclass(frozen=True, slots=True)
class Broadcast:
    """One message to many sessions, with its figures as they stand."""

    id: str
    created_at: float
    actor: str
    text: str
    level: str
    filter: str
    exclude: str
    status: str
    """`sending`, `done` or `stopped`."""
    audience: int
    counts: dict[str, int]
    """Recipients by `DeliveryStatus` value; they add up to `audience`."""
    expires_at: float
    idempotency_key: str | None = None
    method: str = "notifications/message"
    """The notification a handshake-era session gets."""
    logger: str = "switchroom"
    """The `logger` field of a log message."""
    is_json: bool = False
    """Whether `text` is JSON text, sent as the value it spells."""
    is_queued: bool = True
    """Whether a client without a stream gets it with its next one, rather than not at all."""
    is_trial: bool = False
    """Whether its sender tried it on one session first."""
    group: str = ""
    """Name of the group whose member sent it with a tool; empty for an operator's."""
    sender: str | None = None
    """Id of the session that sent it with a tool; `None` for an operator's."""


class Role(StrEnum):
    """What an operator or an API token may do; each role includes the ones before it."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def includes(self, other: Role) -> bool:
        """Whether this role may do what `other` may."""
        order = (Role.VIEWER, Role.OPERATOR, Role.ADMIN)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: an operator, an API token, somebody at the command line, or Switchroom itself."""

    name: str
    role: Role
    kind: str = "operator"
    """`operator`, `token`, `command` or `system`."""
    address: str = ""
