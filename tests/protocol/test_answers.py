"""How requests are answered: one body or a live stream, SSE or JSON, and whatever the handler does."""

from __future__ import annotations

import asyncio
import json

import pytest

from switchroom.server.models import EventKind
from switchroom.server.store import EventQuery
from tests.support.servers import eventually, running
from tests.support.toolbox import Toolbox
from tests.support.wire import Json, client, session, text_of

pytestmark = pytest.mark.anyio

OLDER = ["2024-11-05", "2025-03-26", "2025-06-18"]


async def test_a_quick_answer_is_one_sse_body_with_priming_and_ids() -> None:
    async with running(Toolbox().mcp, retry_ms=1234) as site, session(site.url) as wire:
        answer = await wire.call("echo", id=5, text="hi")
        assert (answer.status, answer.content_type) == (200, "text/event-stream")
        assert answer.headers["mcp-session-id"] == wire.session_id
        assert answer.headers["content-length"] == str(len(answer.text))
        priming, message = answer.events
        assert (priming.data, priming.retry) == ("", 1234)
        assert priming.id is not None and message.id is not None and priming.id != message.id
        assert (message.message["id"], text_of(message.message)) == (5, "hi")
        assert str(wire.session_id) not in answer.text


@pytest.mark.parametrize("version", OLDER)
async def test_older_revisions_get_no_priming_event(version: str) -> None:
    async with running(Toolbox().mcp) as site, session(site.url, version) as wire:
        quick = await wire.call("echo", text="hi")
        assert [event.is_message for event in quick.events] == [True]
        chatty = await wire.call("emit", count=2)
        assert [event.is_message for event in chatty.events if event.comment is None] == [True, True, True]


async def test_a_handler_that_emits_is_answered_as_a_live_stream() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as wire:
        async with wire.streaming(wire.call_message("emit_and_wait", count=2)) as stream:
            priming = await stream.next()
            assert priming is not None and priming.retry == 100
            assert [(await stream.message())["params"]["data"] for _ in range(2)] == ["0", "1"]
            assert not box.finished["emit_and_wait"]
            box.let_go()
            after, answer = await stream.rest()
            assert after["params"]["data"] == "after"
            assert text_of(answer) == "emitted and waited"


async def test_a_handler_that_takes_long_is_answered_as_a_live_stream() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as wire:
        async with wire.streaming(wire.call_message("wait")) as stream:
            priming = await stream.next()
            assert priming is not None and priming.id is not None
            assert [opened.kind for opened in site.live().streams] == ["post"]
            box.let_go()
            assert text_of((await stream.rest())[-1]) == "waited"
        await eventually(lambda: site.live().streams == [])


async def test_a_silent_stream_is_kept_open_with_comments() -> None:
    box = Toolbox()
    async with running(box.mcp, ping_seconds=0.02) as site, session(site.url) as wire:
        async with wire.streaming(wire.call_message("wait")) as stream:
            await stream.next()
            assert [(await stream.next()), (await stream.next())] == [stream.taken[1], stream.taken[2]]
            assert [event.comment for event in stream.taken[1:]] == ["ping", "ping"]
            box.let_go()
            assert text_of((await stream.rest())[-1]) == "waited"


async def test_progress_goes_to_the_call_that_asked_for_it() -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        answer = await wire.post(wire.call_message("progress", token="p-1", steps=3))
        reports = [message["params"] for message in answer.messages[:-1]]
        assert [report["progress"] for report in reports] == [1, 2, 3]
        assert {report["progressToken"] for report in reports} == {"p-1"}
        assert reports[0] == {"progressToken": "p-1", "progress": 1, "total": 3, "message": "step 1"}
        assert text_of(answer.last) == "progressed"
        silent = await wire.call("progress", steps=3)
        assert len(silent.messages) == 1


async def test_calls_run_at_the_same_time_and_answer_out_of_order() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as wire:
        async with wire.streaming(wire.call_message("wait", id="slow")) as slow:
            await slow.next()
            assert text_of((await wire.call("echo", id="quick", text="first")).last) == "first"
            assert set(site.live().calls) == {'"slow"'}
            box.let_go()
            assert (await slow.rest())[-1]["id"] == "slow"


async def test_a_request_id_in_flight_is_refused_and_the_first_call_goes_on() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as wire:
        async with wire.streaming(wire.call_message("wait", id=5)) as first:
            await first.next()
            again = await wire.call("echo", id=5, text="again")
            assert (again.status, again.last["id"]) == (400, 5)
            assert "in flight" in again.last["error"]["message"]
            assert text_of((await wire.call("echo", id="5", text="text, not number")).last) == "text, not number"
            box.let_go()
            assert text_of((await first.rest())[-1]) == "waited"
        assert text_of((await wire.call("echo", id=5, text="free again")).last) == "free again"


async def test_a_number_and_its_text_are_two_ids() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as wire:
        number, text = wire.call_message("wait", id=5), wire.call_message("wait", id="5")
        async with wire.streaming(number) as a, wire.streaming(text) as b:
            await eventually(lambda: box.started["wait"] == 2)
            box.let_go()
            assert [(await a.rest())[-1]["id"], (await b.rest())[-1]["id"]] == [5, "5"]


async def test_an_id_named_like_the_sdks_standalone_stream_stays_a_request() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as wire:
        async with wire.listening() as standalone:
            await standalone.next()
            async with wire.streaming(wire.call_message("emit_and_wait", id="_GET_stream", count=1)) as stream:
                assert (await stream.message())["params"]["data"] == "0"
                await wire.call("tell", text="standalone")
                assert (await standalone.message())["params"]["data"] == "standalone"
                box.let_go()
                assert (await stream.rest())[-1]["id"] == "_GET_stream"


async def test_handlers_may_read_the_request_body_again() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as wire:
        message = wire.call_message("body")
        assert text_of((await wire.post(message)).last) == "read"
        assert [json.loads(body) for body in box.bodies] == [message]


async def test_unknown_methods_and_wrong_params_are_answered_as_the_sdk_does() -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        assert (await wire.request("no/such")).last["error"]["code"] == -32601
        assert (await wire.request("tools/call", {"name": 5})).last["error"]["code"] == -32602
        assert (await wire.call("no_such_tool")).last["result"]["isError"] is True
        assert (await wire.request("ping")).last["result"] == {}


# -- json_response -----------------------------------------------------------------------------


async def test_json_mode_answers_with_one_json_body_and_drops_what_cannot_go_with_it() -> None:
    async with running(Toolbox().mcp, options={"json_response": True}) as site, client(site.url) as wire:
        assert (await wire.initialize()).content_type == "application/json"
        chatty = await wire.call("emit", id="j", count=3)
        assert (chatty.status, chatty.content_type, chatty.last["id"]) == (200, "application/json", "j")
        assert text_of(chatty.last) == "emitted 3"
        assert chatty.headers["mcp-session-id"] == wire.session_id


async def test_json_mode_needs_json_in_accept_alone() -> None:
    async with running(Toolbox().mcp, options={"json_response": True}) as site, session(site.url) as wire:
        ping = wire.request_message("ping")
        assert (await wire.post(ping, headers={"accept": "application/json"})).status == 200
        assert (await wire.post(ping, headers={"accept": "text/event-stream"})).status == 406


async def test_json_mode_cannot_ask_on_the_calls_stream_but_on_the_standalone_one() -> None:
    box = Toolbox()
    capabilities: Json = {"elicitation": {}}
    async with running(box.mcp, options={"json_response": True}) as site:
        async with session(site.url, capabilities=capabilities) as wire, wire.listening() as standalone:
            await standalone.next()
            refused = await wire.call("ask")
            assert refused.content_type == "application/json"
            assert "error" in text_of(refused.last) or refused.last["result"]["isError"]
            call = asyncio.create_task(wire.call("ask_standalone"))
            asked = await standalone.message()
            assert (await wire.answer(asked["id"], {"action": "decline"})).status == 202
            assert text_of((await call).last) == "decline"


async def test_json_mode_answers_slow_calls_too() -> None:
    box = Toolbox()
    async with running(box.mcp, options={"json_response": True}) as site, session(site.url) as wire:
        call = asyncio.create_task(wire.call("wait"))
        await eventually(lambda: box.started["wait"])
        box.let_go()
        assert text_of((await call).last) == "waited"


async def test_notifications_on_the_wire_are_in_the_log_first() -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        answer = await wire.call("emit", id=9, count=2)
        live = site.live()
        page = await site.switchroom.directory.events(live.record.id, EventQuery(request_id="9"))
        request, response = page.events
        assert (request.method, request.stream, response.stream) == ("tools/call", request.seq, request.seq)
        assert (response.related_seq, response.payload) == (request.seq, answer.events[-1].data)
        assert response.duration_us is not None
        emitted = await site.switchroom.directory.events(
            live.record.id, EventQuery(stream=request.seq, kinds=(EventKind.NOTIFICATION,))
        )
        assert [event.payload for event in emitted.events] == [event.data for event in answer.events[1:-1]]


async def test_counters_follow_what_happened() -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        await wire.call("echo", text="hi")
        await wire.call("no_such_tool")
        await wire.request("no/such")
        (seen,) = [site.switchroom.engine.describe(live) for live in site.switchroom.engine.by_id.values()]
        assert (seen.request_count, seen.error_count, seen.in_flight, seen.open_streams) == (4, 2, 0, 0)
        assert seen.bytes_in > 0 and seen.bytes_out > 0


async def test_text_that_is_hard_to_carry_arrives_as_it_was() -> None:
    hard = "nul \u0000, bell \u0007, lines \r\n\u2028\u0085, bidi \u202e, emoji \U0001f600, data: x\n\nid: 5"
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        assert text_of((await wire.call("echo", text=hard)).last) == hard
        async with wire.listening() as stream:
            await stream.next()
            await wire.call("tell", text=hard)
            assert (await stream.message())["params"]["data"] == hard


async def test_a_standalone_notification_is_not_on_the_calls_stream() -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        answer = await wire.call("tell", text="elsewhere")
        assert len(answer.messages) == 1
