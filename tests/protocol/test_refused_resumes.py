"""Ids that resume nothing: never issued here, of another stream or session, or of what retention dropped."""

from __future__ import annotations

import pytest

from switchroom.server.ids import EventId, parse_event_id
from tests.support.servers import eventually, running
from tests.support.toolbox import Toolbox
from tests.support.wire import Wire, session, text_of

pytestmark = pytest.mark.anyio


async def refused(wire: Wire, last_event_id: str) -> bool:
    """Whether an id is answered 400 and replays nothing."""
    response = await wire.refused_get(last_event_id)
    assert response.headers["content-type"] == "application/json"
    assert response.json()["error"]["code"] == -32600
    return response.status_code == 400


async def test_ids_that_this_session_did_not_issue_are_refused() -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire, session(site.url) as other:
        mine = (await wire.call("emit", id=1, count=3)).events
        theirs = (await other.call("emit", id=1, count=3)).events
        own = parse_event_id(mine[1].id or "")
        assert own is not None
        for foreign in [event.id for event in theirs]:
            assert foreign is not None and await refused(wire, foreign)
        for forged in [
            own._replace(seq=own.seq + 1000),  # the future
            own._replace(epoch=own.epoch + 1),
            own._replace(epoch=0),
            own._replace(stream=own.seq),  # a notification opens no stream
            own._replace(stream=own.seq + 1),
            own._replace(stream=1),  # a local row
            own._replace(stream=0),  # the standalone stream never held it
            own._replace(session_id="0" * 13),
        ]:
            assert await refused(wire, str(forged)), forged
        for garbage in [
            "",
            "1",
            "-1",
            "0",
            "null",
            "' OR 1=1 --",
            "a.b.c.d",
            "x" * 8000,
            f"{mine[1].id}x",
            f"0{mine[1].id}",
        ]:
            assert await refused(wire, garbage), garbage[:40]
        assert text_of((await wire.call("echo", text="well")).last) == "well"


async def test_an_event_of_one_request_does_not_resume_another() -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        first = (await wire.call("emit", id=1, count=2)).events
        second = (await wire.call("emit", id=2, count=2)).events
        one, two = parse_event_id(first[1].id or ""), parse_event_id(second[1].id or "")
        assert one is not None and two is not None and one.stream != two.stream
        assert await refused(wire, str(two._replace(stream=one.stream)))
        assert await refused(wire, str(EventId(one.session_id, one.epoch, one.seq, two.stream)))


async def test_sessions_with_the_same_request_ids_never_see_each_others_events() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url) as a, session(site.url) as b:
        held: dict[str, list[str]] = {"a": [], "b": []}
        for name, wire in (("a", a), ("b", b)):
            for request_id in (1, "1", 2):
                answer = await wire.call("echo", id=request_id, text=f"secret of {name}")
                held[name] += [event.id for event in answer.events if event.id]
            async with wire.listening() as stream:
                await stream.next()
                await wire.call("tell", text=f"secret of {name}")
                await stream.message()
                held[name].append(stream.last_id)
        for name, wire in (("a", b), ("b", a)):
            for event_id in held[name]:
                response = await wire.refused_get(event_id)
                assert (response.status_code, "secret" in response.text) == (400, False)
        for name, wire in (("a", a), ("b", b)):
            for event_id in held[name][::2]:
                async with wire.listening(event_id) as resumed:
                    if event_id != held[name][-1]:
                        assert f"secret of {name}" in str(await resumed.rest())
        assert len(site.switchroom.engine.by_id) == 2


async def test_what_retention_dropped_is_signalled_and_the_rest_comes() -> None:
    async with running(Toolbox().mcp, max_events=100) as site, session(site.url) as wire:
        async with wire.listening() as stream:
            await stream.next()
            held = stream.last_id
        await eventually(lambda: not site.live().streams)
        for number in range(60):
            await wire.call("tell", text=str(number))
        async with wire.listening(held) as resumed:
            first = await resumed.message()
            assert int(first["params"]["data"]) > 0
            assert any("dropped by retention" in (event.comment or "") for event in resumed.taken)
            last = await resumed.until(lambda m: m["params"]["data"] == "59")
            assert last


async def test_a_call_whose_answer_was_dropped_is_over() -> None:
    async with running(Toolbox().mcp, max_events=100) as site, session(site.url) as wire:
        held = (await wire.call("echo", id="old", text="hi")).events[0].id
        for _ in range(90):
            await wire.request("ping")
        assert held is not None and await refused(wire, held)
