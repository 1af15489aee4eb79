"""Blocks: the list, and the forms before somebody is blocked, a block is lifted, or listen streams are closed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from ...server.models import Role
from ..contexts import blocks as view
from ..contexts.dialogs import FormPage
from ..contexts.shell import Frame, LiveLink
from ..cursors import live_cursor
from ..deps import CurrentActor, CurrentSwitchroom, OperatorActor
from ..rendering import render_form, render_page
from ..rule_forms import WantedBlock, block_form, close_listening_form, lift_form
from ..templating import urls_of

router = APIRouter()

_SHOWN = 200


@router.get("/blocks")
async def list_blocks(request: Request, actor: CurrentActor, room: CurrentSwitchroom) -> Response:
    """Show the blocks in force, the newest first."""
    urls, position = urls_of(request), live_cursor(room.directory)
    blocks = room.directory.rules.blocks()
    link = LiveLink(urls.live("blocks", rows=",".join(each.block.id for each in blocks[:_SHOWN]), after=position))
    page = view.make_blocks(blocks, urls, link, can_act=actor.role.includes(Role.OPERATOR))
    return await render_page(request, room, actor, Frame("block", "Blocks"), page)


@router.get("/blocks/new")
async def ask_block(
    request: Request,
    actor: OperatorActor,
    room: CurrentSwitchroom,
    session: Annotated[str, Query(max_length=40)] = "",
    kind: Annotated[str, Query(max_length=20)] = "client",
    value: Annotated[str, Query(max_length=300)] = "",
) -> Response:
    """Ask whom to block, why and for how long."""
    wanted = WantedBlock(session_id=session, kind=kind, value=value)
    form = await block_form(room, urls_of(request), wanted)
    return await render_form(request, room, actor, form, FormPage(barring=form), "Block")


@router.get("/blocks/{block_id}/lifting")
async def ask_lifting(request: Request, block_id: str, actor: OperatorActor, room: CurrentSwitchroom) -> Response:
    """Ask before a block is lifted."""
    form = lift_form(room.directory, urls_of(request), block_id)
    return await render_form(request, room, actor, form, FormPage(lifting=form), "Lift block")


@router.get("/clients/{client_id}/listening")
async def ask_closing(request: Request, client_id: str, actor: OperatorActor, room: CurrentSwitchroom) -> Response:
    """Ask before every listen stream of a client is closed."""
    form = await close_listening_form(room.directory, urls_of(request), client_id)
    return await render_form(request, room, actor, form, FormPage(hush=form), "Close listen streams")
