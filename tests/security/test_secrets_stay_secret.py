"""Secrets of tools and stored keys. Only their client has them: no file, page, stream, export or log line does."""

from __future__ import annotations

import asyncio
import html
import json
import re
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client

from switchroom.server.sealing import make_key
from tests.support.clients import connected, text_of
from tests.support.processes import Served, environment, serving

pytestmark = pytest.mark.anyio

VAULT = f"{Path(__file__).parent / 'vault.py'}:mcp"
PASSWORD = "correct horse battery"
TOOLS = ("login", "crash", "misuse", "issue", "account", "remember", "store_sensitive_data", "retrieve_sensitive_data")
WAYS = ("legacy", "auto", "sse")
LINK = re.compile(r'(?:href|hx-get|hx-sse:connect)="(/admin[^"#]*)"')

OF_A_KIND = 8
"""Pages of one kind that are looked at, such as events of a session."""


def marker(way: str, tool: str) -> str:
    """Return the secret that a tool is given over one way in."""
    return f"mk7-{way}-{tool}-q9w8e7"


GIVEN = [marker(way, tool) for way in (*WAYS, "stdio", "page") for tool in TOOLS]
MARKERS = [*GIVEN, *(each[::-1] for each in GIVEN)]


def spilled(where: str, text: str) -> list[str]:
    """Return the secrets that are found in a text, with the place they were found in."""
    return [f"{each} in {where}" for each in MARKERS if each in text]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vault")


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    """A server that has had every tool called over every way in."""
    settings = {"secret_keys": make_key("k1"), "admin_password": PASSWORD, "log_format": "text"}
    with serving(folder, VAULT, "--sse", **settings) as running:
        for way in WAYS:
            asyncio.run(use_everything(running, way))
        yield running


@asynccontextmanager
async def reached(running: Served, way: str) -> AsyncGenerator[Client]:
    if way == "sse":
        async with Client(sse_client(f"{running.base}/sse"), mode="legacy") as client:
            yield client
    else:
        async with connected(running.mcp, mode=way, name=f"client-{way}") as (client, _):
            yield client


async def use_everything(running: Served, way: str) -> None:
    async with reached(running, way) as client:
        await call_everything(client, way)


async def call_everything(client: Client, way: str) -> None:
    """Call every tool with its secret, and make sure that the client has back what it is owed."""
    handle = {"session_id": text_of(await client.call_tool("open_session", {}))} if way == "auto" else {}

    async def call(tool: str, **arguments: Any) -> Any:
        return await client.call_tool(tool, arguments)

    secret = {tool: marker(way, tool) for tool in TOOLS}
    assert text_of(await call("login", password=secret["login"])) == f"welcome, {secret['login']}"
    assert (await call("crash", password=secret["crash"])).is_error
    assert (await call("misuse", password=secret["misuse"], count="not a number")).is_error
    assert text_of(await call("issue", text=secret["issue"])) == secret["issue"]
    assert (await call("account", text=secret["account"])).structured_content["number"] == secret["account"]
    assert text_of(await call("remember", text=secret["remember"], **handle)) == secret["remember"][::-1]
    kept = secret["store_sensitive_data"]
    await call("store_sensitive_data", key="pin", value=kept, **handle)
    assert text_of(await call("retrieve_sensitive_data", key="pin", **handle)) == f"Retrieved: {kept}"


def test_no_file_holds_them(served: Served, folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} >= {"switchroom.db", "switchroom.db-wal"}
    assert spilled_in(folder) == []


def test_the_servers_own_log_does_not(served: Served) -> None:
    assert "no such password: [redacted]" in served.text
    assert spilled("the log", served.text) == []


async def test_no_page_of_the_console_does(served: Served) -> None:
    async with signed_in(served) as browser:
        waiting, seen, found = ["/admin/"], set[str](), list[str]()
        streams, kinds = 0, Counter[str]()
        while waiting:
            address = waiting.pop(0)
            if address in seen or kinds[kind_of(address)] >= OF_A_KIND:
                continue
            seen.add(address)
            kinds[kind_of(address)] += 1
            if "/live?" in address:
                if (streams := streams + 1) > 8:
                    continue
                found += spilled(address, await streamed(browser, address))
                continue
            answer = await browser.get(address)
            assert answer.status_code < 500, address
            found += spilled(address, answer.text)
            links = [html.unescape(link) for link in LINK.findall(answer.text)]
            waiting += [link for link in links if "/logout" not in link and "/static/" not in link]
        assert found == []
        for part in ("/keys", "/events", "sel=", "/audit", "/live?"):
            assert any(part in address for address in seen), part


def kind_of(address: str) -> str:
    """Return what a page is of: its path without references, and the names of its query."""
    path, _, query = address.partition("?")
    names = sorted({pair.partition("=")[0] for pair in query.split("&")})
    return re.sub(r"/[0-9A-Z]{13}\b|/\d+\b", "/*", path) + " " + " ".join(names)


async def streamed(browser: httpx2.AsyncClient, address: str) -> str:
    """Return what a live stream sends within half a second."""
    chunks: list[str] = []
    try:
        async with asyncio.timeout(0.5), browser.stream("GET", address) as answer:
            chunks.extend([chunk async for chunk in answer.aiter_text()])
    except TimeoutError:
        pass
    return "".join(chunks)


@asynccontextmanager
async def signed_in(running: Served) -> AsyncGenerator[httpx2.AsyncClient]:
    headers = {"Sec-Fetch-Site": "same-origin"}
    async with httpx2.AsyncClient(base_url=running.base, headers=headers, timeout=20) as browser:
        answer = await browser.post("/admin/login", data={"operator": "admin", "password": PASSWORD})
        assert answer.status_code == 303
        yield browser


async def test_no_answer_of_the_api_does(served: Served) -> None:
    async with served.api("admin") as api:
        found: list[str] = []
        sessions = (await api.get("/sessions", params={"limit": 100})).json()["items"]
        clients = (await api.get("/clients")).json()["items"]
        assert {session["kind"] for session in sessions} >= {"streamable-http", "sse", "handle"}
        for known in [*sessions, *clients]:
            path = f"/sessions/{known['id']}"
            events = await api.get(f"{path}/events", params={"limit": 1000})
            parts = [events, await api.get(f"{path}/keys"), await api.get(path)]
            parts += [
                await api.get(f"{path}/events/{event['seq']}/keys")
                for event in events.json()["items"]
                if event["kind"] == "key"
            ]
            assert all(part.status_code == 200 for part in parts)
            found += [each for part in parts for each in spilled(str(part.url), part.text)]
        found += spilled("the audit log", (await api.get("/audit")).text)
        assert found == []


async def test_no_live_stream_does_while_calls_are_made(served: Served) -> None:
    async with connected(served.mcp, name="followed") as (client, _), signed_in(served) as browser:
        async with served.api("viewer") as api:
            listed = (await api.get("/sessions", params={"q": "client:followed"})).json()["items"]
            assert len(listed) == 1
        page = (await browser.get(f"/admin/sessions/{listed[0]['id']}/events")).text
        (live,) = re.findall(r'hx-sse:connect="([^"]+)"', page)
        taken: list[str] = []
        async with asyncio.timeout(15), browser.stream("GET", html.unescape(live)) as stream:
            await call_everything(client, "page")
            async for chunk in stream.aiter_text():
                taken.append(chunk)
                if "retrieve_sensitive_data" in "".join(taken):
                    break
        assert spilled("the live stream", "".join(taken)) == []


async def test_no_download_does(served: Served) -> None:
    async with signed_in(served) as browser:
        for what in ("events", "audit"):
            for form in ("csv", "json"):
                answer = await browser.get(f"/admin/{what}/export", params={"format": form})
                assert answer.status_code == 200 and len(answer.content) > 100
                assert spilled(f"{what}.{form}", answer.text) == []


async def test_what_is_revealed_is_shown_once_and_recorded_without_the_value(served: Served) -> None:
    async with served.api("admin") as api:
        sessions = (await api.get("/sessions", params={"q": "kind:handle"})).json()["items"]
        path = f"/sessions/{sessions[0]['id']}"
        body = {"key": "pin", "operator": "admin", "password": "wrong horse battery"}
        assert (await api.post(f"{path}/key-revelations", json=body)).status_code == 422
        shown = await api.post(f"{path}/key-revelations", json={**body, "password": PASSWORD})
        assert shown.json() == {"key": "pin", "value": marker("auto", "store_sensitive_data")}
        assert shown.headers["cache-control"] == "no-store"
        audit = (await api.get("/audit")).text
        assert audit.count('"reveal_key"') == 2
        assert spilled("the audit log", audit) == [] and PASSWORD not in audit and "wrong horse" not in audit


async def test_over_stdio_they_stay_out_of_the_file_and_the_log_too(tmp_path: Path) -> None:
    arguments = ["-m", "switchroom.dashboard", "serve", VAULT, "--stdio", "--port", "0"]
    given = environment(secret_keys=make_key("k1"), admin_password=PASSWORD)
    parameters = StdioServerParameters(command=sys.executable, args=arguments, cwd=tmp_path, env=given)
    log = tmp_path / "stderr"
    with log.open("w") as errors:
        async with Client(stdio_client(parameters, errlog=errors), mode="legacy") as client:
            await call_everything(client, "stdio")
    assert spilled_in(tmp_path) == []
    assert "[redacted]" in content(log) and json.dumps("[redacted]")[1:-1] in content(tmp_path / "switchroom.db")


def spilled_in(folder: Path) -> list[str]:
    """Return the secrets that the files of a folder hold."""
    return [each for path in folder.iterdir() if path.is_file() for each in spilled(path.name, content(path))]


def content(path: Path) -> str:
    """Return a file's bytes as text."""
    return path.read_bytes().decode("latin-1")
