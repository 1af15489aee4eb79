"""Reading: the one gateway of pages, API, command line and live frames to what is going on."""

from __future__ import annotations

from .directory import Audience, Directory, Health

__all__ = ["Audience", "Directory", "Health"]
