"""The SDK or fastmcp alone, or Switchroom mounted in an app, served by uvicorn: `python -m bench.reference PORT`."""

from __future__ import annotations

import argparse
import os
from collections import deque

import uvicorn
from mcp.server.streamable_http import EventCallback, EventId, EventMessage, EventStore, StreamId
from mcp_types import JSONRPCMessage
from starlette.types import ASGIApp

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


def application(arguments: argparse.Namespace) -> ASGIApp:
    """Return the server to measure as an ASGI app."""
    if arguments.fastmcp:
        # Imported here alone: it would weigh on the memory and the start of the bare SDK.
        from fastmcp.server.event_store import EventStore as FastmcpEventStore

        from bench.target_fastmcp import mcp as fastmcp_server

        return fastmcp_server.http_app(event_store=FastmcpEventStore())
    if arguments.switchroom is not None:
        from fastapi import FastAPI

        from switchroom.dashboard import mount_console
        from switchroom.server import Settings

        app = FastAPI()
        mount_console(app, mcp, settings=Settings(db=f"sqlite:///{arguments.switchroom}/bench.db"))
        return app
    store = MemoryEventStore() if arguments.event_store else None
    return mcp.streamable_http_app(event_store=store, json_response=arguments.json)


def main() -> None:
    """Serve until stopped, with the settings that `switchroom serve` gives uvicorn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--event-store", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--fastmcp", action="store_true")
    parser.add_argument("--switchroom", metavar="FOLDER")
    arguments = parser.parse_args()
    uvicorn.run(
        application(arguments),
        host="127.0.0.1",
        port=arguments.port,
        loop=os.environ.get("BENCH_LOOP", "asyncio"),
        http=os.environ.get("BENCH_HTTP", "h11"),
        log_level="warning",
        access_log=False,
        server_header=False,
    )


if __name__ == "__main__":
    main()
