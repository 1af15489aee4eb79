"""Frames of the pages of groups and blocks: rows are patched in place; what is new waits to be shown."""

from __future__ import annotations

from ...server.attach import Switchroom
from ...server.directory.rules import BlockInForce
from ...server.errors import NotFound
from ...server.models import Group, Session
from ..contexts.blocks import make_block_row
from ..contexts.groups import GroupRow, News, make_group_row, make_member_row
from ..formatting import count, plural
from ..templating import Templates
from ..urls import Urls
from .base import Frame, Parts


class GroupListFrames:
    """Follows the visible groups."""

    def __init__(self, room: Switchroom, templates: Templates, urls: Urls, rows: list[str]) -> None:
        self._directory = room.directory
        self._parts = Parts(templates)
        self._urls = urls
        self._rows = frozenset(rows)
        self._known: dict[str, GroupRow] = {}

    async def frame(self, since: int) -> Frame:
        """Return the rows that came out differently."""
        version = self._directory.changes.version
        has_servers = len(self._directory.server_names) > 1
        rows = [make_group_row(each, self._urls, has_servers=has_servers) for each in self._directory.rules.groups()]
        here = {row.key: row for row in rows}
        self._known |= {key: row for key, row in here.items() if key in self._rows}
        for key, row in self._known.items():
            self._parts.show(f"g-{key}", here.get(key) or _ended(row))
        fresh = len(here.keys() - self._rows)
        self._parts.show("news", News(_waiting(fresh, "new group"), self._urls.groups()))
        return Frame(self._parts.take(), version)


class GroupFrames:
    """Follows the members of one group."""

    def __init__(
        self,
        room: Switchroom,
        templates: Templates,
        urls: Urls,
        where: tuple[str, str],
        rows: list[str],
        *,
        can_act: bool,
    ) -> None:
        self._directory = room.directory
        self._parts = Parts(templates)
        self._urls = urls
        self._name, self._server = where
        self._rows = frozenset(rows)
        self._known: dict[str, tuple[float, Session]] = {}
        self._can_act = can_act

    async def frame(self, since: int) -> Frame:
        """Return the members that came out differently."""
        version = self._directory.changes.version
        members = {session.id: (at, session) for at, session in self._members()}
        self._known |= {each: member for each, member in members.items() if each in self._rows}
        removal = self._urls.removal if self._can_act else None
        for session_id, (at, session) in self._known.items():
            is_gone = session_id not in members
            url = removal(self._name, session_id, server=self._server) if removal is not None else ""
            self._parts.show(f"m-{session_id}", make_member_row(session, at, url, is_gone=is_gone))
        self._parts.text("members-count", count(len(members)))
        address = self._urls.group(self._name, server=self._server)
        self._parts.show("news", News(_waiting(len(members.keys() - self._rows), "new member"), address))
        return Frame(self._parts.take(), version)

    def _members(self) -> list[tuple[float, Session]]:
        server = self._server or next(iter(self._directory.server_names), "")
        try:
            found: Group = self._directory.rules.group(server, self._name)
        except NotFound:
            return []
        return self._directory.rules.members(found)


class BlockFrames:
    """Follows the visible blocks: how often each is met, and its end."""

    def __init__(self, room: Switchroom, templates: Templates, urls: Urls, rows: list[str], *, can_act: bool) -> None:
        self._directory = room.directory
        self._parts = Parts(templates)
        self._urls = urls
        self._rows = frozenset(rows)
        self._known: dict[str, BlockInForce] = {}
        self._can_act = can_act

    async def frame(self, since: int) -> Frame:
        """Return the blocks that came out differently."""
        version = self._directory.changes.version
        here = {each.block.id: each for each in self._directory.rules.blocks()}
        self._known |= {key: each for key, each in here.items() if key in self._rows}
        for key, each in self._known.items():
            row = make_block_row(each, self._urls, can_act=self._can_act, is_over=key not in here)
            self._parts.show(f"b-{key}", row)
        fresh = len(here.keys() - self._rows)
        self._parts.show("news", News(_waiting(fresh, "new block"), self._urls.blocks()))
        return Frame(self._parts.take(), version)


def _ended(row: GroupRow) -> GroupRow:
    return GroupRow(row.key, row.title, row.server, 0, None, row.url)


def _waiting(fresh: int, noun: str) -> str:
    return f"{plural(fresh, noun)}. Show {'it' if fresh == 1 else 'them'}" if fresh else ""
