"""What each page's live stream sends: changed parts only, rendered from the files the page itself uses."""

from __future__ import annotations

from .base import Frame, FrameSource, Resync

__all__ = ["Frame", "FrameSource", "Resync"]
