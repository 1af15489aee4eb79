"""The states a session went through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from ...server.models import Transition
from ..formatting import age
from .sessions import STATUS_LABELS

_CAUSES: Final[Mapping[str, str]] = {
    "initialize": "the client sent initialize",
    "notifications/initialized": "the client confirmed the handshake",
    "open_session": "a tool opened it",
    "connected": "the client connected",
    "process started": "the process started",
    "client": "its client closed it",
    "idle": "it was idle too long",
    "lifetime": "its lifetime was over",
    "operator": "an operator ended it",
    "limit": "a limit was reached",
    "refused": "its handshake was refused",
    "disconnect": "its client disconnected",
    "shutdown": "its server stopped",
    "token": "its access token expired",
}
"""Causes as the engine writes them, and as people read them; others are sentences already."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step."""

    name: ClassVar[str] = "step"
    at: float
    after: str
    """How long the state before it lasted; empty for the first."""
    status: str
    label: str
    cause: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class History:
    """The list; the stream replaces it as a whole."""

    template: ClassVar[str] = "sessions/_history.html"
    name: ClassVar[str] = "history"
    steps: tuple[Step, ...]


def make_history(transitions: Iterable[Transition]) -> History:
    """Return the list, oldest first."""
    steps: list[Step] = []
    before: Transition | None = None
    for each in transitions:
        status = "active" if each.state.value == "initialized" else each.state.value
        steps.append(
            Step(
                at=each.at,
                after=age(each.at - before.at) if before is not None else "",
                status=status,
                label="Initialized" if status == "active" else STATUS_LABELS.get(status, status),
                cause=_CAUSES.get(each.cause, each.cause),
                by=each.by or "",
                reason=each.reason or "",
            )
        )
        before = each
    return History(tuple(steps))
