"""Small pages behind a sign-in, and what a browser does to get past it."""

from __future__ import annotations

import httpx2
from fastapi import Depends, Request
from fastapi.responses import HTMLResponse

from switchroom.dashboard.deps import AdminActor, CurrentActor, OperatorActor, require
from switchroom.server.models import AuditEntry, Role
from tests.support.console import PASSWORD, Console
from tests.support.html import Element


def add_pages(console: Console) -> None:
    """Pages as small as pages can be: what is tested is who sees them."""

    @console.app.get("/admin/sessions")
    async def page(request: Request, actor: CurrentActor) -> HTMLResponse:
        return HTMLResponse(f"<h1>{actor.name} {actor.role.value} {actor.kind} {actor.address}</h1>")

    @console.app.post("/admin/expirations", dependencies=[Depends(require(Role.OPERATOR, "expire"))])
    async def act(actor: OperatorActor) -> HTMLResponse:
        return HTMLResponse("<p>acted</p>")

    @console.app.post("/admin/settings")
    async def settings(actor: AdminActor) -> HTMLResponse:
        return HTMLResponse("<p>changed</p>")

    @console.app.get("/admin/crash")
    async def crash(actor: CurrentActor) -> HTMLResponse:
        raise RuntimeError("the secret is 1234")


async def audit(console: Console, action: str) -> list[AuditEntry]:
    return await console.room.directory.audit(action=action, limit=200)


async def sign_in(browser: httpx2.AsyncClient, name: str = "ana", password: str = PASSWORD) -> httpx2.Response:
    return await browser.post("/admin/login", data={"operator": name, "password": password})


def fields(page: Element) -> dict[str, str]:
    return {each.attributes["name"]: each.attributes.get("value", "") for each in page.select("input")}
