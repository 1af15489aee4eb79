"""Groups of sessions that coordinate: the list, and one with its members."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from ...server.filters import quote_value
from ...server.models import Group, Session
from ..urls import Urls
from .broadcasts import BroadcastRow
from .sessions import STATUS_LABELS, client_hue, client_letter, client_name
from .shell import LiveLink


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One group of the list; the page and the stream render it from the same file."""

    template: ClassVar[str] = "groups/_row.html"
    name: ClassVar[str] = "circle"
    key: str
    title: str
    server: str
    """Empty where there is one server only."""
    members: int
    since: float | None
    """`None` once its last member has left."""
    url: str


@dataclass(frozen=True, slots=True)
class GroupsPage:
    """The list."""

    template: ClassVar[str] = "groups/index.html"
    name: ClassVar[str] = "circles"
    live_link: LiveLink
    rows: tuple[GroupRow, ...]
    has_servers: bool


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One member; the page and the stream render it from the same file."""

    template: ClassVar[str] = "groups/_member.html"
    name: ClassVar[str] = "fellow"
    id: str
    client: str
    version: str
    letter: str
    hue: int
    status: str
    status_label: str
    principal: str
    streams: int
    joined_at: float
    seen_at: float
    is_gone: bool
    removal_url: str
    """Empty where the viewer may not act, or it has left."""


@dataclass(frozen=True, slots=True)
class GroupPage:
    """One group."""

    template: ClassVar[str] = "groups/show.html"
    name: ClassVar[str] = "band"
    live_link: LiveLink
    title: str
    server: str
    since: float
    members: int
    rows: tuple[MemberRow, ...]
    broadcast_url: str
    """Empty where the viewer may not act."""
    sessions_url: str
    messages: tuple[BroadcastRow, ...]


@dataclass(frozen=True, slots=True)
class News:
    """How many rows wait to be shown; the stream replaces it."""

    template: ClassVar[str] = "groups/_news.html"
    name: ClassVar[str] = "news"
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class RemoveForm:
    """Take one session out of a group."""

    template: ClassVar[str] = "dialogs/_remove.html"
    name: ClassVar[str] = "removal"
    action: str
    client: str
    group: str
    reason: str
    error: str
    back: str


def group_key(server: str, name: str) -> str:
    """Return a name for a group that can stand in an element's id and in a stream's address."""
    return "G" + hashlib.sha256(f"{server}\0{name}".encode("utf-8", "replace")).hexdigest()[:12].upper()


def group_query(group: Group, *, has_servers: bool) -> str:
    """Return the filter that finds a group's members."""
    query = f"group:{group.name}"
    return f"{query} server:{quote_value(group.server)}" if has_servers else query


def make_group_row(group: Group, urls: Urls, *, has_servers: bool) -> GroupRow:
    """Return the row of a group."""
    server = group.server if has_servers else ""
    url = urls.group(group.name, server=server)
    return GroupRow(group_key(group.server, group.name), group.name, server, len(group.members), group.since, url)


def make_member_row(session: Session, joined_at: float, removal_url: str, *, is_gone: bool = False) -> MemberRow:
    """Return the row of a member."""
    client = client_name(session)
    return MemberRow(
        id=session.id,
        client=client,
        version=session.client_version,
        letter=client_letter(client),
        hue=client_hue(client),
        status=session.status,
        status_label=STATUS_LABELS.get(session.status, session.status),
        principal=session.principal or "",
        streams=session.open_streams,
        joined_at=joined_at,
        seen_at=session.last_activity_at,
        is_gone=is_gone,
        removal_url="" if is_gone else removal_url,
    )


def make_groups(groups: Iterable[Group], urls: Urls, live_link: LiveLink, *, has_servers: bool) -> GroupsPage:
    """Return the list in the order given."""
    rows = tuple(make_group_row(group, urls, has_servers=has_servers) for group in groups)
    return GroupsPage(live_link, rows, has_servers)


def make_members(
    members: Sequence[tuple[float, Session]], group: Group, urls: Urls, *, can_act: bool, server: str
) -> tuple[MemberRow, ...]:
    """Return the members of a group, the longest-standing first."""

    def removal(session: Session) -> str:
        return urls.removal(group.name, session.id, server=server) if can_act else ""

    return tuple(make_member_row(session, joined_at, removal(session)) for joined_at, session in members)
