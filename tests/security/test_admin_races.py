"""Many at once. An act happens once, and one operator cannot take every live stream."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import httpx
import pytest

from tests.security.operators import signed_in
from tests.security.tally import Tally
from tests.support.processes import Served
from tests.support.wire import session

pytestmark = pytest.mark.anyio


async def test_twenty_parallel_expires_end_a_session_once(plain: Served, tally: Tally) -> None:
    async with plain.api() as api, session(plain.mcp) as wire:
        found = (await api.post("/sessions/lookup", json={"mcp_session_id": wire.session_id})).json()
        address = f"/sessions/{found['id']}/expiration"
        answers = await asyncio.gather(*(api.post(address, json={"reason": f"try {n}"}) for n in range(20)))
        results = [answer.json() for answer in answers]
        assert sum(each["expired_count"] for each in results) == 1
        assert sum(each["already_ended_count"] for each in results) == 19
        tally.refuse(19)
        tally.serve()
        assert (await wire.call("echo", text="gone")).status == 404
        assert (await api.get(f"/sessions/{found['id']}")).json()["state"] == "expired"


async def test_a_broadcast_that_is_sent_twice_with_one_key_is_delivered_once(plain: Served) -> None:
    async with plain.api() as api, session(plain.mcp, name="hearer") as wire, wire.listening() as stream:
        await stream.next()
        body = {"text": "only once", "level": "info", "filter": "client:hearer", "idempotency_key": "k-1"}
        answers = await asyncio.gather(*(api.post("/broadcasts", json=body) for _ in range(5)))
        assert {answer.status_code for answer in answers} <= {200, 201}
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert (await stream.message())["params"]["data"] == "only once"
        await api.post("/broadcasts", json={**body, "text": "the end", "idempotency_key": "k-2"})
        assert (await stream.message())["params"]["data"] == "the end"


async def test_fifty_live_streams_of_one_operator_leave_room_for_others(plain: Served, tally: Tally) -> None:
    async with signed_in(plain, "greedy") as client, signed_in(plain, "modest") as other, AsyncExitStack() as stack:
        answers: list[httpx.Response] = []
        for _ in range(50):
            opening = client.stream("GET", "/admin/live?view=overview", headers={"accept": "text/event-stream"})
            answers.append(await stack.enter_async_context(opening))
        statuses = [answer.status_code for answer in answers]
        assert (statuses.count(200), statuses.count(429)) == (30, 20)
        assert all(answer.headers["retry-after"] for answer in answers if answer.status_code == 429)
        tally.refuse(20)
        tally.serve(30)
        async with other.stream("GET", "/admin/live?view=overview") as theirs:
            assert theirs.status_code == 200
        assert (await client.get("/admin/")).status_code == 200


async def test_a_key_that_two_write_at_once_is_never_half_of_each(plain: Served) -> None:
    async with plain.api() as api, session(plain.mcp) as wire:
        found = (await api.post("/sessions/lookup", json={"mcp_session_id": wire.session_id})).json()
        address = f"/sessions/{found['id']}/keys/shared"
        first = (await api.put(address, json={"value": "first"})).json()
        version = first["version"]
        answers = await asyncio.gather(
            *(api.put(address, json={"value": f"writer {n}", "if_version": version}) for n in range(10))
        )
        assert sorted(a.status_code for a in answers)[1:] == [409] * 9
        assert (await api.get(address)).json()["version"] == version + 1
