"""Figures over everything at once: a broadcast's audience, and how the process is."""

from __future__ import annotations

from typing import NamedTuple

from ..store.base import StoreHealth


class Audience(NamedTuple):
    """Whom a broadcast would address."""

    sessions: int
    clients: int
    with_stream: int
    without_stream: int


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
