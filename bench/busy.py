"""A server with very many sessions and changes, without the clients: `python -m bench.busy PORT FOLDER LIVE KEPT RATE`.

The sessions are the engine's own, with rows in the store like any other; a change is what an answered request does to
a session. Real clients could not make as many changes on one machine beside the server that is measured.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time

import uvicorn

from bench.target import mcp
from switchroom.dashboard.app import create_app
from switchroom.server.engine.engine import Engine
from switchroom.server.ids import new_reference
from switchroom.server.models import SessionKind, SessionRecord, SessionState
from switchroom.server.settings import Settings

CLIENTS = ("claude-code", "cursor", "zed", "goose", "windsurf", "inspector", "build-runner", "night-watch")
_TURN_SECONDS = 0.02
_LOT = 200


async def _open_live(engine: Engine, count: int) -> None:
    for number in range(count):
        kind = SessionKind.STREAMABLE_HTTP
        session = engine.open(kind, f"bench-{number}", server="bench", state=SessionState.INITIALIZED)
        session.record.client_name, session.record.client_version = CLIENTS[number % len(CLIENTS)], "1.2.3"
        session.record.protocol_version = "2025-11-25"
        if number % _LOT == 0:
            await engine.save(session)


async def _keep_ended(engine: Engine, count: int) -> None:
    now, registry = time.time(), engine.store.sessions
    for start in range(0, count, _LOT):
        lot = [_ended(registry.allocate(), number, now) for number in range(start, min(start + _LOT, count))]
        await registry.save_many(lot)


def _ended(no: int, number: int, now: float) -> SessionRecord:
    at = now - 3_600 * random.random()
    return SessionRecord(
        no=no,
        id=new_reference(),
        kind=SessionKind.STREAMABLE_HTTP,
        state=SessionState.EXPIRED if number % 3 else SessionState.CLOSED,
        server="bench",
        worker_id=f"w-{number % 4}",
        created_at=at - 600,
        last_activity_at=at,
        client_name=CLIENTS[number % len(CLIENTS)],
        client_version="1.2.3",
        protocol_version="2025-11-25",
        ended_at=at,
        end_code="idle",
        request_count=number % 1_000,
    )


async def _change(engine: Engine, per_second: float) -> None:
    sessions = list(engine.live())
    made, started = 0, time.monotonic()
    while True:
        await asyncio.sleep(_TURN_SECONDS)
        now = time.monotonic()
        due = int((now - started) * per_second) - made
        made += due
        for session in random.choices(sessions, k=due):
            session.heard(now)
            session.count_answer(is_error=random.random() < 0.01)
            session.touch()


async def serve(port: int, folder: str, live: int, kept: int, per_second: float) -> None:
    """Fill the engine, then listen and make changes until the process is stopped."""
    settings = Settings(db=f"sqlite:///{folder}/bench.db", limits="off", port=port)
    app, console = create_app(mcp, settings)
    engine = console.switchroom.engine
    server = uvicorn.Server(uvicorn.Config(app, port=port, access_log=False, log_level="warning", lifespan="on"))

    async def fill() -> None:
        while not server.started:
            await asyncio.sleep(0.05)
        await _open_live(engine, live)
        await _keep_ended(engine, kept)
        print("FILLED", flush=True)
        await _change(engine, per_second)

    work = asyncio.ensure_future(fill())
    await server.serve()
    work.cancel()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])))
