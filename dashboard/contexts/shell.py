"""The frame round every page: navigation, breadcrumb, who is signed in, the live link."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from ...server.models import Actor, Role
from ..urls import Urls


@dataclass(frozen=True, slots=True)
class Crumb:
    """One step of the breadcrumb; the last one has no address."""

    name: ClassVar[str] = "crumb"
    label: str
    url: str = ""
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class NavEntry:
    """One entry of the navigation; `icon` also names its counter, which the live stream updates."""

    name: ClassVar[str] = "entry"
    icon: str
    label: str
    url: str
    count: str | None
    """In words; `""` where it is kept for a count that may come, `None` where there is none."""
    is_current: bool


@dataclass(frozen=True, slots=True)
class Flash:
    """What the last form did, shown once above the page."""

    name: ClassVar[str] = "flash"
    text: str
    tone: str = ""
    """`""` or `bad`."""


@dataclass(frozen=True, slots=True)
class LiveLink:
    """The element that opens the page's one stream."""

    template: ClassVar[str] = "_live.html"
    name: ClassVar[str] = "live"
    url: str

    @property
    def key(self) -> str:
        """A name per address: morphing an element that keeps its id would leave the old stream open."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:10]


class Frame(NamedTuple):
    """What a page says about itself to the layout."""

    section: str
    title: str
    crumbs: Sequence[Crumb] = ()
    is_live: bool = True
    flash: Flash | None = None


@dataclass(frozen=True, slots=True)
class Shell:
    """The layout's own context."""

    template: ClassVar[str] = "layout.html"
    name: ClassVar[str] = "shell"
    title: str
    server: str
    environment: str
    navigation: tuple[tuple[NavEntry, ...], ...]
    crumbs: tuple[Crumb, ...]
    actor: str
    role: str
    is_live: bool
    flash: Flash | None

    @property
    def initials(self) -> str:
        """One or two letters for the avatar."""
        parts = [part for part in self.actor.replace("@", " ").replace(".", " ").split() if part[:1].isalnum()]
        letters = parts[0][:2] if parts else "?"
        return letters.upper()


def make_shell(
    frame: Frame, urls: Urls, actor: Actor, *, servers: Sequence[str], environment: str, counts: Mapping[str, str]
) -> Shell:
    """Build the layout's context; `counts` are the live counts beside the navigation, by the entry's icon."""

    def entry(icon: str, label: str, url: str) -> NavEntry:
        return NavEntry(icon, label, url, counts.get(icon), frame.section == icon)

    navigation = (
        (
            entry("overview", "Overview", urls.overview()),
            entry("sessions", "Sessions", urls.sessions()),
            entry("clients", "Clients", urls.clients()),
            entry("calls", "Calls", urls.calls()),
            entry("events", "Events", urls.events()),
        ),
        (
            entry("broadcast", "Broadcasts", urls.broadcasts()),
            entry("groups", "Groups", urls.groups()),
            entry("block", "Blocks", urls.blocks()),
            entry("audit", "Audit log", urls.audit()),
            entry("errors", "Errors", urls.errors()),
            entry("health", "Health", urls.health()),
            *([entry("operators", "Operators", urls.operators())] if actor.role.includes(Role.ADMIN) else []),
        ),
    )
    server = servers[0] if len(servers) == 1 else f"{len(servers)} servers"
    crumbs = tuple(frame.crumbs) or (Crumb(server, urls.overview()), Crumb(frame.title))
    return Shell(
        frame.title, server, environment, navigation, crumbs, actor.name, actor.role.value, frame.is_live, frame.flash
    )
