"""Frames of the calls in flight: rows stay where they are, answered ones say so, new ones are counted."""

from __future__ import annotations

import contextlib
import time

from ...server.attach import Switchroom
from ...server.directory import FlyingCall
from ...server.errors import SwitchroomError
from ...server.models import InFlight
from ..call_data import CallQuery, matching_calls
from ..contexts.calls import NewCalls, call_key, make_flight
from ..templating import Templates
from ..urls import Urls
from .base import Frame, Parts


class CallFrames:
    """Follows the rows of one page of calls."""

    def __init__(
        self, room: Switchroom, templates: Templates, urls: Urls, wanted: CallQuery, rows: list[str], *, can_act: bool
    ) -> None:
        """Args:
        rows: The keys of the calls that the page shows.
        """
        self._room = room
        self._parts = Parts(templates)
        self._urls = urls
        self._wanted = wanted
        self._rows = rows
        self._can_act = can_act
        self._known: dict[str, FlyingCall] = {}
        self._over: set[str] = set()

    async def frame(self, since: int) -> Frame:
        """Return the rows that changed, and how many calls are new."""
        version = self._room.directory.changes.version
        flying = {call_key(each): each for each in matching_calls(self._room, self._wanted)}
        for key in self._rows:
            if key in flying:
                self._known[key] = flying[key]
                self._show(flying[key], is_over=False)
            elif key not in self._over:
                self._over.add(key)
                await self._show_answered(key)
        new = len(flying.keys() - set(self._rows))
        self._parts.show("pending", NewCalls(new, self._wanted.address(self._urls)))
        return Frame(self._parts.take(), version)

    def _show(self, flying: FlyingCall, *, is_over: bool) -> None:
        row = make_flight(
            flying,
            self._urls,
            now=time.time(),
            hung_seconds=self._room.settings.hung_call_seconds,
            can_act=self._can_act,
            is_over=is_over,
        )
        self._parts.show(f"call-{row.key}", row)

    async def _show_answered(self, key: str) -> None:
        known = self._known.pop(key, None)
        if known is None:
            with contextlib.suppress(SwitchroomError):
                known = await self._read(key)
        if known is not None:
            self._show(known, is_over=True)

    async def _read(self, key: str) -> FlyingCall:
        """Return a call that was answered before the first frame, from its session's log."""
        session_id, _, seq = key.partition("-")
        directory = self._room.directory
        event = await directory.event(session_id, int(seq))
        call = InFlight(event.request_id or "", event.seq, event.method or "", None, event.at, False, None, None, False)
        return FlyingCall(await directory.session(session_id), call)
