"""A process that writes to a store until it is killed, and says on stdout what was acknowledged.

Usage: python store_writer.py DATABASE ROUND
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from switchroom.server.store import KeyLimits, SqliteStore, Store
from switchroom.server.store.base import AuditRecord
from tests.support.stores import ADA, make_event, make_record


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


async def append(store: Store, no: int) -> None:
    (record,) = [record for record in await store.sessions.load_live() if record.no == no]
    seq = record.last_seq
    while True:
        seq += 1
        await store.events.append(no, make_event(seq, payload='"' + "x" * 300 + '"'))
        say("event", no, seq)


async def put(store: Store, no: int) -> None:
    while True:
        key = await store.keys.put(no, "counter", "1", size_bytes=1, limits=KeyLimits())
        say("key", no, key.version)


async def audit(store: Store, round_no: str) -> None:
    number = 0
    while True:
        number += 1
        action_id = f"A{round_no}.{number}"
        await store.audit.record(AuditRecord(action_id, "intent", ADA, "expire", ""))
        say("audit", action_id)


async def main(database: str, round_no: str) -> None:
    store = SqliteStore(Path(database))
    await store.open()
    numbers = [store.sessions.allocate() for _ in range(20)]
    await store.sessions.save_many([make_record(no) for no in numbers])
    say("allocated", *numbers)
    old = [record.no for record in await store.sessions.load_live() if record.no not in numbers][:20]
    await asyncio.gather(*(append(store, no) for no in numbers + old), put(store, numbers[0]), audit(store, round_no))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
