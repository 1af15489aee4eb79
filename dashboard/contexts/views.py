"""Saved views: lists under a name, of one operator or shared with all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ...server.accounts import SavedView
from ..urls import Urls


@dataclass(frozen=True, slots=True)
class ViewLink:
    """One view."""

    name: ClassVar[str] = "saved_view"
    id: str
    title: str
    url: str
    query: str
    owner: str
    is_shared: bool
    is_own: bool
    is_current: bool


@dataclass(frozen=True, slots=True)
class SavedViews:
    """The menu above the list, and the page where they are renamed and deleted."""

    template: ClassVar[str] = "sessions/_views.html"
    name: ClassVar[str] = "saved"
    links: tuple[ViewLink, ...]
    query: str
    """The list as it is now, which saving puts under a name."""
    can_save: bool


@dataclass(frozen=True, slots=True)
class ViewsPage:
    """The page of saved views."""

    template: ClassVar[str] = "views/index.html"
    name: ClassVar[str] = "shelf"
    links: tuple[ViewLink, ...]
    error: str


def make_links(views: Sequence[SavedView], owner: str, urls: Urls, query: str = "") -> tuple[ViewLink, ...]:
    """Return the views as links; `query` is the list shown now."""
    return tuple(
        ViewLink(
            id=view.id,
            title=view.title,
            url=urls.sessions() + (f"?{view.query}" if view.query else ""),
            query=view.query,
            owner=view.owner,
            is_shared=view.is_shared,
            is_own=view.owner.casefold() == owner.casefold(),
            is_current=bool(query) and view.query == query,
        )
        for view in views
    )
