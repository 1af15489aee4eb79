"""Markup, line ends and control characters from clients. They are only ever shown as text."""

from __future__ import annotations

import asyncio
import csv
import html
import io
import json
import re
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from html.parser import HTMLParser

import httpx
import pytest

from tests.security.honest import META
from tests.security.neighbours import modern_headers
from tests.security.operators import signed_in
from tests.security.tally import Tally
from tests.security.test_admin_without_sign_in import crawl
from tests.support import browsing
from tests.support.processes import Served, serving
from tests.support.wire import Wire, session

pytestmark = pytest.mark.anyio

MARK = "zq9"
"""In every hostile text, so that it is seen to have been shown."""

HOSTILE = {
    "a script": f"{MARK}<script>alert(1)</script>",
    "an image": f'{MARK}"><img src=x onerror=alert(1)>',
    "an attribute": f"{MARK}' onmouseover='alert(1)' x='",
    "a template": f"{MARK}{{{{7*7}}}}${{7*7}}{{% raw %}}",
    "htmx": f'{MARK}<div hx-get="/admin/logout" hx-trigger="load"></div><hx-partial hx-target="body">x</hx-partial>',
    "the end of a comment": f"{MARK}--><svg/onload=alert(1)>",
    "a link": f"{MARK}javascript:alert(1)",
    "line ends": f"{MARK}\r\nid: 1\r\ndata: forged\r\n\r\nevent: bye\r\n\r\n",
    "a lone carriage return": f"{MARK}\revent: bye\rdata: x\r\r",
    "NUL": f"{MARK}\x00after",
    "a lone surrogate": f"{MARK}\ud800after",
    "bidi": f"{MARK}\u202e\u2066txt.exe\u2069",
    "ANSI": f"{MARK}\x1b[31m\x1b]0;title\x07",
    "line separators": f"{MARK}\u2028\u2029\x85",
    "a formula": f"=cmd|'/c calc'!A1{MARK}",
    "another formula": f"@SUM(1+1)*{MARK}",
    "10 kB": MARK + "x" * 10_000,
    "zero width": f"{MARK}\u200b\u200d\ufeff",
}

HANDSHAKE = {name: text for name, text in HOSTILE.items() if name != "a lone surrogate"}
"""What gets through the handshake era, which takes no lone surrogates at all."""

FORBIDDEN_TAGS = {"iframe", "object", "embed", "base", "svg/onload", "hx-partial"}
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class Elements(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag in FORBIDDEN_TAGS or any(name.startswith("on") or name == "style" for name in names):
            self.wrong.append(f"<{tag} {attrs}>")
        if tag == "script" and not (names.get("src") or "").startswith("/admin/static/"):
            self.wrong.append(f"<script {attrs}>")
        for name in ("href", "src", "action", "hx-get", "hx-post", "hx-sse:connect"):
            value = names.get(name)
            if value is not None and not value.startswith(("/admin", "/api/", "#", "?", "data:image", "mailto:")):
                self.wrong.append(f"{name}={value[:80]}")


def wrong_with(page: str) -> list[str]:
    """Return what of a page would be more than text."""
    elements = Elements()
    elements.feed(page)
    raw = [f"raw {match[0]!r}" for match in RAW.finditer(page) if match[0] != "\r"]
    return elements.wrong + raw[:3]


@asynccontextmanager
async def hostile_sessions(served: Served) -> AsyncGenerator[list[Wire]]:
    """Open a session for each hostile text, and say it in every way a client can."""
    async with AsyncExitStack() as stack:
        wires: list[Wire] = []
        await say_in_newer_era(served)
        for text in HANDSHAKE.values():
            wire = await stack.enter_async_context(session(served.mcp, name=text))
            wires.append(wire)
            await wire.call("set_session_data", key=text[:200], value=text)
            await wire.call("echo", text=text)
            await wire.call("tell", text=text)
            await wire.call("fail", text=text)
            await wire.call(text[:100], argument=text)
            await wire.request(text, {text: text}, id=text)
            await wire.notify(f"notifications/{text}", {"x": text})
            await wire.call("echo", id=f"{text}2", text="by id")
        yield wires


async def say_in_newer_era(served: Served) -> None:
    """Call a tool as clients of hostile names, the lone surrogate's among them."""
    async with httpx.AsyncClient(timeout=15) as http:
        for text in HOSTILE.values():
            meta = {**META, "io.modelcontextprotocol/clientInfo": {"name": text, "version": text}}
            params = {"name": "echo", "arguments": {"text": text}, "_meta": meta}
            message = {"jsonrpc": "2.0", "id": text, "method": "tools/call", "params": params}
            headers = modern_headers("tools/call", name="echo")
            answer = await http.post(served.mcp, content=json.dumps(message).encode(), headers=headers)
            assert answer.status_code < 500


async def test_no_page_shows_hostile_text_as_anything_but_text(plain: Served, tally: Tally) -> None:
    async with hostile_sessions(plain), signed_in(plain, "reading") as client:
        pages = await crawl(client)
        shown = [path for path, text in pages.items() if MARK in text]
        assert len(shown) > 10
        tally.judge(f"{path}: {wrong}" for path, text in pages.items() for wrong in wrong_with(text))
        tally.refuse(len(HOSTILE))
        tally.serve(len(pages))


async def test_every_live_frame_is_one_event_whatever_clients_are_called(plain: Served, tally: Tally) -> None:
    async with hostile_sessions(plain) as wires, signed_in(plain, "watching") as client:
        page = await client.get("/admin/sessions")
        link = re.search(r'hx-sse:connect="([^"]+)"', page.text)
        assert link is not None and MARK in page.text
        address = html.unescape(link[1])
        async with client.stream("GET", address, headers={"accept": "text/event-stream"}) as live:
            assert live.status_code == 200
            reading = asyncio.create_task(read_events(live, 4.0))
            for wire in wires:
                await wire.call("echo", text="changed")
            text = await reading
    assert MARK in text and "\r" not in text
    names = set(re.findall(r"^event: ?(.*)$", text, re.MULTILINE))
    assert names <= {"hb", "bye", "resync"}
    assert "forged" not in {line.removeprefix("data:").strip() for line in text.split("\n")}
    data = "\n".join(line[5:] for line in text.split("\n") if line.startswith("data:"))
    # Our own frames address their parts by id; a client's would not.
    tally.judge(each for each in wrong_with(data) if not each.startswith("<hx-partial [('hx-target', '#"))
    tally.refuse(len(HOSTILE))


async def read_events(answer: httpx.Response, seconds: float) -> str:
    received = b""
    try:
        async with asyncio.timeout(seconds):
            async for chunk in answer.aiter_raw():
                received += chunk
    except TimeoutError:
        pass
    return received.decode()


async def test_the_api_gives_hostile_text_back_as_json_in_ascii(plain: Served) -> None:
    async with plain.api("viewer") as api, hostile_sessions(plain):
        for path in ("/sessions", "/events", "/refusals", "/in-flight", "/audit"):
            answer = await api.get(path, params={} if path == "/refusals" else {"limit": 100})
            assert answer.status_code == 200 and answer.content.isascii(), path
            assert answer.headers["content-type"].startswith("application/json")
            answer.json()


async def test_no_cell_of_an_export_is_a_formula(plain: Served, tally: Tally) -> None:
    async with hostile_sessions(plain), signed_in(plain, "=exporting".strip("=")) as client:
        for path in ("/admin/sessions/export", "/admin/audit/export", "/admin/events/export"):
            for query in ("?format=csv", ""):
                answer = await client.get(path + query)
                assert answer.status_code in (200, 422), (path, answer.text[:200])
                if "csv" not in answer.headers.get("content-type", ""):
                    continue
                cells = [cell for row in csv.reader(io.StringIO(answer.text)) for cell in row]
                tally.judge(f"{path}: {cell[:60]!r}" for cell in cells if cell.startswith(("=", "@", "\t", "\r")))
                tally.refuse()
    assert tally.refused > 0


@pytest.mark.browser
async def test_a_real_browser_opens_no_dialog_and_breaks_no_policy(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("browser")
    dialogs: list[str] = []
    with serving(folder) as served:
        async with browsing.signed_in(served) as window, AsyncExitStack() as stack:
            window.page.on("dialog", lambda dialog: dialogs.append(dialog.message))
            await window.open("/admin/sessions")
            await window.until_live()
            for text in HANDSHAKE.values():
                wire = await stack.enter_async_context(session(served.mcp, name=text))
                await wire.call("set_session_data", key=text[:200], value=text)
            await window.open("/admin/sessions")
            await window.until_live()
            assert await window.page.get_by_text(MARK).count() > 5
            links = await window.page.locator('a[href^="/admin/sessions/"]').evaluate_all("ls => ls.map(l => l.href)")
            own = list(dict.fromkeys(each for each in links if re.search(r"/sessions/[0-9A-Z]{13}$", each)))
            assert len(own) > 5
            for link in own[:8]:
                for tab in ("", "/events", "/keys"):
                    await window.page.goto(link + tab)
                    assert await window.violations() == []
            assert dialogs == [] and window.complaints == [] and window.foreign == []
