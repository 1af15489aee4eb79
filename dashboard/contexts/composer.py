"""The composer of broadcasts: what is filled in, whom it reaches, and what each era receives."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from ...server.models import Session
from ...server.modern.listeners import LOG_MESSAGE, URI
from ...server.operations.results import Reach
from ...server.operations.sending import LIST_CHANGES, METHODS, Message
from ..formatting import count, plural
from .sessions import client_name

METHOD_LABELS: Final[Mapping[str, str]] = {
    LOG_MESSAGE: "Log message",
    "notifications/tools/list_changed": "Read the tool list again",
    "notifications/prompts/list_changed": "Read the prompt list again",
    "notifications/resources/list_changed": "Read the resource list again",
}
"""What may be sent, in the words an operator reads."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a list."""

    name: ClassVar[str] = "pick"
    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Outlook:
    """Whom the choice would reach now; the stream of keystrokes replaces it."""

    template: ClassVar[str] = "broadcasts/_audience.html"
    name: ClassVar[str] = "reach"
    sentence: str
    parts: tuple[tuple[int, str], ...]
    error: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What clients of one era receive."""

    name: ClassVar[str] = "specimen"
    title: str
    text: str
    note: str


@dataclass(frozen=True, slots=True)
class Review:
    """The last step: what is sent, trying it, sending it."""

    template: ClassVar[str] = "broadcasts/_review.html"
    name: ClassVar[str] = "review"
    error: str
    """What is wrong with the message; empty when it can be sent."""
    size: str
    previews: tuple[Preview, ...]
    trials: tuple[Choice, ...]
    trial_key: str
    tried: str
    """What came of the last trial."""
    tried_url: str
    button: str
    can_send: bool


@dataclass(frozen=True, slots=True)
class Composer:
    """The form of a new broadcast."""

    template: ClassVar[str] = "broadcasts/new.html"
    name: ClassVar[str] = "composer"
    audience: str
    """`all`, `filter`, `group` or `chosen`."""
    q: str
    exclude: str
    groups: tuple[Choice, ...]
    chosen: tuple[str, ...]
    text: str
    is_json: bool
    level: str
    levels: tuple[str, ...]
    logger: str
    methods: tuple[Choice, ...]
    is_log_message: bool
    is_queued: bool
    minutes: int
    idempotency_key: str
    error: str
    reach: Outlook
    review: Review


def make_outlook(reach: Reach | None, *, is_queued: bool, error: str = "") -> Outlook:
    """Return whom the choice reaches; `reach` is `None` while the choice is wrong."""
    if reach is None:
        return Outlook("", (), error)
    who = plural(reach.sessions, "session")
    if reach.clients:
        who += f" + {plural(reach.clients, 'sessionless client')}"
    if not reach.total:
        return Outlook("Nobody matches right now.", (), "")
    parts = (
        (reach.reached, "with an open stream that carries it"),
        (reach.queued, "without a stream, queued for the next one"),
        (reach.not_listening, "not listening"),
        (reach.below_level, "asked for more severe ones only"),
        (reach.skipped, "skipped" if is_queued else "skipped, most for want of a stream"),
        (reach.ended, "ended meanwhile"),
    )
    return Outlook(f"{who}.", tuple(part for part in parts if part[0]), "")


def send_label(reach: Reach | None) -> str:
    """Return what the button says."""
    if reach is None or not reach.total:
        return "Send"
    if reach.clients and reach.sessions:
        return f"Send to {count(reach.total)}"
    return f"Send to {plural(reach.clients, 'client') if reach.clients else plural(reach.total, 'session')}"


def make_previews(message: Message) -> tuple[Preview, ...]:
    """Return what each era receives."""
    handshake, modern = json.loads(message.payload), json.loads(message.wire_payload)
    if message.method != LOG_MESSAGE:
        kind = LIST_CHANGES[message.method]
        note = f"Only sessions whose server declared {kind}.listChanged at initialize; the others are skipped."
        listening = f"On listen streams that asked for {kind} list changes."
        return (
            Preview("Handshake era, on the standalone stream", _pretty(handshake), note),
            Preview("2026-07-28", _pretty(modern), listening),
        )
    announced = {"at": "(the time it is sent)", **message.announcement}
    return (
        Preview(
            "Handshake era, on the standalone stream",
            _pretty(handshake),
            "A client that asked for a higher level with logging/setLevel does not get it.",
        ),
        Preview(
            "2026-07-28, on listen streams",
            _pretty(modern),
            f"Then the client reads {URI}, where this is the newest entry: {json.dumps(announced, ensure_ascii=False)}",
        ),
    )


def make_trials(sessions: Sequence[Session], remembered: Session | None, chosen: str) -> tuple[Choice, ...]:
    """Return the sessions to try it on, the remembered one first."""
    first = chosen or (remembered.id if remembered is not None else "")
    ordered = [remembered, *sessions] if remembered is not None else list(sessions)
    unique = {session.id: session for session in ordered}
    return tuple(
        Choice(each.id, f"{client_name(each)} {each.client_version} · {each.id}"[:120], each.id == first)
        for each in unique.values()
    )


def make_methods(chosen: str) -> tuple[Choice, ...]:
    """Return what may be sent."""
    return tuple(Choice(method, METHOD_LABELS[method], method == chosen) for method in METHODS)


def _pretty(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
