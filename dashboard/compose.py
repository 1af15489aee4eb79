"""The broadcast composer: what was filled in, whom it reaches, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from ..server.attach import Switchroom
from ..server.data.messages import LEVELS
from ..server.errors import InvalidInput, NotFound
from ..server.filters import Filter, FilterError, parse_filter, quote_value
from ..server.ids import new_reference
from ..server.models import Actor, Broadcast
from ..server.modern.listeners import LOG_MESSAGE
from ..server.operations.results import Reach
from ..server.operations.sending import METHODS, Message
from ..server.operations.wording import LOGGER, Wording, check_wording
from .contexts.composer import (
    Choice,
    Composer,
    Outlook,
    Preview,
    Review,
    make_methods,
    make_outlook,
    make_previews,
    make_trials,
    send_label,
)
from .formatting import plural
from .urls import Urls

AUDIENCES: Final = ("all", "filter", "group", "chosen")
_MAX_MINUTES: Final = 7 * 24 * 60
_TRIALS: Final = 50
"""Sessions offered for a trial, the last heard first."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The composer's fields as they came."""

    audience: str = "all"
    q: str = ""
    exclude: str = ""
    group: str = ""
    """The filter of one group, as the list offers it."""
    ids: tuple[str, ...] = ()
    method: str = LOG_MESSAGE
    text: str = ""
    level: str = "info"
    logger: str = LOGGER
    format: str = "text"
    """`text` or `json`."""
    waits: str = "queue"
    """`queue` or `skip`."""
    minutes: str = ""
    idempotency_key: str = ""
    trial: str = ""
    trial_key: str = ""

    @property
    def wording(self) -> Wording:
        """What is to be said."""
        method = self.method if self.method in METHODS else LOG_MESSAGE
        return Wording(self.text.strip(), self.level, method, self.logger.strip(), self.format == "json")

    @property
    def is_queued(self) -> bool:
        return self.waits != "skip"

    def filters(self) -> tuple[Filter, Filter]:
        """Return who is meant and who is left out.

        Raises:
            FilterError: One of the two cannot be read.
        """
        chosen = {"filter": self.q, "group": self.group}.get(self.audience, "")
        return parse_filter(chosen), parse_filter(self.exclude)

    def chosen(self) -> tuple[str, ...]:
        """Return the sessions chosen by hand, when those are meant."""
        return self.ids if self.audience == "chosen" else ()

    def ttl_seconds(self) -> float | None:
        """Return how long the message waits for a stream; `None` means the server's setting."""
        text = self.minutes.strip()
        return min(int(text), _MAX_MINUTES) * 60.0 if text.isascii() and text.isdigit() and len(text) < 8 else None

    def check_audience(self) -> None:
        """Refuse an audience that is chosen and then not named: it would be everybody.

        Raises:
            InvalidInput: With what to do.
        """
        if self.audience == "chosen" and not self.ids:
            raise InvalidInput("Choose sessions in the sessions list first.", field="audience")
        if self.audience == "group" and not self.group:
            raise InvalidInput("Choose a group.", field="audience")
        if self.audience == "filter" and not self.q.strip():
            raise InvalidInput("Write a filter, or choose every live session.", field="audience")

    def sending(self) -> dict[str, Any]:
        """Return the message as `operations.broadcast` takes it.

        Raises:
            FilterError: A filter cannot be read.
            InvalidInput: The audience is not named.
        """
        self.check_audience()
        query, exclude = self.filters()
        return {
            **self.wording._asdict(),
            "query": query,
            "exclude": exclude,
            "session_ids": self.chosen(),
            "is_queued": self.is_queued,
            "ttl_seconds": self.ttl_seconds(),
        }


async def composer_page(
    room: Switchroom, urls: Urls, actor: Actor, draft: Draft, *, error: str = "", tried: Broadcast | None = None
) -> Composer:
    """Return the composer with these fields and what they amount to now."""
    ttl, wording = draft.ttl_seconds(), draft.wording
    reach, outlook = _reach(room, draft)
    return Composer(
        audience=draft.audience if draft.audience in AUDIENCES else "all",
        q=draft.q,
        exclude=draft.exclude,
        groups=_groups(room, draft.group),
        chosen=draft.ids,
        text=draft.text,
        is_json=wording.is_json,
        level=draft.level if draft.level in LEVELS else "info",
        levels=LEVELS,
        logger=draft.logger,
        methods=make_methods(wording.method),
        is_log_message=wording.method == LOG_MESSAGE,
        is_queued=draft.is_queued,
        minutes=int((room.settings.queue_seconds if ttl is None else ttl) // 60),
        idempotency_key=draft.idempotency_key or new_reference(),
        error=error,
        reach=outlook,
        review=await _review(room, urls, actor, draft, reach, tried),
    )


async def _review(
    room: Switchroom, urls: Urls, actor: Actor, draft: Draft, reach: Reach | None, tried: Broadcast | None
) -> Review:
    wording = draft.wording
    problem, size = "", ""
    previews: tuple[Preview, ...] = ()
    try:
        data = check_wording(wording)
        message = Message(data, wording.level, wording.logger, 0.0, wording.method)
        previews, size = make_previews(message), f"{len(message.payload):,} B"
    except InvalidInput as error:
        problem = error.message
    page = await room.directory.sessions(parse_filter("state:live -kind:handle"), limit=_TRIALS)
    remembered = await room.directory.last_trial(actor.name)
    return Review(
        error=problem,
        size=size,
        previews=previews,
        trials=make_trials(page.items, remembered, draft.trial),
        trial_key=new_reference(),
        tried=tried_words(tried) if tried is not None else "",
        tried_url=urls.broadcast(tried.id) if tried is not None else "",
        button=send_label(reach),
        can_send=reach is not None and reach.total > 0,
    )


def tried_words(tried: Broadcast) -> str:
    """Return what came of a trial."""
    outcome = next((name for name, number in tried.counts.items() if number), "pending").replace("_", " ")
    return f"Tried on one session: {outcome}."


def _reach(room: Switchroom, draft: Draft) -> tuple[Reach | None, Outlook]:
    try:
        draft.check_audience()
        query, exclude = draft.filters()
        chosen = draft.chosen()
        reach = room.operations.reach(
            draft.wording, query=query, exclude=exclude, session_ids=chosen, is_queued=draft.is_queued
        )
    except (FilterError, InvalidInput, NotFound) as error:
        return None, make_outlook(None, is_queued=True, error=error.message)
    return reach, make_outlook(reach, is_queued=draft.is_queued)


def _groups(room: Switchroom, chosen: str) -> tuple[Choice, ...]:
    has_servers = len(room.directory.server_names) > 1
    found: list[Choice] = []
    for group in room.directory.rules.groups():
        query = f"group:{group.name}" + (f" server:{quote_value(group.server)}" if has_servers else "")
        where = f" at {group.server}" if has_servers else ""
        label = f"{group.name}{where}, {plural(len(group.members), 'member')}"
        found.append(Choice(query, label, query == chosen))
    return tuple(found)
