"""What sessions hold open, and closing it when they end."""

from __future__ import annotations

from .registry import ResourceRegistry
from .session import SessionResources, session_resources

__all__ = ["ResourceRegistry", "SessionResources", "session_resources"]
