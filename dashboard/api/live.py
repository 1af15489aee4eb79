"""Changes as they happen: one SSE stream of JSON frames, at most one a second."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from time import monotonic
from typing import Annotated, Final

import anyio
from fastapi import Header, Query, Request
from pydantic import BaseModel
from sse_starlette import EventSourceResponse

from ...server.directory import Directory
from ...server.errors import NotFound
from ...server.filters import Filter, parse_filter
from ...server.models import Session
from ..auth import address_of, credential_of, identify
from ..cursors import boot_of, parse_cursor
from ..deps import CurrentSwitchroom, FollowingActor, accounts_of
from ..followers import Permission
from .routing import PROBLEMS, answer_text, api_router
from .schemas import SessionOut
from .values import MAX_FILTER_LENGTH

router = api_router("live")

FRAME_SECONDS: Final = 1.0
HEARTBEAT_SECONDS: Final = 5.0
MAX_SESSIONS: Final = 1_000
"""Sessions in one frame; after more changes than that the follower reads its list again."""

Frame = dict[str, str | int]
"""One SSE message, as sse-starlette takes it: dicts keep its `sep`, objects would not."""

BYE: Final[Frame] = {"event": "bye", "data": "", "retry": 1000}

_DESCRIPTION: Final = {
    "description": "Events: `changes` with `sessions` (now matching) and `gone` (ids that do not match any more), "
    "`resync` (read your list again, then go on with this id), `hb` every 5 s, `bye` when the server ends the stream.",
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}


@router.get("/live", response_class=EventSourceResponse, responses={**PROBLEMS, 200: _DESCRIPTION})
async def follow_changes(
    request: Request,
    running: CurrentSwitchroom,
    actor: FollowingActor,
    q: Annotated[str, Query(max_length=MAX_FILTER_LENGTH, description="Filter, as in the console.")] = "",
    after: Annotated[str, Query(max_length=64, description="Id of the last frame you have.")] = "",
    last_event_id: Annotated[str, Header(max_length=64)] = "",
) -> EventSourceResponse:
    """Follow the sessions that match a filter."""
    credential = credential_of(request)
    assert credential is not None
    accounts, address = accounts_of(request), address_of(request)
    permission = Permission(lambda: identify(accounts, credential, address, touch=False))
    changes = SessionChanges(running.directory, parse_filter(q))
    bye = anyio.Event()

    return EventSourceResponse(
        frames(changes, last_event_id or after, permission, bye),
        sep="\n",
        ping=15,
        send_timeout=10,
        shutdown_event=bye,
        shutdown_grace_period=2,
    )


class ChangesOut(BaseModel):
    """What changed since the frame before."""

    sessions: list[SessionOut]
    """Changed and matching."""
    gone: list[str]
    """Changed and not matching: ended and removed, or no longer of the filter. Never-seen ids are harmless."""


class SessionChanges:
    """Turns change numbers into sessions, for one filter."""

    def __init__(self, directory: Directory, query: Filter) -> None:
        self._directory = directory
        self._query = query
        self._boot = boot_of(directory)

    @property
    def now(self) -> int:
        """The number of the newest change."""
        return self._directory.changes.version

    def id_of(self, version: int) -> str:
        """Return the id of the frame that ends with this change."""
        return f"{self._boot}.{version}"

    def version_of(self, frame_id: str) -> int | None:
        """Return the change a frame id ends with, or `None` when it is not one of this process."""
        number = parse_cursor(frame_id, self._boot)
        return None if number is None or number > self.now else number

    async def since(self, version: int) -> tuple[int, ChangesOut | None]:
        """Return the newest change's number and everything after `version`; `None`: too much, read again."""
        changes = self._directory.changes.since(version, limit=MAX_SESSIONS)
        if changes.is_gap:
            return changes.version, None
        frame = ChangesOut(sessions=[], gone=[])
        now = time.time()
        for session_id in changes.session_ids:
            session = await self._session(session_id)
            if session is None:
                continue  # the bus tells of jobs and broadcasts too
            if self._query.matches(session, now):
                frame.sessions.append(SessionOut.of(session))
            else:
                frame.gone.append(session_id)
        return changes.version, frame

    async def _session(self, session_id: str) -> Session | None:
        live = self._directory.live_session(session_id)
        if live is not None:
            return live
        try:
            return await self._directory.session(session_id)
        except NotFound:
            return None


async def frames(
    changes: SessionChanges,
    last_id: str,
    permission: Permission,
    bye: anyio.Event,
    *,
    frame_seconds: float = FRAME_SECONDS,
    heartbeat_seconds: float = HEARTBEAT_SECONDS,
) -> AsyncIterator[Frame]:
    """Yield SSE messages until the server stops or the follower may not read any more.

    Args:
        last_id: Id of the last frame the follower has; `""` begins now, anything unknown gives `resync`.
    """
    version = changes.version_of(last_id) if last_id else None
    if version is None:
        version = changes.now
        # Always a first message: the follower learns the id to come back with.
        yield _resync(changes, version) if last_id else _frame(changes, version, ChangesOut(sessions=[], gone=[]))
    heard = monotonic()
    while not bye.is_set() and await permission.holds():
        if changes.now > version:
            version, found = await changes.since(version)
            yield _resync(changes, version) if found is None else _frame(changes, version, found)
            heard = monotonic()
        elif monotonic() - heard >= heartbeat_seconds:
            yield {"event": "hb", "data": ""}
            heard = monotonic()
        with anyio.move_on_after(frame_seconds):
            await bye.wait()
    yield BYE


def _frame(changes: SessionChanges, version: int, found: ChangesOut) -> Frame:
    return {"event": "changes", "id": changes.id_of(version), "data": answer_text(found)}


def _resync(changes: SessionChanges, version: int) -> Frame:
    return {"event": "resync", "id": changes.id_of(version), "data": "{}"}
