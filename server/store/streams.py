"""How much of each stream is kept within its session's log. Shared by all engines.

What the server sent on a stream is counted in pieces, and a stream over its bounds loses its oldest pieces whole: two
comparisons for an event, and nothing is ever searched. Requests of clients are no part of this, and a call's answer is
the newest of its stream, which always stays: so no call looks unanswered because its stream was cut back.
"""

from __future__ import annotations

from typing import NamedTuple

from ..models import Direction, Event
from .base import Retention

MAX_STREAMS = 512
"""Streams of one log that are counted at a time; of those beyond, the oldest short ones are forgotten."""


class StreamBounds:
    """What one stream may keep, and how large its pieces are."""

    __slots__ = ("max_bytes", "max_events", "piece_bytes", "piece_events")

    def __init__(self, retention: Retention) -> None:
        self.max_events = retention.max_stream_events
        self.max_bytes = retention.max_stream_bytes
        self.piece_events = max(16, self.max_events // 8)
        self.piece_bytes = max(8 * 1024, self.max_bytes // 8)


class Cut(NamedTuple):
    """Events of a stream that are over: from `first` on, before `end`."""

    first: int
    end: int


class StreamPieces:
    """The events of one stream, in pieces."""

    __slots__ = ("_bounds", "_pieces", "bytes", "count", "is_exact")

    def __init__(self, bounds: StreamBounds, first: int = 0, count: int = 0, size: int = 0) -> None:
        """Args:
        first: No event of the stream has a smaller `seq`.
        count: At most so many events are there that nobody counted.
        size: The same in bytes.
        """
        self._bounds = bounds
        self._pieces = [[first, count, size]]
        self.count = count
        self.bytes = size
        self.is_exact = count == 0

    def add(self, seq: int, size: int) -> bool:
        """Count an event and return whether the stream is over its bounds."""
        piece, bounds = self._pieces[-1], self._bounds
        if piece[1] >= bounds.piece_events or piece[2] >= bounds.piece_bytes:
            piece = [seq, 0, 0]
            self._pieces.append(piece)
        piece[1] += 1
        piece[2] += size
        self.count += 1
        self.bytes += size
        return self.is_over

    @property
    def is_over(self) -> bool:
        bounds = self._bounds
        return (
            self.count >= bounds.max_events + bounds.piece_events or self.bytes >= bounds.max_bytes + bounds.piece_bytes
        )

    def cut(self) -> Cut | None:
        """Take away the pieces that are over and return which events they were; the newest piece stays."""
        first = self._pieces[0][0]
        while len(self._pieces) > 1 and self._is_over_without(*self._pieces[0][1:]):
            _, count, size = self._pieces.pop(0)
            self.count -= count
            self.bytes -= size
        return Cut(first, self._pieces[0][0]) if self._pieces[0][0] > first else None

    def _is_over_without(self, count: int, size: int) -> bool:
        return self.count - count >= self._bounds.max_events or self.bytes - size >= self._bounds.max_bytes


def is_counted(event: Event) -> bool:
    """Whether an event is one that the server sent on a stream."""
    return event.direction is Direction.FROM_SERVER and event.stream is not None


def forget_short_streams(streams: dict[int, StreamPieces], bounds: StreamBounds) -> None:
    """Forget the older half of the streams, but for long ones; one that goes on is counted from then on."""
    for stream in list(streams)[: len(streams) // 2]:
        if streams[stream].count < bounds.piece_events:
            del streams[stream]
