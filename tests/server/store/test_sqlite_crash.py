"""A writer that is killed in the middle of its work loses nothing it had acknowledged."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from switchroom.server.store import EventQuery
from tests.support.source import ROOT
from tests.support.stores import OpenSqlite

pytestmark = [pytest.mark.anyio, pytest.mark.fault]

_WRITER = ROOT / "tests" / "support" / "store_writer.py"


class Acknowledged:
    """What the killed writers had said."""

    def __init__(self) -> None:
        self.events: dict[int, int] = defaultdict(int)
        self.keys: dict[int, int] = {}
        self.actions: list[str] = []
        self.numbers: list[int] = []

    def note(self, line: str) -> None:
        match line.split():
            case ["event", no, seq]:
                self.events[int(no)] = int(seq)
            case ["key", no, version]:
                self.keys[int(no)] = int(version)
            case ["audit", action_id]:
                self.actions.append(action_id)
            case ["allocated", *numbers]:
                self.numbers += map(int, numbers)
            case _:
                raise AssertionError(line)


def write_until_killed(database: Path, round_no: int, acknowledged: Acknowledged) -> None:
    command = [sys.executable, "-P", str(_WRITER), str(database), str(round_no)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as process:
        assert process.stdout is not None
        for count, line in enumerate(process.stdout):
            # Only whole lines count: the last one may have been cut by the kill.
            if line.endswith("\n"):
                acknowledged.note(line)
            if count == 600 + 400 * round_no:
                process.send_signal(signal.SIGKILL)


async def test_a_killed_writer_loses_nothing_acknowledged(database: Path, open_sqlite: OpenSqlite) -> None:
    acknowledged = Acknowledged()
    for round_no in range(4):
        write_until_killed(database, round_no, acknowledged)
    store = await open_sqlite()
    assert len(set(acknowledged.numbers)) == len(acknowledged.numbers) == 80
    assert {record.no for record in await store.sessions.load_live()} == set(acknowledged.numbers)
    assert store.sessions.allocate() not in acknowledged.numbers
    for no, last in acknowledged.events.items():
        seqs = [event.seq for event in (await store.events.read(no, EventQuery(limit=1_000))).events]
        assert seqs == list(range(1, len(seqs) + 1)) and len(seqs) >= last
    for no, version in acknowledged.keys.items():
        key = await store.keys.get(no, "counter")
        assert key is not None and key.version >= version
    for action_id in acknowledged.actions:
        assert await store.audit.get(action_id) is not None
    assert await store.audit.verify() is None
