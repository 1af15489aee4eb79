"""Broadcasts and receipts in SQLite."""

from __future__ import annotations

import asyncio
import builtins
import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from ...models import Broadcast, DeliveryStatus, Receipt
from ..limits import page_size
from ..text import plain_text
from .queue import WriteQueue
from .readers import Readers
from .statements import read_statements


class SqliteBroadcasts:
    """Figures are kept by a trigger, so reading them does not count receipts."""

    def __init__(self, queue: WriteQueue, readers: Readers) -> None:
        self._queue = queue
        self._readers = readers
        self._sql = read_statements("broadcast")

    async def create(self, broadcast: Broadcast, recipients: Mapping[str, str]) -> Broadcast:
        sessions = [(each, plain_text(client)) for each, client in recipients.items()]
        key = plain_text(broadcast.idempotency_key)
        row = (
            broadcast.id,
            broadcast.created_at,
            plain_text(broadcast.actor),
            plain_text(broadcast.text),
            broadcast.level,
            plain_text(broadcast.filter),
            plain_text(broadcast.exclude),
            broadcast.status,
            len(sessions),
            broadcast.expires_at,
            key,
            broadcast.method,
            plain_text(broadcast.logger),
            broadcast.is_json,
            broadcast.is_queued,
            broadcast.is_trial,
            plain_text(broadcast.group),
            broadcast.sender,
        )

        def work(connection: sqlite3.Connection) -> Broadcast | None:
            if key is not None:
                known = connection.execute(self._sql["by_idempotency_key"], (key,)).fetchone()
                if known is not None:
                    return self._broadcast(connection, known)
            number = connection.execute(self._sql["create"], row).lastrowid
            receipts = {"broadcast": number, "at": broadcast.created_at, "sessions": json.dumps(sessions)}
            connection.execute(self._sql["add_receipts"], receipts)
            connection.execute(self._sql["add_count"], (number, len(sessions)))
            return self._find(connection, broadcast.id)

        created = await self._queue.submit(work)
        assert created is not None
        return created

    def settle(self, broadcast_id: str, receipts: Sequence[Receipt]) -> asyncio.Future[None]:
        rows = [
            {
                "broadcast": broadcast_id,
                "session": receipt.session_id,
                "status": receipt.status.value,
                "at": receipt.at,
                "reason": plain_text(receipt.reason),
                "seq": receipt.seq,
            }
            for receipt in receipts
        ]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(self._sql["settle"], rows)

        return self._queue.submit(work, is_kept=True)

    def set_status(self, broadcast_id: str, status: str) -> asyncio.Future[None]:
        def work(connection: sqlite3.Connection) -> None:
            connection.execute(self._sql["set_status"], (status, broadcast_id))

        return self._queue.submit(work, is_kept=True)

    async def get(self, broadcast_id: str) -> Broadcast | None:
        return await self._readers.run(lambda connection: self._find(connection, broadcast_id))

    async def list(self, *, limit: int = 50, before: str | None = None, group: str | None = None) -> list[Broadcast]:
        parameters = {"limit": page_size(limit), "before": before, "group": group}

        def work(connection: sqlite3.Connection) -> builtins.list[Broadcast]:
            rows = connection.execute(self._sql["list"], parameters).fetchall()
            return [self._broadcast(connection, row) for row in rows]

        return await self._readers.run(work)

    async def receipts(
        self, broadcast_id: str, *, status: DeliveryStatus | None = None, limit: int = 1_000, after: str = ""
    ) -> builtins.list[Receipt]:
        parameters = {
            "broadcast": broadcast_id,
            "status": status.value if status is not None else None,
            "limit": page_size(limit),
            "after": after,
        }
        statement = self._sql["receipts"]
        rows = await self._readers.run(lambda connection: connection.execute(statement, parameters).fetchall())
        return [_receipt(row) for row in rows]

    async def receipts_of(self, broadcast_id: str, session_ids: Sequence[str]) -> builtins.list[Receipt]:
        parameters = {"broadcast": broadcast_id, "sessions": json.dumps(builtins.list(session_ids))}
        statement = self._sql["receipts_of"]
        rows = await self._readers.run(lambda connection: connection.execute(statement, parameters).fetchall())
        return [_receipt(row) for row in rows]

    async def last_trial(self, actor: str) -> str | None:
        wanted = (plain_text(actor),)
        row = await self._readers.run(lambda connection: connection.execute(self._sql["last_trial"], wanted).fetchone())
        return row[0] if row is not None else None

    async def queued(self, now: float) -> builtins.list[tuple[str, Receipt]]:
        statement = self._sql["queued"]
        rows = await self._readers.run(lambda connection: connection.execute(statement, {"now": now}).fetchall())
        return [(row[0], _receipt(row[1:])) for row in rows]

    def _find(self, connection: sqlite3.Connection, broadcast_id: str) -> Broadcast | None:
        row = connection.execute(self._sql["get"], (broadcast_id,)).fetchone()
        return self._broadcast(connection, row) if row is not None else None

    def _broadcast(self, connection: sqlite3.Connection, row: Sequence[Any]) -> Broadcast:
        columns, (audience, number, expires_at, idempotency_key), kind = row[:8], row[8:12], row[12:]
        method, logger, is_json, is_queued, is_trial, group, sender = kind
        counts = dict(connection.execute(self._sql["counts"], (number,)).fetchall())
        every_count = {status.value: counts.get(status.value, 0) for status in DeliveryStatus}
        broadcast_id, created_at, actor, text, level, query, exclude, status = columns
        return Broadcast(
            id=broadcast_id,
            created_at=created_at,
            actor=actor,
            text=text,
            level=level,
            filter=query,
            exclude=exclude,
            status=status,
            audience=audience,
            counts=every_count,
            expires_at=expires_at,
            idempotency_key=idempotency_key,
            method=method,
            logger=logger,
            is_json=bool(is_json),
            is_queued=bool(is_queued),
            is_trial=bool(is_trial),
            group=group,
            sender=sender,
        )


def _receipt(row: Sequence[Any]) -> Receipt:
    session_id, status, *rest = row
    return Receipt(session_id, DeliveryStatus(status), *rest)
