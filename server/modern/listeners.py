"""Open `subscriptions/listen` streams: what each one asked for, and what waits to be written to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from mcp_types import (
    NotificationParams,
    PromptListChangedNotification,
    ResourceListChangedNotification,
    ResourceUpdatedNotification,
    ResourceUpdatedNotificationParams,
    SubscriptionFilter,
    ToolListChangedNotification,
)

from ..engine.session import LiveSession

URI = "switchroom://announcements"
LOG_MESSAGE: Final = "notifications/message"
"""What a broadcast is called in the handshake era; here it is an update of the announcements."""
_MAX_WAITING = 64


class Update(NamedTuple):
    """One notification that waits for its stream."""

    method: str
    report: Callable[[bool], None]
    """Told whether it was written."""


class Listener:
    """One open `subscriptions/listen` stream."""

    def __init__(self, session: LiveSession, wanted: SubscriptionFilter) -> None:
        self.session = session
        self.methods = frozenset(methods_of(wanted))
        """The notifications it asked for that an operator may send."""
        self.updates: asyncio.Queue[Update] = asyncio.Queue(_MAX_WAITING)
        self.closing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done once the stream is to end. A future and no event: that would take a task to wait for."""

    def close(self) -> None:
        """End the stream at its next step."""
        if not self.closing.done():
            self.closing.set_result(None)

    def give_up(self) -> None:
        """Report what was not written: the stream has ended."""
        while not self.updates.empty():
            self.updates.get_nowait().report(False)


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
