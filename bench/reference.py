"""The SDK alone, served by uvicorn: `python -m bench.reference PORT [--event-store]`."""

from __future__ import annotations

import argparse
from collections import deque

import uvicorn
from mcp.server.streamable_http import EventCallback, EventId, EventMessage, EventStore, StreamId
from mcp_types import JSONRPCMessage

from bench.target import mcp

EVENTS_PER_STREAM = 100


class MemoryEventStore(EventStore):
    """Keeps the last events of each stream in this process: the least an SDK server needs for resumability."""

    def __init__(self) -> None:
        self._streams: dict[StreamId, deque[tuple[int, JSONRPCMessage | None]]] = {}
        self._last = 0

    async def store_event(self, stream_id: StreamId, message: JSONRPCMessage | None) -> EventId:
        """Keep the message; ids are `<stream>/<number>`."""
        self._last += 1
        events = self._streams.setdefault(stream_id, deque(maxlen=EVENTS_PER_STREAM))
        events.append((self._last, message))
        return f"{stream_id}/{self._last}"

    async def replay_events_after(self, last_event_id: EventId, send_callback: EventCallback) -> StreamId | None:
        """Send what the stream of `last_event_id` still holds after it."""
        stream_id, _, number = last_event_id.rpartition("/")
        if stream_id not in self._streams or not number.isdecimal():
            return None
        for event, message in list(self._streams[stream_id]):
            if event > int(number) and message is not None:
                await send_callback(EventMessage(message, f"{stream_id}/{event}"))
        return stream_id


def main() -> None:
    """Serve until stopped, with the settings that `switchroom serve` gives uvicorn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--event-store", action="store_true")
    arguments = parser.parse_args()
    app = mcp.streamable_http_app(event_store=MemoryEventStore() if arguments.event_store else None)
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=arguments.port,
        loop="asyncio",
        http="h11",
        log_level="warning",
        access_log=False,
        server_header=False,
    )


if __name__ == "__main__":
    main()
