"""What an operator does: POST handlers, one noun per module."""

from __future__ import annotations

from fastapi import APIRouter


def action_routers() -> list[APIRouter]:
    """Return the routers of every action, with paths below the console's prefix."""
    return []
