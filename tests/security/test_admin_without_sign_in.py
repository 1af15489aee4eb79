"""Everything without a sign-in. People are sent to sign in, programs are told 401, and nothing is shown."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

import httpx
import httpx2
import pytest

from tests.security.operators import SAME_ORIGIN, Endpoint, browser, guarded_endpoints, signed_in
from tests.security.tally import Tally
from tests.support.processes import Served
from tests.support.wire import session

pytestmark = pytest.mark.anyio

LINK = re.compile(r'(?:href|action|hx-get|hx-post|hx-sse:connect|src)="([^"]+)"')
SECRET_TITLE = "a name that only operators may read"

CALLERS = {
    "a person": ({"accept": "text/html"}, {303}),
    "htmx": ({"accept": "text/html", "hx-request": "true"}, {401}),
    "a program": ({"accept": "application/json"}, {401}),
    "a stream": ({"accept": "text/event-stream"}, {401}),
}
"""Who asks, and what each is told; the API tells everybody 401."""

CREDENTIALS = {
    "nothing": {},
    "an unknown cookie": {"cookie": "switchroom=" + "x" * 43},
    "an empty cookie": {"cookie": "switchroom="},
    "a cookie of 8 kB": {"cookie": "switchroom=" + "x" * 8_000},
    "the cookie of https": {"cookie": "__Host-switchroom=" + "x" * 43},
    "an unknown token": {"authorization": "Bearer sr_" + "x" * 43},
    "a token that is a word": {"authorization": "Bearer admin"},
    "a password": {"authorization": "Basic YWRtaW46Y29ycmVjdCBob3JzZSBiYXR0ZXJ5"},
}


async def crawl(client: httpx.AsyncClient) -> dict[str, str]:
    """Follow every link of the console from its overview, reading only; return the pages by address."""
    pages: dict[str, str] = {}
    seen: set[str] = set()
    waiting = ["/admin/"]
    while waiting and len(pages) < 120:
        path = waiting.pop()
        if path in seen or "/live" in path or "/static/" in path:
            continue
        seen.add(path)
        answer = await client.get(path, headers={"accept": "text/html"})
        assert answer.status_code < 500, (path, answer.text[:500])
        assert answer.headers["x-content-type-options"] == "nosniff"
        if not answer.headers.get("content-type", "").startswith("text/html"):
            continue  # a download: no browser takes it for a page
        pages[path] = answer.text
        for link in LINK.findall(answer.text):
            target = urlsplit(urljoin(path, link.replace("&amp;", "&")))
            if not target.netloc and target.path.startswith("/admin"):
                waiting.append(target.path + (f"?{target.query}" if target.query else ""))
    return pages


@pytest.mark.parametrize("credential", CREDENTIALS)
async def test_no_address_answers_without_a_sign_in(plain: Served, tally: Tally, credential: str) -> None:
    async with session(plain.mcp, name=SECRET_TITLE), httpx.AsyncClient(base_url=plain.base) as client:
        for endpoint in guarded_endpoints():
            for name, (headers, expected) in CALLERS.items():
                sent = {**SAME_ORIGIN, **headers, **CREDENTIALS[credential]}
                answer = await client.request(endpoint.method, endpoint.path, headers=sent)
                tally.judge(judged(endpoint, name, answer, expected))
                tally.refuse()


def judged(endpoint: Endpoint, caller: str, answer: httpx.Response, expected: set[int]) -> list[str]:
    wanted = {401} if endpoint.path.startswith("/api/") else expected
    is_lost = SECRET_TITLE in answer.text
    leads_away = answer.status_code == 303 and not answer.headers["location"].startswith("/admin/login")
    if answer.status_code in wanted and not is_lost and not leads_away:
        return []
    return [f"{endpoint.method} {endpoint.path} for {caller}: {answer.status_code} {answer.text[:80]}"]


async def deeds(api: httpx2.AsyncClient) -> list[object]:
    """Return what is in the audit log but for what this test's own commands did, which comes there a moment later."""
    entries = (await api.get("/audit")).json()["items"]
    return [entry for entry in entries if not entry["actor"].startswith("command line")]


async def test_no_link_of_the_console_answers_without_a_sign_in_and_following_all_changes_nothing(
    plain: Served, tally: Tally
) -> None:
    async with session(plain.mcp, name=SECRET_TITLE) as wire, plain.api("admin") as api:
        await wire.call("set_session_data", key="k", value="v")
        async with signed_in(plain, "crawler") as client:
            before = await deeds(api)
            pages = await crawl(client)
            assert len(pages) > 25
            assert await deeds(api) == before
            assert (await wire.call("get_session_data", key="k")).status == 200
        async with browser(plain) as stranger:
            for path in pages:
                answer = await stranger.get(path, headers={"accept": "text/html"})
                is_open = urlsplit(path).path.startswith(("/admin/login", "/admin/logout"))
                tally.judge([] if answer.status_code in (303, 405) or is_open else [f"{path}: {answer.status_code}"])
                assert SECRET_TITLE not in answer.text
                tally.refuse()


async def test_a_probe_tells_strangers_nothing_but_its_state(plain: Served) -> None:
    async with session(plain.mcp, name=SECRET_TITLE), httpx.AsyncClient(base_url=plain.base) as client:
        for path in ("/healthz", "/readyz"):
            answer = await client.get(path)
            assert answer.status_code == 200 and SECRET_TITLE not in answer.text and len(answer.text) < 300


async def test_the_description_of_the_api_needs_a_sign_in_too(plain: Served) -> None:
    async with httpx.AsyncClient(base_url=plain.base) as client:
        for path in ("/api/openapi.json", "/openapi.json", "/docs", "/redoc", "/api/v1", "/.env", "/admin/../.env"):
            assert (await client.get(path)).status_code in (401, 404)
