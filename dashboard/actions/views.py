"""Saving, renaming, sharing and deleting views of the sessions list."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from ...server.errors import Forbidden, InvalidInput, LimitReached
from ...server.models import Actor
from ..contexts.shell import Crumb, Frame
from ..contexts.views import ViewsPage, make_links
from ..deps import CurrentAccounts, CurrentActor, CurrentSwitchroom
from ..rendering import render_page
from ..templating import urls_of

router = APIRouter()

_Title = Annotated[str, Form(max_length=1_000)]
_Query = Annotated[str, Form(max_length=20_000)]


@router.post("/views")
async def save_view(
    request: Request,
    actor: CurrentActor,
    room: CurrentSwitchroom,
    accounts: CurrentAccounts,
    title: _Title = "",
    query: _Query = "",
    is_shared: Annotated[bool, Form(alias="shared")] = False,
) -> Response:
    """Keep the list as it is under a name, and go back to it."""
    try:
        saved = await accounts.views.save(_owner(actor), title, query.lstrip("?"), is_shared=is_shared)
    except (InvalidInput, LimitReached) as error:
        return await _again(request, room, actor, accounts, error.message)
    return RedirectResponse(f"{urls_of(request).sessions()}?{saved.query}", status_code=303)


@router.post("/views/{view_id}")
async def change_view(
    request: Request,
    view_id: str,
    actor: CurrentActor,
    room: CurrentSwitchroom,
    accounts: CurrentAccounts,
    title: _Title = "",
    is_shared: Annotated[bool, Form(alias="shared")] = False,
) -> Response:
    """Rename a view, and share it or not."""
    try:
        await accounts.views.update(_owner(actor), view_id, title=title, is_shared=is_shared)
    except InvalidInput as error:
        return await _again(request, room, actor, accounts, error.message)
    return RedirectResponse(urls_of(request).views(), status_code=303)


@router.post("/views/{view_id}/deletion")
async def delete_view(request: Request, view_id: str, actor: CurrentActor, accounts: CurrentAccounts) -> Response:
    """Forget a view."""
    await accounts.views.delete(_owner(actor), view_id)
    return RedirectResponse(urls_of(request).views(), status_code=303)


def _owner(actor: Actor) -> str:
    if actor.kind != "operator":
        raise Forbidden("Views belong to operators; an API token has none.")
    return actor.name


async def _again(
    request: Request, room: CurrentSwitchroom, actor: Actor, accounts: CurrentAccounts, error: str
) -> Response:
    urls = urls_of(request)
    page = ViewsPage(make_links(await accounts.views.visible_to(actor.name), actor.name, urls), error)
    crumbs = [Crumb("Sessions", urls.sessions()), Crumb("Saved views")]
    frame = Frame("sessions", "Saved views", crumbs, is_live=False)
    return await render_page(request, room, actor, frame, page, status=422)
