"""Other sites' pages acting with an operator's cookie. Nothing but the console's own pages may act."""

from __future__ import annotations

import httpx
import pytest

from tests.security.operators import endpoints, signed_in
from tests.security.tally import Tally
from tests.security.volley import Case, fire
from tests.support.processes import Served
from tests.support.wire import session

pytestmark = pytest.mark.anyio

EVIL = "https://evil.example"

CROSS_SITE: dict[str, list[tuple[str, str]]] = {
    "neither header": [],
    "a cross-site page": [("sec-fetch-site", "cross-site")],
    "a page of a sister domain": [("sec-fetch-site", "same-site")],
    "an unknown word": [("sec-fetch-site", "sAme-origin-ish")],
    "an empty word": [("sec-fetch-site", "")],
    "two words": [("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
    "a foreign origin": [("origin", EVIL)],
    "the null origin alone": [("origin", "null")],
    "a foreign origin that says same-origin": [("sec-fetch-site", "same-origin"), ("origin", EVIL)],
    "a foreign origin that says none": [("sec-fetch-site", "none"), ("origin", EVIL)],
    "two origins": [("origin", "http://127.0.0.1:PORT"), ("origin", EVIL)],
    "our host as a foreign origin's beginning": [("origin", "http://127.0.0.1:PORT.evil.example")],
    "our host on another port": [("origin", "http://127.0.0.1:1")],
    "our host on https": [("origin", "https://127.0.0.1:PORT")],
    "our origin with a path": [("origin", "http://127.0.0.1:PORT/admin")],
    "a referrer of ours alone": [("referer", "http://127.0.0.1:PORT/admin/")],
    "a form as htmx": [("sec-fetch-site", "cross-site"), ("hx-request", "true")],
}


def headers_of(name: str, port: int, cookie: str) -> tuple[tuple[str, str], ...]:
    given = [(key, value.replace("PORT", str(port))) for key, value in CROSS_SITE[name]]
    return (("cookie", f"switchroom={cookie}"), ("content-type", "application/x-www-form-urlencoded"), *given)


async def test_no_write_from_elsewhere_reaches_anything(plain: Served, tally: Tally) -> None:
    async with signed_in(plain, "victim") as client, session(plain.mcp) as wire:
        found = await client.post("/api/v1/sessions/lookup", json={"mcp_session_id": wire.session_id})
        writes = [each for each in endpoints(session_id=found.json()["id"]) if each.is_write]
        assert len(writes) > 20
        cases: list[Case] = []
        for name in CROSS_SITE:
            headers = headers_of(name, plain.port, client.cookies["switchroom"])
            cases += [Case(f"{name}: {e.method} {e.path}", b"reason=x", headers, e.method, e.path) for e in writes]
        outcomes = await fire(plain.port, cases)
        tally.judge(str(each) for each in outcomes if each.status != 403)
        tally.refuse(len(outcomes))
        assert (await wire.call("echo", text="alive")).status == 200
        assert (await client.get("/admin/")).status_code == 200, "signed out by another site"


async def test_streams_and_exports_are_not_read_from_elsewhere(plain: Served, tally: Tally) -> None:
    async with signed_in(plain, "reader") as client:
        paths = [e.path for e in endpoints() if e.method == "GET" and e.path.endswith(("/live", "/export"))]
        assert len(paths) >= 3
        for name in ("a cross-site page", "a page of a sister domain", "neither header"):
            headers = headers_of(name, plain.port, client.cookies["switchroom"])
            outcomes = await fire(plain.port, [Case(f"{name}: {path}", b"", headers, "GET", path) for path in paths])
            tally.judge(str(each) for each in outcomes if each.status != 403)
            tally.refuse(len(outcomes))


@pytest.mark.parametrize(
    "media_type", [None, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json"]
)
async def test_the_api_takes_json_only(plain: Served, media_type: str | None) -> None:
    async with plain.api() as api:
        headers = {} if media_type is None else {"content-type": media_type}
        answer = await api.post("/broadcasts", content=b'{"text":"x","level":"info"}', headers=headers)
        assert answer.status_code == 415


HOSTS = ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "[::1].evil", "127.0.0.1@evil.example"]


async def test_a_foreign_host_is_misdirected_everywhere(plain: Served, tally: Tally) -> None:
    cases = [
        Case(f"{host} {e.method} {e.path}", b"", (("host", host), ("sec-fetch-site", "same-origin")), e.method, e.path)
        for host in HOSTS
        for e in endpoints()
    ]
    outcomes = await fire(plain.port, cases)
    tally.judge(str(each) for each in outcomes if each.status not in (400, 421))
    tally.refuse(len(outcomes))


async def test_two_hosts_and_forwarded_ones_are_nobodys_word(plain: Served) -> None:
    own = f"127.0.0.1:{plain.port}"
    two = Case("two", b"", (("host", own), ("host", "evil.example")), "GET", "/admin/login")
    forwarded = Case("forwarded", b"", (("x-forwarded-host", "evil.example"),), "GET", "/admin/login")
    outcomes = await fire(plain.port, [two, forwarded], connections=1)
    assert [each.status for each in outcomes] == [400, 200]
    assert b"evil.example" not in outcomes[1].body


async def test_an_address_that_claims_https_without_a_proxy_is_not_believed(plain: Served) -> None:
    async with httpx.AsyncClient(base_url=plain.base) as client:
        answer = await client.get("/admin/login", headers={"x-forwarded-proto": "https"})
        assert "strict-transport-security" not in answer.headers
