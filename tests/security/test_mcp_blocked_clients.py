"""Clients that an operator has sent away. They come back in every way there is, and get 403 with the reason."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.security.conftest import SETTINGS, TARGET, assert_alive
from tests.security.honest import META
from tests.security.neighbours import http_from, modern_call, modern_headers, wire_from
from tests.security.older import older
from tests.security.tally import Tally
from tests.security.tokens import signed_token
from tests.support.processes import Served, serving
from tests.support.wire import Wire, client, initialize_message, session

pytestmark = pytest.mark.anyio

BAD = "127.0.0.4"
REASON = "loops on tools/list"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that asks for tokens and speaks every transport; each attack uses names of its own."""
    with serving(tmp_path_factory.mktemp("blocking"), f"{TARGET}:guarded", "--sse", **SETTINGS) as running:
        yield running
        assert_alive(running)


@pytest.fixture(scope="module")
def tokenless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("tokenless"), f"{TARGET}:plain", "--sse", **SETTINGS) as running:
        yield running
        assert_alive(running)


async def send_away(served: Served, kind: str, value: str) -> dict[str, object]:
    """Expire and block in one step."""
    body = {"kind": kind, "value": value, "reason": REASON, "ends_sessions": True, "seconds": 600}
    async with served.api() as api:
        answer = await api.post("/blocks", json=body)
        assert answer.status_code == 201, answer.text
        made: dict[str, object] = answer.json()
        return made


def check_away(tally: Tally, *tries: httpx.Response) -> None:
    """Every try was answered 403, with the reason and the time to come back."""
    tally.judge(
        f"{each.request.method} {each.request.url.path}: {each.status_code} {each.text[:200]}"
        for each in tries
        if each.status_code != 403 or REASON not in each.text or not each.headers["retry-after"].isdigit()
    )
    tally.refuse(len(tries))


async def ways_back(wire: Wire, name: str) -> list[httpx.Response]:
    """Try the old id with everything it could do, and a new `initialize`."""
    http, url = wire.http, wire.url
    listening = wire.headers({"accept": "text/event-stream"})
    return [
        await http.post(url, json=wire.call_message("echo", text="hi"), headers=wire.headers()),
        await http.get(url, headers=listening),
        await http.get(url, headers={**listening, "last-event-id": "1"}),
        await http.delete(url, headers=wire.headers()),
        await http.post(url, json=initialize_message(name=name), headers=wire.headers({"mcp-session-id": None})),
    ]


async def newer_era(http: httpx.AsyncClient, url: str, name: str, token: str | None = None) -> httpx.Response:
    """Call a tool as a client of that name that has no session."""
    meta = {**META, "io.modelcontextprotocol/clientInfo": {"name": name, "version": "1"}}
    params = {"name": "echo", "arguments": {"text": "hi"}, "_meta": meta}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return await http.post(url, json=body, headers=modern_headers("tools/call", name="echo", token=token))


async def test_a_blocked_principal_comes_back_nowhere(served: Served, tally: Tally) -> None:
    token, fresh, other = signed_token("mallory"), signed_token("mallory", client_id="another"), signed_token("ann")
    async with session(served.mcp, token=token) as wire, session(served.mcp, token=other) as bystander:
        async with older(served.base, wire.http, token=token) as before, wire.listening() as stream:
            assert (await before.initialize("older")).status_code == 202
            await stream.next()
            made = await send_away(served, "principal", "mallory")
            assert made["expired_count"] == 2 and await stream.rest() == []
            check_away(tally, await before.call(9, "echo", text="hi"))
        check_away(tally, *(await ways_back(wire, "under another name")))
        async with client(served.mcp, token=fresh) as again:
            check_away(tally, *(await ways_back(again, "with a new token")))
            bearer = {"authorization": f"Bearer {fresh}"}
            check_away(
                tally,
                await modern_call(again.http, served.mcp, "echo", token=fresh, text="hi"),
                await again.http.get(f"{served.base}/sse", headers=bearer),
                await again.http.post(f"{served.base}/messages/?session_id={'0' * 32}", json={}, headers=bearer),
            )
        assert (await bystander.call("echo", text="hi")).status == 200


async def test_a_blocked_address_comes_back_nowhere_whatever_it_shows(served: Served, tally: Tally) -> None:
    token = signed_token("traveller")
    async with wire_from(served.mcp, BAD, token=token) as wire, session(served.mcp, token=token) as elsewhere:
        await wire.initialize()
        made = await send_away(served, "address", f"{BAD}/32")
        assert made["expired_count"] == 1
        check_away(tally, *(await ways_back(wire, "again")))
        forwarded = {"x-forwarded-for": "192.0.2.1", "forwarded": "for=192.0.2.1", "x-real-ip": "192.0.2.1"}
        bearer = {"authorization": f"Bearer {token}"}
        check_away(
            tally,
            await wire.http.post(served.mcp, json=initialize_message(), headers=wire.headers(forwarded)),
            await modern_call(wire.http, served.mcp, "echo", token=token, text="hi"),
            await wire.http.get(f"{served.base}/sse", headers=bearer),
            await wire.http.post(f"{served.base}/messages/?session_id={'0' * 32}", json={}, headers=bearer),
        )
        assert (await elsewhere.call("echo", text="hi")).status == 200


async def test_a_blocked_client_name_comes_back_under_no_spelling_on_any_transport(
    tokenless: Served, tally: Tally
) -> None:
    async with session(tokenless.mcp, name="bad-bot") as wire, http_from(BAD) as http:
        async with older(tokenless.base, http) as open_already, older(tokenless.base, http) as nameless:
            assert (await open_already.initialize("bad-bot")).status_code == 202
            made = await send_away(tokenless, "client", "bad-bot")
            assert made["expired_count"] == 2
            check_away(tally, await nameless.post(initialize_message("2024-11-05", name="Bad-Bot")))
            assert (await nameless.initialize("another name")).status_code == 202
        for spelling in ("bad-bot", "BAD-BOT", "Bad-bot"):
            check_away(tally, *(await ways_back(wire, spelling))[-1:], await newer_era(http, tokenless.mcp, spelling))
        async with older(tokenless.base, http) as back:
            check_away(tally, await back.post(initialize_message("2024-11-05", name="bad-bot")))
        # The old id: its session is over, which is what its owner is told.
        gone = await wire.call("echo", text="hi")
        assert gone.status == 404 and f"Blocked: {REASON}" in gone.text
        assert (await newer_era(http, tokenless.mcp, "good-bot")).status_code == 200


async def test_what_a_block_turned_away_is_counted_and_lifting_it_lets_everybody_back(tokenless: Served) -> None:
    async with tokenless.api() as api:
        made = await send_away(tokenless, "client", "counted-bot")
        async with client(tokenless.mcp) as wire:
            for _ in range(3):
                assert (await wire.post(initialize_message(name="counted-bot"))).status == 403
        shown = next(each for each in (await api.get("/blocks")).json()["items"] if each["id"] == made["id"])
        assert (shown["refused"], shown["reason"]) == (3, REASON)
        assert (await api.post(f"/blocks/{made['id']}/lifting", json={"reason": "mended"})).status_code == 200
    async with session(tokenless.mcp, name="counted-bot") as wire:
        assert (await wire.call("echo", text="hi")).status == 200
