"""What the guard puts on every answer, and what it tells of a crash."""

from __future__ import annotations

import logging

import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from switchroom.dashboard.guard import CONTENT_SECURITY_POLICY, Guard
from tests.support.console import plain_settings
from tests.support.guarded import Answer, Recorder, ask

pytestmark = pytest.mark.anyio


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
