"""Operators of an attacked server, their browsers, and every address of its console."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from typing import NamedTuple

import httpx
from starlette.routing import Route

from switchroom.dashboard.actions import action_routers
from switchroom.dashboard.api import api_routers
from switchroom.dashboard.pages import page_routers
from switchroom.server.accounts import open_accounts
from switchroom.server.models import Role
from tests.support.processes import Served

PASSWORD = "correct horse battery"
SAME_ORIGIN = {"sec-fetch-site": "same-origin"}
OPEN_PATHS = ("/admin/login", "/admin/logout", "/admin/static")
"""What has to answer before anybody has signed in."""


class Endpoint(NamedTuple):
    """One method of one address, its parameters filled in."""

    method: str
    path: str

    @property
    def is_write(self) -> bool:
        return self.method not in ("GET", "HEAD")

    @property
    def is_live(self) -> bool:
        return self.path.endswith("/live")


def endpoints(*, session_id: str = "0000000000000") -> list[Endpoint]:
    """Return every address of pages, actions and API, read from the routers that serve them."""
    prefixed = [("/admin", router) for router in (*page_routers(), *action_routers())]
    found: set[Endpoint] = set()
    for prefix, router in [*prefixed, *(("", each) for each in api_routers())]:
        for route in router.routes:
            if isinstance(route, Route):
                path = prefix + re.sub(r"\{session_id[^}]*\}", session_id, route.path)
                path = re.sub(r"\{[^}]+\}", "1", path)
                found |= {Endpoint(method, path) for method in (route.methods or set()) - {"HEAD"}}
    return sorted(found)


def guarded_endpoints() -> list[Endpoint]:
    """Return those that need a sign-in."""
    return [each for each in endpoints() if not each.path.startswith(OPEN_PATHS) and each.path != "/admin"]


async def add_operator(served: Served, name: str, role: Role = Role.OPERATOR) -> None:
    """Add an operator beside the running server, as the command line does."""
    accounts = open_accounts(f"sqlite:///{served.folder}/switchroom.db")
    await accounts.open()
    try:
        await accounts.operators.add(name, role, PASSWORD)
    finally:
        await accounts.close()


@asynccontextmanager
async def browser(served: Served, *, address: str = "127.0.0.1") -> AsyncGenerator[httpx.AsyncClient]:
    """Give a client that keeps cookies and sends what a browser's own pages send."""
    transport = httpx.AsyncHTTPTransport(local_address=address)
    async with httpx.AsyncClient(base_url=served.base, transport=transport, headers=SAME_ORIGIN, timeout=15) as client:
        yield client


async def sign_in(client: httpx.AsyncClient, name: str, password: str = PASSWORD, **form: str) -> httpx.Response:
    """Send the sign-in form."""
    return await client.post("/admin/login", data={"operator": name, "password": password, **form})


@asynccontextmanager
async def signed_in(
    served: Served, name: str, role: Role = Role.OPERATOR, *, address: str = "127.0.0.1"
) -> AsyncGenerator[httpx.AsyncClient]:
    """Give the browser of a new operator who has signed in."""
    await add_operator(served, name, role)
    async with browser(served, address=address) as client:
        answer = await sign_in(client, name)
        assert answer.status_code == 303, answer.text
        yield client


def age_sign_ins(served: Served, operator: str, column: str, seconds: float) -> None:
    """Move a time of an operator's sign-ins into the past, as if that long had gone by."""
    assert column in ("seen", "created")
    with closing(sqlite3.connect(served.folder / "switchroom.accounts.db")) as connection:
        connection.execute(f"UPDATE sign_in SET {column} = {column} - ? WHERE operator = ?", (seconds, operator))
        connection.commit()


async def audit_entries(served: Served, **query: str) -> list[dict[str, object]]:
    """Return the newest audit entries."""
    async with served.api("admin") as api:
        answer = await api.get("/audit", params={"limit": "200", **query})
        assert answer.status_code == 200, answer.text
        items: list[dict[str, object]] = answer.json()["items"]
        return items
