"""What the sign-in templates read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class SignInPage:
    """The form that asks for a name and a password."""

    template: ClassVar[str] = "sign_in/index.html"
    name: ClassVar[str] = "page"

    server: str
    """Names of the MCP servers behind this console."""
    environment: str
    """`""` when the settings name none."""
    operator: str
    """What was typed as the name before, `""` at first."""
    next: str
    """Path to return to."""
    note: str
    """Why the operator is here; `""` when there is nothing to say."""
    error: str
    """Why the last attempt failed; `""` at first."""
    is_possible: bool
    """Whether a cookie may be used here: on https, or on plain http to this machine."""


@dataclass(frozen=True, slots=True)
class LinkPage:
    """The page behind a one-time link: a button, or the reason why there is none."""

    template: ClassVar[str] = "sign_in/link.html"
    name: ClassVar[str] = "page"

    server: str
    environment: str
    token: str
    """The link's secret, or `""` when it opens nothing."""
    operator: str
    """Whom it signs in."""
    is_possible: bool
