"""What an operator does: POST handlers, one noun per module."""

from __future__ import annotations

from fastapi import APIRouter

from . import (
    broadcasts,
    cancellations,
    expirations,
    holding_endings,
    jobs,
    keys,
    messages,
    operators,
    replays,
    rules,
    stream_closings,
    timeouts,
    views,
)


def action_routers() -> list[APIRouter]:
    """Return the routers of every action, with paths below the console's prefix."""
    modules = (
        rules,
        broadcasts,
        expirations,
        jobs,
        replays,
        messages,
        cancellations,
        stream_closings,
        holding_endings,
        timeouts,
        views,
        operators,
        keys,
    )
    return [module.router for module in modules]
