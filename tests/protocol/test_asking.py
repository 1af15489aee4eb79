"""Requests of the server to its client: elicitation, sampling, roots, and their answers."""

from __future__ import annotations

import asyncio

import pytest

from switchroom.server.models import Actor, Role
from tests.support.servers import eventually, running
from tests.support.toolbox import Toolbox
from tests.support.wire import Json, Wire, session, text_of

pytestmark = pytest.mark.anyio

CAPABILITIES: Json = {"elicitation": {}, "sampling": {}, "roots": {}}


def is_request(message: Json) -> bool:
    return "method" in message and "id" in message


async def test_elicitation_goes_over_the_calls_stream_and_its_answer_comes_back() -> None:
    async with running(Toolbox().mcp) as site, session(site.url, capabilities=CAPABILITIES) as wire:
        async with wire.streaming(wire.call_message("ask", id=1)) as stream:
            asked = await stream.until(is_request)
            assert asked["method"] == "elicitation/create"
            assert isinstance(asked["id"], str) and not asked["id"].isdecimal()
            assert site.switchroom.directory.in_flight(site.live().record.id)[0].waiting_for_client
            await wire.answer(asked["id"], {"action": "accept", "content": {"colour": "green"}})
            assert text_of((await stream.rest())[-1]) == "green"
        assert not site.live().pending


async def test_sampling_goes_over_the_calls_stream() -> None:
    async with running(Toolbox().mcp) as site, session(site.url, capabilities=CAPABILITIES) as wire:
        async with wire.streaming(wire.call_message("sample")) as stream:
            asked = await stream.until(is_request)
            assert asked["method"] == "sampling/createMessage"
            result = {"role": "assistant", "model": "m", "content": {"type": "text", "text": "bonjour"}}
            await wire.answer(asked["id"], result)
            assert text_of((await stream.rest())[-1]) == "bonjour"


async def test_roots_are_asked_for_on_the_standalone_stream() -> None:
    async with running(Toolbox().mcp) as site, session(site.url, capabilities=CAPABILITIES) as wire:
        async with wire.listening() as standalone:
            await standalone.next()
            call = asyncio.create_task(wire.call("roots"))
            asked = await standalone.until(is_request)
            assert asked["method"] == "roots/list"
            await wire.answer(asked["id"], {"roots": [{"uri": "file:///a"}, {"uri": "file:///b"}]})
            assert text_of((await call).last) == "file:///a,file:///b"


async def test_a_standalone_question_waits_for_a_stream_that_opens_later() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url, capabilities=CAPABILITIES) as wire:
        call = asyncio.create_task(wire.call("ask_standalone"))
        await eventually(lambda: site.live().pending)
        async with wire.listening() as standalone:
            asked = await standalone.until(is_request)
            await wire.answer(asked["id"], {"action": "cancel"})
        assert text_of((await call).last) == "cancel"


async def test_the_clients_progress_reaches_whoever_asked() -> None:
    async with running(Toolbox().mcp) as site, session(site.url, capabilities=CAPABILITIES) as wire:
        async with wire.streaming(wire.call_message("ask_with_progress")) as stream:
            asked = await stream.until(is_request)
            token = asked["params"]["_meta"]["progressToken"]
            hostile: list[object] = [True, "1", None, {}]
            for progress in hostile:
                await wire.notify("notifications/progress", {"progressToken": token, "progress": progress})
            await wire.notify("notifications/progress", {"progressToken": "not mine", "progress": 1})
            report: Json = {"progressToken": token, "progress": 1, "total": 2, "message": "half"}
            assert (await wire.notify("notifications/progress", report)).status == 202
            await wire.answer(asked["id"], {"action": "decline"})
            assert text_of((await stream.rest())[-1]) == "1/2.0 half"


async def test_an_error_answer_reaches_the_handler() -> None:
    async with running(Toolbox().mcp) as site, session(site.url, capabilities=CAPABILITIES) as wire:
        async with wire.streaming(wire.call_message("ask")) as stream:
            asked = await stream.until(is_request)
            error = {"code": -1, "message": "no hands"}
            assert (await wire.post({"jsonrpc": "2.0", "id": asked["id"], "error": error})).status == 202
            assert text_of((await stream.rest())[-1]) == "error -1: no hands"


@pytest.mark.parametrize("error", ["text", None, {"message": "no code"}, {"code": "x"}, []])
async def test_a_malformed_error_answer_is_an_error_too(error: object) -> None:
    async with running(Toolbox().mcp) as site, session(site.url, capabilities=CAPABILITIES) as wire:
        async with wire.streaming(wire.call_message("ask")) as stream:
            asked = await stream.until(is_request)
            await wire.post({"jsonrpc": "2.0", "id": asked["id"], "error": error})
            assert "error" in text_of((await stream.rest())[-1]).lower()


async def test_an_unanswered_question_ends_in_time_and_is_withdrawn() -> None:
    async with running(Toolbox().mcp, request_to_client_seconds=0.05) as site:
        async with session(site.url, capabilities=CAPABILITIES) as wire:
            async with wire.streaming(wire.call_message("ask")) as stream:
                asked = await stream.until(is_request)
                withdrawn, answer = await stream.rest()
                assert withdrawn["method"] == "notifications/cancelled"
                assert withdrawn["params"]["requestId"] == asked["id"]
                assert text_of(answer).startswith("error -32001")
            late = await wire.answer(asked["id"], {"action": "accept", "content": {"colour": "late"}})
            assert late.status == 202
            assert text_of((await wire.call("echo", text="fine")).last) == "fine"


async def test_a_question_without_any_stream_ends_in_time() -> None:
    async with running(Toolbox().mcp, request_to_client_seconds=0.05) as site:
        async with session(site.url, capabilities=CAPABILITIES) as wire:
            assert text_of((await wire.call("ask_standalone")).last).startswith("error -32001")
            async with wire.listening() as standalone:
                await standalone.next()
                await wire.call("tell", text="next")
                first = await standalone.until(lambda m: m["method"] != "notifications/cancelled")
                assert first["params"]["data"] == "next"  # the question itself is not asked any more


async def test_a_client_that_left_answers_after_it_resumed() -> None:
    async with running(Toolbox().mcp) as site, session(site.url, capabilities=CAPABILITIES) as wire:
        async with wire.streaming(wire.call_message("ask")) as stream:
            await stream.next()
            held = stream.last_id
        await eventually(lambda: not site.live().streams)
        async with wire.listening(held) as resumed:
            asked = await resumed.until(is_request)
            await wire.answer(asked["id"], {"action": "accept", "content": {"colour": "blue"}})
            assert text_of((await resumed.rest())[-1]) == "blue"


async def test_answers_that_match_nothing_are_accepted_and_do_nothing() -> None:
    async with running(Toolbox().mcp) as site, session(site.url, capabilities=CAPABILITIES) as wire:
        for request_id in ["sr-UNKNOWN", 1, 0, "1"]:
            assert (await wire.answer(request_id, {})).status == 202
        assert (await wire.post({"jsonrpc": "2.0", "id": None, "error": {"code": 1, "message": "m"}})).status == 202
        assert text_of((await wire.call("echo", text="fine")).last) == "fine"


async def test_another_session_cannot_answer() -> None:
    async with running(Toolbox().mcp, request_to_client_seconds=5) as site:
        async with session(site.url, capabilities=CAPABILITIES) as mine, session(site.url) as theirs:
            async with mine.streaming(mine.call_message("ask")) as stream:
                asked = await stream.until(is_request)
                await theirs.answer(asked["id"], {"action": "accept", "content": {"colour": "stolen"}})
                await mine.answer(asked["id"], {"action": "accept", "content": {"colour": "mine"}})
                assert text_of((await stream.rest())[-1]) == "mine"


async def test_cancelling_the_call_withdraws_its_question() -> None:
    async with running(Toolbox().mcp) as site, session(site.url, capabilities=CAPABILITIES) as wire:
        async with wire.streaming(wire.call_message("ask", id="c")) as stream:
            asked = await stream.until(is_request)
            await wire.cancel("c")
            withdrawn, answer = await stream.rest()
            assert withdrawn["params"]["requestId"] == asked["id"]
            assert answer["error"]["code"] == -32800
        assert not site.live().pending


async def test_expiring_the_session_wakes_whoever_asks() -> None:
    async with running(Toolbox().mcp) as site, session(site.url, capabilities=CAPABILITIES) as wire:
        async with wire.streaming(wire.call_message("ask")) as stream:
            await stream.until(is_request)
            live = site.live()
            await site.switchroom.operations.expire(Actor("ann", Role.ADMIN), "enough", session_ids=[live.record.id])
            answer = (await stream.rest())[-1]
            assert answer["error"]["code"] == -32001
            assert "enough" in answer["error"]["message"]


async def test_ids_of_questions_are_unique_over_sessions() -> None:
    async with running(Toolbox().mcp) as site:
        ids: list[str] = []
        for _ in range(2):
            async with session(site.url, capabilities=CAPABILITIES) as wire:
                ids.append(await first_question(wire))
        assert len(set(ids)) == 2


async def first_question(wire: Wire) -> str:
    async with wire.streaming(wire.call_message("ask", id=1)) as stream:
        asked = await stream.until(is_request)
        await wire.answer(asked["id"], {"action": "decline"})
        await stream.rest()
        request_id: str = asked["id"]
        return request_id
