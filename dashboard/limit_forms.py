"""The form that extends or shortens a session, and what was written into it."""

from __future__ import annotations

import time
from collections.abc import Mapping

from ..server.errors import InvalidInput
from ..server.filters.durations import read_limit, spell
from ..server.models import Session
from ..server.operations.timeouts import KEEP
from .contexts.dialogs import TimeoutsForm
from .contexts.possible import why_no_idle_limit
from .contexts.sessions import client_name
from .urls import Urls


def timeouts_form(
    urls: Urls, session: Session, *, values: Mapping[str, str] | None = None, error: InvalidInput | None = None
) -> TimeoutsForm:
    """Return the form; `values` are its fields as they were sent, `error` what was wrong with one of them."""
    given = values or {
        "idle": spell(session.idle_seconds) if session.idle_from == "session" else "",
        "lifetime": spell(session.lifetime_seconds) if session.lifetime_from == "session" else "",
    }
    field, message = (str(error.detail.get("field", "reason")), error.message) if error is not None else ("", "")
    age = spell(time.time() - session.created_at)
    return TimeoutsForm(
        action=urls.timeouts(session.id),
        client=client_name(session),
        now=f"Now: idle {spell(session.idle_seconds)}, lifetime {spell(session.lifetime_seconds)}.",
        idle=given.get("idle", ""),
        idle_hint=f"Without a request or an open stream. In force from {_source(session.idle_from)}.",
        idle_error=message if field == "idle_seconds" else "",
        why_no_idle=why_no_idle_limit(session),
        lifetime=given.get("lifetime", ""),
        lifetime_hint=f"Since it was opened, {age} ago. In force from {_source(session.lifetime_from)}.",
        lifetime_error=message if field == "lifetime_seconds" else "",
        reason=given.get("reason", ""),
        reason_error=message if field not in ("", "idle_seconds", "lifetime_seconds") else "",
    )


def read_limits(session: Session, idle: str, lifetime: str) -> tuple[float | None, float | None]:
    """Return the limits that were written; `KEEP` where the session can have none.

    Raises:
        InvalidInput: One cannot be read; its `field` says which.
    """
    chosen = KEEP if why_no_idle_limit(session) else _read(idle, "idle_seconds")
    return chosen, _read(lifetime, "lifetime_seconds")


def _read(text: str, field: str) -> float | None:
    if not text.strip():
        return None
    seconds = read_limit(text)
    if seconds is None:
        raise InvalidInput(f'"{text.strip()[:20]}" is no time: write 30m, 2h, 1d, or none.', field=field)
    return seconds


def _source(name: str) -> str:
    return {"session": "this session", "server": "the server's setting"}.get(name, f"the rule {name}")
