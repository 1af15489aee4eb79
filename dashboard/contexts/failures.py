"""Errors together, by code: a table for one session's tab and for the page of the whole server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from ...server.models import ErrorGroup
from ..formatting import plural
from ..urls import Urls
from .shell import LiveLink


@dataclass(frozen=True, slots=True)
class FailureRow:
    """Errors of one code and one tool or method."""

    name: ClassVar[str] = "failure"
    code: str
    target: str
    count: int
    sessions: int
    last_at: float
    message: str
    last_url: str
    """The newest of them, in its session's log."""


@dataclass(frozen=True, slots=True)
class FailureList:
    """The table; the stream replaces it as a whole."""

    template: ClassVar[str] = "failures/_groups.html"
    name: ClassVar[str] = "failures"
    rows: tuple[FailureRow, ...]
    note: str
    has_sessions: bool
    """Whether the errors may be of several sessions."""


@dataclass(frozen=True, slots=True)
class FailuresPage:
    """The page of the whole server."""

    template: ClassVar[str] = "failures/index.html"
    name: ClassVar[str] = "failed"
    list: FailureList
    live_link: LiveLink


def make_failures(groups: Iterable[ErrorGroup], urls: Urls, *, most: int, of_session: bool) -> FailureList:
    """Return the table; `most` is how many errors were looked at at most."""
    rows = tuple(
        FailureRow(
            code=group.code,
            target=group.target,
            count=group.times,
            sessions=group.sessions,
            last_at=group.last_at,
            message=group.last_message,
            last_url=urls.session(group.last_session, "events", sel=group.last_seq),
        )
        for group in groups
    )
    total = sum(row.count for row in rows)
    note = f"{plural(total, 'error')} in the log" if total < most else f"the newest {most:,} errors in the log"
    return FailureList(rows, note if rows else "none in the log", not of_session)
