"""Open `subscriptions/listen` streams: what each one asked for, and what waits to be written to it."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextvars import copy_context
from typing import Any, Final, NamedTuple

import anyio
from mcp_types import (
    NotificationParams,
    PromptListChangedNotification,
    ResourceListChangedNotification,
    ResourceUpdatedNotification,
    ResourceUpdatedNotificationParams,
    SubscriptionFilter,
    ToolListChangedNotification,
)

from ..engine.deadlines import Deadline, Deadlines
from ..engine.session import LiveSession
from ..store.text import plain_text
from ..transport.principals import token_has_expired

URI = "switchroom://announcements"
LOG_MESSAGE: Final = "notifications/message"
"""What a broadcast is called in the handshake era; here it is an update of the announcements."""
_MAX_WAITING = 64
_MAX_NAMED = 20
"""Resources that a filter names, as far as they are listed: a client may ask for thousands."""
_MAX_URI = 200


class Update(NamedTuple):
    """One notification that waits for its stream."""

    method: str
    report: Callable[[bool], None]
    """Told whether it was written."""


class Listener:
    """One open `subscriptions/listen` stream. It has no task of its own: what an operator sends is rare."""

    __slots__ = ("_context", "_is_over", "_is_writing", "_spawn", "_updates", "_write", "methods", "scope", "session")

    def __init__(
        self,
        session: LiveSession,
        wanted: SubscriptionFilter,
        write: Callable[[str], Awaitable[bool]],
        spawn: Callable[[Awaitable[object]], None],
    ) -> None:
        """Args:
        write: Writes the notification of a method to the stream; returns whether the connection took it.
        spawn: Runs something beside.
        """
        self.session = session
        self.methods = frozenset(methods_of(wanted))
        """The notifications it asked for that an operator may send."""
        self.scope = anyio.CancelScope()
        """What the server's own handler of the stream runs in."""
        self._write = write
        self._spawn = spawn
        self._context = copy_context()  # what is written belongs to this call, whoever sends it
        self._updates: deque[Update] | None = None
        self._is_writing = False
        self._is_over = False

    @property
    def is_full(self) -> bool:
        return self._updates is not None and len(self._updates) >= _MAX_WAITING

    def tell(self, update: Update) -> None:
        """Write a notification as soon as those before it are written."""
        if self._updates is None:
            self._updates = deque()
        self._updates.append(update)
        if not self._is_writing:
            self._is_writing = True
            self._context.run(self._spawn, self._write_updates(self._updates))

    async def _write_updates(self, updates: deque[Update]) -> None:
        try:
            while updates:
                update, written = updates.popleft(), False
                try:
                    written = await self._write(update.method) and not self._is_over
                finally:
                    update.report(written)
        finally:
            self._is_writing = False

    def close(self) -> None:
        """End the stream at its next step."""
        self.scope.cancel()

    def give_up(self) -> None:
        """Report what was not written: the stream has ended."""
        self._is_over = True
        while self._updates:
            self._updates.popleft().report(False)


class TokenWatch:
    """Looks at the token of one listen stream, again and again."""

    def __init__(self, scope: dict[str, Any], listener: Listener, checks: Deadlines) -> None:
        self._scope = scope
        self._listener = listener
        self._checks = checks
        self._next: Deadline | None = None

    def look(self) -> None:
        """End the stream when the token has expired; otherwise look again."""
        if token_has_expired(self._scope):
            self._listener.close()
        else:
            self._next = self._checks.add(self.look)

    def end(self) -> None:
        """Look no more: the stream has ended."""
        if self._next is not None:
            self._next.cancel()


class Told:
    """One client's outcome over all its listen streams: written to one of them, or to none."""

    def __init__(self, report: Callable[[bool], None], waiting: int) -> None:
        self._report: Callable[[bool], None] | None = report
        self._waiting = waiting

    def add(self, was_written: bool) -> None:
        self._waiting -= 1
        if self._report is not None and (was_written or self._waiting == 0):
            report, self._report = self._report, None
            report(was_written)


_LISTS: Final[Mapping[str, Any]] = {
    "notifications/tools/list_changed": ToolListChangedNotification,
    "notifications/prompts/list_changed": PromptListChangedNotification,
    "notifications/resources/list_changed": ResourceListChangedNotification,
}


def make_notification(method: str, meta: dict[str, Any]) -> Any:
    if method == LOG_MESSAGE:
        return ResourceUpdatedNotification(params=ResourceUpdatedNotificationParams(uri=URI, _meta=meta))
    return _LISTS[method](params=NotificationParams(_meta=meta))


def methods_of(wanted: SubscriptionFilter) -> Iterator[str]:
    """Return what an operator may send on a stream with that filter; a log message as the announcements' update."""
    if URI in (wanted.resource_subscriptions or ()):
        yield LOG_MESSAGE
    flags = (wanted.tools_list_changed, wanted.prompts_list_changed, wanted.resources_list_changed)
    yield from (method for method, is_wanted in zip(_LISTS, flags, strict=True) if is_wanted)


def asked_for_by(wanted: SubscriptionFilter) -> Iterator[str]:
    """Return what a filter asks to be told of, for people: addresses of resources, bounded, and names of lists."""
    resources = wanted.resource_subscriptions or []
    yield from (plain_text(str(uri)[:_MAX_URI]) for uri in resources[:_MAX_NAMED])
    if len(resources) > _MAX_NAMED:
        yield f"{len(resources) - _MAX_NAMED:,} more resources"
    flags = (wanted.tools_list_changed, wanted.prompts_list_changed, wanted.resources_list_changed)
    lists = ("list of tools", "list of prompts", "list of resources")
    yield from (name for name, is_wanted in zip(lists, flags, strict=True) if is_wanted)
