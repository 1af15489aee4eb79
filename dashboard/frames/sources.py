"""From a live stream's query string to what it follows."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Final

from ...server.attach import Switchroom
from ...server.directory import range_named
from ...server.errors import InvalidInput
from ...server.models import Actor, Role
from ..call_data import CallQuery
from ..contexts.timeline import parse_range
from ..queries import DEFAULT_SIZE, DEFAULT_SORT, LogQuery, Look, ServerEventsQuery, SessionQuery, Times
from ..templating import Templates
from ..urls import TABS, Urls
from .base import FrameSource
from .broadcast import BroadcastFrames
from .calls import CallFrames
from .clients import ClientFrames
from .events import ServerEventsFrames
from .failures import FailureFrames
from .health import HealthFrames
from .job import JobFrames
from .overview import OverviewFrames
from .rows import SharedRows
from .rules import BlockFrames, GroupFrames, GroupListFrames
from .session import SessionPageFrames
from .sessions import SessionFrames

_MAX_ROWS: Final = 200
_REFERENCE: Final = re.compile(r"[0-9A-Z]{13}")
_CALL: Final = re.compile(r"[0-9A-Z]{13}-[0-9]{1,15}")


class Follow:
    """What a live stream's address says, read with bounds."""

    def __init__(
        self,
        room: Switchroom,
        templates: Templates,
        urls: Urls,
        actor: Actor,
        query: Mapping[str, str],
        shared_rows: SharedRows | None = None,
    ) -> None:
        self.room = room
        self.templates = templates
        self.urls = urls
        self.can_act = actor.role.includes(Role.OPERATOR)
        self.shared_rows = shared_rows or SharedRows(room.directory, templates)
        self._query = query

    def text(self, name: str, default: str = "") -> str:
        return self._query.get(name, default)

    def number(self, name: str, default: int = 0) -> int:
        text = self.text(name)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else default

    def reference(self) -> str:
        text = self.text("id")
        if not _REFERENCE.fullmatch(text):
            raise InvalidInput("This stream follows one session or broadcast: give its reference as `id`.")
        return text

    def rows(self) -> list[str]:
        return [each for each in self.text("rows").split(",") if _REFERENCE.fullmatch(each)][:_MAX_ROWS]

    def log(self) -> LogQuery:
        return LogQuery(
            self.text("kind"),
            self.text("method")[:200],
            self.text("direction"),
            self.text("errors") == "1",
            sel=self.number("sel") or None,
            stream=self.number("stream") if self.text("stream") else None,
            times=Times(self.text("within"), self.text("from")[:60]),
            look=Look(self.text("as") == "raw", self.text("wrap") != "0"),
        )


def make_source(follow: Follow) -> FrameSource:
    """Return what the stream follows.

    Raises:
        InvalidInput: The view is unknown, or a parameter of it is wrong.
    """
    view = follow.text("view")
    make = _SOURCES.get(view)
    if make is None:
        raise InvalidInput(f"There is no live view of that name; known are {', '.join(_SOURCES)}.")
    return make(follow)


def _sessions(follow: Follow) -> FrameSource:
    query = SessionQuery(
        follow.text("q"),
        "",
        follow.text("sort") or DEFAULT_SORT,
        follow.number("size", DEFAULT_SIZE),
        columns=[follow.text("cols")],
        density=follow.text("density"),
    )
    if query.asked.error:
        raise InvalidInput(query.asked.error)
    return SessionFrames(
        follow.room.directory,
        follow.templates,
        follow.urls,
        query,
        follow.rows(),
        total=follow.number("total"),
        rendered_at=follow.number("at", int(time.time() * 1000)) / 1000,
        can_act=follow.can_act,
        shared=follow.shared_rows,
    )


def _session(follow: Follow) -> FrameSource:
    tab = follow.text("tab")
    return SessionPageFrames(
        follow.room,
        follow.templates,
        follow.urls,
        follow.reference(),
        tab if tab in TABS else "timeline",
        follow.log(),
        minutes=_minutes(follow.text("range")),
        follows_log=follow.text("log") == "1",
        can_act=follow.can_act,
        is_client=follow.text("client") == "1",
        search=follow.text("search")[:200],
        chosen_key=follow.text("key")[:500],
    )


def _minutes(text: str) -> int:
    found = parse_range(text)
    return found if found is not None else -1


def _overview(follow: Follow) -> FrameSource:
    return OverviewFrames(follow.room, follow.templates, follow.urls, range_named(follow.text("range")))


def _calls(follow: Follow) -> FrameSource:
    wanted = CallQuery(follow.text("q")[:2_100], follow.text("hung") == "1")
    if wanted.error:
        raise InvalidInput(wanted.error)
    rows = [each for each in follow.text("rows").split(",") if _CALL.fullmatch(each)][:_MAX_ROWS]
    return CallFrames(follow.room, follow.templates, follow.urls, wanted, rows, can_act=follow.can_act)


def _health(follow: Follow) -> FrameSource:
    return HealthFrames(follow.room, follow.templates, follow.urls)


def _clients(follow: Follow) -> FrameSource:
    return ClientFrames(follow.room.directory, follow.templates, follow.urls, follow.rows())


def _broadcast(follow: Follow) -> FrameSource:
    directory, status = follow.room.directory, follow.text("status")
    where = follow.reference(), status, follow.rows()
    return BroadcastFrames(directory, follow.templates, follow.urls, *where, can_act=follow.can_act)


def _groups(follow: Follow) -> FrameSource:
    return GroupListFrames(follow.room, follow.templates, follow.urls, follow.rows())


def _group(follow: Follow) -> FrameSource:
    where = follow.text("group")[:100], follow.text("server")[:200]
    return GroupFrames(follow.room, follow.templates, follow.urls, where, follow.rows(), can_act=follow.can_act)


def _blocks(follow: Follow) -> FrameSource:
    return BlockFrames(follow.room, follow.templates, follow.urls, follow.rows(), can_act=follow.can_act)


def _events(follow: Follow) -> FrameSource:
    query = ServerEventsQuery(follow.log(), follow.text("q"))
    if query.error:
        raise InvalidInput(query.error)
    rows = [int(each) for each in follow.text("rows").split(",")[:_MAX_ROWS] if each.isascii() and each.isdigit()]
    return ServerEventsFrames(follow.room.directory, follow.templates, follow.urls, query, rows)


def _job(follow: Follow) -> FrameSource:
    job = follow.room.operations.bulk.job(follow.reference())
    return JobFrames(follow.room.directory, follow.templates, job, can_act=follow.can_act)


def _errors(follow: Follow) -> FrameSource:
    return FailureFrames(follow.room, follow.templates, follow.urls)


_SOURCES: Final[Mapping[str, Callable[[Follow], FrameSource]]] = {
    "overview": _overview,
    "calls": _calls,
    "health": _health,
    "sessions": _sessions,
    "session": _session,
    "clients": _clients,
    "broadcast": _broadcast,
    "groups": _groups,
    "group": _group,
    "blocks": _blocks,
    "events": _events,
    "job": _job,
    "errors": _errors,
}
