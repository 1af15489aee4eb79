"""What operators do: expire, cancel, replay, broadcast, edit keys, close streams."""

from __future__ import annotations

from .operations import Operations
from .results import CancelResult, ExpireResult, ReplayItem, ReplayResult

__all__ = ["CancelResult", "ExpireResult", "Operations", "ReplayItem", "ReplayResult"]
