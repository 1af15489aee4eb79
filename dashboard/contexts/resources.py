"""What a session holds: what it has open, and who is signed in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from ...server.models import HeldResource, Session
from ..urls import Urls


@dataclass(frozen=True, slots=True)
class ResourceRow:
    """One thing that is closed when the session ends."""

    name: ClassVar[str] = "resource"
    title: str
    kind: str
    opened_at: float
    owner: str
    close_url: str
    """Empty where the viewer may not act."""


@dataclass(frozen=True, slots=True)
class SignInRow:
    """Who is signed in."""

    name: ClassVar[str] = "signing"
    user: str
    at: float
    until: float
    end_url: str
    """Empty where the viewer may not act."""


@dataclass(frozen=True, slots=True)
class ResourceList:
    """The tab; the stream replaces it as a whole."""

    template: ClassVar[str] = "sessions/_resources.html"
    name: ClassVar[str] = "held"
    signing: SignInRow | None
    resources: tuple[ResourceRow, ...]
    empty: str


_NONE_OPEN = "Nothing is open. What a tool registers with SessionResources is listed here and closed with the session."
_ENDED = "The session has ended, and with it everything it held was closed."


def make_resources(session: Session, held: Iterable[HeldResource], urls: Urls, *, can_act: bool) -> ResourceList:
    """Return the tab."""
    signed_in = session.signed_in
    signing = None
    if signed_in is not None:
        end_url = urls.sign_in_ending(session.id) if can_act else ""
        signing = SignInRow(signed_in.user, signed_in.at, signed_in.expires_at, end_url)
    rows = tuple(
        ResourceRow(
            title=each.name,
            kind=each.kind,
            opened_at=each.opened_at,
            owner="" if each.is_owned else "owned elsewhere",
            close_url=urls.resource_closing(session.id, each.id) if can_act else "",
        )
        for each in held
    )
    return ResourceList(signing, rows, _NONE_OPEN if session.is_live else _ENDED)
