"""What an operator reads: GET handlers, one noun per module."""

from __future__ import annotations

from fastapi import APIRouter

from .. import live
from . import (
    audit,
    blocks,
    broadcasts,
    calls,
    clients,
    events,
    exports,
    failures,
    forms,
    groups,
    health,
    jobs,
    key_forms,
    operators,
    overview,
    session_detail,
    sessions,
    shortcuts,
    sign_in,
    static_files,
    suggestions,
    views,
)


def page_routers() -> list[APIRouter]:
    """Return the routers of every page, with paths below the console's prefix."""
    modules = (
        static_files,
        sign_in,
        overview,
        sessions,
        exports,
        forms,
        key_forms,
        session_detail,
        clients,
        calls,
        events,
        broadcasts,
        groups,
        blocks,
        audit,
        failures,
        health,
        operators,
        shortcuts,
        suggestions,
        jobs,
        views,
        live,
    )
    return [module.router for module in modules]
