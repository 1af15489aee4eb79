"""Which session and call the running code belongs to: how tools and middleware find theirs."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .engine.calls import Call
    from .engine.engine import Engine
    from .engine.session import LiveSession


class CurrentCall(NamedTuple):
    """The call that is being handled."""

    engine: Engine
    session: LiveSession
    call: Call | None
    """`None` while a notification is handled."""


def hidden_now() -> list[str]:
    """Return what the running call keeps out of the log, for whoever formats the process's own log."""
    current = current_call.get()
    return current.call.hidden if current is not None and current.call is not None else []


current_call: ContextVar[CurrentCall | None] = ContextVar("switchroom_current_call", default=None)
"""Set by the transport leg and the recorder for the time of one message."""
