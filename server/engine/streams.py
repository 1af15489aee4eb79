"""Streams that clients hold open right now."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..models import StreamInfo


class OpenStream:
    """One connection that carries one stream of a session."""

    __slots__ = (
        "_end",
        "is_closed",
        "is_lost",
        "kind",
        "last_write_at",
        "method",
        "opened_at",
        "resumed_from",
        "sent",
        "stream",
    )

    def __init__(
        self,
        stream: int,
        kind: str,
        end: Callable[[], object],
        *,
        method: str | None = None,
        resumed_from: int | None = None,
    ) -> None:
        self.stream = stream
        self.kind = kind
        """`get`, `post`, `listen`, `sse` or `stdio`."""
        self._end = end
        self.method = method
        self.resumed_from = resumed_from
        self.opened_at = time.time()
        self.sent = 0
        self.last_write_at: float | None = None
        self.is_closed = False
        self.is_lost = False
        """Whether the client left: what was written last may not have reached it."""

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

    def lose(self) -> None:
        """The client left."""
        self.is_lost = True
        self.close()

    def describe(self) -> StreamInfo:
        return StreamInfo(
            self.stream, self.kind, self.method, self.opened_at, self.sent, self.last_write_at, self.resumed_from
        )
