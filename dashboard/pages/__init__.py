"""What an operator reads: GET handlers, one noun per module."""

from __future__ import annotations

from fastapi import APIRouter

from . import sessions, static_files


def page_routers() -> list[APIRouter]:
    """Return the routers of every page, with paths below the console's prefix."""
    return [static_files.router, sessions.router]
