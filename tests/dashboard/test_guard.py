"""The guard: which hosts and origins are answered, and the headers on every answer."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import anyio
import httpx2
import pytest
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from switchroom.dashboard import guard as guard_module
from switchroom.dashboard.guard import CONTENT_SECURITY_POLICY, MAX_BODY_BYTES, Guard
from tests.support.console import plain_settings

pytestmark = pytest.mark.anyio

SAME = "http://127.0.0.1:8000"
Answer = Callable[[Scope, Receive, Send], Awaitable[None]]


class Recorder:
    """An application that notes what reaches it."""

    def __init__(self, response: Response | None = None) -> None:
        self.seen: list[str] = []
        self._response = response or PlainTextResponse("fine")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append(f"{scope['method']} {scope['path']}")
        await self._response(scope, receive, send)


async def ask(
    app: Answer,
    method: str = "GET",
    path: str = "/admin/sessions",
    *,
    headers: list[tuple[str, str]] | None = None,
    host: str | None = "127.0.0.1:8000",
    scheme: str = "http",
    body: bytes = b"",
) -> tuple[int, dict[str, str], bytes]:
    """Send one request exactly as given, which no HTTP client would."""
    pairs = [*([("host", host)] if host is not None else []), *(headers or [])]
    scope: Scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "scheme": scheme,
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in pairs],
        "client": ("127.0.0.1", 40_000),
        "server": ("127.0.0.1", 8000),
        "root_path": "",
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start = sent[0]
    answer = b"".join(message.get("body", b"") for message in sent[1:])
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, answer


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


async def failing(scope: Scope, receive: Receive, send: Send) -> None:
    raise RuntimeError("the secret is 1234")


ANSWERS: dict[str, tuple[Answer, dict[str, str]]] = {
    "a page": (Recorder(Response("<p>", media_type="text/html")), {}),
    "a missing page": (Recorder(Response(status_code=404)), {}),
    "a crash": (failing, {}),
    "a foreign host": (Recorder(), {"host": "evil.example"}),
    "a cross-site write": (Recorder(), {"method": "POST"}),
    "a redirect": (Recorder(Response(status_code=303, headers={"Location": "/admin/"})), {}),
    "lax headers of a route": (Recorder(Response(headers={"Content-Security-Policy": "default-src *"})), {}),
}


@pytest.mark.parametrize(("app", "request_"), ANSWERS.values(), ids=ANSWERS.keys())
async def test_every_answer_carries_the_security_headers(app: Answer, request_: dict[str, str]) -> None:
    _, headers, _ = await ask(Guard(app, plain_settings()), **request_)  # type: ignore[arg-type]
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY and "frame-ancestors 'none'" in CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in headers


async def test_https_answers_ask_for_https_ever_after() -> None:
    _, headers, _ = await ask(Guard(Recorder(), plain_settings()), scheme="https")
    assert headers["strict-transport-security"] == "max-age=31536000"


async def test_only_immutable_files_may_be_cached() -> None:
    immutable = Recorder(Response(headers={"Cache-Control": "public, max-age=31536000, immutable"}))
    assert "immutable" in (await ask(Guard(immutable, plain_settings())))[1]["cache-control"]
    cached = Recorder(Response(headers={"Cache-Control": "public, max-age=60"}))
    assert (await ask(Guard(cached, plain_settings())))[1]["cache-control"] == "no-store"


async def test_a_page_varies_by_htmx_once() -> None:
    page = Recorder(Response("<p>", media_type="text/html", headers={"Vary": "HX-Request"}))
    assert (await ask(Guard(page, plain_settings())))[1]["vary"] == "HX-Request"


async def test_a_crash_tells_nothing_to_the_caller_and_everything_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        status, _, body = await ask(Guard(failing, plain_settings()), path="/admin/x\r\nERROR forged")
    assert status == 500 and b"1234" not in body and b"Traceback" not in body
    assert caplog.records[0].exc_info is not None and "1234" in caplog.text
    assert "\nERROR forged" not in caplog.text


async def test_a_person_reads_a_refusal_as_text() -> None:
    _, headers, body = await ask(
        Guard(Recorder(), plain_settings()), host="evil.example", headers=[("Accept", "text/html")]
    )
    assert headers["content-type"].startswith("text/plain") and b"SWITCHROOM_ALLOWED_HOSTS" in body


async def test_an_answer_that_breaks_off_is_seen_to_break_off() -> None:
    async def cut_short(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("halfway")

    with pytest.raises(RuntimeError):
        await ask(Guard(cut_short, plain_settings()))


@pytest.mark.parametrize("length", [str(MAX_BODY_BYTES + 1), "9" * 30, "-1", "ten"])
async def test_a_body_announced_too_large_is_refused_unread(length: str) -> None:
    app = Recorder()
    headers = [("Sec-Fetch-Site", "same-origin"), ("Content-Length", length)]
    assert (await ask(Guard(app, plain_settings()), "POST", headers=headers))[0] == 413
    assert app.seen == []


async def test_a_body_that_grows_too_large_is_cut_off() -> None:
    with pytest.raises(HTTPException) as caught:
        await guard_module._BoundedBody(_chunks(MAX_BODY_BYTES + 1), 5)()  # pyright: ignore[reportPrivateUsage]
    assert caught.value.status_code == 413


async def test_a_body_that_never_ends_is_given_up() -> None:
    async def silent() -> Message:
        await anyio.sleep_forever()
        raise AssertionError

    with anyio.fail_after(5), pytest.raises(HTTPException) as caught:
        await guard_module._BoundedBody(silent, 0.01)()  # pyright: ignore[reportPrivateUsage]
    assert caught.value.status_code == 408


async def test_a_long_stream_is_not_cut_by_the_body_limits() -> None:
    disconnected = anyio.Event()
    messages: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        await disconnected.wait()
        return {"type": "http.disconnect"}

    bounded = guard_module._BoundedBody(receive, 0.01)  # pyright: ignore[reportPrivateUsage]
    await bounded()
    async with anyio.create_task_group() as tasks:
        with anyio.fail_after(5):
            tasks.start_soon(_set_later, disconnected)
            assert (await bounded())["type"] == "http.disconnect"


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


def _chunks(size: int) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": b"x" * size, "more_body": True}

    return receive


async def _set_later(event: anyio.Event) -> None:
    with anyio.move_on_after(0.05):
        await anyio.sleep_forever()
    event.set()
