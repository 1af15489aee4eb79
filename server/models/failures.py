"""Errors with a stable code, as clients are told them and as operators see them together."""

from __future__ import annotations

from typing import NamedTuple


class Failure(NamedTuple):
    """Why a call failed."""

    code: str
    """Stable, lower case with `_`: what programs compare."""
    message: str
    """One sentence for whoever called."""
    retry_after: int | None = None
    """Seconds after which the same call may work; `None` where waiting alone does not help."""


class ErrorGroup(NamedTuple):
    """Errors of one code and one tool or method, of one session or of all."""

    code: str
    target: str
    """The tool, or the JSON-RPC method where no tool was called."""
    times: int
    sessions: int
    first_at: float
    last_at: float
    last_message: str
    last_session: str
    last_seq: int
