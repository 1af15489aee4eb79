"""Changes as they happen: one SSE stream of JSON frames, at most one a second."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from time import monotonic
from typing import Annotated, Final

import anyio
from fastapi import Header, Query, Request
from sse_starlette import EventSourceResponse

from ...server.directory import Directory
from ...server.errors import NotFound
from ...server.filters import Filter, parse_filter
from ...server.models import Session
from ..auth import address_of, credential_of, identify
from ..deps import CurrentSwitchroom, WatchingActor, accounts_of, followers_of
from ..followers import Permission
from .routing import PROBLEMS, answer_text, api_router
from .schemas import SessionOut
from .values import MAX_FILTER_LENGTH

router = api_router("live")

FRAME_SECONDS: Final = 1.0
HEARTBEAT_SECONDS: Final = 5.0
MAX_SESSIONS: Final = 1_000
"""Sessions in one frame; after more changes than that the follower reads its list again."""

_DESCRIPTION: Final = {
    "description": "Events: `changes` with `sessions` (now matching) and `gone` (ids that do not match any more), "
    "`resync` (read your list again, then go on with this id), `hb` every 5 s, `bye` before the server ends the stream.",
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}


@router.get("/live", response_class=EventSourceResponse, responses={**PROBLEMS, 200: _DESCRIPTION})
async def follow_changes(
    request: Request,
    running: CurrentSwitchroom,
    actor: WatchingActor,
    q: Annotated[str, Query(max_length=MAX_FILTER_LENGTH, description="Filter, as in the console.")] = "",
    after: Annotated[str, Query(max_length=64, description="Id of the last frame you have.")] = "",
    last_event_id: Annotated[str, Header(max_length=64)] = "",
) -> EventSourceResponse:
    """Follow the sessions that match a filter."""
    followers = followers_of(request)
    followers.check(actor)
    credential = credential_of(request)
    assert credential is not None
    accounts, address = accounts_of(request), address_of(request)
    permission = Permission(lambda: identify(accounts, credential, address, touch=False))
    changes = SessionChanges(running.directory, parse_filter(q))
    bye = anyio.Event()

    async def stream() -> AsyncIterator[dict[str, object]]:
        with followers.following(actor):
            async for frame in frames(changes, last_event_id or after, permission, bye):
                yield frame

    return EventSourceResponse(
        stream(), sep="\n", ping=15, send_timeout=10, shutdown_event=bye, shutdown_grace_period=2
    )


class SessionChanges:
    """Turns change numbers into sessions, for one filter."""

    def __init__(self, directory: Directory, query: Filter) -> None:
        self._directory = directory
        self._query = query
        # Numbers begin again when the process does, so an id names the process as well.
        self._boot = f"{int(directory.health().started_at * 1000):x}"

    @property
    def now(self) -> int:
        """The number of the newest change."""
        return self._directory.changes.version

    def id_of(self, version: int) -> str:
        """Return the id of the frame that ends with this change."""
        return f"{self._boot}.{version}"

    def version_of(self, frame_id: str) -> int | None:
        """Return the change a frame id ends with, or `None` when it is not one of this process."""
        boot, _, number = frame_id.partition(".")
        if boot != self._boot or not number.isdecimal() or len(number) > 18 or int(number) > self.now:
            return None
        return int(number)

    async def wait(self, version: int, timeout: float) -> None:
        """Wait for a change after `version`, or for the timeout."""
        await self._directory.changes.wait(version, timeout)

    async def since(self, version: int) -> tuple[int, dict[str, object] | None]:
        """Return the newest change's number and the frame of everything after `version`; `None`: read again."""
        changes = self._directory.changes.since(version, limit=MAX_SESSIONS)
        if changes.is_gap:
            return changes.version, None
        matching: list[object] = []
        gone: list[str] = []
        now = time.time()
        for session_id in changes.session_ids:
            session = await self._session(session_id)
            if session is not None and self._query.matches(session, now):
                matching.append(SessionOut.of(session))
            else:
                gone.append(session_id)
        return changes.version, {"sessions": matching, "gone": gone}

    async def _session(self, session_id: str) -> Session | None:
        live = self._directory.live_session(session_id)
        if live is not None:
            return live
        try:
            return await self._directory.session(session_id)
        except NotFound:
            return None


async def frames(
    changes: SessionChanges, last_id: str, permission: Permission, bye: anyio.Event
) -> AsyncIterator[dict[str, object]]:
    """Yield SSE messages until the server stops or the follower may not read any more.

    Args:
        last_id: Id of the last frame the follower has; `""` begins now, anything unknown gives `resync`.
    """
    known = changes.version_of(last_id) if last_id else changes.now
    if known is None:
        known = changes.now
        yield {"event": "resync", "id": changes.id_of(known), "data": "{}"}
    elif not last_id:
        yield {"event": "changes", "id": changes.id_of(known), "data": '{"sessions":[],"gone":[]}'}
    heard = monotonic()
    while not bye.is_set():
        if not await permission.holds():
            break
        version, frame = await changes.since(known) if changes.now > known else (known, {})
        if frame is None:
            yield {"event": "resync", "id": changes.id_of(version), "data": "{}"}
        elif version > known:
            yield {"event": "changes", "id": changes.id_of(version), "data": answer_text(frame)}
        elif monotonic() - heard >= HEARTBEAT_SECONDS:
            yield {"event": "hb", "data": ""}
        if version > known or monotonic() - heard >= HEARTBEAT_SECONDS:
            known, heard = version, monotonic()
        with anyio.move_on_after(FRAME_SECONDS):
            await bye.wait()
    yield {"event": "bye", "data": "", "retry": 1000}
