"""The one live stream of a page: at most one frame a second, resumable, bounded, ended with its sign-in."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any, Final

import anyio
from fastapi import APIRouter, Query, Request, Response
from sse_starlette import EventSourceResponse

from ..server.errors import SwitchroomError
from ..server.models import Actor
from .auth import address_of, credential_of, identify
from .cursors import boot_of, parse_cursor
from .deps import CurrentSwitchroom, FollowingActor, accounts_of, switchroom
from .followers import Permission
from .frames import FrameSource, Resync
from .frames.navigation import WithNavigation
from .frames.rows import SharedRows
from .frames.sources import Follow, make_source
from .templating import templates_of, urls_of

router = APIRouter()

_FRAME_SECONDS: Final = 1.0
_HEARTBEAT_SECONDS: Final = 5.0
"""Comment pings are invisible to the page's script, which calls a stream dead after 12 s of silence."""
_PING_SECONDS: Final = 15
_SEND_TIMEOUT_SECONDS: Final = 10
_GRACE_SECONDS: Final = 2
_RETRY_MS: Final = 1000

Message = dict[str, Any]
"""One SSE message as sse-starlette takes it; only dicts follow the response's own line ends."""


@router.get("/live")
async def follow_page(
    request: Request,
    actor: FollowingActor,
    room: CurrentSwitchroom,
    after: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    """Stream what changes on one page; its own query string says which.

    A follower resumes with `Last-Event-ID`. A position of another run of the server is answered with
    `resync`, upon which the page reads itself again.
    """
    follow = Follow(room, templates_of(request), urls_of(request), actor, request.query_params, _shared_rows(request))
    source = WithNavigation(make_source(follow), room.directory, follow.templates)
    bye = anyio.Event()
    stream = Stream(
        source,
        boot_of(room.directory),
        request.headers.get("last-event-id") or after,
        Permission(_identify_again(request)),
        bye,
    )
    return EventSourceResponse(
        stream.messages(),
        sep="\n",
        ping=_PING_SECONDS,
        send_timeout=_SEND_TIMEOUT_SECONDS,
        shutdown_event=bye,
        shutdown_grace_period=_GRACE_SECONDS,
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


class Stream:
    """Turns a page's frames into SSE messages."""

    def __init__(self, source: FrameSource, boot: str, position: str, permission: Permission, bye: anyio.Event) -> None:
        self._source = source
        self._boot = boot
        self._since = parse_cursor(position, boot)
        self._permission = permission
        self._bye = bye
        self._beat_at = time.monotonic()

    async def messages(self) -> AsyncIterator[Message]:
        """Yield messages until the follower may no longer read, or the server stops."""
        while not self._bye.is_set() and await self._permission.holds():
            for message in await self._turn():
                yield message
            with anyio.move_on_after(_FRAME_SECONDS):
                await self._bye.wait()
        yield {"event": "bye", "data": "", "retry": _RETRY_MS}

    async def _turn(self) -> list[Message]:
        """Return a frame if something changed, and a heartbeat if it is time for one."""
        if self._since is None:
            return [self._resync()]
        messages: list[Message] = []
        try:
            frame = await self._source.frame(self._since)
        except Resync:
            return [self._resync()]
        except SwitchroomError:
            # The page keeps what it shows; reading it again says what is wrong.
            self._since = None
            return [self._resync()]
        self._since = frame.n
        if frame.html:
            messages.append({"id": f"{self._boot}.{frame.n}", "data": frame.html.replace("\r", "")})
        if time.monotonic() - self._beat_at >= _HEARTBEAT_SECONDS:
            self._beat_at = time.monotonic()
            messages.append({"event": "hb", "data": ""})
        return messages

    def _resync(self) -> Message:
        return {"event": "resync", "data": ""}


def _shared_rows(request: Request) -> SharedRows:
    """Return the rows that all followers share, one object for the application."""
    state = request.app.state
    if not hasattr(state, "shared_rows"):
        state.shared_rows = SharedRows(switchroom(request).directory, templates_of(request))
    rows = state.shared_rows
    assert isinstance(rows, SharedRows)
    return rows


def _identify_again(request: Request) -> Callable[[], Awaitable[Actor | None]]:
    credential = credential_of(request)
    accounts, address = accounts_of(request), address_of(request)

    async def identify_again() -> Actor | None:
        if credential is None:
            return None
        return await identify(accounts, credential, address, touch=False)

    return identify_again
