"""The JSON API: the operations and permissions of the console, for programs."""

from __future__ import annotations

from fastapi import APIRouter

from . import (
    actions,
    attention,
    audit,
    broadcasts,
    checkup,
    events,
    failures,
    holdings,
    in_flight,
    jobs,
    keys,
    lifecycles,
    live,
    operators,
    refusals,
    rules,
    sessions,
)
from .document import document_router


def api_routers() -> list[APIRouter]:
    """Return the API's routers; their paths are whole (`/api/v1/…`), so include them without a prefix."""
    reading = (sessions, lifecycles, refusals, events, in_flight, keys, holdings, failures, checkup, attention)
    acting = (actions, jobs, broadcasts, rules, audit, operators, live)
    routers = [noun.router for noun in (*reading, *acting)]
    return [*routers, document_router(routers)]
