"""Cancelling calls: by the client, by an operator, of handlers that obey and of those that do not."""

from __future__ import annotations

import asyncio
import json

import pytest

from switchroom.server.models import Actor, Role
from tests.support.servers import eventually, running
from tests.support.toolbox import Toolbox
from tests.support.wire import session, text_of

pytestmark = pytest.mark.anyio

OPERATOR = Actor("ann", Role.OPERATOR)


async def test_a_call_that_its_client_cancels_is_answered_with_the_cancelled_code() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as wire:
        async with wire.streaming(wire.call_message("wait", id="c")) as stream:
            await stream.next()
            assert (await wire.cancel("c", "changed my mind")).status == 202
            (answer,) = await stream.rest()
            assert (answer["id"], answer["error"]["code"]) == ("c", -32800)
            assert "changed my mind" in answer["error"]["message"]
        assert (box.cancelled["wait"], box.finished["wait"]) == (1, 0)
        assert text_of((await wire.call("echo", id="c", text="the id is free")).last) == "the id is free"


async def test_cancellation_finds_numbers_and_their_text_as_the_sdk_does() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as wire:
        async with wire.streaming(wire.call_message("wait", id=5)) as number:
            await number.next()
            assert (await wire.cancel("5")).status == 202
            assert (await number.rest())[-1]["error"]["code"] == -32800
        async with (
            wire.streaming(wire.call_message("wait", id=5)) as number,
            wire.streaming(wire.call_message("wait", id="5")) as text,
        ):
            await number.next()
            await text.next()
            await wire.cancel("5")
            assert (await text.rest())[-1]["id"] == "5"
            assert len(site.live().calls) == 1
            box.let_go()
            assert text_of((await number.rest())[-1]) == "waited"


@pytest.mark.parametrize("request_id", ["unknown", 99, None, 1.5, {}, [], True])
async def test_cancelling_what_is_not_in_flight_does_nothing(request_id: object) -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as wire:
        async with wire.streaming(wire.call_message("wait", id="mine")) as stream:
            await stream.next()
            assert (await wire.cancel(request_id)).status == 202
            box.let_go()
            assert text_of((await stream.rest())[-1]) == "waited"


async def test_a_call_of_another_session_cannot_be_cancelled() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as mine, session(site.url) as theirs:
        async with theirs.streaming(theirs.call_message("wait", id=1)) as stream:
            await stream.next()
            await mine.cancel(1)
            box.let_go()
            assert text_of((await stream.rest())[-1]) == "waited"


@pytest.mark.parametrize("tool", ["stubborn", "block"])
async def test_a_handler_that_ignores_cancellation_is_answered_for_after_the_grace_period(tool: str) -> None:
    box = Toolbox()
    async with running(box.mcp, cancel_grace_seconds=0.05) as site, session(site.url) as wire:
        async with wire.streaming(wire.call_message(tool, id="s")) as stream:
            await stream.next()
            await wire.cancel("s")
            (answer,) = await stream.rest()
            assert answer["error"]["code"] == -32800
        live = site.live()
        assert live.in_flight == 0
        before = live.record.last_seq
        box.let_go()
        assert text_of((await wire.call("echo", text="goes on")).last) == "goes on"
        assert live.record.last_seq == before + 2
        assert live.record.request_count == 3  # initialize, the call once, echo


async def test_what_a_handler_emits_after_its_call_was_answered_goes_nowhere() -> None:
    box = Toolbox()
    async with running(box.mcp, cancel_grace_seconds=0.05) as site, session(site.url) as wire:
        async with wire.streaming(wire.call_message("emit_late", id="e")) as stream:
            await stream.next()
            await wire.cancel("e")
            assert [message["error"]["code"] for message in await stream.rest()] == [-32800]
        live = site.live()
        before = live.record.last_seq
        box.let_go()
        await eventually(lambda: box.finished["emit_late"])
        await wire.request("ping")
        assert live.record.last_seq == before + 2


async def test_a_cancelled_call_in_json_mode_is_answered_too() -> None:
    box = Toolbox()
    async with running(box.mcp, options={"json_response": True}) as site, session(site.url) as wire:
        call = asyncio.create_task(wire.call("wait", id="j"))
        await eventually(lambda: box.started["wait"])
        await wire.cancel("j")
        answer = await call
        assert (answer.content_type, answer.last["error"]["code"]) == ("application/json", -32800)


async def test_a_client_that_leaves_does_not_cancel_its_call() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as wire:
        async with wire.streaming(wire.call_message("wait", id="left")) as stream:
            await stream.next()
        live = site.live()
        await eventually(lambda: not live.streams)
        assert live.in_flight == 1
        box.let_go()
        await eventually(lambda: live.in_flight == 0)
        assert (box.finished["wait"], box.cancelled["wait"]) == (1, 0)


async def test_an_operator_cancels_a_call_and_its_client_is_told_why() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as wire:
        async with wire.streaming(wire.call_message("wait", id=7)) as stream:
            await stream.next()
            live = site.live()
            (shown,) = site.switchroom.directory.in_flight(live.record.id)
            assert (shown.request_id, shown.method, shown.target) == ("7", "tools/call", "wait")
            result = await site.switchroom.operations.cancel(OPERATOR, live.record.id, "7", "runaway")
            assert result.outcome == "cancelled"
            (answer,) = await stream.rest()
            assert answer["error"]["code"] == -32800
            assert "runaway" in answer["error"]["message"]
        again = await site.switchroom.operations.cancel(OPERATOR, live.record.id, json.dumps(7), "again")
        assert again.outcome == "already_answered"


async def test_cancelling_a_call_twice_answers_once() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as wire:
        async with wire.streaming(wire.call_message("wait", id="t")) as stream:
            await stream.next()
            await asyncio.gather(wire.cancel("t", "one"), wire.cancel("t", "two"))
            assert len(await stream.rest()) == 1
        live = site.live()
        assert live.record.error_count == 1
