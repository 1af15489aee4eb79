"""What an operator reads: GET handlers, one noun per module."""

from __future__ import annotations

from fastapi import APIRouter

from . import session_detail, sessions, sign_in, static_files


def page_routers() -> list[APIRouter]:
    """Return the routers of every page, with paths below the console's prefix."""
    return [static_files.router, sign_in.router, sessions.router, session_detail.router]
