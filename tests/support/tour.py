"""Every page of the console and every dialog, of a server with something to show on each."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final, NamedTuple

from mcp import Client
from playwright.async_api import BrowserContext, async_playwright

from switchroom.server.modern.announcements import URI
from switchroom.server.sealing import make_key
from switchroom.server.sign_in import UsersFile
from tests.support.browsing import ARGUMENTS, WATCH
from tests.support.clients import connected
from tests.support.processes import Served
from tests.support.users import cheap_passwords

PASSWORD = "a good long password"
"""The first admin's."""

LISTS: Final[Mapping[str, str]] = {
    "overview": "/",
    "sessions": "/sessions",
    "views": "/views",
    "clients": "/clients",
    "calls": "/calls",
    "all-events": "/events",
    "all-errors": "/errors",
    "broadcasts": "/broadcasts",
    "composer": "/broadcasts/new",
    "groups": "/groups",
    "blocks": "/blocks",
    "audit-log": "/audit",
    "jobs": "/jobs",
    "health": "/health",
    "operators": "/operators",
    "account": "/account",
}
"""The pages that are there on every server, by the name of what is seen."""

_USER = "ana"

_CALLS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("set_session_data", {"key": "cart.items", "value": '{"sku": "A-17", "count": 3, "note": "gift"}'}),
    ("set_session_data", {"key": "locale", "value": "nb-NO"}),
    ("store_sensitive_data", {"key": "auth.token", "value": "not shown"}),
    ("join_coordination", {}),
    ("create_managed_resource", {"resource_type": "file"}),
    ("secure_login", {"username": _USER, "password": PASSWORD}),
    ("fail", {"message": "The upstream service did not answer"}),
    ("echo", {"text": "hello"}),
)
_ASKED = re.compile(r'hx-get="/admin([^"]+/(closing|sign-out|lifting|revocation|ending|listening))"')
"""A link to a dialog whose address nobody knows before what it is about is there."""

_BATCH = 5
"""Sessions that a job expires, one in a second: long enough to be a job."""


def settings() -> Mapping[str, str]:
    """Return what the server is started with: a key for secrets, and an admin who can reveal them."""
    return {"secret_keys": make_key("k1"), "admin_password": PASSWORD}


class Tour(NamedTuple):
    """Addresses below the console's own, each by the name of what is seen there."""

    pages: Mapping[str, str]
    dialogs: Mapping[str, str]
    """Each is a page of its own too, where there is no script."""


def session_pages(session: str) -> dict[str, str]:
    """Return the addresses of a session's tabs, by their names."""
    tabs = ("events", "keys", "streams", "resources", "errors", "capabilities", "audit")
    return {"timeline": f"/sessions/{session}", **{tab: f"/sessions/{session}/{tab}" for tab in tabs}}


@asynccontextmanager
async def admin_window(base: str, **options: Any) -> AsyncGenerator[BrowserContext]:
    """Open a browser and sign in as admin, by password."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        context = await browser.new_context(viewport={"width": 1440, "height": 900}, **options)
        await context.add_init_script(WATCH)
        page = await context.new_page()
        await page.goto(f"{base}/admin/login")
        await page.locator("[name=operator]").fill("admin")
        await page.locator("[name=password]").fill(PASSWORD)
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/admin/")
        await page.close()
        yield context
        await browser.close()


@asynccontextmanager
async def toured(served: Served, context: BrowserContext) -> AsyncGenerator[Tour]:
    """Connect clients of both eras, do what an operator does, and yield where all of it is seen."""
    async with AsyncExitStack() as stack:
        desk, _ = await stack.enter_async_context(connected(served.mcp, name="order-desk"))
        bot, _ = await stack.enter_async_context(connected(served.mcp, name="triage-bot"))
        agent, _ = await stack.enter_async_context(connected(served.mcp, mode="auto", name="field-notes"))
        for number in range(_BATCH):
            await stack.enter_async_context(connected(served.mcp, name=f"batch-{number}"))
        await UsersFile(served.folder / "switchroom.users.json", passwords=cheap_passwords()).add(_USER, PASSWORD)
        for name, arguments in _CALLS:
            await desk.call_tool(name, arguments)
        await bot.call_tool("join_coordination", {})
        await agent.call_tool("open_session")
        await stack.enter_async_context(agent.listen(resource_subscriptions=[URI]))
        waiting = asyncio.create_task(_wait(bot))
        try:
            tour = await _operate(served, context)
            yield Tour(tour.pages, {**tour.dialogs, **await _asked(served, context, tour)})
        finally:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)


async def _wait(client: Client) -> None:
    await client.call_tool("wait", {"seconds": 600})


async def _asked(served: Served, context: BrowserContext, tour: Tour) -> dict[str, str]:
    """Return the first dialog of each kind that the pages offer, by what it is about and what it does."""
    found = dict[str, str]()
    for name in ("streams", "resources", "client", "blocks", "operators"):
        text = await (await context.request.get(f"{served.base}/admin{tour.pages[name]}")).text()
        for path, verb in _ASKED.findall(text):
            found.setdefault(f"{name}-{verb}", path)
    return found


async def _operate(served: Served, context: BrowserContext) -> Tour:
    async with served.api("admin") as api:

        async def get(path: str, **params: str) -> list[Any]:
            items: list[Any] = (await api.get(path, params=params)).raise_for_status().json()["items"]
            return items

        async def post(path: str, **body: Any) -> Any:
            return (await api.post(path, json=body)).raise_for_status().json()

        desk, bot = [(await get("/sessions", q=f"client:{name}"))[0]["id"] for name in ("order-desk", "triage-bot")]
        batch = [item["id"] for item in await get("/sessions", q="client:batch-*")]
        job = await post("/expirations", session_ids=batch, reason="End of the test run", per_second=1)
        sent = await post("/broadcasts", text="Maintenance at 18:00 UTC", level="warning")
        await post("/operators", name="ola", role="operator")
        forms: dict[str, dict[str, str | float | bool]] = {
            "blocks": {"kind": "client", "value": "scraper", "reason": "Ignores the rate limit", "seconds": "3600"},
            "views": {"query": "q=state:live", "title": "Live", "shared": "1"},
        }
        for noun, form in forms.items():
            await context.request.post(f"{served.base}/admin/{noun}", form=form, headers={"Origin": served.base})
        async with asyncio.timeout(10):
            while not (calls := await get("/in-flight", q="client:triage-bot")):
                await asyncio.sleep(0.02)
        client = (await get("/clients"))[0]["id"]
        action = (await get("/audit"))[0]["action_id"]
    return _addresses(desk, bot, calls[0], client, action, job["id"], sent["id"])


def _addresses(desk: str, bot: str, call: Any, client: str, action: str, job: str, sent: str) -> Tour:
    session = f"/sessions/{desk}"
    pages = {
        **LISTS,
        **session_pages(desk),
        "sessions-columns": "/sessions?cols=state,seen",
        "sessions-none": "/sessions?q=client:nobody",
        "sessions-wrong": "/sessions?q=shoe:9",
        "event": f"{session}/events?sel=2",
        "playback": f"{session}/events?play=4&at=3",
        "key": f"{session}/keys?view=cart.items",
        "secret": f"{session}/keys?view=auth.token",
        "client": f"/clients/{client}",
        "receipt": f"/broadcasts/{sent}",
        "group": "/groups/default",
        "action": f"/audit/{action}",
        "job": f"/jobs/{job}",
        "unknown": "/nowhere",
        "unknown-session": "/sessions/0000000000000",
    }
    dialogs = {
        "expire": f"{session}/expiration",
        "expire-many": "/expirations?q=client:order-desk",
        "replay": f"{session}/replays",
        "message": f"{session}/messages",
        "limits": f"{session}/timeouts",
        "block": f"/blocks/new?session={desk}",
        "add-key": f"{session}/keys/new",
        "edit-key": f"{session}/keys/value?key=cart.items",
        "key-expiry": f"{session}/keys/expiry?key=cart.items",
        "delete-key": f"{session}/keys/deletion?key=cart.items",
        "reveal": f"{session}/keys/revelation?key=auth.token",
        "cancel": f"/sessions/{bot}/cancellations?request_id={call['request_id']}",
        "remove-member": f"/groups/default/members/{desk}/removal",
        "disable-operator": "/operators/ola/disabling",
        "shortcuts": "/shortcuts",
    }
    return Tour(pages, dialogs)
