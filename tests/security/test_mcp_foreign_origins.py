"""Web pages that reach for a local server (DNS rebinding). Foreign origins and hosts are refused."""

from __future__ import annotations

import json

import pytest

from tests.security.honest import ACCEPT, HANDSHAKE, JSON_BODY, MODERN
from tests.security.neighbours import modern_body, modern_headers
from tests.security.tally import Tally
from tests.security.tokens import signed_token
from tests.security.volley import Case, Headers, fire
from tests.support.processes import Served
from tests.support.wire import initialize_message, session, text_of

pytestmark = pytest.mark.anyio

FOREIGN: dict[str, tuple[Headers, set[int]]] = {
    "an evil origin": ((("origin", "http://evil.example"),), {403}),
    "the null origin": ((("origin", "null"),), {403}),
    "an origin with our name inside": ((("origin", "http://127.0.0.1.evil.example"),), {403}),
    "an origin with our name as user": ((("origin", "http://127.0.0.1@evil.example"),), {403}),
    "an extension's origin": ((("origin", "chrome-extension://abc"),), {403}),
    "a file's origin": ((("origin", "file://"),), {403}),
    "an evil host": ((("host", "evil.example"),), {421}),
    "a host that is rebound": ((("host", "evil.example:8000"),), {421}),
    "a host with our name inside": ((("host", "127.0.0.1.evil.example:80"),), {421}),
    "an empty host": ((("host", ""),), {400, 421}),
    "two hosts": ((("host", "127.0.0.1:1"), ("host", "evil.example")), {400, 421}),
}


def honest(era: str, token: str | None, session_id: str | None) -> list[tuple[str, Headers, bytes]]:
    """Return what an honest client sends: method, headers, body."""
    given: Headers = (("authorization", f"Bearer {token}"),) if token else ()
    if era == MODERN:
        headers = (*modern_headers("tools/list").items(), *given)
        return [("POST", headers, modern_body("tools/list"))]
    base: Headers = (ACCEPT, JSON_BODY, *given)
    inside: Headers = (*base, ("mcp-session-id", session_id or ""), ("mcp-protocol-version", HANDSHAKE))
    message = json.dumps(initialize_message()).encode()
    ping = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
    return [("POST", base, message), ("POST", inside, ping), ("GET", inside, b""), ("DELETE", inside, b"")]


@pytest.mark.parametrize("has_tokens", [False, True])
@pytest.mark.parametrize("era", [HANDSHAKE, MODERN])
async def test_a_foreign_page_reaches_nothing(
    plain: Served, guarded: Served, tally: Tally, era: str, has_tokens: bool
) -> None:
    served, token = (guarded, signed_token("ann")) if has_tokens else (plain, None)
    async with session(served.mcp, token=token) as wire:
        requests = honest(era, token, wire.session_id)
        for name, (foreign, expected) in FOREIGN.items():
            cases = [Case(f"{name} {method}", body, (*headers, *foreign), method) for method, headers, body in requests]
            for outcome in await fire(served.port, cases, connections=2):
                tally.judge([] if outcome.status in expected else [str(outcome)])
                tally.refuse()
        assert text_of((await wire.call("echo", text="here")).last) == "here"


async def test_a_forwarded_host_is_nobodys_word(plain: Served) -> None:
    async with session(plain.mcp) as wire:
        for name in ("x-forwarded-host", "x-host", "forwarded", "x-original-host"):
            evil = await wire.post(wire.call_message("echo", text="x"), headers={name: "evil.example"})
            assert evil.status == 200
            foreign = {name: "127.0.0.1", "host": "evil.example"}
            assert (await wire.post(wire.call_message("echo", text="x"), headers=foreign)).status == 421


async def test_no_page_of_another_site_may_read_an_answer(plain: Served) -> None:
    headers: Headers = (("origin", "http://evil.example"), ("access-control-request-method", "POST"))
    (answer,) = await fire(plain.port, [Case("preflight", b"", headers, "OPTIONS")])
    assert not any(name.startswith("access-control") for name in answer.headers)
