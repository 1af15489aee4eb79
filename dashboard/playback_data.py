"""Playing a session's log for the operator: one moment after another, read from the directory."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Final, NamedTuple

from fastapi import Depends, Query

from ..server.directory import Directory
from ..server.models import CallsAt, Event, KeysAt, Session
from .contexts.playback import SPEEDS, NothingToPlay, Playback, Steps, Ways, make_playback
from .formatting import count
from .log_data import Place, inspector, log_rows
from .queries import LogQuery
from .urls import QueryValue, Urls

_ROWS: Final = 12
"""Events before the moment that are listed with it."""


class PlayQuery(NamedTuple):
    """What a moment's address asks for."""

    play: str = ""
    """The speed; empty when the log is not to be played."""
    at: int | None = None
    """The event, or the newest one before it that is kept and matches."""
    by: float | None = None
    """The newest event by this time, if it is not before `at`."""

    @property
    def speed(self) -> str:
        return self.play if self.play in SPEEDS else "step"


async def play_query(
    play: Annotated[str, Query(max_length=10)] = "",
    at: Annotated[int | None, Query(ge=1, lt=2**53)] = None,
    by: Annotated[float | None, Query(alias="t", ge=0, lt=1e11)] = None,
) -> PlayQuery:
    """Read the query string of a moment."""
    return PlayQuery(play, at, by)


WantedMoment = Annotated[PlayQuery, Depends(play_query)]


async def playback_panel(
    directory: Directory, urls: Urls, session: Session, query: LogQuery, wanted: PlayQuery, *, can_act: bool
) -> Playback | NothingToPlay:
    """Return the moment that is asked for, or the one nearest to it that the log keeps and the filter lets through."""
    player = _Player(directory, urls, session, query, wanted)
    event = await player.find()
    return await player.moment(event, can_act=can_act)


class _Player:
    def __init__(self, directory: Directory, urls: Urls, session: Session, query: LogQuery, wanted: PlayQuery) -> None:
        self._directory = directory
        self._urls = urls
        self._session = session
        self._query = query
        self._wanted = wanted

    def address(self, at: int | None, speed: str = "") -> str:
        kept: dict[str, QueryValue] = {**self._query.values(), **self._query.look.values()}
        return self._urls.session(self._session.id, "events", play=speed or self._wanted.speed, at=at, **kept)

    async def find(self) -> Event | None:
        """Return the event of this moment; the first one when the address names none."""
        if self._wanted.by is not None:
            found = await self._near(until=self._wanted.by + 0.0005, newest_first=True)
            if found is not None and (self._wanted.at is None or found.seq >= self._wanted.at):
                return found
        if self._wanted.at is None:
            return await self._near()
        found = await self._near(before=self._wanted.at + 1, newest_first=True)
        return found or await self._near(after=self._wanted.at)

    async def _near(
        self, *, after: int = 0, before: int | None = None, until: float | None = None, newest_first: bool = False
    ) -> Event | None:
        asked = self._query.events(after=after, newest_first=newest_first, limit=1)
        if until is not None:
            asked = asked._replace(until=until if asked.until is None else min(asked.until, until))
        page = await self._directory.events(self._session.id, asked._replace(before=before))
        return page.events[0] if page.events else None

    async def moment(self, event: Event | None, *, can_act: bool) -> Playback | NothingToPlay:
        """Return everything that is shown of one moment."""
        query = self._query
        if event is None:
            return NothingToPlay(self._missing(), self._urls.session(self._session.id, "events"))
        query.sel = event.seq
        earlier = await self._earlier(event)
        before = earlier[1] if len(earlier) > 1 else None
        keys, calls = await self._then(event)
        return make_playback(
            event,
            Steps(await self._near(), before, await self._near(after=event.seq), await self._near(newest_first=True)),
            self._session,
            self._ways(event),
            speed=self._wanted.speed,
            is_filtered=query.is_filtered,
            rows=log_rows(self._directory, self._place(), query, earlier),
            keys=keys,
            calls=calls,
            inspected=await inspector(
                self._directory, self._urls, self._place(), query, can_act=can_act, slot="playback"
            ),
        )

    def _ways(self, event: Event) -> Ways:
        query, page = self._query, partial(self._urls.session, self._session.id, "events")
        kept = {**query.values(), **query.look.values(), "play": self._wanted.speed}
        fields = ((name.rstrip("_"), "1" if value is True else str(value)) for name, value in kept.items() if value)
        return Ways(self.address, page(), page(**query.values(), sel=event.seq), tuple(fields))

    async def _earlier(self, event: Event) -> list[Event]:
        asked = self._query.events(limit=_ROWS)._replace(before=event.seq + 1)
        return (await self._directory.events(self._session.id, asked)).events

    def _place(self) -> Place:
        """Return the log with the addresses of its moments in place of the events' own."""

        def address(*, sel: int | None = None, **kept: QueryValue) -> str:
            return self._urls.session(self._session.id, "events", play=self._wanted.speed, at=sel, **kept)

        return Place(self._session, address)

    async def _then(self, event: Event) -> tuple[KeysAt, CallsAt]:
        return (
            await self._directory.keys_at(self._session.id, event.seq),
            await self._directory.calls_at(self._session.id, event.seq),
        )

    def _missing(self) -> str:
        if self._query.is_filtered:
            return "No event matches the filter; clear it to play the whole log."
        dropped = self._session.trimmed_seq
        return f"All {count(dropped)} events were dropped by retention." if dropped else "Nothing has happened yet."
