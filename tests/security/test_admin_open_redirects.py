"""Sign-in links that lead away. After signing in nobody leaves the console."""

from __future__ import annotations

import httpx
import pytest

from tests.security.operators import SAME_ORIGIN, add_operator, browser, sign_in
from tests.security.tally import Tally
from tests.support.processes import Served

pytestmark = pytest.mark.anyio

AWAY = [
    "//evil.example",
    "///evil.example",
    "////evil.example/%2f..",
    "/\\evil.example",
    "\\\\evil.example",
    "/\\/evil.example",
    "https://evil.example",
    "https:evil.example",
    "HTTPS://evil.example/admin/",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "/admin/..//evil.example",
    "/admin/../../evil.example",
    "/admin//evil.example/%2e%2e",
    "/admin\t//evil.example",
    "/admin/\r\nlocation: https://evil.example",
    "/admin/%0d%0alocation:%20https://evil.example",
    "/admin/\x00",
    "/admin/login?next=//evil.example",
    "/admin/logout",
    "@evil.example",
    ".evil.example",
    "/administrator",
    "evil.example",
    "\u2028//evil.example",
    "/admin@evil.example",
    "//127.0.0.1@evil.example",
    "/admin/" + "x" * 10_000,
]


async def test_no_spelling_of_next_leads_away(plain: Served, tally: Tally) -> None:
    await add_operator(plain, "returning")
    async with browser(plain) as client:
        for away in AWAY:
            answer = await sign_in(client, "returning", next=away)
            assert answer.status_code == 303, (away, answer.text[:200])
            location = answer.headers["location"]
            resolved = httpx.URL(f"{plain.base}/admin/login").join(location)
            is_ours = (resolved.host, resolved.port, resolved.scheme) == ("127.0.0.1", plain.port, "http")
            is_inside = resolved.path.startswith("/admin/") and ".." not in resolved.path and "\r" not in location
            tally.judge([] if is_ours and is_inside else [f"{away!r} leads to {location!r}"])
            tally.refuse()
        signed_in = await client.get("/admin/login", params={"next": "//evil.example"})
        assert signed_in.headers["location"].startswith("/admin/")


async def test_the_way_back_that_a_refused_page_offers_stays_inside(plain: Served) -> None:
    async with httpx.AsyncClient(base_url=plain.base, headers=SAME_ORIGIN) as stranger:
        for path in ("/admin/sessions?q=%0d%0aset-cookie:x=y", "/admin/sessions?q=//evil.example"):
            answer = await stranger.get(path)
            assert answer.status_code == 303 and answer.headers["location"].startswith("/admin/login?next=")
            assert "set-cookie" not in answer.headers
        htmx = {"hx-request": "true", "hx-current-url": "https://evil.example/admin/"}
        answer = await stranger.get("/admin/sessions", headers=htmx)
        assert "evil.example" not in answer.headers.get("hx-redirect", "")
