"""Rows of the sessions list, rendered once for all who follow them with the same permissions and columns."""

from __future__ import annotations

import time
from typing import Final

from ...server.directory import Directory
from ...server.models import Session
from ..contexts.sessions import make_row
from ..templating import Templates

_MOST: Final = 4_000
"""Rows kept; a console shows 100 at most."""
WINDOW_SECONDS: Final = 5
"""How often a row without a change is rendered again: its bars are a moving window."""


class SharedRows:
    """Keeps markup by what it depends on. For the event loop's thread only."""

    def __init__(self, directory: Directory, templates: Templates) -> None:
        self._directory = directory
        self._templates = templates
        self._rows: dict[tuple[object, ...], str] = {}
        self.rendered = 0
        """How many rows were rendered so far, the shared ones counted once."""

    def live(self, session_id: str, *, can_act: bool, shown: frozenset[str]) -> str | None:
        """Return the row of a live session as it is now; `None` when it has ended."""
        state = self._directory.live_version(session_id)
        if state is None:
            return None
        key = (session_id, *state, int(time.monotonic()) // WINDOW_SECONDS, can_act, shown)
        markup = self._rows.get(key)
        if markup is None:
            session = self._directory.live_session(session_id)
            if session is None:
                return None
            markup = self.render(session, can_act=can_act, shown=shown)
            if len(self._rows) >= _MOST:
                self._rows.clear()
            self._rows[key] = markup
        return markup

    def render(self, session: Session, *, can_act: bool, shown: frozenset[str]) -> str:
        """Return the row of a session, live or ended."""
        self.rendered += 1
        return self._templates.render(make_row(session, can_act=can_act, shown=shown))
