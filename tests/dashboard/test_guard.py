"""The guard: which hosts and origins are answered, and the headers on every answer."""

from __future__ import annotations

import httpx2
import pytest
from starlette.types import Message, Receive, Scope, Send

from switchroom.dashboard.guard import Guard
from tests.support.console import plain_settings
from tests.support.guarded import SAME, Recorder, ask

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8000", "localhost:8000", "LOCALHOST", "localhost.", "[::1]:8000", "127.0.0.9", "console.example.org"],
)
async def test_a_host_of_ours_is_answered(host: str) -> None:
    app = Recorder()
    guarded = Guard(app, plain_settings(allowed_hosts="console.example.org, other.example:8443"))
    assert (await ask(guarded, host=host))[0] == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "other.example:1", "10.0.0.1", "0.0.0.0"],
)
async def test_a_foreign_host_is_misdirected_for_reading_too(host: str) -> None:
    app = Recorder()
    guarded = Guard(app, plain_settings(allowed_hosts="other.example:8443", host="0.0.0.0"))
    status, headers, _ = await ask(guarded, host=host)
    assert status == 421 and headers["content-type"] == "application/problem+json"
    assert app.seen == []


@pytest.mark.parametrize("host", [None, "", "a b", "a/b", "evil@localhost", "localhost:99999999", "[::1", "lo\xe9l"])
async def test_a_request_without_one_valid_host_is_refused(host: str | None) -> None:
    app = Recorder()
    assert (await ask(Guard(app, plain_settings()), host=host))[0] == 400
    assert app.seen == []


async def test_two_hosts_are_refused() -> None:
    app = Recorder()
    assert (await ask(Guard(app, plain_settings()), headers=[("Host", "127.0.0.1:8000")]))[0] == 400
    assert app.seen == []


async def test_a_forwarded_host_is_never_read() -> None:
    guarded = Guard(Recorder(), plain_settings(allowed_hosts="console.example.org"))
    forwarded = [("X-Forwarded-Host", "console.example.org"), ("Forwarded", "host=console.example.org")]
    assert (await ask(guarded, host="evil.example", headers=forwarded))[0] == 421


async def test_the_address_listened_on_is_a_host_of_ours() -> None:
    assert (await ask(Guard(Recorder(), plain_settings(host="192.0.2.7")), host="192.0.2.7:8000"))[0] == 200


CROSS_SITE: dict[str, list[tuple[str, str]]] = {
    "nothing": [],
    "cross-site": [("Sec-Fetch-Site", "cross-site")],
    "same-site": [("Sec-Fetch-Site", "same-site")],
    "cross-site with our origin": [("Sec-Fetch-Site", "cross-site"), ("Origin", SAME)],
    "cross-site with null origin": [("Sec-Fetch-Site", "cross-site"), ("Origin", "null")],
    "same-site from another port": [("Sec-Fetch-Site", "same-site"), ("Origin", "http://127.0.0.1:3000")],
    "foreign origin": [("Origin", "https://evil.example")],
    "foreign origin said to be ours": [("Sec-Fetch-Site", "same-origin"), ("Origin", "https://evil.example")],
    "typed in, with a foreign origin": [("Sec-Fetch-Site", "none"), ("Origin", "https://evil.example")],
    "null origin": [("Origin", "null")],
    "our host on https": [("Origin", "https://127.0.0.1:8000")],
    "our host on another port": [("Origin", "http://127.0.0.1:8001")],
    "our name as a prefix": [("Origin", "http://127.0.0.1:8000.evil.example")],
    "our name as user": [("Origin", "http://127.0.0.1:8000@evil.example")],
    "two origins": [("Origin", SAME), ("Origin", "https://evil.example")],
    "two sites": [("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "cross-site")],
    "a made-up site": [("Sec-Fetch-Site", "Same-Origin")],
    "only a referrer": [("Referer", SAME + "/admin/")],
    "a cookie": [("Cookie", "switchroom=abc")],
    "basic credentials": [("Authorization", "Basic YTpi")],
    "two bearers": [("Authorization", "Bearer a"), ("Authorization", "Bearer b")],
}


@pytest.mark.parametrize("headers", CROSS_SITE.values(), ids=CROSS_SITE.keys())
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "BREW"])
async def test_a_write_from_elsewhere_never_reaches_a_route(method: str, headers: list[tuple[str, str]]) -> None:
    app = Recorder()
    status, _, body = await ask(Guard(app, plain_settings()), method, headers=headers)
    assert status == 403 and b"cross_site" in body
    assert app.seen == []


OURS: dict[str, list[tuple[str, str]]] = {
    "same origin": [("Sec-Fetch-Site", "same-origin")],
    "same origin, as our forms send it": [("Sec-Fetch-Site", "same-origin"), ("Origin", "null")],
    "same origin with origin": [("Sec-Fetch-Site", "same-origin"), ("Origin", SAME)],
    "typed in": [("Sec-Fetch-Site", "none")],
    "an old browser": [("Origin", SAME)],
    "a listed origin": [("Sec-Fetch-Site", "cross-site"), ("Origin", "https://portal.example.org")],
    "a listed origin, old browser": [("Origin", "https://portal.example.org")],
    "a token": [("Authorization", "Bearer sr_x")],
}


@pytest.mark.parametrize("headers", OURS.values(), ids=OURS.keys())
async def test_a_write_from_our_pages_or_by_token_passes(headers: list[tuple[str, str]]) -> None:
    app = Recorder()
    guarded = Guard(app, plain_settings(allowed_origins="https://Portal.example.org/"))
    assert (await ask(guarded, "POST", headers=headers))[0] == 200
    assert app.seen == ["POST /admin/sessions"]


async def test_a_default_port_is_the_same_origin_with_and_without_its_number() -> None:
    guarded = Guard(Recorder(), plain_settings(allowed_hosts="console.example.org"))
    for host, origin in [
        ("console.example.org", "https://console.example.org"),
        ("console.example.org:443", "https://console.example.org"),
        ("console.example.org", "https://console.example.org:443"),
    ]:
        assert (await ask(guarded, "POST", host=host, scheme="https", headers=[("Origin", origin)]))[0] == 200


async def test_a_token_does_not_excuse_a_foreign_host() -> None:
    token = [("Authorization", "Bearer sr_x")]
    assert (await ask(Guard(Recorder(), plain_settings()), "POST", host="evil.example", headers=token))[0] == 421


@pytest.mark.parametrize("path", ["/admin/live", "/api/v1/live", "/admin/audit/export.csv", "/admin/sessions/export"])
async def test_streams_and_exports_are_not_read_from_elsewhere(path: str) -> None:
    app = Recorder()
    guarded = Guard(app, plain_settings())
    assert (await ask(guarded, path=path))[0] == 403
    assert (await ask(guarded, path=path, headers=[("Sec-Fetch-Site", "cross-site")]))[0] == 403
    assert app.seen == []
    assert (await ask(guarded, path=path, headers=[("Sec-Fetch-Site", "same-origin")]))[0] == 200
    assert (await ask(guarded, path=path, headers=[("Authorization", "Bearer sr_x")]))[0] == 200


async def test_a_page_opens_from_a_link_on_another_site() -> None:
    assert (await ask(Guard(Recorder(), plain_settings()), headers=[("Sec-Fetch-Site", "cross-site")]))[0] == 200


async def test_a_websocket_is_closed() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    await Guard(Recorder(), plain_settings())({"type": "websocket", "path": "/admin/live"}, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]


async def test_the_lifespan_passes_through() -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    async def nothing() -> Message:
        return {"type": "lifespan.startup"}

    async def send(message: Message) -> None:
        raise AssertionError(message)

    await Guard(app, plain_settings())({"type": "lifespan"}, nothing, send)
    assert seen == ["lifespan"]


async def test_it_is_usable_round_an_ordinary_application() -> None:
    transport = httpx2.ASGITransport(Guard(Recorder(), plain_settings()))
    async with httpx2.AsyncClient(transport=transport, base_url=SAME) as client:
        assert (await client.get("/admin/")).text == "fine"
        assert (await client.post("/admin/")).status_code == 403
