"""Figures over everything at once: the calls in flight, and how the process is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..models import InFlight, Session, SessionState
from ..store.base import StoreHealth


class FlyingCall(NamedTuple):
    """A call in flight, with whose it is."""

    session: Session
    """The session, or the sessionless client, as it is now."""
    call: InFlight


class Health(NamedTuple):
    """How the process and its store are."""

    store: StoreHealth
    live_sessions: int
    states: Mapping[SessionState, int]
    """Live sessions by state; every live state is there."""
    hibernated: int
    clients: int
    """Sessionless clients of the 2026-07-28 era."""
    in_flight: int
    open_streams: int
    requests_per_second: float
    started_at: float
    worker_id: str
    version: str
    mcp_version: str
