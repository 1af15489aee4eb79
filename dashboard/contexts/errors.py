"""What the error templates read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """An error as a whole page."""

    template: ClassVar[str] = "errors/page.html"
    name: ClassVar[str] = "error"

    status: int
    title: str
    """The status in words."""
    detail: str
    """One sentence that says what to do; may quote a stranger's text."""
    trail_url: str = ""
    """Where the audit log says more; empty when it has nothing to say."""


@dataclass(frozen=True, slots=True)
class InlineError:
    """An error in the place of what htmx asked for."""

    template: ClassVar[str] = "errors/_inline.html"
    name: ClassVar[str] = "error"

    status: int
    title: str
    detail: str
