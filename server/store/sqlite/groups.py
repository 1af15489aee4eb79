"""Memberships and blocks in SQLite: few rows, read once at the start."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Any

from ...models import Block, BlockKind, Member
from ..text import plain_text
from .queue import WriteQueue
from .readers import Readers
from .statements import read_statements


class SqliteGroups:
    """Which sessions are members of which groups."""

    def __init__(self, queue: WriteQueue, readers: Readers) -> None:
        self._queue = queue
        self._readers = readers
        self._sql = read_statements("groups")

    def join(self, member: Member) -> asyncio.Future[None]:
        row = (member.session_id, plain_text(member.server), plain_text(member.group), member.joined_at)
        return self._do("join", row)

    def leave(self, member: Member) -> asyncio.Future[None]:
        return self._do("leave", (member.session_id, plain_text(member.server), plain_text(member.group)))

    def forget(self, session_id: str) -> asyncio.Future[None]:
        return self._do("forget", (session_id,))

    async def load(self) -> list[Member]:
        rows = await self._readers.run(lambda connection: connection.execute(self._sql["all"]).fetchall())
        return [Member(*row) for row in rows]

    def _do(self, statement: str, row: tuple[Any, ...]) -> asyncio.Future[None]:
        return self._queue.submit(_execute(self._sql[statement], row), is_kept=True)


class SqliteBlocks:
    """Whom the server refuses. Synced before it is acknowledged."""

    def __init__(self, queue: WriteQueue, readers: Readers) -> None:
        self._queue = queue
        self._readers = readers
        self._sql = read_statements("block")

    def put(self, block: Block) -> asyncio.Future[None]:
        texts = (block.id, block.kind.value, plain_text(block.value), plain_text(block.reason))
        row = (*texts, block.created_at, plain_text(block.created_by), block.expires_at)
        return self._queue.submit(_execute(self._sql["put"], row), is_kept=True, is_synced=True)

    def remove(self, block_id: str) -> asyncio.Future[None]:
        return self._queue.submit(_execute(self._sql["remove"], (block_id,)), is_kept=True, is_synced=True)

    async def load(self) -> list[Block]:
        rows = await self._readers.run(lambda connection: connection.execute(self._sql["all"]).fetchall())
        return [Block(row[0], BlockKind(row[1]), *row[2:]) for row in rows]


def _execute(statement: str, row: tuple[Any, ...]) -> Any:
    def work(connection: sqlite3.Connection) -> None:
        connection.execute(statement, row)

    return work
