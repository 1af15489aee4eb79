"""Where a sign-in returns to."""

from __future__ import annotations

import pytest

from switchroom.dashboard.returning import safe_next
from switchroom.dashboard.urls import Urls
from tests.support.console import SAME_ORIGIN, Console
from tests.support.signing_in import add_pages

pytestmark = pytest.mark.anyio


@pytest.fixture
async def console(api: Console) -> Console:
    add_pages(api)
    return api


@pytest.mark.parametrize(
    "text",
    [
        "//evil.example", "https://evil.example", "/\\evil.example", "\\/evil", "/admin\\@evil", "javascript:alert(1)",
        "/admin/\r\nSet-Cookie: a=b", "/admin/\t", "/adminevil", "/mcp", "", " /admin/x", "/admin/x y", "/admin/é",
        "/admin/" + "x" * 3_000, "http:/admin/x", "///admin/", "/admin/login", "/admin/logout", "/admin/login/link?x",
    ],
)  # fmt: skip
def test_nobody_is_sent_elsewhere_after_signing_in(text: str) -> None:
    assert safe_next(text, Urls("/admin")) == "/admin/"


@pytest.mark.parametrize("text", ["/admin/", "/admin/sessions/01J?sel=3&q=%22a%20b%22", "/admin/audit?actor=ana"])
def test_a_page_of_the_console_may_be_returned_to(text: str) -> None:
    assert safe_next(text, Urls("/admin")) == text


def test_a_console_at_the_root_returns_to_its_own_paths_only() -> None:
    assert safe_next("/sessions", Urls("")) == "/sessions"
    assert safe_next("//evil.example", Urls("")) == "/"


async def test_a_foreign_page_named_by_htmx_is_not_returned_to(console: Console) -> None:
    headers = {**SAME_ORIGIN, "HX-Request": "true", "HX-Current-URL": "https://evil.example//evil.example"}
    answer = await console.browser().get("/admin/sessions", headers=headers)
    assert answer.headers["hx-redirect"] == "/admin/login"
