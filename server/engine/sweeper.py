"""One periodic pass over the sessions: expiry, hibernation, retention. No timer per session."""

from __future__ import annotations

import asyncio
import json
import logging
import time

from ..errors import SwitchroomError
from ..models import EventKind, Gauges, SessionKind, SessionState
from .engine import Engine
from .session import LiveSession
from .vitals import memory_bytes

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 1.0
SWEEP_SECONDS = 2.0
RETENTION_SECONDS = 60.0
CLIENT_SECONDS = 3600.0
"""A sessionless client unseen for this long leaves the list."""


class Sweeper:
    """Runs until cancelled; a failing pass is logged and the next one runs all the same."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._last_sweep = 0.0
        self._last_retention = time.monotonic()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            try:
                await self.tick(time.monotonic())
            except SwitchroomError as error:
                logger.warning("housekeeping waits: %s", error.message)
            except Exception:
                logger.exception("housekeeping failed")

    async def tick(self, now: float) -> None:
        """Do what is due at monotonic time `now`."""
        await self._engine.flush()
        self._engine.meter.roll()
        for due in self._engine.on_tick:
            due()
        if now - self._last_sweep >= SWEEP_SECONDS:
            self._last_sweep = now
            await self.sweep(now)
        if now - self._last_retention >= RETENTION_SECONDS:
            self._last_retention = now
            await self._engine.store.sessions.sweep(time.time())

    async def sweep(self, now: float) -> None:
        """Expire what is due, stored keys too, and hibernate what is quiet."""
        await self._drop_keys()
        settings = self._engine.settings
        live = active = in_flight = streams = 0
        for index, session in enumerate(list(self._engine.by_id.values())):
            if index % 2_000 == 1_999:
                await asyncio.sleep(0)
            if session.early_end is not None:
                continue
            in_flight += session.in_flight
            streams += session.open_streams
            if session.record.kind is not SessionKind.CLIENT:
                live += 1
                active += session.status == "active"
            if (code := self._due(session, now)) is not None:
                await self._engine.end(session, SessionState.EXPIRED, code)
            elif self._is_quiet(session, now - settings.hibernate_seconds) and self._engine.release is not None:
                await self._engine.release(session)
        self._engine.gauges = Gauges(live, active, in_flight, streams, memory_bytes())

    async def _drop_keys(self) -> None:
        """Remove stored keys whose time is up; their sessions' counts and logs say so."""
        while dropped := await self._engine.store.keys.drop_expired(time.time()):
            names: dict[int, list[str]] = {}
            for session_no, name in dropped:
                names.setdefault(session_no, []).append(name)
            holders = [session for session in self._engine.by_id.values() if session.record.no in names]
            for session in holders:
                session.record.key_count = await self._engine.store.keys.count(session.record.no)
                for name in names[session.record.no]:
                    payload = json.dumps({"change": "expire", "key": name})
                    session.note(EventKind.KEY, "expire", payload)

    def _due(self, session: LiveSession, now: float) -> str | None:
        record = session.record
        quiet = now - session.last_used
        if record.kind is SessionKind.CLIENT:
            return "idle" if quiet > CLIENT_SECONDS and not session.is_busy else None
        idle, lifetime, *_ = self._engine.timeouts(session)
        if lifetime is not None and time.time() - record.created_at > lifetime:
            return "lifetime"
        return "idle" if idle is not None and quiet > idle and not session.is_busy else None

    @staticmethod
    def _is_quiet(session: LiveSession, before: float) -> bool:
        if session.resident is None or session.is_working or session.last_used >= before:
            return False
        can_hibernate: bool = session.resident.can_hibernate
        return can_hibernate
