"""Changing who may use the console. A secret that is made is in the answer itself, never in an address."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated, Final, Protocol

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from ...server.accounts import Accounts
from ...server.errors import Conflict, InvalidInput
from ...server.models import Actor, Role
from .. import operator_data as data
from ..auth import address_of, cookie_name, set_cookie
from ..confirming import attempts_of
from ..contexts.dialogs import FormPage
from ..contexts.operators import AccessForm, AccountPage, Filled, ShownOnce
from ..contexts.shell import Flash, Frame
from ..deps import AdminActor, CurrentAccounts, CurrentAccountVerbs, CurrentActor, CurrentSwitchroom
from ..rendering import render_form, render_page
from ..templating import is_partial_request, urls_of
from ..urls import Urls

router = APIRouter()

_DAY: Final = 86_400.0
_Name = Annotated[str, Form(max_length=200)]
_Password = Annotated[str, Form(max_length=4_096)]


class _AskForm(Protocol):
    """Returns the dialog about the operator, token or sign-in that an id names."""

    async def __call__(
        self, accounts: Accounts, urls: Urls, identifier: str, /, *, reason: str = "", error: str = ""
    ) -> AccessForm: ...


class _Confirmation:
    """What an admin confirmed in a dialog, with the reason that was given there."""

    def __init__(
        self,
        request: Request,
        actor: AdminActor,
        room: CurrentSwitchroom,
        accounts: CurrentAccounts,
        reason: Annotated[str, Form(max_length=2_000)] = "",
    ) -> None:
        self.actor = actor
        self.reason = reason
        self._request = request
        self._room = room
        self._accounts = accounts

    async def carry_out(self, work: Awaitable[object], ask: _AskForm, identifier: str) -> Response:
        """Do what the dialog asked about, and lead back to the page; or show it again with what is wrong."""
        urls = urls_of(self._request)
        try:
            await work
        except (InvalidInput, Conflict) as error:
            form = await ask(self._accounts, urls, identifier, reason=self.reason, error=error.message)
            page = FormPage(access=form)
            return await render_form(self._request, self._room, self.actor, form, page, form.button, status=422)
        if is_partial_request(self._request):
            return Response(status_code=204, headers={"HX-Redirect": urls.operators()})
        return RedirectResponse(urls.operators(), status_code=303)


Confirmed = Annotated[_Confirmation, Depends()]


@router.post("/operators")
async def add_operator(
    request: Request,
    actor: AdminActor,
    room: CurrentSwitchroom,
    verbs: CurrentAccountVerbs,
    name: _Name = "",
    role: Annotated[str, Form(max_length=20)] = "",
    password: _Password = "",
) -> Response:
    """Add an operator; without a password the answer holds a one-time link."""
    try:
        added = await verbs.add_operator(actor, name.strip(), _role(role), password or None)
    except (InvalidInput, Conflict) as error:
        return await _page(request, room, actor, filled=Filled("operator", error.message, name[:64], role))
    if added.link is None:
        return RedirectResponse(f"{urls_of(request).operators()}#operators", status_code=303)
    return await _page(request, room, actor, secret=_link(request, added.operator.name, added.link))


@router.post("/operators/{name}/role")
async def set_role(
    request: Request,
    name: str,
    actor: AdminActor,
    room: CurrentSwitchroom,
    verbs: CurrentAccountVerbs,
    role: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Give an operator another role."""
    try:
        await verbs.set_role(actor, name, _role(role))
    except (InvalidInput, Conflict) as error:
        return await _page(request, room, actor, filled=Filled("role", error.message))
    return RedirectResponse(f"{urls_of(request).operators()}#operators", status_code=303)


@router.post("/operators/{name}/links")
async def make_link(
    request: Request, name: str, actor: AdminActor, room: CurrentSwitchroom, verbs: CurrentAccountVerbs
) -> Response:
    """Make a one-time link, for somebody without a password or who has lost it."""
    try:
        secret = await verbs.make_link(actor, name)
    except Conflict as error:
        return await _page(request, room, actor, filled=Filled("role", error.message))
    return await _page(request, room, actor, secret=_link(request, name, secret))


@router.post("/operators/{name}/enabling")
async def enable_operator(request: Request, name: str, actor: AdminActor, verbs: CurrentAccountVerbs) -> Response:
    """Let a disabled operator sign in again."""
    await verbs.enable_operator(actor, name)
    return RedirectResponse(f"{urls_of(request).operators()}#operators", status_code=303)


@router.post("/operators/{name}/disabling")
async def disable_operator(name: str, confirmed: Confirmed, verbs: CurrentAccountVerbs) -> Response:
    """Keep an operator out."""
    return await confirmed.carry_out(
        verbs.disable_operator(confirmed.actor, name, confirmed.reason), data.disabling_form, name
    )


@router.post("/tokens")
async def create_token(
    request: Request,
    actor: AdminActor,
    room: CurrentSwitchroom,
    verbs: CurrentAccountVerbs,
    name: _Name = "",
    role: Annotated[str, Form(max_length=20)] = "",
    days: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Make a token; the answer holds its secret."""
    try:
        secret, token = await verbs.create_token(actor, name.strip(), _role(role), _seconds(days))
    except InvalidInput as error:
        return await _page(request, room, actor, filled=Filled("token", error.message, name[:64], role, days))
    advice = f"It is not shown again. Send it as Authorization: Bearer; its role is {token.role.value}."
    return await _page(request, room, actor, secret=ShownOnce(f"Token {token.name}", secret, advice))


@router.post("/tokens/{token_id}/revocation")
async def revoke_token(token_id: str, confirmed: Confirmed, verbs: CurrentAccountVerbs) -> Response:
    """Make a token invalid."""
    return await confirmed.carry_out(
        verbs.revoke_token(confirmed.actor, token_id, confirmed.reason), data.revocation_form, token_id
    )


@router.post("/sign-ins/{sign_in_id}/ending")
async def end_sign_in(sign_in_id: str, confirmed: Confirmed, verbs: CurrentAccountVerbs) -> Response:
    """End one browser's sign-in."""
    return await confirmed.carry_out(
        verbs.end_operator_sign_in(confirmed.actor, sign_in_id, confirmed.reason), data.ending_form, sign_in_id
    )


@router.post("/account/password")
async def change_own_password(
    request: Request,
    actor: CurrentActor,
    room: CurrentSwitchroom,
    accounts: CurrentAccounts,
    verbs: CurrentAccountVerbs,
    present: _Password = "",
    password: _Password = "",
) -> Response:
    """Change one's own password; every other sign-in ends and this browser gets a new one."""
    attempts, address = attempts_of(request), address_of(request)
    attempts.admit(actor.name, address, is_known_address=True)
    try:
        await verbs.change_own_password(actor, present, password)
    except InvalidInput as error:
        known = await accounts.operators.named(actor.name)
        is_present = error.detail.get("field") == "present"
        errors = (error.message, "") if is_present else ("", error.message)
        page = AccountPage(actor.name, actor.role.value, False, known.has_password, *errors)
        frame = Frame("account", "Your account", is_live=False)
        return await render_page(request, room, actor, frame, page, status=422)
    attempts.succeeded(actor.name, address)
    response = RedirectResponse(urls_of(request).account(), status_code=303)
    cookie = cookie_name(request)
    if cookie is not None:
        set_cookie(response, cookie, await accounts.sign_ins.begin(actor.name, address))
    return response


async def _page(
    request: Request,
    room: CurrentSwitchroom,
    actor: Actor,
    *,
    secret: ShownOnce | None = None,
    filled: Filled | None = None,
) -> Response:
    flash = Flash(filled.error, "bad") if filled is not None and filled.form == "role" else None
    frame = Frame("operators", "Operators", is_live=False, flash=flash)
    page = await data.operators_page(request, actor, secret=secret, filled=filled)
    return await render_page(request, room, actor, frame, page, status=200 if filled is None else 422)


def _link(request: Request, name: str, secret: str) -> ShownOnce:
    address = str(request.base_url).rstrip("/") + urls_of(request).link(secret)
    advice = "It works once, within ten minutes, and is not shown again. Whoever opens it first is signed in."
    return ShownOnce(f"Sign-in link of {name}", address, advice)


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise InvalidInput("Choose a role: viewer, operator or admin.", field="role") from None


def _seconds(days: str) -> float | None:
    text = days.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 3_650):
        raise InvalidInput("Give the days until it expires in digits, 1 to 3,650; empty means never.", field="days")
    return int(text) * _DAY
