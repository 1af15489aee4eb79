"""A client that calls all the time, in a process of its own: `python -m bench.calling PORT`.

Prints one line of JSON when its standard input ends: `[when it was asked (Unix seconds), how long it took]` per call.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time

from bench.wire import Connection, Session


async def main(port: int) -> None:
    """Call until standard input ends."""
    session = await Session.open(await Connection.open(port))
    ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    print("ready", flush=True)
    calls: list[tuple[float, float]] = []
    while not ended.done():
        calls.append((time.time(), await session.call("echo")))
    print(json.dumps(calls), flush=True)


if __name__ == "__main__":
    gc.disable()
    asyncio.run(main(int(sys.argv[1])))
