"""Which calls in flight a page shows; the page and its live stream ask here."""

from __future__ import annotations

import time
from typing import Final, NamedTuple

from ..server.attach import Switchroom
from ..server.directory import FlyingCall
from ..server.filters import FilterError, parse_filter
from .urls import Urls

MAX_CALLS: Final = 200
"""Calls on one page, the oldest first."""


class CallQuery(NamedTuple):
    """What the address of the calls asks for."""

    q: str = ""
    """A filter over their sessions."""
    hung: bool = False
    """Only calls in flight for longer than `hung_call_seconds`."""

    @property
    def error(self) -> str:
        """Why the filter cannot be read; empty when it can."""
        try:
            parse_filter(self.q)
        except FilterError as error:
            return error.message
        return ""

    def address(self, urls: Urls) -> str:
        """Return the address that asks for the same."""
        return urls.calls(q=self.q, hung=self.hung)


def matching_calls(room: Switchroom, wanted: CallQuery) -> list[FlyingCall]:
    """Return the calls that match, oldest first; none where the filter cannot be read."""
    if wanted.error:
        return []
    query, now = parse_filter(wanted.q), time.time()
    before = now - room.settings.hung_call_seconds
    return [
        each
        for each in room.directory.calls()
        if (query.is_empty or query.matches(each.session, now))
        and not (wanted.hung and (each.call.is_endless or each.call.started_at > before))
    ]
