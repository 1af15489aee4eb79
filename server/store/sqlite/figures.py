"""The minutes behind the charts, in SQLite: one row each, its figures as JSON."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from typing import Any

from ...models import LATENCY_STEPS, NO_LATENCY, Figures, Gauges
from ..text import plain_text
from .queue import WriteQueue
from .readers import Readers
from .statements import read_statements


class SqliteFigures:
    """A row is replaced until its minute is over."""

    def __init__(self, queue: WriteQueue, readers: Readers) -> None:
        self._queue = queue
        self._readers = readers
        self._sql = read_statements("figures")

    def save(self, minute: Figures) -> asyncio.Future[None]:
        row = (minute.at, minute.seconds, _encode(minute))

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(self._sql["save"], row)

        return self._queue.submit(work)

    async def read(self, since: int) -> list[Figures]:
        def work(connection: sqlite3.Connection) -> list[Figures]:
            return [_decode(*row) for row in connection.execute(self._sql["read"], (since,)).fetchall()]

        return await self._readers.run(work)


def _encode(minute: Figures) -> str:
    counts = {step: number for step, number in enumerate(minute.latency) if number}
    values = {
        "gauges": list(minute.gauges),
        "counts": [minute.handshake, minute.modern, minute.errors, minute.opened],
        "latency": counts,
        "by_name": {plain_text(name): both for name, both in minute.by_name.items()},
    }
    return json.dumps(values, separators=(",", ":"))


def _decode(at: int, seconds: int, text: str) -> Figures:
    values: dict[str, Any] = json.loads(text)
    latency = list(NO_LATENCY)
    for step, number in values["latency"].items():
        # A release with a finer histogram may have written it.
        latency[min(int(step), LATENCY_STEPS - 1)] += number
    by_name = {name: (answers, errors) for name, (answers, errors) in values["by_name"].items()}
    handshake, modern, errors, opened = values["counts"]
    return Figures(at, seconds, Gauges(*values["gauges"]), handshake, modern, errors, opened, tuple(latency), by_name)
