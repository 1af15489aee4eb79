"""One event of a log with its payload, beside the log or alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

from ...server.models import ANSWERS, STANDALONE_STREAM, Direction, Event, EventKind
from ..formatting import duration, size
from ..highlight import Rendered, render_json, render_text
from ..urls import Urls
from .log import plain_id, target_of
from .paging import Option

_REQUESTS: Final = (EventKind.REQUEST, EventKind.RESPONSE, EventKind.ERROR)


@dataclass(frozen=True, slots=True)
class Relative:
    """Another event this one belongs to."""

    name: ClassVar[str] = "relative"
    how: str
    """For example `Answers request`."""
    url: str
    text: str


@dataclass(frozen=True, slots=True)
class Inspector:
    """One event with its payload."""

    template: ClassVar[str] = "events/_inspector.html"
    name: ClassVar[str] = "inspected"
    slot: str
    """Id of the element that a link to another event replaces: the inspector itself, or all of a moment."""
    seq: int
    title: str
    verdict: str
    """What an answer came to, for example `timed out after 5.0 s`; empty for the rest."""
    is_bad: bool
    at: float
    relatives: tuple[Relative, ...]
    stream: str
    stream_url: str
    """The log of that stream alone; empty where it has none."""
    replay_url: str
    """Empty where the viewer may not, or nothing can be sent to this session."""
    why_not: str
    """Why this event cannot be sent to the client again; empty when it can."""
    play_url: str
    raw_url: str
    size: str
    modes: tuple[Option, ...]
    wrap_url: str
    is_wrapped: bool
    json: Rendered
    is_missing: bool
    """Whether the log keeps no payload of this event."""


class Around(NamedTuple):
    """What an inspector says that the event itself does not know."""

    request: Event | None
    """The request an answer belongs to."""
    answer: Event | None
    """The answer a request got."""
    why_not: str
    can_replay: bool


class Addresses(NamedTuple):
    """Where the parts of an inspector lead."""

    event: Callable[[int], str]
    stream: Callable[[int], str]
    look: Callable[[bool, bool], str]
    """The same event raw or not, wrapped or not."""
    play: Callable[[int], str] | None
    slot: str


def make_inspector(
    event: Event, urls: Urls, session_id: str, addresses: Addresses, around: Around, *, raw: bool, wrap: bool
) -> Inspector:
    """Return the inspector of an event."""
    payload = render_text(event.payload or "") if raw else render_json(event.payload)
    return Inspector(
        slot=addresses.slot,
        seq=event.seq,
        title=_title(event),
        verdict=_verdict(event, around.answer),
        is_bad=event.error_code is not None,
        at=event.at,
        relatives=tuple(_relatives(event, around, addresses.event)),
        stream=_stream(event),
        stream_url=addresses.stream(event.stream) if event.stream is not None else "",
        replay_url=urls.replays(session_id, seq=event.seq) if around.can_replay else "",
        why_not=around.why_not,
        play_url=addresses.play(event.seq) if addresses.play is not None else "",
        raw_url=urls.payload(session_id, event.seq, raw=raw),
        size=size(event.size_bytes),
        modes=(Option("Pretty", addresses.look(False, wrap), not raw), Option("Raw", addresses.look(True, wrap), raw)),
        wrap_url=addresses.look(raw, not wrap),
        is_wrapped=wrap,
        json=payload,
        is_missing=event.payload is None,
    )


def _title(event: Event) -> str:
    if event.kind in (EventKind.STREAM, EventKind.LIFECYCLE, EventKind.KEY, EventKind.OPERATOR):
        return f"{event.kind.value} {event.method or ''}".strip()
    return event.method or event.kind.value


def _relatives(event: Event, around: Around, address: Callable[[int], str]) -> Sequence[Relative]:
    if event.kind in _REQUESTS and event.related_seq is not None:
        named = " ".join(
            part for part in (plain_id(event.request_id), event.method or "", target_of(around.request)) if part
        )
        return [Relative("Answers request", address(event.related_seq), named)]
    if event.kind is EventKind.NOTIFICATION and event.related_seq is not None:
        return [Relative("Replay of", address(event.related_seq), f"event {event.related_seq}")]
    if around.answer is not None:
        took = around.answer.duration_us
        after = f" after {duration(took / 1e6)}" if took is not None else ""
        return [Relative("Answered by", address(around.answer.seq), f"event {around.answer.seq}{after}")]
    return []


def _verdict(event: Event, answer: Event | None) -> str:
    if event.kind in ANSWERS:
        took = f" after {duration(event.duration_us / 1e6)}" if event.duration_us is not None else ""
        if event.error_code is None:
            return f"answered{took}" if took else ""
        return f"tool error{took}" if event.error_code == 0 else f"error {event.error_code}{took}"
    return "not answered" if event.kind is EventKind.REQUEST and answer is None else ""


def _stream(event: Event) -> str:
    if event.stream is None:
        return "none, recorded here" if event.direction is Direction.LOCAL else "request body"
    if event.stream == STANDALONE_STREAM:
        return "standalone GET stream"
    return f"answer stream of event {event.stream}"
