"""The broadcast composer: what was filled in, whom it reaches, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..server.attach import Switchroom
from ..server.data.messages import LEVELS
from ..server.filters import Filter, FilterError, parse_filter
from ..server.ids import new_reference
from .contexts.broadcasts import AudienceNote, Composer, make_reach

AUDIENCES: Final = ("all", "filter", "chosen")
_MAX_MINUTES: Final = 7 * 24 * 60


@dataclass(frozen=True, slots=True)
class Draft:
    """The composer's fields as they came."""

    audience: str = "all"
    q: str = ""
    exclude: str = ""
    ids: tuple[str, ...] = ()
    text: str = ""
    level: str = "info"
    minutes: str = ""
    idempotency_key: str = ""

    def filters(self) -> tuple[Filter, Filter]:
        """Return who is meant and who is left out.

        Raises:
            FilterError: One of the two cannot be read.
        """
        return parse_filter(self.q if self.audience == "filter" else ""), parse_filter(self.exclude)

    def chosen(self) -> tuple[str, ...]:
        """Return the sessions chosen by hand, when those are meant."""
        return self.ids if self.audience == "chosen" else ()

    def ttl_seconds(self) -> float | None:
        """Return how long the message waits for a stream; `None` means the server's setting."""
        text = self.minutes.strip()
        return min(int(text), _MAX_MINUTES) * 60.0 if text.isascii() and text.isdigit() and len(text) < 8 else None


async def composer_page(room: Switchroom, draft: Draft, *, error: str = "") -> Composer:
    """Return the composer with these fields and what they amount to now."""
    ttl = draft.ttl_seconds()
    return Composer(
        audience=draft.audience if draft.audience in AUDIENCES else "all",
        q=draft.q,
        exclude=draft.exclude,
        chosen=draft.ids,
        text=draft.text,
        level=draft.level if draft.level in LEVELS else "info",
        levels=LEVELS,
        minutes=int((room.settings.queue_seconds if ttl is None else ttl) // 60),
        idempotency_key=draft.idempotency_key or new_reference(),
        error=error,
        reach=await _reach(room, draft),
    )


async def _reach(room: Switchroom, draft: Draft) -> AudienceNote:
    try:
        query, exclude = draft.filters()
    except FilterError as error:
        return make_reach(None, error=error.message)
    return make_reach(await room.directory.audience(query, exclude), chosen=draft.chosen())
