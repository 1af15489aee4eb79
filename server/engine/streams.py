"""Streams that clients hold open right now."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..models import StreamInfo


def closing_note(opened: OpenStream) -> dict[str, object]:
    """Return what the log keeps of a connection that has ended."""
    return {"stream": opened.stream, "sent": opened.sent, "why": opened.end_reason}


class OpenStream:
    """One connection that carries one stream of a session."""

    __slots__ = (
        "_end",
        "asked_for",
        "blocked_since",
        "is_closed",
        "is_lost",
        "is_slow",
        "kind",
        "last_write_at",
        "method",
        "opened_at",
        "queue",
        "resumed_from",
        "sent",
        "stream",
        "write_errors",
        "written_at",
    )

    def __init__(
        self,
        stream: int,
        kind: str,
        end: Callable[[], object],
        *,
        method: str | None = None,
        resumed_from: int | None = None,
        asked_for: tuple[str, ...] = (),
    ) -> None:
        self.stream = stream
        self.kind = kind
        """`get`, `post`, `listen`, `sse` or `stdio`."""
        self._end = end
        self.method = method
        self.resumed_from = resumed_from
        self.asked_for = asked_for
        """What a listen stream is to be told of; empty for every other."""
        self.opened_at = time.time()
        self.sent = 0
        self.last_write_at: float | None = None
        self.written_at: float | None = None
        """When a write last went through, pings included."""
        self.blocked_since: float | None = None
        """When the write under way began; `None` between writes."""
        self.write_errors = 0
        self.queue: Callable[[], int | None] | None = None
        """Tells how many committed events wait for this connection."""
        self.is_closed = False
        self.is_lost = False
        """Whether the client left: what was written last may not have reached it."""
        self.is_slow = False
        """Whether it was cut because its client did not read."""

    def end_with(self, end: Callable[[], object]) -> None:
        """Say how the connection is ended from now on."""
        self._end = end

    def wrote(self, count: int) -> None:
        """Note `count` events written to the connection."""
        self.sent += count
        self.last_write_at = time.time()

    def close(self) -> None:
        """End the connection at its next step; the stream itself can be resumed."""
        if not self.is_closed:
            self.is_closed = True
            self._end()

    @property
    def is_broken(self) -> bool:
        """Whether what was written last may not have reached the client."""
        return self.is_lost or self.is_slow or bool(self.write_errors)

    def lose(self) -> None:
        """The client left."""
        self.is_lost = True
        self.close()

    @property
    def end_reason(self) -> str:
        """Why it is closed: `slow`, `error` (a write failed), `client` (which left) or `server`."""
        if self.is_slow:
            return "slow"
        return "error" if self.write_errors else "client" if self.is_lost else "server"

    def describe(self) -> StreamInfo:
        return StreamInfo(
            stream=self.stream,
            kind=self.kind,
            method=self.method,
            opened_at=self.opened_at,
            sent=self.sent,
            last_write_at=self.last_write_at,
            resumed_from=self.resumed_from,
            written_at=self.written_at,
            blocked_since=self.blocked_since,
            queued=self.queue() if self.queue is not None else None,
            write_errors=self.write_errors,
            asked_for=self.asked_for,
        )
