"""Broadcasts to the newer era: the resource `switchroom://announcements` and listen streams.

Servers have no log messages outside a request in 2026-07-28 (SEP-2577), so a broadcast updates this
resource and tells the clients that listen to it (SEP-2575, `subscriptions/listen`).
"""

from __future__ import annotations

import asyncio
import datetime
import json
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from mcp.server.context import HandlerResult, ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.subscriptions import (
    SUBSCRIPTION_ID_META_KEY,
    InMemorySubscriptionBus,
    ListenHandler,
)
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    ListResourcesResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
    TextResourceContents,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from ..current import CurrentCall, current_call
from ..engine.deadlines import Deadlines
from ..engine.limits import Limit
from ..engine.streams import OpenStream
from ..models import LISTEN, SessionKind
from ..transport.principals import TOKEN_SECONDS, token_will_expire
from .listeners import LOG_MESSAGE, URI, Listener, TokenWatch, Told, Update, asked_for_by, make_notification

__all__ = ["URI", "Announcement", "Announcements"]

_KEPT = 20


class Announcement(NamedTuple):
    """One message of an operator, or of a member of a group."""

    number: int
    at: str
    content: Mapping[str, object]
    readers: frozenset[str] | None
    """Ids of the clients it was addressed to; nobody else may read it. `None`: everybody."""


class Announcements:
    """Keeps the last announcements and the listen streams; serves the resource."""

    def __init__(self, *, is_enabled: bool) -> None:
        self.is_enabled = is_enabled
        self._latest: deque[Announcement] = deque(maxlen=_KEPT)
        self._of_groups: dict[str, deque[Announcement]] = {}
        """By client, so that the talk of one group pushes out nobody else's messages."""
        self._count = 0
        self._by_client: dict[str, list[Listener]] = {}
        self._token_checks = Deadlines(TOKEN_SECONDS)

    # -- what operators do ---------------------------------------------------------------------

    def add(
        self, content: Mapping[str, object], readers: frozenset[str] | None, *, is_from_group: bool = False
    ) -> None:
        """Put an announcement into the resource, for everybody (`None`) or for some clients only."""
        at = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._count += 1
        announcement = Announcement(self._count, at, content, readers)
        if not is_from_group:
            self._latest.append(announcement)
            return
        for reader in readers or ():
            self._of_groups.setdefault(reader, deque(maxlen=_KEPT)).append(announcement)

    def forget(self, session_id: str) -> None:
        """Drop what only a client that has left could read."""
        self._of_groups.pop(session_id, None)

    def tell(self, session_id: str, report: Callable[[bool], None], *, method: str = LOG_MESSAGE) -> bool:
        """Send a notification to a client's streams; `report` is told whether it was written.

        A log message goes as "resource updated" of the announcements. Returns `False` when no stream of that
        client asked for it.
        """
        listeners = [listener for listener in self._asking(session_id, method) if not listener.is_full]
        told = Told(report, len(listeners))
        for listener in listeners:
            listener.tell(Update(method, told.add))
        return bool(listeners)

    def listens(self, session_id: str, *, method: str = LOG_MESSAGE) -> bool:
        """Whether a stream of that client asked for such a message."""
        return bool(self._asking(session_id, method))

    def _asking(self, session_id: str, method: str) -> list[Listener]:
        return [each for each in self._by_client.get(session_id, ()) if method in each.methods]

    # -- the resource --------------------------------------------------------------------------

    def install(self, server: Server[Any]) -> None:
        """Take part in a server's `subscriptions/listen`, and serve resources where it has none."""
        entry = server.get_request_handler(LISTEN)
        inner: Any = entry.handler if entry is not None else ListenHandler(InMemorySubscriptionBus())
        if entry is None and not self.is_enabled:
            return

        async def listen(
            ctx: ServerRequestContext[Any, Any], params: SubscriptionsListenRequestParams
        ) -> SubscriptionsListenResult:
            return await self._listen(ctx, params, inner)

        server.add_request_handler(LISTEN, SubscriptionsListenRequestParams, listen)
        if self.is_enabled:
            self._serve_resource(server)

    def _serve_resource(self, server: Server[Any]) -> None:
        listed = server.get_request_handler("resources/list")
        read = server.get_request_handler("resources/read")

        async def list_resources(ctx: ServerRequestContext[Any, Any], params: PaginatedRequestParams) -> HandlerResult:
            theirs: HandlerResult = ListResourcesResult(resources=[])
            if listed is not None:
                theirs = await listed.handler(ctx, params)
            elif not _is_modern(ctx):
                raise MCPError(METHOD_NOT_FOUND, "Method not found", ctx.method)
            is_first_page = not params.cursor
            return _with_resource(theirs) if _is_modern(ctx) and is_first_page else theirs

        async def read_resource(ctx: ServerRequestContext[Any, Any], params: Any) -> HandlerResult:
            if _is_modern(ctx) and str(params.uri) == URI:
                return self._contents()
            if read is None and not _is_modern(ctx):
                raise MCPError(METHOD_NOT_FOUND, "Method not found", ctx.method)
            if read is None:
                raise MCPError(INVALID_PARAMS, f"Unknown resource: {params.uri}")
            result: HandlerResult = await read.handler(ctx, params)
            return result

        server.add_request_handler("resources/list", PaginatedRequestParams, list_resources)
        server.add_request_handler(
            "resources/read", read.params_type if read else ReadResourceRequestParams, read_resource
        )

    def _contents(self) -> ReadResourceResult:
        current = current_call.get()
        reader = current.session.record.id if current is not None else ""
        meant = [each for each in self._latest if each.readers is None or reader in each.readers]
        meant = sorted([*meant, *self._of_groups.get(reader, ())], key=lambda each: each.number)
        readable = [{"at": each.at, **each.content} for each in meant]
        text = json.dumps({"announcements": readable}, ensure_ascii=False, indent=2)
        return ReadResourceResult(contents=[TextResourceContents(uri=URI, mime_type="application/json", text=text)])

    # -- listen streams ------------------------------------------------------------------------

    async def _listen(
        self, ctx: ServerRequestContext[Any, Any], params: SubscriptionsListenRequestParams, inner: Any
    ) -> SubscriptionsListenResult:
        current = current_call.get()
        if current is None or current.call is None:
            result: SubscriptionsListenResult = await inner(ctx, params)
            return result
        self._check_room(current)
        meta: dict[str, Any] = {SUBSCRIPTION_ID_META_KEY: ctx.request_id}

        async def write(method: str) -> bool:
            await ctx.session.send_notification(make_notification(method, meta), related_request_id=ctx.request_id)
            if opened.is_broken:
                return False
            opened.wrote(1)
            return True

        listener = Listener(current.session, params.notifications, write, current.engine.spawn)
        asked_for = tuple(asked_for_by(params.notifications))
        opened = OpenStream(current.call.seq, "listen", listener.close, method=ctx.method, asked_for=asked_for)
        current.call.opened = opened
        with self._listening(current, listener, opened), self._until_token_expires(ctx.request, listener):
            with listener.scope:
                theirs: SubscriptionsListenResult = await inner(ctx, params)
                return theirs
            return SubscriptionsListenResult(_meta=meta)

    @contextmanager
    def _listening(self, current: CurrentCall, listener: Listener, opened: OpenStream) -> Generator[None]:
        """Have a stream known as long as it is open."""
        session = current.session
        session.streams = [*(session.streams or []), opened]
        self._by_client.setdefault(session.record.id, []).append(listener)
        session.touch()
        try:
            yield
        except asyncio.CancelledError:
            # A broken connection is how this era ends a stream, and an operator who ends the request ends it too.
            opened.is_lost = not opened.is_closed and (current.call is None or current.call.abort is None)
            raise
        finally:
            opened.is_closed = True
            opened.end_with(_nothing)  # it is over: it and the listener need not hold each other
            self._remove(listener)
            current.engine.stream_watch.ended(opened)
            session.streams.remove(opened)
            session.last_used = time.monotonic()
            session.touch()
            listener.give_up()

    @contextmanager
    def _until_token_expires(self, request: Any, listener: Listener) -> Generator[None]:
        """End a stream when the access token that opened it has expired."""
        scope: dict[str, Any] = getattr(request, "scope", None) or {}
        if not token_will_expire(scope):
            yield
            return
        watch = TokenWatch(scope, listener, self._token_checks)
        watch.look()
        try:
            yield
        finally:
            watch.end()

    def _check_room(self, current: CurrentCall) -> None:
        settings, session = current.engine.settings, current.session
        if session.record.kind is SessionKind.CLIENT:
            return  # counted by its sender already: without authentication a name is shared by whoever bears it
        held = len(self._by_client.get(session.record.id, ()))
        if settings.has_limits and held >= settings.max_listen_streams:
            current.engine.limit_hits.hit(Limit.LISTEN_STREAMS, session.record.address)
            raise MCPError(INTERNAL_ERROR, f"This client holds {held} listen streams, its limit")

    def _remove(self, listener: Listener) -> None:
        listeners = self._by_client[listener.session.record.id]
        listeners.remove(listener)
        if not listeners:
            del self._by_client[listener.session.record.id]


def _nothing() -> None:
    pass


def _is_modern(ctx: ServerRequestContext[Any, Any]) -> bool:
    return ctx.protocol_version in MODERN_PROTOCOL_VERSIONS


def _announcement_resource() -> Resource:
    return Resource(
        name="announcements",
        uri=URI,
        title="Announcements of this server's operators",
        description="The latest messages of the people who run this server. Listen to it to hear of new ones.",
        mime_type="application/json",
    )


def _with_resource(result: HandlerResult) -> HandlerResult:
    if isinstance(result, ListResourcesResult):
        return result.model_copy(update={"resources": [*result.resources, _announcement_resource()]})
    if isinstance(result, dict) and isinstance(result.get("resources"), list):
        ours = _announcement_resource().model_dump(by_alias=True, mode="json", exclude_none=True)
        return {**result, "resources": [*result["resources"], ours]}
    return result
