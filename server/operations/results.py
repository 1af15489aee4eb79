"""What the operator's verbs return: the truth about what happened."""

from __future__ import annotations

from typing import NamedTuple

from ..engine.timeouts import Timeouts


class ExpireResult(NamedTuple):
    """The outcome of ending sessions."""

    action_id: str
    expired: list[str]
    already_ended: list[str]
    failed: list[tuple[str, str]]
    """`(session id, why)`."""
    calls_ended: int
    streams_closed: int

    @property
    def matched(self) -> int:
        """How many sessions the action was about."""
        return len(self.expired) + len(self.already_ended) + len(self.failed)


class TimeoutsResult(NamedTuple):
    """The outcome of giving a session other limits."""

    action_id: str
    timeouts: Timeouts
    expires_at: float | None
    """When it expires if its client is not heard again; `None` for never."""


class Reach(NamedTuple):
    """What a broadcast would come to if it were sent now."""

    sessions: int
    clients: int
    """Sessionless ones."""
    reached: int
    """With an open stream that carries it."""
    queued: int
    """Without a stream: it waits for their next one."""
    not_listening: int
    below_level: int
    skipped: int
    ended: int
    """Chosen ones that are not here any more."""

    @property
    def total(self) -> int:
        """Everybody it addresses; the figures above add up to it, those that have ended included."""
        return self.sessions + self.clients + self.ended


class CancelResult(NamedTuple):
    """The outcome of cancelling one call."""

    action_id: str
    outcome: str
    """`cancelled`, `already_answered`, `answered_by_leg` (its handler ignores the cancellation), or
    `still_running` (so does a handler of the newer era, where only it can answer)."""


class SignInEnded(NamedTuple):
    """The outcome of ending a sign-in."""

    action_id: str
    user: str | None
    """Who was signed in; `None` when nobody was."""


class ResourceClosed(NamedTuple):
    """The outcome of closing a resource."""

    action_id: str
    name: str | None
    """`None` when the session does not hold it (any more)."""
    problem: str
    """What closing it raised, or that it took too long; the session does not hold it any more all the same."""


class ReplayItem(NamedTuple):
    """What became of one event."""

    seq: int
    new_seq: int | None
    status: str
    """`delivered`, `queued` or `skipped`; in a plan `sendable` or `skipped`."""
    reason: str
    method: str | None = None
    """`None` where the log holds no such event."""


class ReplayPlan(NamedTuple):
    """What a replay would do."""

    items: list[ReplayItem]
    size_bytes: int
    """Of all that would be sent."""

    @property
    def sendable(self) -> int:
        return sum(1 for item in self.items if item.status == "sendable")


class ReplayResult(NamedTuple):
    """The outcome of a replay, event by event."""

    action_id: str
    items: list[ReplayItem]

    def count(self, status: str) -> int:
        return sum(1 for item in self.items if item.status == status)

    @property
    def delivered(self) -> int:
        return self.count("delivered")

    @property
    def queued(self) -> int:
        return self.count("queued")

    @property
    def skipped(self) -> int:
        return self.count("skipped")
