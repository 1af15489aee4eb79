"""What every answer carries, and what none tells. Headers on all of them, no trace in any."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from switchroom.server.models import Role
from tests.security.conftest import SETTINGS, TARGET
from tests.security.operators import endpoints, signed_in
from tests.security.tally import Tally
from tests.security.target import CRASH
from tests.security.volley import Case, fire
from tests.support.processes import Served, serving

pytestmark = pytest.mark.anyio

REQUIRED = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "x-frame-options": "DENY",
}
POLICY = ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'")
TRACES = ("Traceback", 'File "', ".py", "sqlite", "site-packages", CRASH)


def missing(headers: dict[str, str]) -> list[str]:
    """Return which of the required headers an answer lacks."""
    policy = headers.get("content-security-policy", "")
    wrong = [name for name, value in REQUIRED.items() if headers.get(name) != value]
    return [*wrong, *(part for part in POLICY if part not in policy), *(["unsafe"] if "unsafe" in policy else [])]


async def test_every_answer_carries_the_security_headers(plain: Served, tally: Tally) -> None:
    async with signed_in(plain, "looker", Role.ADMIN) as client:
        cookie = (("cookie", f"switchroom={client.cookies['switchroom']}"), ("sec-fetch-site", "same-origin"))
        cases = [Case(f"{e}", b"", cookie, e.method, e.path) for e in endpoints() if not e.path.endswith("/logout")]
        cases += [Case(f"stranger {e}", b"", (), e.method, e.path) for e in endpoints()]
        cases += [
            Case("404", b"", cookie, "GET", "/admin/nowhere"),
            Case("404 outside", b"", (), "GET", "/nowhere"),
            Case("404 static", b"", (), "GET", "/admin/static/x/../../../etc/passwd"),
            Case("404 static encoded", b"", (), "GET", "/admin/static/x/%2e%2e%2f%2e%2e%2fapp.py"),
            Case("405", b"", cookie, "DELETE", "/admin/sessions"),
            Case("405 probe", b"", (), "POST", "/healthz"),
            Case("413", b"", (*cookie, ("content-length", "99999999")), "POST", "/admin/login"),
            Case("415", b"x", cookie, "POST", "/api/v1/broadcasts"),
            Case("421", b"", (("host", "evil.example"),), "GET", "/admin/"),
            Case("400 no length", b"", (*cookie, ("content-length", "x")), "POST", "/admin/login"),
            Case("probe", b"", (), "GET", "/healthz"),
            Case("readiness", b"", (), "GET", "/readyz"),
            Case("the root", b"", (), "GET", "/"),
        ]
        outcomes = [each for each in await fire(plain.port, cases) if "invalid http" not in each.body.decode().lower()]
        wrong = [f"{each}: lacks {missing(each.headers)}" for each in outcomes if missing(each.headers)]
        tally.judge(wrong)
        tally.serve(len(outcomes))
        faults = [str(each) for each in outcomes if each.is_fault]
        assert faults == []


async def test_nothing_of_the_console_may_be_kept_by_a_cache_but_hashed_files(plain: Served) -> None:
    async with signed_in(plain, "cached") as client:
        page = await client.get("/admin/")
        assert page.headers["cache-control"] == "no-store"
        script = page.text.split('src="', 1)[1].split('"', 1)[0]
        assert "immutable" in (await client.get(script)).headers["cache-control"]


@pytest.fixture(scope="module")
def crashing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server whose health page raises."""
    with serving(tmp_path_factory.mktemp("crashing"), f"{TARGET}:crashing", **SETTINGS) as served:
        yield served


async def test_a_forced_error_tells_its_caller_nothing_and_the_log_everything(crashing: Served) -> None:
    async with signed_in(crashing, "unlucky") as client:
        for headers in ({"accept": "text/html"}, {"accept": "application/json"}, {"hx-request": "true"}):
            answer = await client.get("/admin/health", headers=headers)
            assert answer.status_code == 500
            assert [trace for trace in TRACES if trace in answer.text] == []
            assert missing(dict(answer.headers)) == []
        assert (await client.get("/admin/login")).status_code == 303
    assert CRASH in crashing.text and "Traceback" in crashing.text
    assert all(line.startswith("{") for line in crashing.output[4:] if line.strip() and "Sign in" not in line)


async def test_no_answer_names_the_software_behind_it(plain: Served) -> None:
    async with httpx.AsyncClient(base_url=plain.base) as client:
        for path in ("/admin/login", "/mcp", "/nowhere", "/healthz"):
            assert "server" not in (await client.get(path)).headers
