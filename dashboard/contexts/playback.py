"""A moment of a session's past: the event, what led to it, the stored keys and the calls in flight then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

from ...server.models import CallsAt, Event, KeysAt, PastKey, Session
from ..formatting import age, count, duration, size
from ..visible import visible_text
from .inspector import Inspector
from .log import EventRow, plain_id
from .paging import Option

SPEEDS: Final = {"step": "Step", "1": "1x", "10": "10x"}
_VALUE_SHOWN: Final = 160


@dataclass(frozen=True, slots=True)
class PastKeyRow:
    """One stored key as it was."""

    name: ClassVar[str] = "past"
    key: str
    value: str
    is_kept: bool
    """Whether `value` is its value; otherwise it says why there is none."""
    version: str
    size: str
    is_new: bool
    """Whether this very event set it."""


@dataclass(frozen=True, slots=True)
class PastCallRow:
    """One request that was not answered then."""

    name: ClassVar[str] = "asked"
    request_id: str
    url: str
    direction: str
    method: str
    target: str
    waited: str


@dataclass(frozen=True, slots=True)
class Playback:
    """The log played step by step; the script loads it again for every moment."""

    template: ClassVar[str] = "sessions/_playback.html"
    name: ClassVar[str] = "play"
    seq: int
    at: float
    first_seq: int
    last_seq: int
    after: str
    """Time since the session began."""
    gap: str
    """Time since the event before."""
    here: str
    next_at: float | None
    until_next: str
    first_url: str
    previous_url: str
    next_url: str
    last_url: str
    speed: str
    speeds: tuple[Option, ...]
    fields: tuple[tuple[str, str], ...]
    """Query values that the form for another event sends along."""
    action: str
    leave_url: str
    is_filtered: bool
    rows: tuple[EventRow, ...]
    keys: tuple[PastKeyRow, ...]
    keys_note: str
    calls: tuple[PastCallRow, ...]
    calls_note: str
    inspected: Inspector | None


@dataclass(frozen=True, slots=True)
class NothingToPlay:
    """Shown in a player's place."""

    name: ClassVar[str] = "unplayed"
    why: str
    leave_url: str


class Steps(NamedTuple):
    """The events that the player's buttons lead to; `None` where there is none."""

    first: Event | None
    before: Event | None
    following: Event | None
    last: Event | None


class Ways(NamedTuple):
    """Addresses of the player."""

    at: Callable[..., str]
    """Of an event, by default at the same speed."""
    action: str
    leave: str
    fields: tuple[tuple[str, str], ...]


def make_playback(
    event: Event,
    steps: Steps,
    session: Session,
    ways: Ways,
    *,
    speed: str,
    is_filtered: bool,
    rows: tuple[EventRow, ...],
    keys: KeysAt,
    calls: CallsAt,
    inspected: Inspector | None,
) -> Playback:
    """Return the player at `event`."""

    def way(to: Event | None) -> str:
        return ways.at(to.seq) if to is not None and to.seq != event.seq else ""

    following = steps.following
    past_keys, keys_note = make_past_keys(keys)
    past_calls, calls_note = make_past_calls(calls, ways.at)
    return Playback(
        seq=event.seq,
        at=event.at,
        first_seq=steps.first.seq if steps.first is not None else event.seq,
        last_seq=steps.last.seq if steps.last is not None else event.seq,
        after=age(event.at - session.created_at),
        gap="" if steps.before is None else f"{duration(max(0.0, event.at - steps.before.at))} after the one before",
        here=ways.at(event.seq),
        next_at=following.at if following is not None else None,
        until_next=duration(max(0.0, following.at - event.at)) if following is not None else "",
        first_url=way(steps.first),
        previous_url=way(steps.before),
        next_url=way(following),
        last_url=way(steps.last),
        speed=speed,
        speeds=tuple(Option(label, ways.at(event.seq, each), each == speed) for each, label in SPEEDS.items()),
        fields=ways.fields,
        action=ways.action,
        leave_url=ways.leave,
        is_filtered=is_filtered,
        rows=rows,
        keys=past_keys,
        keys_note=keys_note,
        calls=past_calls,
        calls_note=calls_note,
        inspected=inspected,
    )


def make_past_keys(past: KeysAt) -> tuple[tuple[PastKeyRow, ...], str]:
    """Return the stored keys as they were, and what cannot be told of them."""
    rows = tuple(
        PastKeyRow(
            key.name,
            _value(key),
            not key.is_secret and key.value is not None,
            count(key.version) if key.version is not None else "-",
            size(key.size_bytes) if key.size_bytes is not None else "-",
            key.seq == past.seq,
        )
        for key in past.keys
    )
    note = f"Keys last changed in the {count(past.dropped)} dropped events may be missing." if past.dropped else ""
    return rows, note


def _value(key: PastKey) -> str:
    if key.is_secret:
        return "secret"
    return "not kept by the log" if key.value is None else visible_text(key.value, _VALUE_SHOWN)


def make_past_calls(past: CallsAt, address: Callable[[int], str]) -> tuple[tuple[PastCallRow, ...], str]:
    """Return what was not answered then, and what cannot be told of it."""
    rows = tuple(
        PastCallRow(
            plain_id(call.request_id),
            address(call.seq),
            call.direction.value,
            call.method,
            call.target or "",
            duration(max(0.0, past.at - call.started_at)),
        )
        for call in past.calls
    )
    return rows, "" if past.is_whole else "Calls that began much earlier may be missing."
