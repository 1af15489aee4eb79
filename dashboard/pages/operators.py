"""Operators, tokens and sign-ins, for admins; and everybody's own account."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ...server.models import Actor
from .. import operator_data as data
from ..contexts.dialogs import FormPage
from ..contexts.operators import AccessForm, AccountPage
from ..contexts.shell import Frame
from ..deps import AdminActor, CurrentAccounts, CurrentActor, CurrentSwitchroom
from ..rendering import render_form, render_page
from ..templating import urls_of

router = APIRouter()


@router.get("/operators")
async def show_operators(request: Request, actor: AdminActor, room: CurrentSwitchroom) -> Response:
    """Show who may use the console and its API."""
    frame = Frame("operators", "Operators", is_live=False)
    return await render_page(request, room, actor, frame, await data.operators_page(request, actor))


@router.get("/operators/{name}/disabling")
async def ask_disabling(
    request: Request, name: str, actor: AdminActor, room: CurrentSwitchroom, accounts: CurrentAccounts
) -> Response:
    """Ask before an operator is disabled."""
    return await _ask(request, room, actor, await data.disabling_form(accounts, urls_of(request), name))


@router.get("/tokens/{token_id}/revocation")
async def ask_revocation(
    request: Request, token_id: str, actor: AdminActor, room: CurrentSwitchroom, accounts: CurrentAccounts
) -> Response:
    """Ask before a token is revoked."""
    return await _ask(request, room, actor, await data.revocation_form(accounts, urls_of(request), token_id))


@router.get("/sign-ins/{sign_in_id}/ending")
async def ask_ending(
    request: Request, sign_in_id: str, actor: AdminActor, room: CurrentSwitchroom, accounts: CurrentAccounts
) -> Response:
    """Ask before a sign-in is ended."""
    return await _ask(request, room, actor, await data.ending_form(accounts, urls_of(request), sign_in_id))


@router.get("/account")
async def show_account(
    request: Request, actor: CurrentActor, room: CurrentSwitchroom, accounts: CurrentAccounts
) -> Response:
    """Show one's own account."""
    known = await accounts.operators.get(actor.name) if actor.kind == "operator" else None
    has_password = known is not None and known.has_password
    page = AccountPage(actor.name, actor.role.value, actor.kind == "token", has_password)
    return await render_page(request, room, actor, Frame("account", "Your account", is_live=False), page)


async def _ask(request: Request, room: CurrentSwitchroom, actor: Actor, form: AccessForm) -> Response:
    return await render_form(request, room, actor, form, FormPage(access=form), form.button)
