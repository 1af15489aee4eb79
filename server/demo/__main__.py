"""`python -m switchroom.server.demo URL N`: N clients until standard input closes."""

from __future__ import annotations

import logging
import sys

import anyio
import anyio.to_thread

from .clients import DEMO_CLIENTS, DemoClient


async def run(url: str, count: int) -> None:
    """Keep `count` clients at work until whoever started this process has gone."""
    async with anyio.create_task_group() as group:
        for number in range(count):
            persona = DEMO_CLIENTS[number % len(DEMO_CLIENTS)]
            group.start_soon(DemoClient(url, persona, number).run)
        await anyio.to_thread.run_sync(sys.stdin.read, abandon_on_cancel=True)
        group.cancel_scope.cancel()


def main() -> None:
    """Run the demo from the command line's arguments."""
    # The clients' own troubles (an expired session, a restart) are the show, not news for the terminal.
    logging.basicConfig(level=logging.CRITICAL)
    anyio.run(run, sys.argv[1], int(sys.argv[2]))


if __name__ == "__main__":
    main()
