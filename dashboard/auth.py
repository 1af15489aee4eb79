"""Who is behind a request: an operator by cookie, or a script by bearer token.

A request with `Authorization: Bearer` is judged by that alone; the cookie counts only without it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from starlette.requests import HTTPConnection
from starlette.responses import Response

from ..server.accounts import ABSOLUTE_SECONDS, Accounts
from ..server.models import Actor
from .guard import has_bearer
from .hosts import host_of, is_loopback

SECURE_COOKIE: Final = "__Host-switchroom"
"""On https: the browser takes it only from this host, with `Secure`, for every path."""

LOOPBACK_COOKIE: Final = "switchroom"
"""On plain http to this machine, where `Secure` cookies are refused by some browsers."""


class Credential(NamedTuple):
    """What a request shows to say who it is."""

    secret: str
    is_token: bool


def cookie_name(connection: HTTPConnection) -> str | None:
    """Return the name of the sign-in cookie here, or `None` where none may be used: plain http over a network."""
    if connection.scope["scheme"] == "https":
        return SECURE_COOKIE
    host = host_of(connection)
    return LOOPBACK_COOKIE if host is not None and is_loopback(host.name) else None


def credential_of(connection: HTTPConnection) -> Credential | None:
    """Return what the request shows, unchecked, or `None` when it shows nothing."""
    if has_bearer(connection.headers):
        return Credential(connection.headers["authorization"][7:].strip(), is_token=True)
    name = cookie_name(connection)
    secret = connection.cookies.get(name) if name is not None else None
    return Credential(secret, is_token=False) if secret else None


def address_of(connection: HTTPConnection) -> str:
    """Return the client's address; behind a trusted proxy the one it reports, `""` when there is none."""
    return connection.client.host if connection.client is not None else ""


async def identify(accounts: Accounts, credential: Credential, address: str, *, touch: bool) -> Actor | None:
    """Return who the credential stands for now, or `None` when it opens nothing.

    Args:
        touch: Whether this is an act of theirs, which starts the idle limit again.

    Raises:
        StoreUnavailable: The accounts could not be read; nobody is let in meanwhile.
    """
    if credential.is_token:
        token = await accounts.tokens.find(credential.secret, touch=touch)
        return None if token is None else Actor(token.name, token.role, "token", address)
    sign_in = await accounts.sign_ins.find(credential.secret, touch=touch)
    return None if sign_in is None else Actor(sign_in.operator, sign_in.role, "operator", address)


def set_cookie(response: Response, name: str, secret: str) -> None:
    """Give the browser its sign-in. `Lax`: links from a chat open signed in; the guard protects writes."""
    response.set_cookie(
        name,
        secret,
        max_age=int(ABSOLUTE_SECONDS),
        path="/",
        secure=name == SECURE_COOKIE,
        httponly=True,
        samesite="lax",
    )


def clear_cookie(response: Response, name: str) -> None:
    """Take the sign-in from the browser."""
    response.delete_cookie(name, path="/", secure=name == SECURE_COOKIE, httponly=True, samesite="lax")
