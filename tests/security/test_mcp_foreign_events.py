"""Event ids of other sessions and streams. Nobody is sent what was meant for somebody else."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from tests.security.conftest import SETTINGS, TARGET
from tests.security.honest import MODERN
from tests.security.tally import Tally
from tests.security.tokens import signed_token
from tests.security.volley import Case, fire
from tests.support.processes import Served, serving
from tests.support.wire import Wire, client, session

pytestmark = pytest.mark.anyio

SECRET = "meant for the victim alone"


@asynccontextmanager
async def victim_and_attacker(served: Served, *, tokens: bool) -> AsyncGenerator[tuple[list[str], Wire]]:
    """Give the victim's event ids, of its standalone stream and of a call's, and the attacker's own session."""
    mine, theirs = (signed_token("mallory"), signed_token("victim")) if tokens else (None, None)
    async with session(served.mcp, token=theirs) as victim, session(served.mcp, token=mine) as attacker:
        async with victim.listening() as stream:
            await stream.next()
            await victim.call("tell", text=SECRET)
            await stream.message()
            answer = await victim.call("echo", text=SECRET)
            ids = [each.id for each in [*stream.taken, *answer.events] if each.id is not None]
        yield ids, attacker


def forged(own: str) -> list[str]:
    """Return ids that look like the attacker's own and were never issued."""
    session_id, epoch, seq, stream = own.split(".")
    return [
        f"{session_id}.{epoch}.{int(seq, 16) + 10_000:x}.{stream}",
        f"{session_id}.{epoch}.{seq}.{int(stream, 16) + 1:x}",
        f"{session_id}.{int(epoch, 16) + 1:x}.{seq}.{stream}",
        f"{session_id}.0.{seq}.{stream}",
        f"{session_id}.{epoch}.-1.{stream}",
        f"{session_id}.{epoch}.0x{seq}.{stream}",
        f" {own}.",
        f"{own}.0",
        own.upper() + ".",
    ]


NONSENSE = ["0", "-1", "1", "_GET_stream", "' OR 1=1 --", "%00", "x" * 8_000, "9" * 400, "\xff\xfe", "...", "null"]


@pytest.mark.parametrize("tokens", [False, True])
async def test_an_id_that_this_session_did_not_issue_replays_nothing(
    plain: Served, guarded: Served, tally: Tally, tokens: bool
) -> None:
    served = guarded if tokens else plain
    async with victim_and_attacker(served, tokens=tokens) as (theirs, attacker):
        own = (await attacker.call("echo", text="mine")).events[-1].id
        assert own is not None and len(theirs) >= 4
        headers = tuple(attacker.headers().items())
        tried = [*theirs, *forged(own), *NONSENSE]
        cases = [Case(f"{each[:60]!r}", b"", (*headers, ("last-event-id", each)), "GET") for each in tried]
        outcomes = await fire(served.port, cases)
        tally.refuse(sum(each.status == 400 for each in outcomes))
        tally.judge(
            (str(each) for each in outcomes if each.status != 400),
            lost=(str(each) for each in outcomes if SECRET.encode() in each.body),
        )


async def test_a_session_is_sent_its_own_stream_and_no_other_of_its_own(plain: Served) -> None:
    async with session(plain.mcp) as wire:
        first = await wire.call("echo", text="the first answer")
        await wire.call("echo", text="the second answer")
        primed = next(event.id for event in first.events if event.id is not None)
        async with wire.listening(primed) as stream:
            told = await stream.rest()
        assert [message["result"]["content"][0]["text"] for message in told] == ["the first answer"]


async def test_an_id_whose_events_were_dropped_says_that_there_is_a_gap(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("pruned")
    with serving(folder, f"{TARGET}:plain", max_events=100, **SETTINGS) as served:
        async with session(served.mcp) as wire:
            async with wire.listening() as stream:
                await stream.next()
                await wire.call("tell", text="0")
                await stream.message()
            for number in range(1, 150):
                await wire.call("tell", text=str(number))
            async with wire.listening(stream.last_id) as resumed:
                first = await resumed.message()
                assert any(event.comment and "dropped" in event.comment for event in resumed.taken)
                assert int(first["params"]["data"]) > 1


async def test_the_newer_era_has_nothing_to_resume(plain: Served) -> None:
    async with client(plain.mcp) as wire:
        for header in ({}, {"last-event-id": "0"}, {"mcp-session-id": "0" * 32}):
            answer = await wire.http.get(plain.mcp, headers={"mcp-protocol-version": MODERN, **header})
            assert answer.status_code == 405
