"""Access tokens that are forged, foreign or over. They open nothing, and end what they opened."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.security.conftest import TARGET
from tests.security.honest import HANDSHAKE, MODERN
from tests.security.neighbours import modern_body, modern_headers
from tests.security.older import older
from tests.security.tally import Tally
from tests.security.tokens import signed_token, unsigned_token
from tests.support.processes import Served, serving
from tests.support.wire import Wire, client, initialize_message, session

pytestmark = pytest.mark.anyio


def bad_tokens() -> dict[str, str]:
    good = signed_token("ann")
    head, body, signature = good.split(".")
    return {
        "expired": signed_token("ann", seconds=-60),
        "of another audience": signed_token("ann", aud="http://elsewhere.example/mcp"),
        "of no audience": signed_token("ann", aud=None),
        "of another issuer": signed_token("ann", iss="https://evil.example"),
        "signed with another key": signed_token("ann", key="another key that is long enough to sign with"),
        "not valid yet": signed_token("ann", nbf=int(time.time()) + 3600),
        "without an end": signed_token("ann", exp=None, aud="x"),
        "alg none": unsigned_token("ann"),
        "alg none with a signature": f"{unsigned_token('ann').rpartition('.')[0]}.{signature}",
        "without its signature": f"{head}.{body}.",
        "with a changed body": f"{head}.{body[:-2]}AA.{signature}",
        "half": good[: len(good) // 2],
        "a word": "letmein",
        "a list": f"{good}, {good}",
        "8 kB": "a" * 8_000,
        "an API token of the console": "sr_" + "a" * 43,
    }


@pytest.mark.parametrize("era", [HANDSHAKE, MODERN])
async def test_a_token_that_is_not_good_is_401(guarded: Served, tally: Tally, era: str) -> None:
    async with client(guarded.mcp) as wire, session(guarded.mcp, token=signed_token("ann")) as owner:
        for name, token in bad_tokens().items():
            for answer in await attempts(wire, owner, era, f"Bearer {token}"):
                tally.judge([] if answer.status_code == 401 else [f"{name}: {answer.status_code} {answer.text[:100]}"])
                assert answer.headers["www-authenticate"].startswith("Bearer"), name
                tally.refuse()


@pytest.mark.parametrize("era", [HANDSHAKE, MODERN])
@pytest.mark.parametrize("value", [None, "", "Bearer", "Bearer,", "Basic YTpi", "bearer", "Token x"])
async def test_no_token_or_another_scheme_is_401(guarded: Served, era: str, value: str | None) -> None:
    async with client(guarded.mcp) as wire, session(guarded.mcp, token=signed_token("ann")) as owner:
        assert {answer.status_code for answer in await attempts(wire, owner, era, value)} == {401}


async def attempts(wire: Wire, owner: Wire, era: str, authorization: str | None) -> list[httpx.Response]:
    """Try everything a client may do, in its own name and with somebody's session id."""
    given = {} if authorization is None else {"authorization": authorization}
    http = wire.http
    if era == MODERN:
        answers = [
            await http.post(wire.url, content=modern_body(method), headers={**modern_headers(method), **given})
            for method in ("tools/list", "server/discover", "subscriptions/listen")
        ]
    else:
        headers = {**wire.headers(), **given}
        inside = {**headers, "mcp-session-id": owner.session_id or "", "mcp-protocol-version": HANDSHAKE}
        answers = [
            await http.post(wire.url, json=initialize_message(), headers=headers),
            await http.post(wire.url, json=owner.call_message("echo", text="x"), headers=inside),
            await http.get(wire.url, headers=inside),
            await http.delete(wire.url, headers=inside),
        ]
    return answers


async def test_a_token_in_the_address_counts_for_nothing(guarded: Served) -> None:
    async with client(guarded.mcp) as wire:
        for name in ("access_token", "token", "authorization"):
            address = f"{guarded.mcp}?{name}={signed_token('ann')}"
            answer = await wire.http.post(address, json=initialize_message(), headers=wire.headers())
            assert answer.status_code == 401


async def test_a_token_without_the_scope_is_403(guarded: Served) -> None:
    async with client(guarded.mcp, token=signed_token("ann", scope="other")) as wire:
        answer = await wire.http.post(wire.url, json=initialize_message(), headers=wire.headers())
        assert answer.status_code == 403


async def test_tokens_of_the_two_planes_do_not_open_each_other(guarded: Served) -> None:
    async with client(guarded.mcp, token=guarded.token("admin")) as wire:
        assert (await wire.http.post(wire.url, json=initialize_message(), headers=wire.headers())).status_code == 401
        headers = {"authorization": f"Bearer {signed_token('ann')}"}
        assert (await wire.http.get(f"{guarded.base}/api/v1/sessions", headers=headers)).status_code == 401
        assert (await wire.http.get(f"{guarded.base}/admin/", headers=headers)).status_code in (303, 401)


@pytest.fixture(scope="module")
def brisk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that looks at the tokens of open streams every second; by default it is every 15."""
    with serving(tmp_path_factory.mktemp("brisk"), f"{TARGET}:guarded", "--sse", ping_seconds=1) as served:
        yield served


async def test_a_token_that_expires_ends_its_open_streams_in_both_eras(brisk: Served) -> None:
    token = signed_token("ann", seconds=4)
    async with session(brisk.mcp, token=token) as wire, wire.listening() as stream:
        listen = modern_body("subscriptions/listen", notifications={"toolsListChanged": True})
        headers = modern_headers("subscriptions/listen", token=token)
        async with wire.http.stream("POST", brisk.mcp, content=listen, headers=headers, timeout=30) as listening:
            assert (stream.status, listening.status_code) == (200, 200)
            async with asyncio.timeout(20):
                assert await stream.rest(within=20) == []
                async for _ in listening.aiter_raw():
                    pass
        assert (await wire.http.get(wire.url, headers=wire.headers())).status_code == 401
    async with client(brisk.mcp, token=signed_token("ann")) as again:
        again.session_id, again.version = wire.session_id, wire.version
        assert (await again.call("echo", text="still mine")).status == 200


async def test_a_token_that_expires_ends_the_connection_of_the_older_transport_and_its_session(brisk: Served) -> None:
    async with httpx.AsyncClient() as http, brisk.api() as api:
        async with older(brisk.base, http, token=signed_token("bea", seconds=4)) as wire:
            await wire.initialize("on-time")
            async with asyncio.timeout(20):
                await wire.stream.rest(within=20)
        ended = (await api.get("/sessions", params={"q": "client:on-time state:ended"})).json()["items"]
        assert [(each["state"], each["end_code"]) for each in ended] == [("expired", "token")]
