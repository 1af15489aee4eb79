"""Between which times events are wanted."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Final

from ...server.errors import InvalidInput

WITHIN: Final = {"5m": 300.0, "15m": 900.0, "1h": 3_600.0, "24h": 86_400.0}
"""The spans of time an event log offers, in seconds."""

_NUMBER: Final = re.compile(r"[0-9]{1,11}(\.[0-9]{1,6})?")


class Times:
    """Between which times events are wanted, as an address says it."""

    def __init__(self, within: str = "", since: str = "", until: str = "") -> None:
        self.within = within if within in WITHIN else ""
        self.since = since.strip()
        self.until = until.strip()
        self.error = ""
        """What cannot be read in it, as a sentence; empty when all is well."""
        self._bounds: tuple[float | None, float | None] = (None, None)
        try:
            self._bounds = parse_time(self.since), parse_time(self.until)
        except InvalidInput as error:
            self.error = error.message

    def __bool__(self) -> bool:
        return bool(self.within or self.since or self.until)

    def values(self) -> dict[str, str | bool]:
        """Return the query values, for addresses that keep them."""
        return {"within": self.within, "from_": self.since, "to": self.until}

    def bounds(self) -> tuple[float | None, float | None]:
        """Return the earliest time and the first one after the end, in Unix seconds."""
        since, until = self._bounds
        if self.within:
            earliest = time.time() - WITHIN[self.within]
            since = earliest if since is None else max(since, earliest)
        return since, until


def parse_time(text: str) -> float | None:
    """Return Unix seconds for ISO 8601 text (UTC unless it says otherwise) or for a number; `None` for no text.

    Raises:
        InvalidInput: It is neither.
    """
    if not text:
        return None
    if _NUMBER.fullmatch(text):
        return float(text)
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise InvalidInput(
            f'"{text[:40]}" is not a time: write it as 2026-11-25T14:30 (UTC) or 2026-11-25T14:30:00+01:00.'
        ) from None
