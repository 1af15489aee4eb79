"""The JSON API: the operations and permissions of the console, for programs."""

from __future__ import annotations

from fastapi import APIRouter

from . import (
    actions,
    audit,
    broadcasts,
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
    nouns = (sessions, lifecycles, refusals, events, in_flight, keys, holdings, failures, actions, jobs, broadcasts)
    routers = [noun.router for noun in (*nouns, rules, audit, operators, live)]
    return [*routers, document_router(routers)]
