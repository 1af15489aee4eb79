"""What is refused before a message is handed over, with which status, and in which order."""

from __future__ import annotations

import json
from typing import Any

import pytest

from switchroom.server.filters import parse_filter
from tests.support.raw import raw_connection
from tests.support.servers import eventually, running
from tests.support.toolbox import Toolbox
from tests.support.wire import Wire, client, initialize_message, session, text_of

pytestmark = pytest.mark.anyio

PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


async def still_works(wire: Wire) -> bool:
    return text_of((await wire.call("echo", text="well")).last) == "well"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://localhost:5173"}, 200),
        ({"content-type": "text/plain"}, 400),
        ({"content-type": None}, 400),
        ({"content-type": "application/json; charset=utf-8"}, 200),
        ({"accept": "application/json"}, 406),
        ({"accept": "text/event-stream"}, 406),
        ({"accept": "text/html"}, 406),
        ({"accept": None}, 406),
        ({"accept": "*/*"}, 200),
        ({"accept": "application/*, text/*;q=0.5"}, 200),
    ],
)
async def test_a_post_is_checked_as_the_sdk_checks_it(headers: dict[str, str | None], status: int) -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        if "accept" in headers and headers["accept"] is None:
            headers = {"accept": ""}
        assert (await wire.post(PING, headers=headers)).status == status
        assert await still_works(wire)


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"host": "evil.example"}, 421), ({"origin": "http://evil.example"}, 403), ({"accept": "application/json"}, 406)],
)
async def test_a_get_is_checked_as_the_sdk_checks_it(headers: dict[str, str], status: int) -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        assert (await wire.refused_get(**headers)).status_code == status
        assert await still_works(wire)


async def test_a_delete_from_a_foreign_origin_ends_nothing() -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        assert (await wire.delete(headers={"origin": "http://evil.example"})).status_code == 403
        assert await still_works(wire)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS"])
async def test_other_methods_are_not_allowed(method: str) -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        response = await wire.http.request(method, site.url, headers=wire.headers())
        assert (response.status_code, response.headers["allow"]) == (405, "GET, POST, DELETE")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_get_and_delete_need_a_session(method: str) -> None:
    async with running(Toolbox().mcp) as site, client(site.url) as wire:
        response = await wire.http.request(method, site.url, headers=wire.headers())
        assert (response.status_code, response.json()["error"]["message"]) == (400, "Bad Request: Missing session ID")


MALFORMED: list[tuple[bytes, int]] = [
    (b"", -32700),
    (b"{", -32700),
    (b'{"jsonrpc": "2.0", "id": 1, "method": "ping"', -32700),
    (b"\xff\xfe", -32700),
    (b'{"jsonrpc": "2.0", "id": 1, "method": "\\ud800"}', -32700),
    (b"[]", -32602),
    (json.dumps([PING]).encode(), -32602),
    (b"null", -32602),
    (b"7", -32602),
    (b"{}", -32602),
    (b'{"id": 1, "method": "ping"}', -32602),
    (b'{"jsonrpc": "1.0", "id": 1, "method": "ping"}', -32602),
    (b'{"jsonrpc": "2.0", "id": 1}', -32602),
    (b'{"jsonrpc": "2.0", "id": 1, "method": 5}', -32602),
    (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": [1]}', -32602),
    (b'{"jsonrpc": "2.0", "id": null, "method": "ping"}', -32600),
    (b'{"jsonrpc": "2.0", "id": true, "method": "ping"}', -32600),
    (b'{"jsonrpc": "2.0", "id": 1.5, "method": "ping"}', -32600),
    (b'{"jsonrpc": "2.0", "id": {}, "method": "ping"}', -32600),
    (b'{"jsonrpc": "2.0", "id": [1], "method": "ping"}', -32600),
    (b'{"jsonrpc": "2.0", "id": {}, "result": {}}', -32600),
    (b"[" * 5000 + b"]" * 5000, -32700),
    (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"a": ' + b"[" * 220 + b"]" * 220 + b"}}", -32700),
]


async def test_what_is_no_message_is_answered_400_with_a_json_rpc_error() -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        for body, code in MALFORMED:
            answer = await wire.post(body)
            assert (answer.status, answer.content_type) == (400, "application/json"), body[:60]
            assert (answer.last["error"]["code"], answer.last["id"]) == (code, None), body[:60]
        assert await still_works(wire)


async def test_nesting_is_bounded_by_the_setting() -> None:
    deep: Any = "bottom"
    for _ in range(30):
        deep = [deep]
    async with running(Toolbox().mcp, max_depth=20) as site, session(site.url) as wire:
        answer = await wire.request("ping", {"deep": deep})
        assert (answer.status, answer.last["error"]["code"]) == (400, -32700)
        assert await still_works(wire)


async def test_numbers_that_json_does_not_have_do_no_harm() -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        body = b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"a": NaN, "b": -Infinity, "c": 1e999}}'
        answer = await wire.post(body)
        assert answer.status in (200, 400)
        assert await still_works(wire)


async def test_ids_come_back_as_they_were_sent() -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        for request_id in [0, -1, 5, "5", "", "_GET_stream", "ü\u0000\n", 2**63, 10**40]:
            answer = await wire.call("echo", id=request_id, text="x")
            assert answer.last["id"] == request_id
            assert type(answer.last["id"]) is type(request_id)


async def test_a_body_over_the_limit_is_413_and_one_at_the_limit_is_served() -> None:
    async with running(Toolbox().mcp, max_body_bytes=4096) as site, session(site.url) as wire:
        message = wire.call_message("echo", text="")
        room = 4096 - len(json.dumps(message).encode())
        message["params"]["arguments"]["text"] = "x" * room
        assert (await wire.post(message)).status == 200
        message["params"]["arguments"]["text"] = "x" * (room + 1)
        assert (await wire.post(message)).status == 413
        assert await still_works(wire)


async def test_a_chunked_body_over_the_limit_is_413() -> None:
    async with running(Toolbox().mcp, max_body_bytes=4096) as site, session(site.url) as wire:
        async with raw_connection(site.url) as raw:
            await raw.send_request(wire, "POST", headers={"content-length": "100000"})
            await raw.send(b"x" * 5000)
            assert b"413" in await raw.read_until(b"\r\n")
        assert await still_works(wire)


async def test_a_client_that_leaves_within_its_body_does_no_harm() -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        async with raw_connection(site.url) as raw:
            await raw.send_request(wire, "POST", headers={"content-length": "1000"})
            await raw.send(b"half")
        assert await still_works(wire)


async def test_the_checks_come_in_their_order() -> None:
    """413, then an unknown session, then Host / Origin / content type, then Accept, then parsing."""
    wrong: dict[str, str | None] = {
        "mcp-session-id": "0" * 32,
        "origin": "http://evil.example",
        "content-type": "text/plain",
        "accept": "text/html",
    }
    async with running(Toolbox().mcp, max_body_bytes=1024) as site, session(site.url) as wire:
        steps: list[tuple[bytes, dict[str, str | None], int]] = [
            (b"{" * 2000, {}, 413),
            (b"{", {}, 404),
            (b"{", {"mcp-session-id": wire.session_id}, 400),  # the content type
            (b"{", {"content-type": "application/json"}, 403),
            (b"{", {"origin": None}, 406),
            (b"{", {"accept": "*/*"}, 400),  # the body
            (json.dumps(PING).encode(), {}, 200),
        ]
        for body, repaired, status in steps:
            wrong.update(repaired)
            assert (await wire.post(body, headers=wrong)).status == status


async def test_an_unknown_session_is_404_whatever_it_is_asked() -> None:
    async with running(Toolbox().mcp) as site, client(site.url) as wire:
        for secret in ["0" * 32, "x", "", "../../etc", "' OR 1=1 --", "9" * 8000]:
            wire.session_id = secret
            answer = await wire.post(PING)
            assert (answer.status, answer.last["error"]["message"]) == (404, "Session not found")
            assert (await wire.post(initialize_message())).status == 404
            assert (await wire.refused_get()).status_code == 404
            assert (await wire.delete()).status_code == 404
        assert (await site.switchroom.directory.sessions(parse_filter(""))).items == []


async def test_whitespace_round_header_values_is_not_part_of_them() -> None:
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        async with raw_connection(site.url) as raw:
            padded = {"mcp-session-id": f"  {wire.session_id} \t", "mcp-protocol-version": " 2025-11-25  "}
            await raw.send_request(wire, "POST", json.dumps(PING).encode(), headers=padded)
            assert b"200 OK" in await raw.read_until(b"\r\n\r\n")


async def test_202_comes_after_the_message_was_handed_over() -> None:
    box = Toolbox()
    async with running(box.mcp) as site, session(site.url, capabilities={"elicitation": {}}) as wire:
        async with wire.streaming(wire.call_message("ask")) as stream:
            asked = await stream.until(lambda m: m.get("method") == "elicitation/create")
            live = site.live()
            assert (await wire.answer(asked["id"], {"action": "decline"})).status == 202
            assert live.record.last_seq >= 6
            assert text_of((await stream.rest())[-1]) == "decline"


async def test_a_session_id_is_never_logged_whole(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with running(Toolbox().mcp) as site, session(site.url) as wire:
        await still_works(wire)
        await wire.delete()
        assert (await wire.post(PING)).status == 404
        assert wire.session_id is not None
        lines = [r.getMessage() for r in caplog.records if not r.name.startswith(("httpcore", "httpx", "hpack"))]
        assert [line for line in lines if wire.session_id in line] == []
        await eventually(lambda: any(wire.session_id[:8] in r.getMessage() for r in caplog.records if wire.session_id))


async def test_more_requests_in_flight_than_allowed_are_429() -> None:
    box = Toolbox()
    async with running(box.mcp, max_in_flight=2) as site, session(site.url) as wire:
        async with wire.streaming(wire.call_message("wait")), wire.streaming(wire.call_message("wait")):
            answer = await wire.call("echo", text="one too many")
            assert (answer.status, answer.headers["retry-after"]) == (429, "1")
            box.let_go()
        await eventually(lambda: box.finished["wait"] == 2)
        assert await still_works(wire)


async def test_an_address_that_opens_too_many_sessions_is_429_and_leaves_others_alone() -> None:
    async with running(Toolbox().mcp, max_opened_per_minute=3) as site, session(site.url) as wire:
        async with client(site.url) as flooder:
            statuses = [(await flooder.post(initialize_message())).status for _ in range(5)]
        assert statuses == [200, 200, 429, 429, 429]
        assert site.switchroom.engine.admission.live == 3
        assert await still_works(wire)


async def test_limits_off_lifts_them() -> None:
    async with running(Toolbox().mcp, max_opened_per_minute=1, limits="off") as site, client(site.url) as wire:
        assert [(await wire.post(initialize_message())).status for _ in range(3)] == [200, 200, 200]
