"""Errors by code: the page of the server, the tab of a session, the API."""

from __future__ import annotations

import pytest

from switchroom.server.models import Role
from tests.support.console import Console
from tests.support.pages import opened, read, running_pages

pytestmark = pytest.mark.anyio


async def test_errors_are_grouped_by_code_on_the_page_and_on_the_sessions_tab() -> None:
    async with running_pages() as console:
        browser, session = await console.signed_in(), await opened(console, "claude-code")
        empty = read(await browser.get("/admin/errors"))
        assert "No request has been answered with an error." in empty.text
        quiet = read(await browser.get(f"/admin/sessions/{session.id}/errors"))
        assert quiet.one("#failures").one("span.meta").text == "none in the log"
        mcp = console.mcp_client()
        await mcp.initialize("acme")
        for _ in range(3):
            await mcp.call("no_such_tool")
        page = read(await browser.get("/admin/errors"))
        (row,) = page.one("#failures").one("tbody").select("tr")
        assert [cell.text for cell in row.select("td.n")][:2] == ["3", "1"]
        link = row.one("a").attributes["href"]
        assert "sel=" in link and (await browser.get(link)).status_code == 200


async def test_the_api_groups_errors_the_same(api: Console) -> None:
    mcp, viewer = api.mcp_client(), await api.script(Role.VIEWER, "viewer")
    await mcp.initialize()
    await mcp.call("robust_session_tool", data=" ")
    await mcp.call("robust_session_tool", data=" ")
    (live,) = api.room.engine.live()
    for path in ("/api/v1/errors", f"/api/v1/sessions/{live.record.id}/errors"):
        (group,) = (await viewer.get(path)).json()["items"]
        assert (group["code"], group["target"], group["count"]) == ("empty_data", "robust_session_tool", 2)
