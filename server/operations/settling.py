"""Receipts on their way to the store: those of one moment go together, in the order in which they came to be."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from ..engine.engine import Engine
from ..engine.session import forget_outcome
from ..models import Receipt

_HOLD_SECONDS = 0.05
"""How long a receipt waits for company: a thousand streams report theirs one by one."""

_MOST = 500


class Settling:
    """Keeps receipts for a moment and writes them in lots; one for the process."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: dict[str, list[Receipt]] = {}

    def add(self, broadcast_id: str, receipts: Sequence[Receipt]) -> None:
        """Have receipts written soon, and whoever follows the broadcast told."""
        if not receipts:
            return
        if not self._waiting:
            self._engine.spawn(self._flush_soon())
        waiting = self._waiting.setdefault(broadcast_id, [])
        waiting.extend(receipts)
        if len(waiting) >= _MOST:
            self.flush(broadcast_id)

    def flush(self, broadcast_id: str) -> None:
        """Write a broadcast's receipts now."""
        if receipts := self._waiting.pop(broadcast_id, None):
            self._engine.store.broadcasts.settle(broadcast_id, receipts).add_done_callback(forget_outcome)
            self._engine.bus.publish(broadcast_id)

    async def _flush_soon(self) -> None:
        try:
            await asyncio.sleep(_HOLD_SECONDS)
        finally:  # also when the engine stops: its store is closed after its tasks have ended
            for broadcast_id in list(self._waiting):
                self.flush(broadcast_id)
