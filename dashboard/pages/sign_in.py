"""Signing in and out: with a name and a password, or once with a link from the server's terminal."""

from __future__ import annotations

import logging
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from ...server.accounts import Operator
from ...server.errors import LimitReached, NotSignedIn, StoreUnavailable
from ...server.models import Actor, Role
from ..auth import address_of, clear_cookie, cookie_name, credential_of, set_cookie
from ..confirming import attempts_of
from ..contexts.sign_in import LinkPage, SignInPage
from ..deps import accounts_of, current_actor, settings_of, switchroom
from ..returning import safe_next
from ..templating import html_response, templates_of, urls_of

logger = logging.getLogger("switchroom.sign_in")

router = APIRouter(include_in_schema=False)

_WRONG: Final = "Wrong name or password."
_ENDED: Final = "Your sign-in has ended. You will return to the page you were on."
_OUT: Final = "You are signed out."
_NOBODY: Final = (
    "Nobody has a password yet. Open the one-time link that the server printed when it started, "
    "or run: switchroom operators add NAME --role admin"
)
_MAX_NAME: Final = 64
_STRANGER: Final = "anonymous"
_UNKNOWN: Final = "(unknown name)"
"""What was typed is not recorded: people type passwords into the wrong field."""


@router.get("/login")
async def show_sign_in(request: Request, next: str = "", ended: bool = False, out: bool = False) -> Response:
    """Return the form, or the page asked for when somebody is signed in already."""
    urls = urls_of(request)
    try:
        await current_actor(request)
    except NotSignedIn:
        note = _ENDED if ended else _OUT if out else await _first_steps(request)
        return _form(request, next=safe_next(next, urls), note=note)
    return RedirectResponse(safe_next(next, urls), 303)


@router.post("/login")
async def sign_in(
    request: Request,
    operator: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "",
) -> Response:
    """Check the name and the password; a new secret is made at every sign-in."""
    back = safe_next(next, urls_of(request))
    name = operator.strip()
    if cookie_name(request) is None:
        return _form(request, next=back, status=400)
    try:
        found = await _authenticate(request, name, password)
    except LimitReached as error:
        wait = f"{error} Try again in {error.retry_after} seconds."
        headers = {"Retry-After": str(error.retry_after)}
        return _form(request, next=back, operator=name, error=wait, status=429, headers=headers)
    if found is None:
        return _form(request, next=back, operator=name, error=_WRONG, status=401)
    return await _signed_in(request, found, back, method="password")


@router.post("/logout")
async def sign_out(request: Request) -> Response:
    """End this browser's sign-in; its live streams follow within seconds."""
    urls = urls_of(request)
    response = RedirectResponse(urls.at("/login", out=True), 303)
    name = cookie_name(request)
    if name is not None:
        clear_cookie(response, name)
    try:
        actor = await current_actor(request)
    except NotSignedIn:
        return response
    await _end_sign_in(request)
    await _note(request, actor, "sign_out", actor.name, "done")
    return response


@router.get("/login/link")
async def show_link(request: Request, token: str = "") -> Response:
    """Return a button: opening a link changes nothing, so a preview of it does not use it up."""
    operator = await accounts_of(request).links.operator_of(token)
    return _link(request, token if operator else "", operator or "", status=200 if operator else 410)


@router.post("/login/link")
async def use_link(request: Request, token: Annotated[str, Form()] = "") -> Response:
    """Use the link up and sign in."""
    if cookie_name(request) is None:
        return _link(request, "", "", status=400)
    accounts = accounts_of(request)
    name = await accounts.links.consume(token)
    operator = await accounts.operators.get(name) if name is not None else None
    if operator is None or operator.is_disabled:
        await _note_refusal(request, _UNKNOWN, "link")
        return _link(request, "", "", status=410)
    return await _signed_in(request, operator, urls_of(request).overview(), method="link")


async def _authenticate(request: Request, name: str, password: str) -> Operator | None:
    accounts, attempts, address = accounts_of(request), attempts_of(request), address_of(request)
    is_known = await accounts.sign_ins.is_known_address(name[:_MAX_NAME], address)
    try:
        attempts.admit(name, address, is_known_address=is_known)
    except LimitReached:
        known = await accounts.operators.get(name)
        await _note_refusal(request, known.name if known else _UNKNOWN, "too many attempts")
        raise
    result = await accounts.operators.authenticate(name, password)
    if result.operator is None:
        await _note_refusal(request, name if result.is_known else _UNKNOWN, "password")
        return None
    attempts.succeeded(name, address)
    return result.operator


async def _signed_in(request: Request, operator: Operator, back: str, *, method: str) -> Response:
    cookie = cookie_name(request)
    assert cookie is not None
    await _end_sign_in(request)
    address = address_of(request)
    secret = await accounts_of(request).sign_ins.begin(operator.name, address)
    actor = Actor(operator.name, operator.role, "operator", address)
    await _note(request, actor, "sign_in", operator.name, "done", method=method)
    response = RedirectResponse(back, 303)
    set_cookie(response, cookie, secret)
    return response


async def _end_sign_in(request: Request) -> None:
    credential = credential_of(request)
    if credential is not None and not credential.is_token:
        await accounts_of(request).sign_ins.end(credential.secret)


async def _note_refusal(request: Request, target: str, why: str) -> None:
    address = address_of(request)
    if attempts_of(request).is_recorded(address):
        await _note(request, Actor(_STRANGER, Role.VIEWER, "operator", address), "sign_in", target, "refused", why=why)
    else:
        switchroom(request).operations.count_refusal("sign_in")
        logger.warning("A sign-in was refused (%s) from %s; no more audit rows for this address now", why, address)


async def _note(request: Request, actor: Actor, action: str, target: str, outcome: str, **detail: object) -> None:
    try:
        await switchroom(request).operations.note_access(actor, action, target, outcome, detail)
    except StoreUnavailable as error:
        # A full disk must not keep the people out who could clear it.
        logger.warning("The audit log did not take %s of %s (%s): %s", action, target, outcome, error)


async def _first_steps(request: Request) -> str:
    operators = await accounts_of(request).operators.all()
    return "" if any(operator.has_password for operator in operators) else _NOBODY


def _form(
    request: Request,
    *,
    next: str,
    operator: str = "",
    note: str = "",
    error: str = "",
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    page = SignInPage(
        server=", ".join(switchroom(request).directory.server_names),
        environment=settings_of(request).environment,
        operator=operator[:_MAX_NAME],
        next=next,
        note=note,
        error=error,
        is_possible=cookie_name(request) is not None,
    )
    return html_response(templates_of(request).render(page), status=status, headers=headers)


def _link(request: Request, token: str, operator: str, *, status: int) -> Response:
    page = LinkPage(
        server=", ".join(switchroom(request).directory.server_names),
        environment=settings_of(request).environment,
        token=token,
        operator=operator,
        is_possible=cookie_name(request) is not None,
    )
    return html_response(templates_of(request).render(page), status=status)
