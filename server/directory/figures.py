"""Figures over everything at once: a broadcast's audience, and how the process is."""

from __future__ import annotations

from typing import NamedTuple

from ..engine.meter import ENDLESS_METHODS
from ..models import InFlight, Session
from ..store.base import StoreHealth


class Audience(NamedTuple):
    """Whom a broadcast would address."""

    sessions: int
    clients: int
    with_stream: int
    without_stream: int


class FlyingCall(NamedTuple):
    """A call in flight, with whose it is."""

    session: Session
    """The session, or the sessionless client, as it is now."""
    call: InFlight

    @property
    def is_stream(self) -> bool:
        """Whether it is answered only when its stream ends, so that its age says nothing."""
        return self.call.method in ENDLESS_METHODS


class Health(NamedTuple):
    """How the process and its store are."""

    store: StoreHealth
    live_sessions: int
    hibernated: int
    in_flight: int
    open_streams: int
    requests_per_second: float
    refused_sessions: int
    started_at: float
    worker_id: str
    version: str
    mcp_version: str
